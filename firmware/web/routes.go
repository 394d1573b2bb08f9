package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// problem is the answer to what was refused.
type problem struct {
	Error string `json:"error"`
}

// call is a record as the page draws it.
type call struct {
	timeline.Record
	Why     string            `json:"why"`
	Figures []timeline.Figure `json:"figures,omitempty"`
}

// openDoor is the body of an open. Confirm names the door once more: the page
// asks a person first.
type openDoor struct {
	Door    string `json:"door"`
	Confirm string `json:"confirm"`
}

// types are those of the page's files, whatever the system has on its list.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
}

// shownCalls is how many records the page gets.
const shownCalls = 50

func (h *handler) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.front)
	mux.HandleFunc("GET /login.js", h.file("login.js"))
	mux.HandleFunc("GET /style.css", h.file("style.css"))
	mux.HandleFunc("POST /login", h.login)
	mux.HandleFunc("GET /panel.js", h.known(h.file("panel.js")))
	mux.HandleFunc("GET /picture.js", h.known(h.file("picture.js")))
	mux.HandleFunc("GET /calls", h.known(h.calls))
	mux.HandleFunc("GET /status", h.known(h.status))
	if h.opt.Meter != nil {
		mux.HandleFunc("GET /metrics", h.scraper(h.metrics))
	}
	if h.opt.Stills != nil {
		mux.HandleFunc("GET "+stillFolder+"{name}", h.still)
	}
	mux.HandleFunc("POST /open", h.known(h.open))
	mux.HandleFunc("POST /logout", h.known(h.logout))
	mux.HandleFunc("/", h.known(func(w http.ResponseWriter, r *http.Request) {
		h.refuse(w, r, http.StatusNotFound, "there is nothing here")
	}))
	return mux
}

// known lets only those through who are logged in. What the page asks for by
// itself keeps no session alive: nobody may be looking.
func (h *handler) known(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if h.sessions.find(token(r), time.Now(), r.Method == http.MethodPost) == nil {
			h.refuse(w, r, http.StatusUnauthorized, "log in first")
			return
		}
		next(w, r)
	}
}

// front is the page, or the login form for those who are not logged in.
func (h *handler) front(w http.ResponseWriter, r *http.Request) {
	name := "login.html"
	if h.sessions.find(token(r), time.Now(), true) != nil {
		name = "panel.html"
	}
	h.file(name)(w, r)
}

func (h *handler) file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		raw, err := fs.ReadFile(h.files, name)
		if err != nil {
			answer(w, http.StatusNotFound, problem{Error: "there is nothing here"})
			return
		}
		w.Header().Set("Content-Type", types[path.Ext(name)])
		w.Write(raw)
	}
}

// calls gives the last records.
func (h *handler) calls(w http.ResponseWriter, _ *http.Request) {
	records := h.panel.Calls()
	all := make([]call, 0, shownCalls)
	for _, rec := range records[:min(len(records), shownCalls)] {
		all = append(all, call{Record: rec, Why: timeline.Why(rec), Figures: timeline.Figures(rec)})
	}
	answer(w, http.StatusOK, all)
}

// status streams the status until the session or the request ends.
func (h *handler) status(w http.ResponseWriter, r *http.Request) {
	select {
	case h.streams <- struct{}{}:
		defer func() { <-h.streams }()
	default:
		h.refuse(w, r, http.StatusServiceUnavailable, fmt.Sprintf("already %d pages are open", maxStreams))
		return
	}
	one := h.sessions.find(token(r), time.Now(), false)
	if one == nil {
		h.refuse(w, r, http.StatusUnauthorized, "log in first")
		return
	}
	h.stream(w, r, one)
}

func (h *handler) open(w http.ResponseWriter, r *http.Request) {
	var o openDoor
	if !h.readBody(w, r, &o) {
		return
	}
	if o.Door == "" || o.Confirm != o.Door {
		h.refuse(w, r, http.StatusBadRequest, "the door was not confirmed")
		return
	}
	who := fmt.Sprintf("%s on the page, from %s", h.opt.User, source(r))
	if err := h.panel.Open(o.Door, who); err != nil {
		refusal := control.AsError(err)
		h.log.Warn("door not opened from the page", "door", o.Door, "who", who, "err", err)
		answer(w, refusal.Kind.Status(), problem{Error: refusal.Message})
		return
	}
	h.log.Info("door opened from the page", "door", o.Door, "who", who)
	w.WriteHeader(http.StatusNoContent)
}

// readBody reads a JSON body. Its type is one that no HTML form can send.
func (h *handler) readBody(w http.ResponseWriter, r *http.Request, v any) bool {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		h.refuse(w, r, http.StatusUnsupportedMediaType, "the body must be application/json")
		return false
	}
	body := json.NewDecoder(r.Body)
	body.DisallowUnknownFields()
	if err := body.Decode(v); err != nil {
		h.refuse(w, r, http.StatusBadRequest, "the body cannot be read")
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(raw)
}
