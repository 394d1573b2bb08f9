// Doorctl is a person's tool for a panel: its status, its last calls and their
// timelines, a press, an open, and a check of configurations and board files.
//
// It speaks to the daemon over the socket in the panel's run folder; checking
// files needs no daemon. Its exit status is 0 when it did what was asked, 1
// when it could not, and 2 when it was not understood.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"doorstation/firmware/control"
)

// The exit statuses.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// inputTime is how long a check waits for each input, unless -wait or -yes says
// otherwise.
const inputTime = 30 * time.Second

// defaultRun is the run folder of a panel that is set up as a service.
const defaultRun = "/run/doorstation"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// A tool is one run of doorctl.
type tool struct {
	out   io.Writer // text for a terminal: no control characters
	raw   io.Writer // the same stream for JSON
	dir   string
	json  bool
	board string
	set   []string // names of the flags that were given

	in      io.Reader     // what a person answers
	yes     bool          // nobody is asked
	wait    time.Duration // for each input of a check
	pcap    string        // file for the messages of a trace
	picture string        // file for the camera's picture of a check
	times   times         // of its steps
}

// A usageError is a command line that was not understood.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func misused(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// run does what args say and gives the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	t := &tool{in: stdin, out: &plain{stdout}, raw: stdout, times: usualTimes}
	words, err := t.parse(args)
	if err == nil {
		err = t.do(ctx, words)
	}
	var misuse *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return exitDone
	case errors.As(err, &misuse):
		fmt.Fprintf(&plain{stderr}, "doorctl: %v\nTry doorctl help.\n", err)
		return exitUsage
	}
	fmt.Fprintf(&plain{stderr}, "doorctl: %v\n", err)
	return exitFailed
}

// parse takes the flags out of args, which may stand before, between and after
// the words, and gives the words.
func (t *tool) parse(args []string) ([]string, error) {
	set := flag.NewFlagSet("doorctl", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&t.dir, "run", defaultRun, "")
	set.BoolVar(&t.json, "json", false, "")
	set.StringVar(&t.board, "board", "", "")
	set.BoolVar(&t.yes, "yes", false, "")
	set.DurationVar(&t.wait, "wait", inputTime, "")
	set.StringVar(&t.pcap, "pcap", "", "")
	set.StringVar(&t.picture, "picture", "", "")
	var words []string
	for len(args) > 0 {
		if err := set.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, misused("%v", err)
		}
		args = set.Args()
		if len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	set.Visit(func(f *flag.Flag) { t.set = append(t.set, f.Name) })
	if t.yes && !slices.Contains(t.set, "wait") {
		t.wait = 0 // nobody is there to press
	}
	return words, nil
}

// client connects to the panel's daemon.
func (t *tool) client() (*control.Client, error) {
	c, err := control.Dial(filepath.Join(t.dir, control.SocketName))
	if err != nil {
		return nil, fmt.Errorf("%w (-run names the folder, now %s)", err, t.dir)
	}
	return c, nil
}

// plain writes text to a terminal without what could move its cursor: names
// and reasons come from the network.
type plain struct{ w io.Writer }

func (p *plain) Write(b []byte) (int, error) {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
			return '·'
		}
		return r
	}, string(b))
	if _, err := io.WriteString(p.w, clean); err != nil {
		return 0, err
	}
	return len(b), nil
}
