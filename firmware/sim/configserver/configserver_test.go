package configserver

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
)

func TestHandler(t *testing.T) {
	root := fstest.MapFS{"020000000001.yaml": {Data: []byte("revision: one\n")}, "folder/other.yaml": {Data: []byte("x")}}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	for name, tc := range map[string]struct {
		account Account
		user    string
		method  string
		path    string
		again   bool // ask with the tag of the first answer
		status  int
	}{
		"a file":                 {method: "GET", path: "/020000000001.yaml", status: 200},
		"its head":               {method: "HEAD", path: "/020000000001.yaml", status: 200},
		"unchanged":              {method: "GET", path: "/020000000001.yaml", again: true, status: 304},
		"another panel":          {method: "GET", path: "/020000000002.yaml", status: 404},
		"a folder":               {method: "GET", path: "/folder", status: 404},
		"the top":                {method: "GET", path: "/", status: 404},
		"out of the folder":      {method: "GET", path: "/../secret", status: 404},
		"writing":                {method: "PUT", path: "/020000000001.yaml", status: 405},
		"nobody":                 {account: Account{"panel", "word"}, method: "GET", path: "/020000000001.yaml", status: 401},
		"somebody else":          {account: Account{"panel", "word"}, user: "guess", method: "GET", path: "/020000000001.yaml", status: 401},
		"the panel":              {account: Account{"panel", "word"}, user: "word", method: "GET", path: "/020000000001.yaml", status: 200},
		"the panel and no file":  {account: Account{"panel", "word"}, user: "word", method: "GET", path: "/none.yaml", status: 404},
		"nobody and no file":     {account: Account{"panel", "word"}, method: "GET", path: "/none.yaml", status: 401},
		"the panel asking again": {account: Account{"panel", "word"}, user: "word", method: "GET", path: "/020000000001.yaml", again: true, status: 304},
	} {
		t.Run(name, func(t *testing.T) {
			h := Handler(log, root, tc.account)
			ask := func(etag string) *http.Response {
				r := httptest.NewRequest(tc.method, "http://server/", nil)
				r.URL.Path = tc.path
				if tc.user != "" {
					r.SetBasicAuth("panel", tc.user)
				}
				if etag != "" {
					r.Header.Set("If-None-Match", etag)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w.Result()
			}
			got := ask("")
			if tc.again {
				etag := got.Header.Get("ETag")
				if len(etag) < 3 || etag[0] != '"' {
					t.Fatalf("ETag %q", etag)
				}
				got = ask(etag)
			}
			if got.StatusCode != tc.status {
				t.Errorf("%d, want %d", got.StatusCode, tc.status)
			}
			if tc.status == 401 && got.Header.Get("WWW-Authenticate") == "" {
				t.Error("401 without a challenge")
			}
		})
	}
}
