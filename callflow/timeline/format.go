package timeline

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Format draws a record for a person: a line per mark with its time, a column
// per leg, then the derived times, and last the answer of Why.
func Format(w io.Writer, rec Record) error {
	var s strings.Builder
	writeHead(&s, rec)
	newPicture(rec).write(&s)
	writeFigures(&s, rec)
	why := Why(rec)
	first, size := utf8.DecodeRuneInString(why)
	fmt.Fprintf(&s, "\n%c%s.\n", unicode.ToUpper(first), printable(why[size:]))
	if _, err := io.WriteString(w, s.String()); err != nil {
		return fmt.Errorf("timeline: record %s not written: %w", rec.ID, err)
	}
	return nil
}

func writeHead(s *strings.Builder, rec Record) {
	fmt.Fprintf(s, "%s %s   %s\n", kindOf(rec), printable(rec.ID), rec.Began.Format("Mon 2 Jan 2006 15:04:05.000 MST"))
	switch {
	case rec.Button == "" && rec.Flat == "":
	case rec.Flat == "":
		fmt.Fprintf(s, "%s\n", printable(rec.Button))
	default:
		fmt.Fprintf(s, "%s → %s\n", printable(orElse(rec.Button, "called in")), printable(rec.Flat))
	}
	if rec.Running() {
		s.WriteString("still running\n")
	} else {
		fmt.Fprintf(s, "ended after %s: %s%s\n", millis(rec.Ended), printable(rec.Result), printable(inBrackets(rec.Reason)))
	}
	s.WriteByte('\n')
}

// kindOf says what a record is about.
func kindOf(rec Record) string {
	if happened(rec) != "" {
		return "event"
	}
	return "call"
}

// A picture has one lane per leg, the panel's first.
type picture struct {
	marks   []Mark
	dropped int
	lanes   []uint32
	life    []span // of each lane, as indices of marks
	width   int    // characters of a lane
}

type span struct{ first, last int }

// The widths of a lane: with room for "leg 12", or for many legs.
const (
	wideLane   = 7
	narrowLane = 4
	manyLegs   = 6
)

func newPicture(rec Record) *picture {
	p := &picture{marks: rec.Marks, dropped: rec.Dropped, lanes: []uint32{0}, width: wideLane}
	for _, m := range rec.Marks {
		if !slices.Contains(p.lanes, m.Leg) {
			p.lanes = append(p.lanes, m.Leg)
		}
	}
	if len(p.lanes) > manyLegs {
		p.width = narrowLane
	}
	p.life = make([]span, len(p.lanes))
	for i, leg := range p.lanes {
		p.life[i] = lifeOf(rec.Marks, leg)
	}
	return p
}

// lifeOf gives the marks between which a leg is drawn as alive: from its first
// to the one that ends it, or else to its last.
func lifeOf(marks []Mark, leg uint32) span {
	life := span{-1, -1}
	for i, m := range marks {
		if m.Leg != leg {
			continue
		}
		if life.first < 0 {
			life.first = i
		}
		life.last = i
		if ends(m.Name) && leg != 0 {
			return life
		}
	}
	return life
}

func ends(n Name) bool {
	switch n {
	case Cancelled, Refused, HungUp, MediaLost, Done:
		return true
	}
	return false
}

func (p *picture) write(s *strings.Builder) {
	var head strings.Builder
	fmt.Fprintf(&head, "%10s%9s  ", "ms", "+ms")
	for i, leg := range p.lanes {
		head.WriteString(centred(p.title(i, leg), p.width))
	}
	s.WriteString(strings.TrimRight(head.String(), " "))
	s.WriteByte('\n')
	for i, m := range p.marks {
		p.row(s, i, m)
	}
	if p.dropped > 0 {
		fmt.Fprintf(s, "%*s… and %d marks for which the record had no room\n", 21, "", p.dropped)
	}
}

func (p *picture) title(i int, leg uint32) string {
	switch {
	case i == 0 && p.width == narrowLane:
		return "P"
	case i == 0:
		return "panel"
	case p.width == narrowLane:
		return fmt.Sprint(leg)
	}
	return fmt.Sprintf("leg %d", leg)
}

func (p *picture) row(s *strings.Builder, i int, m Mark) {
	var line strings.Builder
	fmt.Fprintf(&line, "%10.1f%9s  ", ms(m.At), p.step(i))
	for lane, leg := range p.lanes {
		line.WriteString(centred(p.symbol(i, m, lane, leg), p.width))
	}
	fmt.Fprintf(&line, " %-16s%s", printable(string(m.Name)), detail(m))
	s.WriteString(strings.TrimRight(line.String(), " "))
	s.WriteByte('\n')
}

// step is the time since the mark before, where that is worth a number.
func (p *picture) step(i int) string {
	if i == 0 {
		return ""
	}
	d := p.marks[i].At - p.marks[i-1].At
	if d < 50*time.Microsecond {
		return ""
	}
	return fmt.Sprintf("+%.1f", ms(d))
}

func (p *picture) symbol(i int, m Mark, lane int, leg uint32) string {
	switch {
	case m.Leg == leg:
		return symbolOf(m.Name)
	case i > p.life[lane].first && i < p.life[lane].last:
		return "│"
	}
	return " "
}

func symbolOf(n Name) string {
	switch n {
	case Digit:
		return "•"
	case CodeWrong, CodeLocked, DoorFailed, DoorForced, DoorHeld, CoverOpened, MediaLost, PartLost, Refused:
		return "✗"
	case CodeRight:
		return "✓"
	case RelayOn:
		return "▲"
	case RelayOff:
		return "▽"
	case Cancelled, HungUp, Done:
		return "■"
	}
	return "●"
}

// detail shows a digit as a dot: which one it was is never known here.
func detail(m Mark) string {
	if m.Name == Digit {
		return "• " + clean(Digit, m.Detail)
	}
	return printable(m.Detail)
}

func writeFigures(s *strings.Builder, rec Record) {
	figures := Figures(rec)
	if len(figures) > 0 {
		s.WriteByte('\n')
	}
	for _, f := range figures {
		fmt.Fprintf(s, "%10.1f ms  %s\n", ms(f.Took), f.Label)
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// centred pads text to width characters.
func centred(text string, width int) string {
	free := max(0, width-utf8.RuneCountInString(text))
	return strings.Repeat(" ", free/2) + text + strings.Repeat(" ", free-free/2)
}

// printable keeps what came from the network from moving a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsGraphic(r) && r != utf8.RuneError {
			return r
		}
		return '·'
	}, s)
}
