package loopback

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	const own = "127.0.0.1:8080"
	h := Guard(own, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for name, tc := range map[string]struct {
		host, origin string
		status       int
	}{
		"our page":                  {own, "http://" + own, 204},
		"a program":                 {own, "", 204},
		"by the name localhost":     {"localhost:8080", "http://localhost:8080", 204},
		"another port of localhost": {"localhost:9090", "", 421},
		"a name that leads to us":   {"building.example:8080", "", 421},
		"no host":                   {"", "", 421},
		"a foreign page":            {own, "http://building.example", 403},
		"another port":              {own, "http://127.0.0.1:9090", 403},
		"another scheme":            {own, "https://" + own, 403},
		"a page without an origin":  {own, "null", 403},
		"localhost for the address": {own, "http://localhost:8080", 403},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/panel/press", nil)
			r.Host = tc.host
			if tc.origin != "" {
				r.Header.Set("Origin", tc.origin)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.status {
				t.Errorf("%d, want %d", w.Code, tc.status)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:8080": true, "127.0.0.1:0": true, "[::1]:80": true,
		"0.0.0.0:8080": false, "192.0.2.1:80": false, "localhost:80": false, "127.0.0.1": false, ":80": false,
	} {
		if _, err := Address(address); (err == nil) != ok {
			t.Errorf("%q: %v, want accepted %t", address, err, ok)
		}
	}
}

func TestRead(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"key":"5"}`: true, "": true, `{"key":`: false, `{"key":"` + strings.Repeat("5", maxBody) + `"}`: false,
	} {
		var v struct {
			Key string `json:"key"`
		}
		err := Read(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &v)
		if (err == nil) != ok {
			t.Errorf("%.20q: %v, want accepted %t", body, err, ok)
		}
	}
}

func TestSamples(t *testing.T) {
	pcm := []int16{0, 1, -1, 32767, -32768}
	if got := Samples(PCM(pcm)); !slices.Equal(got, pcm) {
		t.Errorf("%v came back as %v", pcm, got)
	}
	if got := Samples([]byte{1, 0, 7}); !slices.Equal(got, []int16{1}) {
		t.Errorf("half a sample counts: %v", got)
	}
}
