package emulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// A console keeps what the guest writes to its serial line.
type console struct {
	also io.Writer // gets a copy, unless nil

	mu    sync.Mutex
	text  []byte
	marks []Mark
	part  []byte        // of a line that has no end yet
	news  chan struct{} // closed when there is more
	ended bool
}

// A Mark is one line of the guest's init, or of a program that begins its lines
// with "emu: ".
type Mark struct {
	Text string
	At   time.Time // when this process read it
}

func newConsole(also io.Writer) *console { return &console{also: also, news: make(chan struct{})} }

func (c *console) Write(b []byte) (int, error) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, b...)
	c.part = append(c.part, b...)
	for {
		line, rest, found := bytes.Cut(c.part, []byte("\n"))
		if !found {
			break
		}
		c.part = rest
		if text, found := strings.CutPrefix(strings.TrimSpace(string(line)), "emu: "); found {
			c.marks = append(c.marks, Mark{Text: text, At: now})
		}
	}
	c.wake()
	if c.also != nil {
		_, _ = c.also.Write(b) // a reader's trouble is none of the guest's
	}
	return len(b), nil
}

// end says that nothing will follow.
func (c *console) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.wake()
}

func (c *console) wake() {
	close(c.news)
	c.news = make(chan struct{})
}

// String is all of it so far.
func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.text)
}

// tail is its end, for messages.
func (c *console) tail() string {
	text := c.String()
	return text[max(0, len(text)-2000):]
}

// await waits until look finds what it looks for. Look is called with the lock
// held.
func (c *console) await(ctx context.Context, what string, look func() bool) error {
	for {
		c.mu.Lock()
		found, ended, news := look(), c.ended, c.news
		c.mu.Unlock()
		if found {
			return nil
		}
		if ended {
			return fmt.Errorf("emulator: waiting for %s: %w; the console's end:\n%s", what, errGone, c.tail())
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("emulator: waiting for %s: %w; the console's end:\n%s", what, context.Cause(ctx), c.tail())
		}
	}
}

// mark waits for the mark number n (from 0) that begins with prefix.
func (c *console) mark(ctx context.Context, prefix string, n int) (Mark, error) {
	var got Mark
	err := c.await(ctx, fmt.Sprintf("the mark %q", prefix), func() bool {
		seen := 0
		for _, m := range c.marks {
			if strings.HasPrefix(m.Text, prefix) {
				if seen == n {
					got = m
					return true
				}
				seen++
			}
		}
		return false
	})
	return got, err
}

// answer waits for lines that begin with tag, the last of which is "<end>" and a
// status, and gives what stands in them.
func (c *console) answer(ctx context.Context, tag string) (text, status string, err error) {
	err = c.await(ctx, "the answer "+tag, func() bool {
		var found bool
		text, status, found = tagged(string(c.text), tag)
		return found
	})
	return text, status, err
}

// tagged finds the text of the lines with a tag, if their end is there. The end
// may stand behind a last line that was not ended.
func tagged(console, tag string) (text, status string, found bool) {
	var b strings.Builder
	for line := range strings.Lines(console) {
		_, rest, mine := strings.Cut(line, tag) // behind what another program has not ended yet
		if !mine || !strings.HasSuffix(line, "\n") {
			continue
		}
		rest = strings.TrimRight(rest, "\r\n")
		before, after, ended := strings.Cut(rest, "<end> ")
		if b.Len() > 0 && (before != "" || !ended) {
			b.WriteByte('\n')
		}
		b.WriteString(before)
		if ended {
			return b.String(), after, true
		}
	}
	return "", "", false
}
