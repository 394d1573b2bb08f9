package provisioning

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
)

const (
	defaultEvery  = time.Hour
	shortestEvery = time.Second
)

// A Source says where a panel fetches its document and who the panel is.
type Source struct {
	// URL is https, or http with AllowHTTP. {mac}, {serial} and {model} in its
	// path stand for the panel's own. It must hold no user and no password.
	URL            string
	User, Password string // basic authentication; both empty: none
	CAFile         string // PEM bundle that vouches for the server; empty: the system's
	CertFile       string // the panel's client certificate, PEM; with KeyFile or not at all
	KeyFile        string
	AllowHTTP      bool          // lets http pass; everyone on the way can then read and change the document
	Every          time.Duration // between two fetches; 0: one hour; at least 1 s
	MAC            string        // any usual form; goes into the URL as 12 lower-case hex digits
	Serial, Model  string

	// Now is the time by which the server's certificate is judged; nil: the
	// system's clock.
	Now func() time.Time
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// target checks the URL and fills in the placeholders. Its errors never quote
// the URL, which might hold a password where it may not.
func (src Source) target() (*url.URL, error) {
	u, err := url.Parse(src.URL)
	if err != nil {
		return nil, errors.New("the URL cannot be read; write https://host/path, with {mac}, {serial} and {model} only in the path")
	}
	if err := src.checkURL(u); err != nil {
		return nil, err
	}
	if strings.ContainsAny(u.Path, "{}") {
		if u.Path, err = src.fill(u.Path); err != nil {
			return nil, err
		}
		u.RawPath = ""
	}
	return u, nil
}

func (src Source) checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("the URL must begin with https://")
	case u.User != nil:
		return errors.New("the URL holds a user or password; give them as user and password of the source")
	case u.Scheme == "http" && !src.AllowHTTP:
		return errors.New("the URL is plain http, which everyone on the way can read and change; use https, or allow http expressly")
	case u.Hostname() == "":
		return errors.New("the URL has no host; write https://host/path")
	case u.Fragment != "":
		return errors.New("the URL has a fragment (#...), which no server sees")
	case strings.ContainsAny(u.Host+u.RawQuery, "{}"):
		return errors.New("{mac}, {serial} and {model} may stand only in the path of the URL")
	}
	return nil
}

// fill puts the panel's own values in the place of the placeholders.
func (src Source) fill(path string) (string, error) {
	var fault error
	path = placeholder.ReplaceAllStringFunc(path, func(name string) string {
		value, err := src.own(name)
		if err != nil && fault == nil {
			fault = err
		}
		return value
	})
	if fault == nil && strings.ContainsAny(path, "{}") {
		fault = errors.New("the URL has a { or } that belongs to no placeholder")
	}
	return path, fault
}

// own is the panel's value of one placeholder.
func (src Source) own(name string) (string, error) {
	var value string
	switch name {
	case "{mac}":
		mac, err := net.ParseMAC(src.MAC)
		if src.MAC != "" && (err != nil || len(mac) != 6) {
			return "", fmt.Errorf("the panel's MAC address %q has not six bytes", src.MAC)
		}
		value = hex.EncodeToString(mac)
	case "{serial}":
		value = src.Serial
	case "{model}":
		value = src.Model
	default:
		return "", fmt.Errorf("the URL has %s, but only {mac}, {serial} and {model} are known", name)
	}
	if value == "" {
		return "", fmt.Errorf("the URL has %s, but this panel has none", name)
	}
	if value == "." || value == ".." || strings.ContainsFunc(value, unfitForPath) {
		return "", fmt.Errorf("the panel's %s %q does not fit into a URL", strings.Trim(name, "{}"), value)
	}
	return value, nil
}

// unfitForPath finds what could lead out of one segment of a path.
func unfitForPath(r rune) bool {
	return r == '/' || r == '\\' || r == '{' || r == '}' || unicode.IsControl(r)
}

// every is the time between two fetches.
func (src Source) every() (time.Duration, error) {
	switch {
	case src.Every == 0:
		return defaultEvery, nil
	case src.Every < shortestEvery:
		return 0, fmt.Errorf("the time between two fetches is %v, at least %v is allowed", src.Every, shortestEvery)
	}
	return src.Every, nil
}
