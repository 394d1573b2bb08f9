package station

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"sync"

	"doorstation/callflow"
)

// stillToken is the length of a token in bytes, of which nobody guesses one while
// a call lasts.
const stillToken = 16

// passes are the tokens of the legs whose phones may fetch a picture. They may be
// used from any goroutine.
type passes struct {
	mu  sync.Mutex
	all []pass // a few: one for each phone that is rung now
}

// A pass is the right to see the picture of one call, for the phone of one leg.
type pass struct {
	token string
	leg   callflow.LegID
	call  int
	shown bool // it has been used
}

// issue gives a leg its token.
func (p *passes) issue(leg callflow.LegID, call int) string {
	raw := make([]byte, stillToken)
	rand.Read(raw) // never fails (crypto/rand)
	token := base64.RawURLEncoding.EncodeToString(raw)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, pass{token: token, leg: leg, call: call})
	return token
}

// show uses a token, and tells whether it is the first time.
func (p *passes) show(token string) (found pass, first, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.all {
		if subtle.ConstantTimeCompare([]byte(p.all[i].token), []byte(token)) == 1 {
			first = !p.all[i].shown
			p.all[i].shown = true
			return p.all[i], first, true
		}
	}
	return pass{}, false, false
}

// revoke takes the token of a leg back.
func (p *passes) revoke(leg callflow.LegID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = slices.DeleteFunc(p.all, func(one pass) bool { return one.leg == leg })
}

// clear takes all tokens back.
func (p *passes) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = nil
}
