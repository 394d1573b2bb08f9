package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

const clock = "Mon 2 Jan 15:04:05"

// writeStatus prints a status, a subject a line.
func writeStatus(w io.Writer, s control.Status) error {
	var b strings.Builder
	line := func(subject, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", subject, fmt.Sprintf(format, args...))
	}
	line("panel", "%s, doorstationd %s, up %v", s.Name, s.Version, s.Uptime.Round(time.Second))
	line("line", "%s", registration(s.Registration))
	line("config", "%s", config(s.Config))
	line("guard", "%s", guard(s.Guard))
	line("call", "%s", call(s.Call))
	for _, d := range s.Doors {
		line("door", "%s is %s", d.Name, door(d))
	}
	for _, x := range s.Exits {
		line("exit", "%s opens %s%s", x.Name, x.Door, map[bool]string{true: ", pressed now"}[x.Pressed])
	}
	if s.Cover != nil {
		line("cover", "%s", cover(*s.Cover))
	}
	for _, button := range s.Buttons {
		line("button", "%s rings %s%s", button.Name, orElse(button.Flat, "nobody"), map[bool]string{true: ", held down now"}[button.Held])
	}
	for _, p := range s.Phones {
		line("phone", "%s: %s", p.Target, p.Words(clock))
	}
	for _, o := range s.Outputs {
		line("output", "%s (%s) is %s%s", o.Name, o.Role, map[bool]string{true: "on", false: "off"}[o.On], colon(o.Error))
	}
	for _, p := range s.Parts {
		line("part", "%s", part(p))
	}
	for _, warning := range s.Config.Warnings {
		line("warning", "%s", warning)
	}
	if m := s.Message; m != nil {
		line("message", "%s, %s: %s", m.At.Format(time.DateTime), m.From, strings.ReplaceAll(m.Text, "\n", " / "))
	}
	for _, problem := range s.Problems {
		line("problem", "%s", problem)
	}
	for _, missing := range s.Missing {
		line("missing", "%s", missing)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func registration(r control.Registration) string {
	s := r.State
	if r.Server != "" {
		s += " with " + r.Server
	}
	if !r.Since.IsZero() {
		s += " since " + r.Since.Local().Format(clock)
	}
	return s + colon(r.Reason)
}

func config(c control.Config) string {
	s := "none"
	if c.Revision != "" {
		s = "revision " + c.Revision
	}
	if c.From != "" {
		s += " from " + c.From
	}
	if c.Trial {
		s += ", on trial until the panel has registered with it"
	}
	return s + colon(c.Error)
}

func guard(g control.Guard) string {
	if g.Connected {
		return "connected"
	}
	return "not there, no door can open; start doorguard" + colon(g.Error)
}

// contacts are the words for what a door's contact says.
var contacts = map[string]string{
	control.ContactClosed: "closed", control.ContactOpen: "open", control.ContactLost: "closed or not: its contact cannot be read",
	control.ContactHeld: "open for too long", control.ContactForced: "open, and was forced",
}

func door(d control.Door) string {
	s := orElse(contacts[d.Contact], "closed")
	if d.Open {
		s = "released"
		if d.Contact != "" {
			s += " and " + contacts[d.Contact]
		}
	}
	if !d.Since.IsZero() {
		s += ", since " + d.Since.Local().Format(clock)
	}
	return s
}

func cover(c control.Cover) string {
	s := map[bool]string{true: "open", false: "closed"}[c.Open]
	if !c.Since.IsZero() {
		s += " since " + c.Since.Local().Format(clock)
	}
	if c.Blocked > 0 {
		s += fmt.Sprintf("; no door opens for another %v", c.Blocked.Round(time.Second))
	}
	return s
}

func call(c control.Call) string {
	if c.State == control.CallIdle || c.State == "" {
		return "none"
	}
	s := c.State
	if who := orElse(c.Flat, c.Button); who != "" {
		s += ", " + who
	}
	if !c.Since.IsZero() {
		s += ", since " + c.Since.Local().Format(clock)
	}
	return s
}

func part(p control.Part) string {
	s := p.Name + " " + p.State
	if p.Restarts > 0 {
		s += fmt.Sprintf(", restarts: %d", p.Restarts)
	}
	return s + colon(p.Error)
}

// writeCalls prints a line for each call.
func writeCalls(w io.Writer, all []timeline.Record) error {
	var b strings.Builder
	if len(all) == 0 {
		b.WriteString("no call yet\n")
	}
	for _, rec := range all {
		fmt.Fprintf(&b, "%-12s  %s  %-16s  %-14s  %s\n", rec.ID, rec.Began.Local().Format(clock),
			orElse(orElse(rec.Flat, rec.Button), "-"), orElse(rec.Result, "running"), timeline.Why(rec))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func colon(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}
