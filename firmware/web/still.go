package web

import (
	"errors"
	"net/http"
	"strings"
)

// Stills gives the picture of the present call to phones that ask for one
// again and again. It may be asked from any goroutine.
type Stills interface {
	// Still gives a JPEG of now. An unknown token, or one of a leg that is over,
	// gives ErrNoStill; any other error means that there is no picture yet.
	Still(token string) (jpeg []byte, err error)
}

// ErrNoStill means that a token belongs to no leg of a present call.
var ErrNoStill = errors.New("there is no such picture")

// StillPath is where the picture of a token lies.
func StillPath(token string) string { return stillFolder + token + stillSuffix }

const (
	stillFolder = "/still/"
	stillSuffix = ".jpg"
)

// still gives a picture to whoever knows the token: phones cannot log in. Its
// path is a secret as long as the leg lasts, and is not recorded.
func (h *handler) still(w http.ResponseWriter, r *http.Request) {
	token, named := strings.CutSuffix(r.PathValue("name"), stillSuffix)
	if !named {
		answer(w, http.StatusNotFound, problem{Error: ErrNoStill.Error()})
		return
	}
	raw, err := h.opt.Stills.Still(token)
	switch {
	case errors.Is(err, ErrNoStill):
		answer(w, http.StatusNotFound, problem{Error: ErrNoStill.Error()})
	case err != nil:
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, problem{Error: "there is no picture yet"})
	default:
		w.Header().Set("Content-Type", "image/jpeg")
		w.Write(raw)
	}
}

// shownPath is a request's path for the log, without a token.
func shownPath(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, stillFolder) {
		return stillFolder
	}
	return r.URL.Path
}
