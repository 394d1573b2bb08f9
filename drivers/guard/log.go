package guard

import (
	"io"
	"sync"
	"time"
)

const (
	logQueue = 64 // lines
	logFlush = 100 * time.Millisecond
)

// journal writes lines without ever making the guard wait: if the reader of w
// is stuck, lines are lost.
type journal struct {
	mu     sync.Mutex
	lines  chan string
	closed bool // what is said later is lost
	done   chan struct{}
}

func newJournal(w io.Writer) *journal {
	j := &journal{lines: make(chan string, logQueue), done: make(chan struct{})}
	go func() {
		defer close(j.done)
		for line := range j.lines {
			_, _ = io.WriteString(w, "doorguard: "+line+"\n")
		}
	}()
	return j
}

func (j *journal) say(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	select {
	case j.lines <- line:
	default:
	}
}

// close waits a moment for the last lines.
func (j *journal) close() {
	j.mu.Lock()
	j.closed = true
	close(j.lines)
	j.mu.Unlock()
	select {
	case <-j.done:
	case <-time.After(logFlush):
	}
}
