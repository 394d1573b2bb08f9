// Package configserver is the configuration server of the simulated building:
// files of one folder over HTTP, with ETag and Last-Modified, and basic
// authentication where it is given an account.
package configserver

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
)

// maxFile bounds a file that is served, in bytes.
const maxFile = 1 << 20

// An Account may read the files. The zero Account means that everybody may.
type Account struct{ User, Password string }

// Handler serves the files of root. It lists nothing and follows no path out of
// root.
func Handler(log *slog.Logger, root fs.FS, account Account) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		defer func() { log.Info("asked", "method", r.Method, "path", r.URL.Path, "status", status) }()
		counted := &recorder{ResponseWriter: w, status: &status}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(counted, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		if !account.admits(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="configuration", charset="UTF-8"`)
			http.Error(counted, "who are you?", http.StatusUnauthorized)
			return
		}
		serve(counted, r, root)
	})
}

// admits reports whether the request names the account.
func (a Account) admits(r *http.Request) bool {
	if a == (Account{}) {
		return true
	}
	user, password, ok := r.BasicAuth()
	sameUser := subtle.ConstantTimeCompare([]byte(user), []byte(a.User))
	samePassword := subtle.ConstantTimeCompare([]byte(password), []byte(a.Password))
	return ok && sameUser&samePassword == 1
}

// serve answers with one file; net/http does the conditional part with the tag.
func serve(w http.ResponseWriter, r *http.Request, root fs.FS) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if !fs.ValidPath(name) || name == "." {
		http.NotFound(w, r)
		return
	}
	info, err := fs.Stat(root, name)
	if err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	if info.Size() > maxFile {
		http.Error(w, "file too large", http.StatusInternalServerError)
		return
	}
	raw, err := fs.ReadFile(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, "file not readable", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(raw)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	w.Header().Set("Content-Type", "application/yaml")
	http.ServeContent(w, r, name, info.ModTime(), bytes.NewReader(raw))
}

// A recorder notes the status of a response.
type recorder struct {
	http.ResponseWriter
	status *int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	*r.status = status
	r.ResponseWriter.WriteHeader(status)
}
