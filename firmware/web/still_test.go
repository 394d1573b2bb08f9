package web

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// fakeStills has one picture, under one token, and none yet under another.
type fakeStills struct{}

func (fakeStills) Still(token string) ([]byte, error) {
	switch token {
	case "right":
		return []byte("a picture"), nil
	case "early":
		return nil, errors.New("the camera starts")
	}
	return nil, ErrNoStill
}

// Whoever has the token gets the picture without a login, and nobody else; the
// log never has a token.
func TestStills(t *testing.T) {
	var log bytes.Buffer
	s := open(t, Options{User: user, Password: password, Stills: fakeStills{}, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	for path, status := range map[string]int{
		StillPath("right"):   http.StatusOK,
		StillPath("early"):   http.StatusServiceUnavailable,
		StillPath("wrong"):   http.StatusNotFound,
		StillPath(""):        http.StatusNotFound,
		"/still/right":       http.StatusNotFound,
		"/still/":            http.StatusUnauthorized,
		"/still/right.jpg/x": http.StatusUnauthorized,
	} {
		resp, body := s.ask("GET", path, "", nil)
		if resp.StatusCode != status || (body == "a picture") != (status == http.StatusOK) {
			t.Errorf("GET %s: %d %s, want %d", path, resp.StatusCode, body, status)
		}
		if status == http.StatusOK && (resp.Header.Get("Content-Type") != "image/jpeg" || resp.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("GET %s: %v", path, resp.Header)
		}
		if (status == http.StatusServiceUnavailable) != (resp.Header.Get("Retry-After") != "") {
			t.Errorf("GET %s: Retry-After %q", path, resp.Header.Get("Retry-After"))
		}
	}
	if resp, _ := s.ask("GET", StillPath("right"), "", func(r *http.Request) { r.Host = "evil.example" }); resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("by another name: %d, want 421", resp.StatusCode)
	}
	s.server.Close() // has waited for the log
	if strings.Contains(log.String(), "right") || !strings.Contains(log.String(), "path="+stillFolder) {
		t.Errorf("the log is\n%s", log.String())
	}
}

func TestWithoutStills(t *testing.T) {
	s := standard(t)
	if resp, _ := s.ask("GET", StillPath("right"), "", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d, want 401 as for all that is not there", resp.StatusCode)
	}
}
