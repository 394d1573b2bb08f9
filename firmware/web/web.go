// Package web is the panel's own page: its status, the timelines of its last
// calls, and, after a login, a button to open a door.
//
// It is off unless configured. Before the login it shows the login form and, to
// phones that were told of it, the picture of the present call; nothing else. It
// does nothing by GET, takes requests only under its own name (against DNS
// rebinding) and from its own page (against forged requests), and shows no code
// and no password.
//
// Besides, /metrics has the panel's figures for a program that collects those
// of many panels.
//
// It speaks plain HTTP: the password crosses the network as it is typed, and
// the page belongs into a network of its own.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

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
	Password string       // empty: nobody can log in
	Hosts    []string     // names for the Host header, besides the address that was connected to
	Meter    Meter        // nil: there is no /metrics
	Stills   Stills       // nil: there is no picture of a call
	Log      *slog.Logger // nil: none
}

// The bounds of the page's HTTP server.
const (
	headerTime = 5 * time.Second
	readTime   = 10 * time.Second
	idleTime   = 30 * time.Second
	closeTime  = 2 * time.Second
	maxHeader  = 8 << 10 // bytes
	maxBody    = 2 << 10 // bytes
	maxConns   = 32
	maxStreams = 8 // pages that are kept up to date at a time
)

// ErrNoLogin means that a page without a user and a password was asked for.
var ErrNoLogin = errors.New("the page needs a user and a password")

//go:embed page
var pageFiles embed.FS

// handler is the page. Its fields do not change.
type handler struct {
	panel    Panel
	opt      Options
	log      *slog.Logger
	files    fs.FS
	sessions *sessions
	limiter  *limiter
	streams  chan struct{}
}

// New gives the page's handler. With an empty password nobody can log in.
func New(p Panel, opt Options) http.Handler {
	h := &handler{panel: p, opt: opt, log: opt.Log, sessions: newSessions(), limiter: newLimiter(), streams: make(chan struct{}, maxStreams)}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the name is no path, which the compiler has already ruled out
	}
	h.files = files
	return h.guarded(h.routes())
}

// Serve offers the page at listen, an address and port, until ctx ends, whose
// cause it returns. Without a user and a password it gives ErrNoLogin.
func Serve(ctx context.Context, listen string, p Panel, opt Options) error {
	if opt.User == "" || opt.Password == "" {
		return fmt.Errorf("web: %w; the page stays off", ErrNoLogin)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("web: the page cannot listen at %s: %w", listen, err)
	}
	return serve(ctx, listener, New(p, opt))
}

func serve(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // what anybody may send is no news
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		if server.Shutdown(end) != nil {
			server.Close()
		}
	})
	defer stopped()
	if err := server.Serve(newBounded(listener, maxConns)); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("web: %w", err)
	}
	return context.Cause(ctx)
}
