package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorstation/drivers/guard"
)

// press moves an input, and sees it move.
func (p *panel) press(line string, active bool) {
	p.tb.Helper()
	if err := p.world.Press(line, active); err != nil {
		p.tb.Fatal(err)
	}
	p.expect(line, active)
}

// client is a client in this process, which hears of the inputs.
func (p *panel) client() (*guard.Client, chan guard.InputEdge) {
	p.tb.Helper()
	c, err := guard.Dial(filepath.Join(p.dir, "guard.sock"))
	if err != nil {
		p.tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	end := make(chan error, 1)
	heard := make(chan guard.InputEdge, 16)
	go func() { end <- c.Run(ctx, guard.Handler{Input: func(e guard.InputEdge) { heard <- e }}) }()
	p.tb.Cleanup(func() { stop(); <-end })
	return c, heard
}

// hear waits for what the guard tells about an input.
func (p *panel) hear(heard chan guard.InputEdge, name string, active bool) guard.InputEdge {
	p.tb.Helper()
	for {
		select {
		case e := <-heard:
			if e.Name == name && e.Active == active {
				return e
			}
		case <-time.After(ever):
			p.tb.Fatalf("no word of %s being active %v for %v", name, active, ever)
		}
	}
}

// settled waits until the guard knows the levels of its inputs.
func (p *panel) settled() {
	p.tb.Helper()
	c, heard := p.client()
	p.hear(heard, "exit", false)
	if err := c.Close(); err != nil {
		p.tb.Fatal(err)
	}
}

func TestExitButtonNeedsNobody(t *testing.T) {
	p := newPanel(t, "10s")
	g := p.guard()
	p.settled()
	p.press("EXIT", true)
	rose := p.expect("DOOR1", true)
	p.press("EXIT", false)
	fell := p.expect("DOOR1", false)
	t.Logf("open for %v, the board says 300ms", fell.At-rose.At)
	g.await(t, "doorguard: door1 on seq 0: exit: exit")
	p.press("EXIT", true)
	p.expect("DOOR1", true)
	at := g.signal(t, syscall.SIGTERM)
	t.Logf("SIGTERM to line safe: %v", p.expect("DOOR1", false).At-at)
}

func TestExitButtonHeldAtStart(t *testing.T) {
	p := newPanel(t, "10s", "EXIT")
	p.guard()
	_, heard := p.client()
	p.hear(heard, "exit", true)
	p.still()
}

func TestOpenedCoverBlocksAcrossKills(t *testing.T) {
	p := newPanel(t, "10s")
	g := p.guard()
	c, heard := p.client()
	p.hear(heard, "cover", false)
	if err := c.Pulse("door2", 8*time.Second, "x"); err != nil {
		t.Fatal(err)
	}
	p.expect("DOOR2", true)
	p.press("COVER", true)
	fell := p.expect("DOOR2", false)
	t.Logf("cover to line safe: %v", fell.At-p.hear(heard, "cover", true).At)
	blocked(t, c)
	if !waitFor(filepath.Join(p.dir, stateFile), "cover open\nblocked 1800") {
		t.Fatal("the block is not kept")
	}
	p.press("COVER", false)
	p.hear(heard, "cover", false)
	for range 3 {
		g.signal(t, syscall.SIGKILL)
		_ = g.Wait()
		g = p.guard()
		c, heard = p.client()
		e := p.hear(heard, "cover", false)
		if e.Blocked <= 25*time.Minute || e.Blocked > 30*time.Minute {
			t.Errorf("blocked for %v, want a little less than 30m", e.Blocked)
		}
		blocked(t, c)
		p.press("EXIT", true)
		p.hear(heard, "exit", true)
		p.press("EXIT", false)
		p.hear(heard, "exit", false)
	}
	p.still()
}

// blocked says that pulses are refused, and why.
func blocked(t *testing.T, c *guard.Client) {
	t.Helper()
	var refused *guard.RefusedError
	if err := c.Pulse("door1", time.Second, "x"); !errors.As(err, &refused) || !strings.Contains(refused.Reason, "the cover was opened: blocked for") {
		t.Errorf("pulse: %v, want a refusal", err)
	}
}

// waitFor waits until a file has these words.
func waitFor(path, words string) bool {
	for late := time.After(ever); ; {
		if raw, err := os.ReadFile(path); err == nil && strings.Contains(string(raw), words) {
			return true
		}
		select {
		case <-late:
			return false
		case <-time.After(time.Millisecond):
		}
	}
}
