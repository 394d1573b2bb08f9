package sipua

import (
	"crypto/rand"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// maxChallenges is how often one request is sent again with credentials: for
// the first challenge, and for stale nonces.
const maxChallenges = 3

// credentials answer challenges of our own server, and of nobody else: a phone
// that gets to see an answer can try passwords at leisure.
type credentials struct {
	account Account
	realm   string // the registrar's, once it challenged us
	nonces  map[nonceKey]*nonce
}

// A nonceKey tells the registrar's nonces from those for calls: what answers
// the one would pass the proxy unused, on to the phone.
type nonceKey struct {
	field       string // header field of the answer
	registering bool
}

// A nonce is in use until the server gives another.
type nonce struct {
	challenge *digest.Challenge
	cnonce    string
	count     int
}

func newCredentials(a Account) *credentials {
	return &credentials{account: a, nonces: map[nonceKey]*nonce{}}
}

// sign adds credentials for each nonce we have, each with the next count (RFC
// 7616 section 3.4).
func (c *credentials) sign(req *sip.Request) {
	for key, n := range c.nonces {
		if key.registering != (req.Method == sip.REGISTER) {
			continue
		}
		n.count++
		cred, err := digest.Digest(n.challenge, digest.Options{
			Method: string(req.Method), URI: req.Recipient.String(),
			Username: c.account.AuthUser, Password: c.account.Password,
			Count: n.count, Cnonce: n.cnonce,
		})
		if err != nil {
			delete(c.nonces, key)
			continue
		}
		for req.RemoveHeader(key.field) {
		}
		req.AppendHeader(sip.NewHeader(key.field, cred.String()))
	}
}

// take learns the challenge of a 401 or 407 to req, and says whether sending
// again makes sense: not if these very credentials were just refused. The caller
// has checked that the response is our server's.
func (c *credentials) take(req *sip.Request, res *sip.Response, tries int) bool {
	asks, field := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		asks, field = "Proxy-Authenticate", "Proxy-Authorization"
	}
	if c.account.AuthUser == "" || tries >= maxChallenges {
		return false
	}
	key := nonceKey{field, req.Method == sip.REGISTER}
	chal := c.choose(res.GetHeaders(asks), key.registering)
	if chal == nil || (tries > 0 && req.GetHeader(field) != nil && !chal.Stale) {
		delete(c.nonces, key)
		return false
	}
	if key.registering {
		c.realm = chal.Realm
	}
	c.nonces[key] = &nonce{challenge: chal, cnonce: rand.Text()}
	return true
}

// choose gives the first challenge that we can answer (RFC 8760 section 2.4).
func (c *credentials) choose(challenges []sip.Header, registering bool) *digest.Challenge {
	for _, h := range challenges {
		chal, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(chal) {
			continue
		}
		for i, q := range chal.QOP {
			chal.QOP[i] = strings.ToLower(strings.TrimSpace(q))
		}
		if len(chal.QOP) > 0 && !chal.SupportsQOP("auth") {
			continue
		}
		if registering || c.ours(chal.Realm) {
			return chal
		}
	}
	return nil
}

// ours reports whether a realm is our server's: the one it registered us in, or
// one of its names before it did.
func (c *credentials) ours(realm string) bool {
	if c.realm != "" {
		return realm == c.realm
	}
	for _, name := range []string{c.account.Domain, hostOf(c.account.Registrar), hostOf(c.account.Proxy)} {
		if name != "" && strings.EqualFold(name, realm) {
			return true
		}
	}
	return false
}

// trusted reports whether a challenge came from our server, to a request that
// went there.
func (u *UA) trusted(res *sip.Response, h hop) bool {
	return u.isAtServer(h) && u.fromServer(source(res))
}

func (u *UA) isAtServer(h hop) bool { return u.server != nil && h.flow() == u.server.flow() }
