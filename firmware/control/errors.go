package control

import (
	"errors"
	"fmt"
	"net/http"
)

// An Error is a command that the panel did not carry out. A Panel returns one
// to say which kind of refusal it is; any other error counts as Failed.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"error"` // what, why, and what to do
}

// A Kind is a kind of refusal.
type Kind string

// The kinds.
const (
	NotFound    Kind = "not-found"   // no such button, door or record
	Busy        Kind = "busy"        // the panel is in a call
	Unavailable Kind = "unavailable" // the guard or another part is not there
	Denied      Kind = "denied"      // the caller may not
	Invalid     Kind = "invalid"     // the request makes no sense
	Failed      Kind = "failed"
)

func (e *Error) Error() string { return e.Message }

// Refuse makes an Error.
func Refuse(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// AsError gives err as an Error, its text kept; one of no known kind is Failed.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Kind: e.Kind, Message: err.Error()}
	}
	return &Error{Kind: Failed, Message: err.Error()}
}

// Status gives the HTTP status of a kind.
func (k Kind) Status() int {
	switch k {
	case NotFound:
		return http.StatusNotFound
	case Busy:
		return http.StatusConflict
	case Unavailable:
		return http.StatusServiceUnavailable
	case Denied:
		return http.StatusForbidden
	case Invalid:
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}
