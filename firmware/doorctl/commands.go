package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// A command is what the first word of a command line means.
type command struct {
	words int // that follow its name
	least int // of them, those that must be there
	takes string
	do    func(t *tool, ctx context.Context, words []string) error
}

var commands = map[string]command{
	"status":        {0, 0, "no words", (*tool).status},
	"press":         {1, 1, "the name of a button", (*tool).press},
	"open":          {1, 1, "the name of a door", (*tool).open},
	"calls":         {0, 0, "no words", (*tool).calls},
	"timeline":      {1, 0, "at most the ID of a call", (*tool).timeline},
	"sip trace":     {1, 0, "at most the ID of a call", (*tool).traceSIP},
	"config check":  {1, 1, "the name of a file", (*tool).checkConfig},
	"board compile": {1, 1, "the name of a file", (*tool).compileBoard},
	"board draw":    {1, 1, "the name of a file", (*tool).drawBoard},
	"board detect":  {0, 0, "no words", (*tool).detectBoard},
	"board check":   {len(stages), 0, "parts of the panel: " + stageNames(), (*tool).checkBoard},
}

// flagOf says to which commands a flag belongs; one that is not here belongs to
// all.
var flagOf = map[string][]string{
	"board": {"config check", "board detect"},
	"pcap":  {"sip trace"},
	"yes":   {"board check"}, "wait": {"board check"}, "picture": {"board check"},
}

// do finds the command and carries it out.
func (t *tool) do(ctx context.Context, words []string) error {
	if len(words) == 0 {
		return misused("say what to do: status, press, open, calls, timeline, sip trace, config check, board compile, board draw, board detect or board check")
	}
	name, rest := words[0], words[1:]
	if name == "help" {
		return flag.ErrHelp
	}
	if (name == "config" || name == "board" || name == "sip") && len(rest) > 0 {
		name, rest = name+" "+rest[0], rest[1:]
	}
	c, ok := commands[name]
	switch {
	case !ok:
		return misused("there is no command %q", name)
	case len(rest) < c.least || len(rest) > c.words:
		return misused("%s takes %s", name, c.takes)
	}
	for _, set := range t.set {
		if of := flagOf[set]; len(of) > 0 && !slices.Contains(of, name) {
			return misused("-%s belongs to %s", set, strings.Join(of, " and "))
		}
	}
	return c.do(t, ctx, rest)
}

func (t *tool) press(ctx context.Context, words []string) error {
	return t.ask(func(c *control.Client) error {
		if err := c.Press(ctx, words[0]); err != nil {
			return fmt.Errorf("%s was not pressed: %w", words[0], err)
		}
		return t.done("pressed", words[0])
	})
}

func (t *tool) open(ctx context.Context, words []string) error {
	return t.ask(func(c *control.Client) error {
		if err := c.Open(ctx, words[0]); err != nil {
			return fmt.Errorf("%s was not opened: %w", words[0], err)
		}
		return t.done("opened", words[0])
	})
}

func (t *tool) done(what, name string) error {
	if t.json {
		return t.print(map[string]string{what: name})
	}
	_, err := fmt.Fprintf(t.out, "%s %s\n", what, name)
	return err
}

func (t *tool) status(ctx context.Context, _ []string) error {
	return t.ask(func(c *control.Client) error {
		s, err := c.Status(ctx)
		if err != nil {
			return err
		}
		if t.json {
			return t.print(s)
		}
		return writeStatus(t.out, s)
	})
}

func (t *tool) calls(ctx context.Context, _ []string) error {
	return t.ask(func(c *control.Client) error {
		all, err := c.Calls(ctx)
		if err != nil {
			return err
		}
		if t.json {
			return t.print(all)
		}
		return writeCalls(t.out, all)
	})
}

func (t *tool) timeline(ctx context.Context, words []string) error {
	return t.ask(func(c *control.Client) error {
		all, err := c.Calls(ctx)
		if err != nil {
			return err
		}
		rec, err := choose(all, words)
		if err != nil {
			return err
		}
		if t.json {
			return t.print(rec)
		}
		return timeline.Format(t.out, rec)
	})
}

// choose gives the newest record, or the one whose ID begins with the word.
func choose(all []timeline.Record, words []string) (timeline.Record, error) {
	if len(all) == 0 {
		return timeline.Record{}, fmt.Errorf("there was no call yet; press a button, or use doorctl press")
	}
	if len(words) == 0 {
		return all[0], nil
	}
	var found []timeline.Record
	for _, rec := range all {
		if rec.ID == words[0] {
			return rec, nil
		}
		if strings.HasPrefix(rec.ID, words[0]) {
			found = append(found, rec)
		}
	}
	switch len(found) {
	case 0:
		return timeline.Record{}, fmt.Errorf("call %q is not among the last %d; doorctl calls lists them", words[0], len(all))
	case 1:
		return found[0], nil
	}
	return timeline.Record{}, fmt.Errorf("%d calls begin with %q: write more of the ID", len(found), words[0])
}

// ask connects to the daemon for one request.
func (t *tool) ask(do func(*control.Client) error) error {
	c, err := t.client()
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// print writes v as JSON, for programs.
func (t *tool) print(v any) error {
	enc := json.NewEncoder(t.raw)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("the answer was not written: %w", err)
	}
	return nil
}
