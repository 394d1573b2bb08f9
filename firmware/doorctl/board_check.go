package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"doorstation/firmware/control"
)

// The marks of a step.
const (
	stepGood    = "good"
	stepFailed  = "FAILED"
	stepSkipped = "skipped"
)

// A step is what came of trying one thing, as JSON.
type step struct {
	Part   string `json:"part"`   // panel, lamps …
	Name   string `json:"name"`   // the board's
	Result string `json:"result"` // good, FAILED or skipped
	Detail string `json:"detail,omitempty"`
}

// A stage is one part of a check.
type stage struct {
	name string
	walk func(*walk, context.Context)
}

// stages are what a check walks along, in this order.
var stages = []stage{
	{"panel", (*walk).panel},
	{"lamps", (*walk).lamps},
	{"relays", (*walk).relays},
	{"inputs", (*walk).inputs}, // after the relays: an opened cover may block them
	{"sound", (*walk).sound},
	{"camera", (*walk).camera},
}

// A walk is one check of a panel's wiring with an installer.
type walk struct {
	out    io.Writer
	answer *asker
	client *control.Client
	wiring control.Wiring
	seen   <-chan control.Sighting

	wait      time.Duration // for a press, an edge
	yes       bool          // nobody is there to answer
	picture   string        // file of the camera's picture; empty: none is kept
	watchdogs string        // where the kernel tells of its watchdogs

	times times
	steps []step
}

// checkBoard walks the wiring with the installer.
func (t *tool) checkBoard(ctx context.Context, words []string) error {
	if t.json && !t.yes {
		return misused("board check asks a person: -json goes with -yes")
	}
	for _, word := range words {
		if !slices.ContainsFunc(stages, func(s stage) bool { return s.name == word }) {
			return misused("there is no part %q to check; there are %s", word, stageNames())
		}
	}
	return t.ask(func(c *control.Client) error { return t.walk(ctx, c, words) })
}

func stageNames() string {
	var names []string
	for _, s := range stages {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// walk runs a check and sums it up.
func (t *tool) walk(ctx context.Context, c *control.Client, words []string) error {
	checking, stop := context.WithCancel(ctx)
	defer stop()
	w := &walk{out: t.out, client: c, wait: t.wait, yes: t.yes, picture: t.picture, watchdogs: "/sys/class/watchdog", times: t.times}
	if t.json {
		w.out = io.Discard
	}
	w.answer = &asker{in: t.in, out: w.out, yes: t.yes}
	var err error
	if w.wiring, w.seen, err = c.Check(checking); err != nil {
		return fmt.Errorf("the check has not begun: %w", err)
	}
	for _, s := range stages {
		if ctx.Err() == nil && (len(words) == 0 || slices.Contains(words, s.name)) {
			s.walk(w, ctx)
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the check was broken off: %w", context.Cause(ctx))
	}
	return t.sum(w)
}

// sum prints the summary, and fails if a step has.
func (t *tool) sum(w *walk) error {
	count := make(map[string]int)
	for _, s := range w.steps {
		count[s.Result]++
	}
	var err error
	if t.json {
		err = t.print(w.steps)
	} else {
		_, err = fmt.Fprintf(t.out, "\n%d good, %d failed, %d skipped\n", count[stepGood], count[stepFailed], count[stepSkipped])
	}
	if err == nil && count[stepFailed] > 0 {
		err = fmt.Errorf("%d of %d steps failed", count[stepFailed], len(w.steps))
	}
	return err
}

// tell records what came of a step, and prints it.
func (w *walk) tell(part, name, result, format string, args ...any) {
	s := step{Part: part, Name: name, Result: result, Detail: fmt.Sprintf(format, args...)}
	w.steps = append(w.steps, s)
	fmt.Fprintf(w.out, "%-8s %s: %s\n", s.Result, strings.TrimSpace(s.Part+" "+s.Name), s.Detail)
}

// say prints what to do, or what happens.
func (w *walk) say(format string, args ...any) { fmt.Fprintf(w.out, format+"\n", args...) }

// named is a wire as its installer finds it.
func named(wire control.Wire) string {
	var more []string
	if wire.Label != "" {
		more = append(more, "labelled "+wire.Label)
	}
	if wire.Terminal != "" {
		more = append(more, "at "+wire.Terminal)
	}
	if len(more) == 0 {
		return wire.Name
	}
	return wire.Name + " (" + strings.Join(more, ", ") + ")"
}

// panel looks at what needs no hand.
func (w *walk) panel(ctx context.Context) {
	s, err := w.client.Status(ctx)
	if err != nil {
		w.tell("panel", "status", stepFailed, "%v", err)
		return
	}
	if w.wiring.Machine != "" {
		w.tell("panel", "board", stepFailed, "%s", w.wiring.Machine)
	} else {
		w.tell("panel", "board", stepGood, "%s, doorstationd %s", w.wiring.Board, s.Version)
	}
	w.judge("guard", s.Guard.Connected, guard(s.Guard))
	switch s.Registration.State {
	case control.RegistrationNone:
		w.tell("panel", "line", stepSkipped, "no account is configured")
	default:
		w.judge("line", s.Registration.State == control.RegistrationOK, registration(s.Registration))
	}
	if s.Config.Revision == "" && s.Config.Error == "" {
		w.tell("panel", "config", stepSkipped, "none")
	} else {
		w.judge("config", s.Config.Error == "", config(s.Config))
	}
	for _, p := range s.Parts {
		if p.State == control.PartFailed || p.State == control.PartOff {
			w.tell("panel", "part", stepFailed, "%s", part(p))
		}
	}
	for _, lack := range s.Missing {
		w.tell("panel", "build", stepFailed, "%s", lack)
	}
	w.watchdog()
}

func (w *walk) judge(name string, good bool, detail string) {
	result := stepFailed
	if good {
		result = stepGood
	}
	w.tell("panel", name, result, "%s", detail)
}

// watchdog reads what the kernel tells of the board's watchdog.
func (w *walk) watchdog() {
	if w.wiring.Watchdog == "" {
		w.tell("panel", "watchdog", stepSkipped, "the board file names none")
		return
	}
	name := w.wiring.Watchdog[strings.LastIndexByte(w.wiring.Watchdog, '/')+1:]
	read := func(file string) string {
		raw, err := os.ReadFile(w.watchdogs + "/" + name + "/" + file)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(raw))
	}
	state := read("state")
	switch state {
	case "active":
		w.tell("panel", "watchdog", stepGood, "%s is fed, and resets the board after %s s", orElse(read("identity"), name), read("timeout"))
	case "":
		w.tell("panel", "watchdog", stepFailed, "%s is not on this machine, or its driver is not loaded", w.wiring.Watchdog)
	default:
		w.tell("panel", "watchdog", stepFailed, "%s is %s: the guard does not feed it", w.wiring.Watchdog, state)
	}
}
