package provisioning

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

func (v *validator) doors() {
	v.named("doors", "door", v.doc.doorNames())
	relays := map[string]string{}
	for i := range v.doc.Doors {
		door := &v.doc.Doors[i]
		at := fmt.Sprintf("doors[%d]", i)
		v.relay(at+".relay", door.Relay)
		if other, taken := relays[door.Relay]; taken && door.Relay != "" {
			v.add(at+".relay", door.Relay, fmt.Sprintf("is the relay of door %q already", other))
		}
		relays[door.Relay] = door.Name
		v.pulse(at+".pulse", door)
		v.lasting(at+".held_after", door.HeldAfter)
		v.codes(at+".codes", door.Codes)
	}
	v.acrossDoors()
}

// named checks that all of a list have names, each another.
func (v *validator) named(list, what string, names []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d].name", list, i)
		v.required(at, name)
		if first := slices.Index(names, name); first < i {
			v.add(at, name, fmt.Sprintf("two %ss have this name; the other is %s[%d]", what, list, first))
		}
	}
}

func (v *validator) relay(path, name string) {
	v.required(path, name)
	if _, there := v.lim.Relays[name]; !there && v.lim.Relays != nil {
		v.add(path, name, fmt.Sprintf("board %q has no such relay; it has: %s", v.lim.Board, listOf(slices.Sorted(maps.Keys(v.lim.Relays)))))
	}
}

func (v *validator) pulse(path string, door *Door) {
	if most, known := v.lim.Relays[door.Relay]; known && time.Duration(door.Pulse) > most {
		v.add(path, door.Pulse.String(), fmt.Sprintf("board %q allows relay %q at most %v", v.lim.Board, door.Relay, Duration(most)))
	}
	v.lasting(path, door.Pulse)
}

func (v *validator) codes(path string, codes []Code) {
	names := make([]string, len(codes))
	for i := range codes {
		names[i] = codes[i].Name
	}
	v.named(path, "code", names)
	for i := range codes {
		at := fmt.Sprintf("%s[%d]", path, i)
		if v.kept {
			v.sealed(at, &codes[i])
		} else {
			v.digits(at, &codes[i])
		}
		for k := range codes[i].When {
			v.window(fmt.Sprintf("%s.when[%d]", at, k), &codes[i].When[k])
		}
	}
	if !v.kept {
		v.apart(path, codes)
	}
}

func (v *validator) digits(path string, c *Code) {
	end := v.doc.Keypad.EndKey
	at := path + ".digits"
	switch {
	case c.Sealed != "":
		v.add(path+".sealed", "", "is written by the panel alone; write digits")
	case c.Digits == "":
		v.add(at, "", "is required and missing or empty")
	case len(c.Digits) > longestCode || !allOf(c.Digits, "0123456789*"):
		v.add(at, "", fmt.Sprintf("must be 1 to %d of 0-9 and *", longestCode))
	case end != "" && strings.Contains(c.Digits, end):
		v.add(at, "", fmt.Sprintf("contains the end key %s, which can never be part of a code", end))
	}
}

func (v *validator) sealed(path string, c *Code) {
	if raw, err := hex.DecodeString(c.Sealed); err != nil || len(raw) == 0 || c.Digits != "" {
		v.add(path+".sealed", "", "must be hex, with no digits beside it")
	}
}

// apart refuses codes of one door that cannot be told apart: equal ones
// always, and one that begins another when no end key says where a code ends.
func (v *validator) apart(path string, codes []Code) {
	for i := range codes {
		for k := range codes {
			a, b := codes[i].Digits, codes[k].Digits
			switch {
			case i == k || a == "" || b == "":
			case a == b && i > k:
				v.add(fmt.Sprintf("%s[%d].digits", path, i), "", fmt.Sprintf("the same code as %s[%d] (%q) of this door", path, k, codes[k].Name))
			case a != b && v.doc.Keypad.EndKey == "" && strings.HasPrefix(b, a):
				v.add(fmt.Sprintf("%s[%d].digits", path, i), "", fmt.Sprintf(
					"this code begins the code %s[%d] (%q) of the same door, which could never be typed; change one, or set keypad.end_key", path, k, codes[k].Name))
			}
		}
	}
}

// acrossDoors refuses a code that begins one of another door where there is no
// end key and somebody may open both: the longer one could never be typed.
func (v *validator) acrossDoors() {
	if v.kept || v.doc.Keypad.EndKey != "" {
		return
	}
	for i := range v.doc.Doors {
		for k := range v.doc.Doors {
			if i != k && v.sharedDoors(v.doc.Doors[i].Name, v.doc.Doors[k].Name) {
				v.acrossTwo(i, k)
			}
		}
	}
}

func (v *validator) acrossTwo(i, k int) {
	for n, a := range v.doc.Doors[i].Codes {
		for m, b := range v.doc.Doors[k].Codes {
			if a.Digits != "" && a.Digits != b.Digits && strings.HasPrefix(b.Digits, a.Digits) {
				v.add(fmt.Sprintf("doors[%d].codes[%d].digits", i, n), "", fmt.Sprintf(
					"this code begins the code doors[%d].codes[%d] (%q of door %q), which a flat that may open both could never type; change one, or set keypad.end_key",
					k, m, b.Name, v.doc.Doors[k].Name))
			}
		}
	}
}

// sharedDoors says whether the residents of one flat may open both doors.
func (v *validator) sharedDoors(a, b string) bool {
	return slices.ContainsFunc(v.doc.Flats, func(f Flat) bool {
		return slices.Contains(f.Doors, a) && slices.Contains(f.Doors, b)
	})
}

func (v *validator) window(path string, w *Window) {
	if len(w.Days) == 0 {
		v.add(path+".days", "", "names no day; leave it out for all days")
	}
	for i, day := range w.Days {
		v.oneOf(fmt.Sprintf("%s.days[%d]", path, i), day, weekdays)
	}
	v.unique(path+".days", w.Days)
	if !validTime(w.From) || w.From == "24:00" {
		v.add(path+".from", w.From, "must be a time of day from 00:00 to 23:59, such as 07:30")
	}
	if !validTime(w.To) {
		v.add(path+".to", w.To, "must be a time of day from 00:01 to 24:00, such as 18:00")
	}
	if w.From >= w.To {
		v.add(path+".to", w.To, fmt.Sprintf("must be after from, which is %s; for a night write two windows", w.From))
	}
}

// validTime takes "00:00" to "24:00", always with five characters, so that
// times compare as texts.
func validTime(s string) bool {
	if s == "24:00" {
		return true
	}
	_, err := time.Parse("15:04", s)
	return err == nil && len(s) == len("15:04")
}

func (v *validator) flats() {
	buttons := map[string]string{}
	names := make([]string, len(v.doc.Flats))
	for i := range v.doc.Flats {
		flat := &v.doc.Flats[i]
		names[i] = flat.Name
		at := fmt.Sprintf("flats[%d]", i)
		v.button(at+".button", flat.Button)
		if other, taken := buttons[flat.Button]; taken && flat.Button != "" {
			v.add(at+".button", flat.Button, fmt.Sprintf("is the button of flat %q already", other))
		}
		buttons[flat.Button] = flat.Name
		if len(flat.Stages) > 0 || len(flat.Direct) == 0 {
			v.stages(at+".stages", flat.Stages)
		}
		v.direct(at+".direct", flat.Direct)
		v.flatDoors(at+".doors", flat.Doors)
	}
	v.named("flats", "flat", names)
}

func (v *validator) button(path, name string) {
	v.required(path, name)
	if v.lim.Buttons != nil && !slices.Contains(v.lim.Buttons, name) {
		v.add(path, name, fmt.Sprintf("board %q has no such button; it has: %s", v.lim.Board, listOf(v.lim.Buttons)))
	}
}

func (v *validator) stages(path string, stages []Stage) {
	if len(stages) == 0 {
		v.add(path, "", "is required: at least one stage with a target")
	}
	for i := range stages {
		at := fmt.Sprintf("%s[%d]", path, i)
		if len(stages[i].Targets) == 0 {
			v.add(at+".targets", "", "is required: at least one address to ring")
		}
		v.targets(at+".targets", stages[i])
		if stages[i].For == 0 {
			v.add(at+".for", "", "is required in every stage but the last, such as 20s")
		}
		v.lasting(at+".for", stages[i].For)
	}
}

func (v *validator) flatDoors(path string, doors []string) {
	known := v.doc.doorNames()
	for i, name := range doors {
		if !slices.Contains(known, name) {
			v.add(fmt.Sprintf("%s[%d]", path, i), name, "there is no such door under doors; there is: "+listOf(known))
		}
	}
	if v.lines[path] != 0 {
		v.unique(path, doors)
	}
}

func (v *validator) keypad() {
	k := &v.doc.Keypad
	v.oneOf("keypad.end_key", k.EndKey, endKeys)
	v.lasting("keypad.gap", k.Gap)
	v.number("keypad.tries_per_call", k.TriesPerCall)
	v.number("keypad.tries_per_hour", k.TriesPerHour)
	if _, written := v.lines["keypad.longest_code"]; written && !v.kept {
		v.add("keypad.longest_code", fmt.Sprint(k.LongestCode), "is written by the panel alone; leave it out")
	}
	if k.LongestCode < 0 || k.LongestCode > longestCode {
		v.add("keypad.longest_code", fmt.Sprint(k.LongestCode), fmt.Sprintf("must be 0 to %d digits", longestCode))
	}
}

// listOf names what there is, for messages.
func listOf(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
