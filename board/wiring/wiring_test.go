package wiring

import (
	"strings"
	"testing"
	"time"

	"doorstation/board"
)

func TestSwitches(t *testing.T) {
	for _, c := range []struct {
		in     board.Input
		ground bool
		closed bool
	}{
		{board.Input{Active: board.Low, Pull: board.PullUp}, true, false},
		{board.Input{Active: board.High, Pull: board.PullDown}, false, false},
		{board.Input{Active: board.Low}, true, false},
		{board.Input{Active: board.High}, false, false},
		{board.Input{Active: board.Low, Contact: "door1"}, true, true},
		{board.Input{Active: board.High, Pull: board.PullUp, Tamper: true}, true, true},
		{board.Input{Active: board.High, Tamper: true}, true, true},
		{board.Input{Active: board.Low, Tamper: true}, false, true},
	} {
		if toGround(c.in) != c.ground || closed(c.in) != c.closed {
			t.Errorf("%+v: to ground %v, closed %v", c.in, toGround(c.in), closed(c.in))
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * time.Second: "10s", 30 * time.Minute: "30m", 24 * time.Hour: "24h", 90 * time.Second: "1m30s", 250 * time.Millisecond: "250ms",
	} {
		if got := short(board.Duration(d)); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

// TestWordsAreWords sees that what a board file says cannot become markup.
func TestWordsAreWords(t *testing.T) {
	svg := string(SVG(&board.Board{Name: "x", Inputs: []board.Input{{Name: "b", Label: `<script>"&`, Line: "<a>"}}}))
	if strings.Contains(svg, "<script>") || strings.Contains(svg, "<a>") || !strings.Contains(svg, "&lt;script&gt;") {
		t.Error(svg)
	}
}
