package timeline

import (
	"fmt"
	"strings"
	"time"
)

// Why answers in one sentence why the door opened, or why it did not.
func Why(rec Record) string {
	d := readDoor(rec)
	switch {
	case d.relayOn == nil && happened(rec) != "":
		return happened(rec)
	case d.relayOn != nil && d.unused != nil:
		return "the lock was released" + d.opened() + ", but the door never moved"
	case d.relayOn != nil:
		return "the door opened" + d.opened()
	case d.failed != nil:
		return "the door did not open: " + orElse(d.failed.Detail, "the guard gave no reason")
	case d.asked != nil && rec.Running():
		return fmt.Sprintf("the guard has been asked to open %s", orElse(d.asked.Detail, "the door"))
	case d.asked != nil:
		return "the door did not open: the guard was asked, and no edge of the relay came"
	case d.right != nil:
		return fmt.Sprintf("the door did not open: code %q was right, but the guard was never asked", d.right.Detail)
	case d.locked != nil:
		return "the door did not open: " + orElse(d.locked.Detail, "too many wrong codes, the keypad is blocked")
	case d.wrongs > 0:
		return "the door did not open: code wrong " + times(d.wrongs) + inBrackets(d.wrong.Detail)
	case d.exit != nil:
		return fmt.Sprintf("the door did not open: %s was pressed, and no edge of the relay came", orElse(d.exit.Detail, "the exit button"))
	case d.digits == 1:
		return "the door did not open: one digit came, and no complete code"
	case d.digits > 1:
		return fmt.Sprintf("the door did not open: %d digits came, and no complete code", d.digits)
	case rec.Running():
		return "the call runs, and nothing has asked for the door yet"
	case d.answered != nil:
		return "the door did not open: the call was answered, and nobody typed a code"
	}
	return "the door did not open: " + unanswered(rec)
}

// doorStory is what a record's marks say about the door: of each kind the last
// mark, but of the openings the first.
type doorStory struct {
	answered, right, asked, wrong, locked, failed, exit, unused *Mark

	relayOn  *Mark
	cause    *Mark // the digit, the local command or the exit button that led to relayOn
	digits   int
	wrongs   int
	openings int
}

func readDoor(rec Record) doorStory {
	var d doorStory
	var digit, cause *Mark
	for i := range rec.Marks {
		switch m := &rec.Marks[i]; m.Name {
		case Answered:
			d.answered = m
		case Digit:
			digit = m
			d.digits++
		case CodeRight:
			d.right, cause = m, digit
		case CodeWrong:
			d.wrong = m
			d.wrongs++
		case CodeLocked:
			d.locked = m
		case OpenAsked:
			cause = m
		case ExitPressed:
			d.exit, cause = m, m
		case DoorUnused:
			d.unused = m
		case DoorOpened:
			d.unused = nil
		case DoorAsked:
			d.asked = m
		case DoorFailed:
			d.failed = m
		case RelayOn:
			d.openings++
			if d.relayOn == nil {
				d.relayOn, d.cause = m, cause
			}
		}
	}
	return d
}

// opened tells when the door opened, by what, and what else there was.
func (d *doorStory) opened() string {
	var s strings.Builder
	switch {
	case d.cause == nil:
		fmt.Fprintf(&s, " %s after the press", millis(d.relayOn.At))
	case d.cause.Name == Digit:
		fmt.Fprintf(&s, " %s after the digit", millis(d.relayOn.At-d.cause.At))
	case d.cause.Name == ExitPressed:
		fmt.Fprintf(&s, " %s after %s was pressed", millis(d.relayOn.At-d.cause.At), orElse(d.cause.Detail, "the exit button"))
	default:
		fmt.Fprintf(&s, " %s after %s asked", millis(d.relayOn.At-d.cause.At), orElse(d.cause.Detail, "somebody on the panel"))
	}
	if d.openings > 1 {
		fmt.Fprintf(&s, ", and again: %d times in all", d.openings)
	}
	if d.wrongs > 0 {
		fmt.Fprintf(&s, "; a code was wrong %s", times(d.wrongs))
	}
	return s.String()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// millis writes a time the way a person reads it: 0.4 ms, 312 ms, 12.4 s.
func millis(d time.Duration) string {
	switch {
	case d.Abs() < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d.Abs() < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// unanswered says how a call ended that nobody answered.
func unanswered(rec Record) string {
	if rec.Result == "" {
		return "the record breaks off"
	}
	if rec.Reason == "" {
		return fmt.Sprintf("the call was not answered (%s)", rec.Result)
	}
	return fmt.Sprintf("the call was not answered (%s: %s)", rec.Result, rec.Reason)
}
