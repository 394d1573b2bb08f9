package sipua

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"maps"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// nonceFor is how long a nonce of ours is good for.
const nonceFor = time.Minute

// Sizes of a nonce of ours, in bytes: when it was made, what makes it another
// than all others, and our mark on both.
const (
	nonceTime   = 8
	nonceRandom = 8
	nonceMark   = 16
)

// A verifier asks others for a password (RFC 8760). Its nonces carry their own
// time and a mark, so that asking costs no memory.
type verifier struct {
	key  [32]byte
	used map[string]int // highest count by nonce, of those that were answered rightly
}

func newVerifier() *verifier {
	v := &verifier{used: map[string]int{}}
	_, _ = rand.Read(v.key[:])
	return v
}

func (v *verifier) mark(stamp []byte) []byte {
	mac := hmac.New(sha256.New, v.key[:])
	mac.Write(stamp)
	return mac.Sum(nil)[:nonceMark]
}

func (v *verifier) nonce(now time.Time) string {
	var salt [nonceRandom]byte
	_, _ = rand.Read(salt[:])
	stamp := append(binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli())), salt[:]...)
	return base32.StdEncoding.EncodeToString(append(stamp, v.mark(stamp)...))
}

// age tells how old a nonce is; ok is false for one that is not ours.
func (v *verifier) age(nonce string, now time.Time) (age time.Duration, ok bool) {
	raw, err := base32.StdEncoding.DecodeString(nonce)
	const signed = nonceTime + nonceRandom
	if err != nil || len(raw) != signed+nonceMark || !hmac.Equal(raw[signed:], v.mark(raw[:signed])) {
		return 0, false
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(raw)))
	return now.Sub(made), true
}

// A secret is whose password is asked for.
type secret struct{ realm, user, password string }

// right reports whether an Authorization field answers a challenge of ours, for
// the first time. stale is true for a right answer to a nonce that is too old.
func (v *verifier) right(field, method string, s secret, floor int, now time.Time) (ok, stale bool) {
	cred, err := digest.ParseCredentials(field)
	if err != nil || cred.Username != s.user || cred.Realm != s.realm || !strings.EqualFold(cred.QOP, "auth") || cred.Nc < 1 {
		return false, false
	}
	alg, session, known := algorithmOf(cred.Algorithm)
	age, ours := v.age(cred.Nonce, now)
	if !known || session || alg.strength < floor || !ours {
		return false, false
	}
	want, err := digest.Digest(&digest.Challenge{Realm: s.realm, Nonce: cred.Nonce, Algorithm: alg.name, QOP: []string{"auth"}},
		digest.Options{Method: method, URI: cred.URI, Username: s.user, Password: s.password, Count: cred.Nc, Cnonce: cred.Cnonce})
	if err != nil || subtle.ConstantTimeCompare([]byte(want.Response), []byte(strings.ToLower(cred.Response))) != 1 {
		return false, false
	}
	if age < 0 || age > nonceFor || cred.Nc <= v.used[cred.Nonce] {
		return false, true
	}
	maps.DeleteFunc(v.used, func(nonce string, _ int) bool {
		age, _ := v.age(nonce, now)
		return age > nonceFor
	})
	v.used[cred.Nonce] = cred.Nc
	return true, false
}

// challenge gives the questions, the strongest first. SHA-512-256 is left out:
// few have it, and whoever does has SHA-256 too.
func (v *verifier) challenge(realm string, floor int, stale bool, now time.Time) []sip.Header {
	nonce := v.nonce(now)
	var all []sip.Header
	for _, name := range []string{"SHA-256", "MD5"} {
		if alg, _, _ := algorithmOf(name); alg.strength < floor {
			continue
		}
		c := digest.Challenge{Realm: realm, Nonce: nonce, Algorithm: name, QOP: []string{"auth"}, Stale: stale}
		all = append(all, sip.NewHeader("WWW-Authenticate", c.String()))
	}
	return all
}

// authentic reports whether a request carries the password of s, and asks for it
// otherwise. An empty password is nobody's.
func (u *UA) authentic(t *serverTx, s secret) bool {
	floor, _, _ := algorithmOf(u.cfg.Account.Digest)
	strength := min(floor.strength, 2) // of what challenge asks for
	now, stale := time.Now(), false
	for _, h := range t.req.GetHeaders("authorization") {
		ok, old := u.verifier.right(h.Value(), string(t.req.Method), s, strength, now)
		if ok && s.password != "" {
			return true
		}
		stale = stale || old
	}
	t.respond(sip.StatusUnauthorized, u.verifier.challenge(s.realm, strength, stale, now)...)
	return false
}

// realm is what we ask passwords for.
func (u *UA) realm() string {
	if u.cfg.Account.Domain != "" {
		return u.cfg.Account.Domain
	}
	return u.local.Addr().String()
}
