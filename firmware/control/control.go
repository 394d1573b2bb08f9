// Package control is the panel's local interface: what doorctl and the panel's
// own page may see and do, and how it goes over a Unix socket.
//
// The socket speaks HTTP with JSON bodies. It has mode 0660, and each
// connection's peer is asked of the kernel (SO_PEERCRED) and must be root, the
// daemon's own user, or a member of the configured group. Who asked is recorded
// with every command.
package control

import (
	"context"
	"time"

	"doorstation/callflow/timeline"
)

// A Panel is what can be seen and done. Its methods may be called from any
// goroutine.
type Panel interface {
	// Status gives the state of now.
	Status() Status

	// Calls gives the records of the last calls, newest first; one that runs
	// is among them.
	Calls() []timeline.Record

	// Press does what pressing the button named so would do. It returns once
	// the press is taken; the call then goes on by itself.
	Press(button string) error

	// Open asks for a pulse of the door named so and returns once the guard
	// has driven it or refused. who is recorded as the one who asked.
	Open(door, who string) error

	// Watch gives a channel that has a value after each change of the status,
	// changes that come together making one. It is closed when ctx ends.
	Watch(ctx context.Context) <-chan struct{}
}

// Status is the state of a panel. It holds no secret.
type Status struct {
	Name         string        `json:"name"`
	Version      string        `json:"version"`
	Started      time.Time     `json:"started"`
	Uptime       time.Duration `json:"uptime_ns"`
	Registration Registration  `json:"registration"`
	Config       Config        `json:"config"`
	Call         Call          `json:"call"`
	Doors        []Door        `json:"doors"`
	Buttons      []Button      `json:"buttons"`
	Guard        Guard         `json:"guard"`
	Parts        []Part        `json:"parts"`
	Missing      []string      `json:"missing,omitempty"`  // what this build or board lacks, in words
	Problems     []string      `json:"problems,omitempty"` // what is wrong with the panel itself, in words
	Message      *Message      `json:"message,omitempty"`  // the last that a caller wrote; nil: none
	Cover        *Cover        `json:"cover,omitempty"`    // nil: the board has no switch for it
	Exits        []Exit        `json:"exits,omitempty"`
	Outputs      []Output      `json:"outputs,omitempty"`
	Phones       []Phone       `json:"phones,omitempty"` // of the flats, as far as they are known
}

// The states of a Registration.
const (
	RegistrationNone    = "none"       // no account is configured
	RegistrationTrying  = "trying"     // not yet, or again
	RegistrationOK      = "registered" //
	RegistrationRefused = "refused"    // the server said no; Reason says why
)

// Message is a text that a caller sent to the panel.
type Message struct {
	From string    `json:"from"` // his address as the configuration has it
	Text string    `json:"text"` // printable characters and line breaks, at most 1000
	At   time.Time `json:"at"`
}

// Registration is the SIP line's state.
type Registration struct {
	State  string    `json:"state"`
	Server string    `json:"server,omitempty"` // never with a password
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"` // why it is not registered, and when the next try is
}

// Config says what configuration runs.
type Config struct {
	Revision string    `json:"revision,omitempty"`
	From     string    `json:"from,omitempty"` // a file, or a URL without its user and query
	Since    time.Time `json:"since,omitzero"`
	Trial    bool      `json:"trial,omitempty"` // not registered with it yet; else back to the last good
	Error    string    `json:"error,omitempty"` // why the newest one is not running
	Warnings []string  `json:"warnings,omitempty"`
}

// The states of a Call.
const (
	CallIdle    = "idle"
	CallRinging = "ringing"
	CallTalking = "talking"
	CallClosing = "closing"
)

// Call is what the panel does now.
type Call struct {
	State  string    `json:"state"`
	ID     string    `json:"id,omitempty"` // of its record
	Button string    `json:"button,omitempty"`
	Flat   string    `json:"flat,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Shows  string    `json:"shows,omitempty"` // what the visitor is told, such as "ringback"
}

// Door is one door.
type Door struct {
	Name string `json:"name"`
	Open bool   `json:"open"` // the guard holds the relay on

	Contact string    `json:"contact,omitempty"` // what its contact says; empty: it has none
	Since   time.Time `json:"since,omitzero"`    // when it opened, by its contact
}

// Button is one button.
type Button struct {
	Name string `json:"name"`           // the board's name
	Flat string `json:"flat,omitempty"` // empty: it rings nobody
	Held bool   `json:"held,omitempty"` // somebody holds it down for long
}

// Guard is the process that holds the relays.
type Guard struct {
	Connected bool   `json:"connected"`
	Error     string `json:"error,omitempty"`
}

// The states of a Part.
const (
	PartRunning  = "running"
	PartStarting = "starting"
	PartFailed   = "failed" // waits for its next try
	PartOff      = "off"    // not configured, or not fitted
)

// Part is one supervised part of the daemon.
type Part struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Error    string `json:"error,omitempty"` // the last one
	Restarts int    `json:"restarts,omitempty"`
}
