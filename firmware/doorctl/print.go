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
		line("door", "%s is %s", d.Name, map[bool]string{true: "released", false: "closed"}[d.Open])
	}
	for _, button := range s.Buttons {
		line("button", "%s rings %s", button.Name, orElse(button.Flat, "nobody"))
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
