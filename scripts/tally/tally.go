package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// An event is one line of go test -json (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

// A tally counts tests and keeps the output of those that still run, to show
// it should they fail.
type tally struct {
	out            io.Writer
	passed, failed int
	output         map[[2]string][]string // by package and test
	bad            map[string]int         // failed tests by package
}

func newTally(out io.Writer) *tally {
	return &tally{out: out, output: map[[2]string][]string{}, bad: map[string]int{}}
}

// line takes one line of input. What is not an event is shown as it is: a
// compiler that fails may write plain text.
func (t *tally) line(line []byte) {
	var ev event
	if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &ev) != nil {
		_, _ = t.out.Write(line)
		return
	}
	key := [2]string{ev.Package, ev.Test}
	switch ev.Action {
	case "build-output":
		fmt.Fprint(t.out, ev.Output)
	case "output":
		t.output[key] = append(t.output[key], ev.Output)
	case "pass", "fail", "skip":
		if ev.Test == "" {
			t.packageDone(ev)
		} else {
			t.testDone(ev)
		}
		delete(t.output, key)
	}
}

func (t *tally) testDone(ev event) {
	if ev.Action == "pass" {
		t.passed++
		return
	}
	t.failed++
	t.bad[ev.Package]++
	if ev.Action == "skip" {
		fmt.Fprintf(t.out, "SKIPPED, which counts as failed: %s\n", ev.Test)
	}
	t.show([2]string{ev.Package, ev.Test})
}

// packageDone ends a package. One that failed without a failed test (it did not
// build, panicked or ran too long) counts as one failure. A package without
// tests is skipped by go test itself, which is no failure.
func (t *tally) packageDone(ev event) {
	if ev.Action == "fail" && t.bad[ev.Package] == 0 {
		t.failed++
		for key := range t.output {
			if key[0] == ev.Package && key[1] != "" {
				t.show(key)
			}
		}
		t.show([2]string{ev.Package, ""})
	}
	if ev.Action != "skip" {
		fmt.Fprintf(t.out, "%-4s %s %.1fs\n", ev.Action, ev.Package, ev.Elapsed)
	}
}

func (t *tally) show(key [2]string) {
	for _, text := range t.output[key] {
		fmt.Fprint(t.out, text)
	}
}
