// Package registrar is the small SIP registrar of the simulated building
// (RFC 3261 section 10.3): it challenges with digest, refuses a wrong password
// and remembers where its users are.
//
// Registrar decides and has no socket; Handler puts it behind sipgo.
package registrar

import (
	"sync"
	"time"
)

// The times granted: what is asked for, within these limits.
const (
	ShortestTime = 60 * time.Second
	LongestTime  = time.Hour
)

// A Request is what a REGISTER says.
type Request struct {
	User          string        // of the To header
	URI           string        // the Request-URI
	Authorization string        // value of the header; empty without one
	Contact       string        // the Contact's URI; empty: only asking; "*": all
	Expires       time.Duration // asked for; zero takes the binding away
}

// A Reply is what to answer.
type Reply struct {
	Status    int
	Reason    string
	Challenge string    // value of WWW-Authenticate, with 401
	Bindings  []Binding // with 200: those of the user
	MinTime   time.Duration
}

// A Binding is one place where a user is.
type Binding struct {
	User    string
	Contact string
	Until   time.Time
}

// Registrar keeps the bindings of a few accounts. Its methods may be called
// from several goroutines.
type Registrar struct {
	realm    string
	accounts map[string]string // password by user

	mu       sync.Mutex
	nonces   map[string]*nonce
	bindings map[string]map[string]time.Time // end by contact by user
}

// New makes a registrar for the accounts, which map a user to its password.
func New(realm string, accounts map[string]string) *Registrar {
	return &Registrar{
		realm:    realm,
		accounts: accounts,
		nonces:   make(map[string]*nonce),
		bindings: make(map[string]map[string]time.Time),
	}
}

// Register decides one REGISTER.
func (r *Registrar) Register(now time.Time, req Request) Reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.Authorization == "" {
		return Reply{Status: 401, Reason: "Unauthorized", Challenge: r.challenge(now, false)}
	}
	user, err := r.check(now, "REGISTER", req.URI, req.Authorization)
	switch err {
	case nil:
	case errNoCredentials:
		return Reply{Status: 401, Reason: "Unauthorized", Challenge: r.challenge(now, false)}
	case errStale, errReplayed:
		return Reply{Status: 401, Reason: "Unauthorized", Challenge: r.challenge(now, true)}
	default:
		return Reply{Status: 403, Reason: "Forbidden"}
	}
	if user != req.User {
		return Reply{Status: 403, Reason: "Not Your Address"}
	}
	return r.bind(now, req)
}

// bind changes the bindings as an authorised request asks.
func (r *Registrar) bind(now time.Time, req Request) Reply {
	if req.Expires > 0 && req.Expires < ShortestTime && req.Contact != "" {
		return Reply{Status: 423, Reason: "Interval Too Brief", MinTime: ShortestTime}
	}
	places := r.bindings[req.User]
	if places == nil {
		places = make(map[string]time.Time)
		r.bindings[req.User] = places
	}
	switch {
	case req.Contact == "":
	case req.Contact == "*" && req.Expires != 0:
		return Reply{Status: 400, Reason: "Star Needs Expires 0"}
	case req.Contact == "*":
		clear(places)
	case req.Expires == 0:
		delete(places, req.Contact)
	default:
		places[req.Contact] = now.Add(min(req.Expires, LongestTime))
	}
	return Reply{Status: 200, Reason: "OK", Bindings: r.current(now, req.User)}
}

// current lists the bindings of a user that have not ended.
func (r *Registrar) current(now time.Time, user string) []Binding {
	var all []Binding
	for contact, until := range r.bindings[user] {
		if !until.After(now) {
			delete(r.bindings[user], contact)
			continue
		}
		all = append(all, Binding{User: user, Contact: contact, Until: until})
	}
	return all
}

// Bindings lists where all users are.
func (r *Registrar) Bindings(now time.Time) []Binding {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Binding
	for user := range r.bindings {
		all = append(all, r.current(now, user)...)
	}
	return all
}
