package sipua

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// maxChallenges is how often one request is sent again with credentials: for
// the first challenge, and for stale nonces.
const maxChallenges = 3

// An algorithm is one of RFC 8760 section 2.3. Each has a variant for sessions.
type algorithm struct {
	name     string
	strength int
	hash     func() hash.Hash
}

var algorithms = []algorithm{
	{"MD5", 1, md5.New},
	{"SHA-256", 2, sha256.New},
	{"SHA-512-256", 3, sha512.New512_256},
}

// algorithmOf reads the algorithm of a challenge; none is MD5. session is the
// variant whose secret is bound to the nonce (RFC 7616 section 3.4.2).
func algorithmOf(name string) (a algorithm, session, ok bool) {
	name = strings.ToUpper(name)
	name, session = strings.CutSuffix(name, "-SESS")
	if name == "" && !session {
		name = "MD5"
	}
	for _, a := range algorithms {
		if a.name == name {
			return a, session, true
		}
	}
	return algorithm{}, false, false
}

// credentials answer challenges of our own server, and of nobody else: a phone
// that gets to see an answer can try passwords at leisure.
type credentials struct {
	account  Account
	realm    string // the registrar's, once it challenged us
	nonces   map[nonceKey]*nonce
	declined string // why the last challenge was not answered, "" if it was
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
		cred, err := c.answer(n, string(req.Method), req.Recipient.String())
		if err != nil {
			delete(c.nonces, key)
			continue
		}
		for req.RemoveHeader(key.field) {
		}
		req.AppendHeader(sip.NewHeader(key.field, cred.String()))
	}
}

// answer computes the response to a challenge.
func (c *credentials) answer(n *nonce, method, uri string) (*digest.Credentials, error) {
	alg, session, ok := algorithmOf(n.challenge.Algorithm)
	if !ok {
		return nil, fmt.Errorf("digest algorithm %q is unknown", clean(n.challenge.Algorithm))
	}
	plain := *n.challenge
	plain.Algorithm, plain.Userhash = alg.name, false
	o := digest.Options{Method: method, URI: uri, Username: c.account.AuthUser, Password: c.account.Password,
		Count: n.count, Cnonce: n.cnonce}
	if session {
		secret := alg.sum(o.Username, plain.Realm, o.Password)
		o.A1 = alg.sum(secret, plain.Nonce, o.Cnonce)
	}
	cred, err := digest.Digest(&plain, o)
	if err != nil {
		return nil, err
	}
	cred.Algorithm = n.challenge.Algorithm // as it was written
	return cred, nil
}

func (a algorithm) sum(parts ...string) string {
	h := a.hash()
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// take learns the challenge of a 401 or 407 to req, and says whether sending
// again makes sense: not if these very credentials were just refused. The caller
// has checked that the response is our server's.
func (c *credentials) take(req *sip.Request, res *sip.Response, tries int) bool {
	asks, field := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		asks, field = "Proxy-Authenticate", "Proxy-Authorization"
	}
	c.declined = ""
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

// choose gives the first challenge that we can answer, and may (RFC 8760 section
// 2.4). Where there is none it notes why.
func (c *credentials) choose(challenges []sip.Header, registering bool) *digest.Challenge {
	for _, h := range challenges {
		chal, err := digest.ParseChallenge(h.Value())
		if err != nil {
			continue
		}
		for i, q := range chal.QOP {
			chal.QOP[i] = strings.ToLower(strings.TrimSpace(q))
		}
		if why := c.objection(chal, registering); why != "" {
			c.declined = why
			continue
		}
		c.declined = ""
		return chal
	}
	return nil
}

// objection says why a challenge is not answered, or gives "".
func (c *credentials) objection(chal *digest.Challenge, registering bool) string {
	alg, session, ok := algorithmOf(chal.Algorithm)
	floor, _, _ := algorithmOf(c.account.Digest)
	switch {
	case !ok:
		return fmt.Sprintf("the server asks for digest algorithm %q, which this panel does not have; it has MD5, SHA-256 and SHA-512-256", clean(chal.Algorithm))
	case alg.strength < floor.strength:
		return fmt.Sprintf("the server asks for digest algorithm %s, and this account allows nothing weaker than %s: no password was sent", alg.name, floor.name)
	case len(chal.QOP) > 0 && !chal.SupportsQOP("auth"), session && len(chal.QOP) == 0:
		return fmt.Sprintf("the server asks for digest qop %q, and this panel has only auth", clean(strings.Join(chal.QOP, ",")))
	case !registering && !c.ours(chal.Realm):
		return fmt.Sprintf("the server asks for a password of realm %q, which is none of this account's", clean(chal.Realm))
	}
	return ""
}

// ours reports whether a realm is our server's: the one it registered us in, or
// one of its names before it did.
func (c *credentials) ours(realm string) bool {
	if c.realm != "" {
		return realm == c.realm
	}
	names := append([]string{c.account.Domain, c.account.Registrar}, c.account.serverNames()...)
	for _, name := range names {
		if name != "" && strings.EqualFold(hostOf(name), realm) {
			return true
		}
	}
	return false
}
