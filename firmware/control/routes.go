package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"doorstation/callflow/timeline"
)

// The paths of the socket's interface.
const (
	pathStatus = "/v1/status"
	pathCalls  = "/v1/calls"
	pathPress  = "/v1/press"
	pathOpen   = "/v1/open"
	pathWatch  = "/v1/watch"
)

// command is the body of a press and of an open.
type command struct {
	Button string `json:"button,omitempty"`
	Door   string `json:"door,omitempty"`
}

func (s Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathStatus, func(w http.ResponseWriter, _ *http.Request) { s.reply(w, s.Panel.Status()) })
	mux.HandleFunc("GET "+pathCalls, func(w http.ResponseWriter, _ *http.Request) { s.reply(w, orEmpty(s.Panel.Calls())) })
	mux.HandleFunc("GET "+pathWatch, s.watch)
	mux.HandleFunc("POST "+pathPress, s.press)
	mux.HandleFunc("POST "+pathOpen, s.open)
	s.checkRoutes(mux)
	s.traceRoutes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, Refuse(NotFound, "this panel has no %s %s; doorctl and doorstationd may be of different versions", r.Method, r.URL.Path))
	})
	return s.admitted(mux)
}

// admitted lets nobody through whom the kernel does not vouch for.
func (s Server) admitted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := peerOf(r)
		if err := who.admit(s.Group); err != nil {
			s.Log.Warn("local command refused", "who", who.String(), "path", r.URL.Path)
			s.fail(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func peerOf(r *http.Request) peer {
	if who, ok := r.Context().Value(peerKey{}).(peer); ok {
		return who
	}
	return peer{err: errors.New("no connection")}
}

func (s Server) press(w http.ResponseWriter, r *http.Request) {
	s.command(w, r, "press", func(c command, _ string) (string, error) {
		if c.Button == "" {
			return "", Refuse(Invalid, "no button is named")
		}
		return c.Button, s.Panel.Press(c.Button)
	})
}

func (s Server) open(w http.ResponseWriter, r *http.Request) {
	s.command(w, r, "open", func(c command, who string) (string, error) {
		if c.Door == "" {
			return "", Refuse(Invalid, "no door is named")
		}
		return c.Door, s.Panel.Open(c.Door, who)
	})
}

// command reads the body, has it done, and records who asked and what came of
// it.
func (s Server) command(w http.ResponseWriter, r *http.Request, name string, do func(command, string) (string, error)) {
	who := peerOf(r).String()
	var c command
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	body.DisallowUnknownFields()
	if err := body.Decode(&c); err != nil {
		s.fail(w, Refuse(Invalid, "the request cannot be read: %v", err))
		return
	}
	target, err := do(c, who)
	if err != nil {
		s.Log.Warn("local command failed", "command", name, "target", target, "who", who, "err", err)
		s.fail(w, err)
		return
	}
	s.Log.Info("local command", "command", name, "target", target, "who", who)
	w.WriteHeader(http.StatusNoContent)
}

// watch sends the status, and again after each change, as server-sent events.
func (s Server) watch(w http.ResponseWriter, r *http.Request) {
	StreamStatus(w, r, s.Panel)
}

// A Watched has a status that changes.
type Watched interface {
	Status() Status
	Watch(ctx context.Context) <-chan struct{}
}

// StreamStatus writes the status as a server-sent event, and again after each
// change, until the request ends.
func StreamStatus(w http.ResponseWriter, r *http.Request, p Watched) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	changes := p.Watch(r.Context()) // before the first status, so that no change is missed
	for {
		raw, err := json.Marshal(p.Status())
		if err != nil {
			return
		}
		if _, err := w.Write(append(append([]byte("data: "), raw...), "\n\n"...)); err != nil {
			return
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case _, more := <-changes:
			if !more {
				return
			}
		}
	}
}

func (s Server) reply(w http.ResponseWriter, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(raw)
}

func (s Server) fail(w http.ResponseWriter, err error) {
	refusal := AsError(err)
	raw, _ := json.Marshal(refusal) // two strings
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(refusal.Kind.Status())
	w.Write(raw)
}

func orEmpty(records []timeline.Record) []timeline.Record {
	if records == nil {
		return []timeline.Record{} // in JSON a list, not null
	}
	return records
}
