package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// The bounds of a session.
const (
	sessionIdle = 30 * time.Minute // without a request that a person made
	sessionLife = 12 * time.Hour
	maxSessions = 16 // the one idle longest is logged out
	tokenBytes  = 32
	cookieName  = "panel_session"
)

// sessions knows who is logged in. It keeps hashes of the tokens, never the
// tokens.
type sessions struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]*session
}

type session struct {
	began, seen time.Time
	ended       chan struct{} // closed at the logout
}

func newSessions() *sessions { return &sessions{open: make(map[[sha256.Size]byte]*session)} }

// begin gives the token of a new session.
func (s *sessions) begin(now time.Time) string {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails (crypto/rand)
	token := base64.RawURLEncoding.EncodeToString(raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy(now)
	if len(s.open) >= maxSessions {
		s.endOldest()
	}
	s.open[sha256.Sum256([]byte(token))] = &session{began: now, seen: now, ended: make(chan struct{})}
	return token
}

// find gives the session of a token, or nil. touch says that a person is there.
func (s *sessions) find(token string, now time.Time, touch bool) *session {
	if token == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy(now)
	one := s.open[sha256.Sum256([]byte(token))]
	if one != nil && touch {
		one.seen = now
	}
	return one
}

// end closes the session of a token.
func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(sha256.Sum256([]byte(token)))
}

func (s *sessions) close(key [sha256.Size]byte) {
	if one := s.open[key]; one != nil {
		close(one.ended)
		delete(s.open, key)
	}
}

func (s *sessions) tidy(now time.Time) {
	for key, one := range s.open {
		if now.Sub(one.seen) >= sessionIdle || now.Sub(one.began) >= sessionLife {
			s.close(key)
		}
	}
}

func (s *sessions) endOldest() {
	var oldest [sha256.Size]byte
	var seen time.Time
	for key, one := range s.open {
		if seen.IsZero() || one.seen.Before(seen) {
			oldest, seen = key, one.seen
		}
	}
	s.close(oldest)
}

// credentials is the body of a login.
type credentials struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

func (h *handler) login(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if !h.readBody(w, r, &c) {
		return
	}
	now := time.Now()
	if !h.admit(w, r, c, now) {
		return
	}
	h.log.Info("page login", "from", source(r), "user", h.opt.User)
	setCookie(w, h.sessions.begin(now), int(sessionLife.Seconds()))
	w.WriteHeader(http.StatusNoContent)
}

// admit judges a user and a password, within the limits of the login, and
// answers those that are wrong.
func (h *handler) admit(w http.ResponseWriter, r *http.Request, c credentials, now time.Time) bool {
	from := source(r)
	if wait := h.limiter.try(network(from), now); wait > 0 {
		wait = wait.Round(time.Second) + time.Second
		w.Header().Set("Retry-After", fmt.Sprint(int(wait.Seconds())))
		h.refuse(w, r, http.StatusTooManyRequests, fmt.Sprintf("too many logins failed: try again in %v", wait))
		return false
	}
	if !h.right(c) {
		h.log.Warn("page login failed", "from", from, "path", r.URL.Path)
		if r.Method != http.MethodPost {
			challenge(w)
		}
		h.refuse(w, r, http.StatusUnauthorized, "user or password is wrong")
		return false
	}
	h.limiter.succeeded(network(from))
	return true
}

// right compares both words whole, in a time that tells neither their length
// nor which one is wrong.
func (h *handler) right(c credentials) bool {
	user := equal(c.User, h.opt.User)
	password := equal(c.Password, h.opt.Password)
	return user&password == 1 && h.opt.User != "" && h.opt.Password != ""
}

func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

func (h *handler) logout(w http.ResponseWriter, r *http.Request) {
	h.sessions.end(token(r))
	setCookie(w, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

// setCookie sets the session's cookie, for this browser session alone. It has
// no Secure flag, since the page speaks plain HTTP.
func setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

func token(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}
