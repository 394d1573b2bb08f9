package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// An asker asks a person questions on a terminal. With yes it answers all of
// them itself.
type asker struct {
	in  io.Reader
	out io.Writer
	yes bool

	begin sync.Once
	lines chan string // closed at the end of the input
}

// line waits for a line that the person writes. It reports false at the end of
// the input and of ctx.
func (a *asker) line(ctx context.Context) (string, bool) {
	select {
	case s, ok := <-a.typed():
		return strings.ToLower(strings.TrimSpace(s)), ok
	case <-ctx.Done():
		return "", false
	}
}

// typed are the lines of the terminal. Their reader lives as long as the
// process: a terminal cannot be interrupted.
func (a *asker) typed() <-chan string {
	a.begin.Do(func() {
		a.lines = make(chan string)
		if a.in == nil || a.yes {
			close(a.lines)
			return
		}
		go func() {
			defer close(a.lines)
			for scan := bufio.NewScanner(a.in); scan.Scan(); {
				a.lines <- scan.Text()
			}
		}()
	})
	return a.lines
}

// question asks until it has a yes or a no. At the end of the input the answer
// is no.
func (a *asker) question(ctx context.Context, format string, args ...any) bool {
	if a.yes {
		return true
	}
	for {
		fmt.Fprintf(a.out, format+" [y/n] ", args...)
		answer, ok := a.line(ctx)
		switch {
		case !ok:
			fmt.Fprintln(a.out)
			return false
		case answer == "y" || answer == "yes":
			return true
		case answer == "n" || answer == "no":
			return false
		}
	}
}
