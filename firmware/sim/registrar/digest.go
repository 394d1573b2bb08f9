package registrar

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/icholy/digest"
)

// nonceLife is how long a nonce is good; an older one is refused as stale, so
// that its user answers a new challenge without asking anybody for a password.
const nonceLife = 2 * time.Minute

// maxNonces bounds the challenges remembered at a time. A new one beyond it
// takes the place of the oldest.
const maxNonces = 256

// The reasons why credentials are refused.
var (
	errNoCredentials = errors.New("no credentials for this realm")
	errStale         = errors.New("nonce unknown or too old")
	errReplayed      = errors.New("nonce count used before")
	errDenied        = errors.New("wrong user or password")
)

// A nonce is one challenge given out.
type nonce struct {
	born  time.Time
	count int // highest nc seen
}

// challenge gives out a new nonce and the header value that carries it
// (RFC 7616 section 3.3, MD5 with qop=auth).
func (r *Registrar) challenge(now time.Time, stale bool) string {
	value := rand.Text()
	r.forget(now)
	r.nonces[value] = &nonce{born: now}
	parts := []string{
		`Digest realm="` + r.realm + `"`,
		`nonce="` + value + `"`,
		`algorithm=MD5`,
		`qop="auth"`,
	}
	if stale {
		parts = append(parts, "stale=true")
	}
	return strings.Join(parts, ", ")
}

// forget drops the nonces that are too old, and the oldest when there are too
// many.
func (r *Registrar) forget(now time.Time) {
	var oldest string
	for value, n := range r.nonces {
		if now.Sub(n.born) > nonceLife {
			delete(r.nonces, value)
			continue
		}
		if oldest == "" || n.born.Before(r.nonces[oldest].born) {
			oldest = value
		}
	}
	if len(r.nonces) >= maxNonces {
		delete(r.nonces, oldest)
	}
}

// check says who sent the request: the user whose password the credentials
// prove (RFC 7616 section 3.4.1).
func (r *Registrar) check(now time.Time, method, uri, header string) (string, error) {
	cred, err := digest.ParseCredentials(header)
	if err != nil || cred.Realm != r.realm {
		return "", errNoCredentials
	}
	n := r.nonces[cred.Nonce]
	if n == nil || now.Sub(n.born) > nonceLife {
		return "", errStale
	}
	password, known := r.accounts[cred.Username]
	right := subtle.ConstantTimeCompare([]byte(response(cred, method, password)), []byte(strings.ToLower(cred.Response))) == 1
	if !known || !right || !strings.EqualFold(cred.QOP, "auth") || cred.URI != uri {
		return "", errDenied
	}
	if cred.Nc <= n.count {
		return "", errReplayed
	}
	n.count = cred.Nc
	return cred.Username, nil
}

// response is the value that proves the password (RFC 7616 section 3.4.1).
func response(c *digest.Credentials, method, password string) string {
	secret := hash(c.Username, c.Realm, password)
	request := hash(method, c.URI)
	return hash(secret, c.Nonce, fmt.Sprintf("%08x", c.Nc), c.Cnonce, c.QOP, request)
}

// hash is MD5 in hex over the parts with colons between them.
func hash(parts ...string) string {
	sum := md5.Sum([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(sum[:])
}
