// Package wiring draws a board file: what an installer connects to which
// terminal.
package wiring

import (
	"fmt"
	"html"
	"strings"

	"doorstation/board"
)

// Measures of the drawing, in pixels.
const (
	width    = 1100
	nameLeft = 225 // where the names of the inputs end
	boxLeft  = 425 // the board
	boxRight = 725
	partAt   = 850 // where the parts on the right begin
	nameAt   = 895 // and their names
	top      = 96  // of the first row
	rowStep  = 44
	margin   = 20
	textDown = 4 // from the middle of a line of text to its baseline
)

// The colours: a wire has that of the process which owns it.
const (
	ink    = "#1f2d3d"
	faint  = "#5a6b7d"
	frame  = "#44546a"
	guard  = "#c0392b"
	daemon = "#2f6fab"
	paper  = "#ffffff"
	filled = "#f4f6f8"
)

// A sheet is a drawing that grows.
type sheet struct{ b strings.Builder }

func (s *sheet) add(format string, args ...any) { fmt.Fprintf(&s.b, format+"\n", args...) }

// text writes words; anchor is start, middle or end.
func (s *sheet) text(x, y int, anchor, colour string, size int, words string) {
	s.add(`<text x="%d" y="%d" text-anchor="%s" fill="%s" font-size="%d">%s</text>`, x, y+textDown, anchor, colour, size, html.EscapeString(words))
}

func (s *sheet) line(colour string, path string, args ...any) {
	s.add(`<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`, fmt.Sprintf(path, args...), colour)
}

// SVG draws the board. The same board gives the same bytes.
func SVG(b *board.Board) []byte {
	left, right := len(b.Inputs), len(b.Relays)+len(b.Lamps)+len(b.Outputs)
	bottom := top + rowStep*max(left, right, 1)
	notes := notesOf(b)
	height := bottom + 40 + 18*len(notes) + margin

	s := &sheet{}
	s.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" role="img" aria-label="%s">`,
		width, height, html.EscapeString("Wiring of "+b.Name))
	s.add(`<rect width="%d" height="%d" fill="%s"/>`, width, height, paper)
	s.box(b, bottom)
	for i, in := range b.Inputs {
		s.input(top+i*rowStep, in)
	}
	s.outputs(b)
	for i, note := range notes {
		s.text(margin, bottom+40+18*i, "start", faint, 12, note)
	}
	s.legend(height - margin)
	s.add(`</svg>`)
	return []byte(s.b.String())
}

// box draws the board itself.
func (s *sheet) box(b *board.Board, bottom int) {
	s.add(`<rect x="%d" y="%d" width="%d" height="%d" rx="8" fill="%s" stroke="%s" stroke-width="1.5"/>`,
		boxLeft, margin, boxRight-boxLeft, bottom-margin, filled, frame)
	middle := (boxLeft + boxRight) / 2
	s.add(`<text x="%d" y="48" text-anchor="middle" font-weight="bold" fill="%s" font-size="15">%s</text>`, middle, ink, html.EscapeString(b.Name))
	s.text(middle, 62, "middle", faint, 11, strings.Join(b.Compatible, ", "))
}

// owner is the colour of an input's wire.
func owner(in board.Input) string {
	if in.Guarded() {
		return guard
	}
	return daemon
}

// terminal writes what a wire ends at, inside the board. Where no terminal is
// given it is the line alone.
func terminal(of, line string) (first, second string) {
	if of == "" {
		return line, ""
	}
	return of, line
}

// input draws a switch on the left and its wire.
func (s *sheet) input(y int, in board.Input) {
	colour := owner(in)
	const out, gap = 305, 281 // where the switch ends, and begins
	s.line(colour, "M%d %dH%d", out, y, boxLeft)
	s.add(`<circle cx="%d" cy="%d" r="3" fill="%s"/><circle cx="%d" cy="%d" r="3" fill="%s"/>`, gap-16, y, colour, out-8, y, colour)
	s.line(colour, "M%d %dH%d", out-8, y, out)
	if closed(in) {
		s.line(colour, "M%d %dL%d %d", gap-16, y, out-8, y)
	} else {
		s.line(colour, "M%d %dL%d %d", gap-16, y, out-10, y-11)
	}
	s.rail(gap-16, y, colour, toGround(in))
	s.text(nameLeft, y-9, "end", ink, 13, in.Name)
	s.text(nameLeft, y+7, "end", faint, 11, purpose(in))
	first, second := terminal(in.Terminal, in.Line)
	s.text(boxLeft+10, y-7, "start", ink, 13, first)
	s.text(boxLeft+10, y+8, "start", faint, 11, second)
}

// closed says how a switch is drawn: with door and cover closed, and nobody at
// the buttons.
func closed(in board.Input) bool { return in.Contact != "" || in.Tamper }

// toGround says where a switch leads to when it closes: away from where the
// pull draws its line.
func toGround(in board.Input) bool {
	switch in.Pull {
	case board.PullUp:
		return true
	case board.PullDown:
		return false
	}
	return (in.Active == board.Low) != in.Tamper
}

// rail draws what a switch leads to.
func (s *sheet) rail(x, y int, colour string, ground bool) {
	s.line(colour, "M%d %dH%d", x, y, x-18)
	if ground {
		s.line(colour, "M%d %dV%dM%d %dH%dM%d %dH%d", x-18, y, y+8, x-26, y+8, x-10, x-22, y+12, x-14)
		return
	}
	s.line(colour, "M%d %dV%d", x-18, y, y-8)
	s.text(x-18, y-14, "middle", colour, 10, "3.3 V")
}

func purpose(in board.Input) string {
	switch {
	case in.Tamper:
		return "switch below the cover"
	case in.Contact != "":
		return "contact of " + in.Contact + ", closed with the door"
	case in.Opens != "":
		return fmt.Sprintf("exit button, opens %s for %s", in.Opens, short(in.OpensFor))
	case in.Label != "":
		return "button labelled " + in.Label
	}
	return "button"
}

// outputs draws what hangs on the right: relays, lamps and the rest.
func (s *sheet) outputs(b *board.Board) {
	y := top
	for _, r := range b.Relays {
		s.output(y, guard, r.Name, fmt.Sprintf("relay, on: %s, %s at most", r.Active, short(r.MaxPulse)), r.Terminal, r.Line)
		s.rest(y, r.Active)
		s.coil(y)
		y += rowStep
	}
	for _, l := range b.Lamps {
		s.output(y, daemon, l.Name, fmt.Sprintf("lamp, on: %s", l.Active), l.Terminal, l.Line)
		s.bulb(y)
		y += rowStep
	}
	for _, o := range b.Outputs {
		s.output(y, daemon, o.Name, fmt.Sprintf("%s, on: %s", o.Role, o.Active), o.Terminal, o.Line)
		s.add(`<rect x="%d" y="%d" width="24" height="20" fill="%s" stroke="%s" stroke-width="2"/>`, partAt, y-10, paper, daemon)
		y += rowStep
	}
}

// output draws the wire, and what it is for.
func (s *sheet) output(y int, colour, name, what, of, line string) {
	s.line(colour, "M%d %dH%d", boxRight, y, partAt)
	s.text(nameAt, y-9, "start", ink, 13, name)
	s.text(nameAt, y+7, "start", faint, 11, what)
	first, second := terminal(of, line)
	s.text(boxRight-10, y-7, "end", ink, 13, first)
	s.text(boxRight-10, y+8, "end", faint, 11, second)
}

// rest draws the resistor that keeps a relay off while nobody drives its line.
func (s *sheet) rest(y int, active board.Level) {
	const x = (boxRight + partAt) / 2
	up, end := 1, y+22
	if active == board.Low {
		up, end = -1, y-22
	}
	s.line(guard, "M%d %dV%d", x, y, y+6*up)
	s.add(`<rect x="%d" y="%d" width="6" height="10" fill="%s" stroke="%s" stroke-width="1.5"/>`, x-3, min(y+6*up, y+16*up), paper, guard)
	s.line(guard, "M%d %dV%dM%d %dH%d", x, y+16*up, end, x-7, end, x+7)
	s.text(x+9, y+13*up, "start", faint, 10, "10 kΩ")
}

func (s *sheet) coil(y int) {
	s.add(`<rect x="%d" y="%d" width="28" height="18" fill="%s" stroke="%s" stroke-width="2"/>`, partAt, y-9, paper, guard)
	s.line(guard, "M%d %dL%d %d", partAt+6, y+9, partAt+22, y-9)
}

func (s *sheet) bulb(y int) {
	s.add(`<circle cx="%d" cy="%d" r="10" fill="%s" stroke="%s" stroke-width="2"/>`, partAt+10, y, paper, daemon)
	s.line(daemon, "M%d %dL%d %dM%d %dL%d %d", partAt+3, y-7, partAt+17, y+7, partAt+3, y+7, partAt+17, y-7)
}

// notesOf says in words what is not drawn.
func notesOf(b *board.Board) []string {
	notes := []string{"Switches are drawn with door and cover closed. Outputs drive a transistor or a relay module, not the coil itself."}
	if b.Sound.Driver != "" {
		notes = append(notes, strings.TrimSpace("Sound: "+b.Sound.Driver+" "+b.Sound.Device))
	}
	if c := b.Camera; c.Driver != "" {
		note := strings.TrimSpace("Camera: " + c.Driver + " " + c.Device)
		if c.Width != 0 {
			note += fmt.Sprintf(", up to %dx%d at %d a second", c.Width, c.Height, c.FPS)
		}
		notes = append(notes, note)
	}
	if b.Watchdog.Device != "" {
		notes = append(notes, fmt.Sprintf("Watchdog: %s resets the board that has not fed it for %s", b.Watchdog.Device, short(b.Watchdog.Timeout)))
	}
	if b.TamperBlock != 0 {
		notes = append(notes, "When the cover was opened, no relay moves for "+short(b.TamperBlock))
	}
	return notes
}

// short is a time without the zeros at its end: 30m.
func short(d board.Duration) string {
	s := d.String()
	for _, unit := range []string{"m", "h"} {
		for _, zero := range []string{"0s", "0m"} {
			if strings.HasSuffix(s, unit+zero) {
				s = strings.TrimSuffix(s, zero)
			}
		}
	}
	return s
}

// legend tells the colours.
func (s *sheet) legend(y int) {
	s.line(guard, "M%d %dH%d", partAt, y-18, partAt+30)
	s.text(nameAt, y-18, "start", faint, 12, "the guard's alone")
	s.line(daemon, "M%d %dH%d", partAt, y, partAt+30)
	s.text(nameAt, y, "start", faint, 12, "the daemon's")
}
