package web

import (
	"net/http"
	"time"
)

// A Meter knows what the operator of many panels watches. It may be asked from
// any goroutine. No label of it holds a secret or what tells of a visitor.
type Meter interface {
	Metrics() []Family
}

// metrics gives all figures of now, for a scraper.
func (h *handler) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", expositionType)
	w.Write(exposition(h.opt.Meter.Metrics()))
}

// scraper lets those through who are logged in, and programs, which have no
// session, with the page's user and password (basic authentication, RFC 7617).
// These meet the limits of the login.
func (h *handler) scraper(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, basic := r.BasicAuth()
		switch {
		case basic:
			if h.admit(w, r, credentials{user, password}, time.Now()) {
				next(w, r)
			}
		case h.sessions.find(token(r), time.Now(), false) != nil:
			next(w, r)
		default:
			challenge(w)
			h.refuse(w, r, http.StatusUnauthorized, "log in first, or send the page's user and password")
		}
	}
}

// challenge says how to ask again (RFC 9110 section 11.6.1).
func challenge(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="door station metrics", charset="UTF-8"`)
}
