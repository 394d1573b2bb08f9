package e2e

import (
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"doorstation/board"
	"doorstation/callflow/timeline"
)

// TestInstallerChecksTheWiring walks along the simulated panel with doorctl: the
// test is the installer's fingers and voice.
func TestInstallerChecksTheWiring(t *testing.T) {
	_, _, h := site(t)
	p := startPanel(h, config{targets: []string{"sip:anna@10.0.0.5"}})
	b := p.readBoard()
	quiet := p.says(440)
	picture := filepath.Join(p.run, "look.jpg")
	check := h.start("doorctl-check", program(t, "doorctl"), "-run", p.run, "board", "check", "-yes", "-wait", "30s", "-picture", picture)
	for i, in := range fingers(b.Inputs) {
		check.until("doorctl asks for "+in.Name, func() error {
			if n := strings.Count(check.output(), "Enter skips it."); n <= i {
				return fmt.Errorf("it has asked for %d inputs\n%s", n, check.tail())
			}
			return nil
		})
		p.work(in)
		check.says("good     inputs " + in.Name)
	}
	code := check.wait(patience)
	quiet()
	said := check.output()
	for _, want := range []string{
		`good     panel board: sim,`, `good     panel guard: connected`, `good     panel line: registered with`,
		`good     relays door1: on for (1\.\d+|1)s`, `good     relays door2: on for (1\.\d+|1)s`,
		`good     lamps calling`, `good     sound speaker`, `good     sound microphone: -\d+ dB`,
		`good     camera: 640x480, 1\d\.\d pictures a second, .*, kept in `, `\d+ good, 0 failed, `,
	} {
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("doorctl did not say %q", want)
		}
	}
	if code != 0 || t.Failed() {
		t.Errorf("doorctl ended with %d, having said\n%s", code, said)
	}
	p.pictured(picture)
	p.recorded(len(b.Relays))
	p.press() // the check is over: the button rings again
	p.daemon.until("the button rings", func() error {
		if rec := p.ended(); len(marks(rec, timeline.Press)) == 0 {
			return fmt.Errorf("the last record has no press:\n%s", drawn(rec))
		}
		return nil
	})
}

// fingers are the inputs in the order of a check: the cover comes last.
func fingers(inputs []board.Input) []board.Input {
	var all, covers []board.Input
	for _, in := range inputs {
		if in.Tamper {
			covers = append(covers, in)
		} else {
			all = append(all, in)
		}
	}
	return append(all, covers...)
}

func (p *panel) readBoard() *board.Board {
	p.t.Helper()
	raw, err := os.ReadFile(p.board)
	if err != nil {
		p.t.Fatal(err)
	}
	b, err := board.Parse(raw)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// work presses an input and releases it; a door is opened and closed.
func (p *panel) work(in board.Input) {
	p.t.Helper()
	moves := []bool{true, false}
	if in.Contact != "" {
		moves = []bool{false, true, false, true} // whether it was closed or not, and closed in the end
	}
	for _, active := range moves {
		if err := p.world.Press(in.Line, active); err != nil {
			p.t.Fatal(err)
		}
		pause(p.t, 80*time.Millisecond)
	}
}

// recorded sees that each relay that was tried is recorded, and no button.
func (p *panel) recorded(relays int) {
	p.t.Helper()
	p.ended()
	records, err := p.client.Calls(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	tried := 0
	for _, r := range records {
		for _, m := range marks(r, timeline.OpenAsked) {
			if strings.Contains(m.Detail, "checking the wiring") && len(marks(r, timeline.RelayOn)) > 0 {
				tried++ // a record may have two: a door with a contact stays in it until somebody goes through
			}
		}
		if len(marks(r, timeline.Press)) > 0 {
			p.t.Errorf("a button that was tried rang:\n%s", drawn(r))
		}
	}
	if tried != relays {
		p.t.Errorf("%d relays were tried by %d records, want %d", tried, len(records), relays)
	}
}

// pictured sees that the file is a picture of the camera's size.
func (p *panel) pictured(file string) {
	p.t.Helper()
	f, err := os.Open(file)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		p.t.Fatal(err)
	}
	if got := fmt.Sprint(img.Bounds().Size()); got != "(640,480)" {
		p.t.Errorf("the picture has %s pixels", got)
	}
}
