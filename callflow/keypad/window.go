package keypad

import (
	"fmt"
	"strings"
	"time"
)

// A Window is a part of the week, in the local time of the `now` that a Pad is
// given.
type Window struct {
	Days Days
	From time.Duration // wall clock time of the day, 0 to 24 h
	To   time.Duration // after From, up to 24 h, which is the day's end
}

// Days is a set of weekdays: bit n is time.Weekday n, and the empty set means
// every day.
type Days uint8

// On gives the set of these days.
func On(days ...time.Weekday) Days {
	var d Days
	for _, w := range days {
		d |= 1 << w
	}
	return d
}

// Contains says whether now lies inside: From counts, To does not.
func (w Window) Contains(now time.Time) bool {
	if w.Days != 0 && w.Days&(1<<now.Weekday()) == 0 {
		return false
	}
	h, m, s := now.Clock() // the clock on the wall: a day of 23 or 25 hours changes nothing
	at := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	return at >= w.From && at < w.To
}

// inside says whether now lies in one of the windows; no window means always.
func inside(windows []Window, now time.Time) bool {
	for _, w := range windows {
		if w.Contains(now) {
			return true
		}
	}
	return len(windows) == 0
}

// ParseWindow reads a window as it is written in a configuration: days as mon
// to sun (none: every day), times as "07:30", To up to "24:00".
func ParseWindow(days []string, from, to string) (Window, error) {
	var w Window
	for _, name := range days {
		day, err := parseDay(name)
		if err != nil {
			return Window{}, err
		}
		w.Days |= On(day)
	}
	var err error
	if w.From, err = parseTime(from); err != nil {
		return Window{}, fmt.Errorf("from: %w", err)
	}
	if w.To, err = parseTime(to); err != nil {
		return Window{}, fmt.Errorf("to: %w", err)
	}
	if w.To <= w.From {
		return Window{}, fmt.Errorf("to is %q, which is not after from, %q", to, from)
	}
	return w, nil
}

func parseDay(name string) (time.Weekday, error) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(name, day.String()[:3]) {
			return day, nil
		}
	}
	return 0, fmt.Errorf("day %q is none of mon, tue, wed, thu, fri, sat, sun", name)
}

func parseTime(s string) (time.Duration, error) {
	if s == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("time %q is not between 00:00 and 24:00, written with four digits", s)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}
