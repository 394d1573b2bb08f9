// Package web is the panel's own page: its status, the timelines of its last
// calls, and, after a login, a button to open a door.
//
// It is off unless configured. Before the login it shows the login form and
// nothing else. It does nothing by GET, takes requests only under its own name
// and from its own page, and shows no code and no password.
package web

import (
	"context"
	"log/slog"
	"net/http"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// Panel is what the page shows and does; a control.Panel is one.
type Panel interface {
	Status() control.Status
	Calls() []timeline.Record
	Open(door, who string) error
	Watch(ctx context.Context) <-chan struct{}
}

// Options say who may log in and by which names the page is reached.
type Options struct {
	User     string
	Password string   // must not be empty
	Hosts    []string // names for the Host header besides the address that was connected to
	Log      *slog.Logger
}

// New gives the page's handler.
func New(p Panel, opt Options) http.Handler { return http.NotFoundHandler() }

// Serve offers the page at listen, an address and port, until ctx ends, whose
// cause it returns.
func Serve(ctx context.Context, listen string, p Panel, opt Options) error { return nil }
