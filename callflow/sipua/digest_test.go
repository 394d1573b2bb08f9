package sipua

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/icholy/digest"
)

// The example of RFC 7616 section 3.9.1; the other values are computed from the
// formula of section 3.4.
func TestDigestAnswers(t *testing.T) {
	const nonceText, cnonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
	sha := func(parts ...string) string {
		sum := sha256.Sum256([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(sum[:])
	}
	sha512 := func(parts ...string) string {
		sum := sha512.Sum512_256([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(sum[:])
	}
	md5 := func(parts ...string) string {
		sum := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(sum[:])
	}
	const user, realm, password, uri = "Mufasa", "http-auth@example.org", "Circle of Life", "/dir/index.html"
	for alg, want := range map[string]string{
		"":        "8ca523f5e9506fed4657c9700eebdbec",
		"md5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
		"SHA-256-sess": sha(sha(sha(user, realm, password), nonceText, cnonce),
			nonceText, "00000001", cnonce, "auth", sha("GET", uri)),
		"SHA-512-256": sha512(sha512(user, realm, password), nonceText, "00000001", cnonce, "auth", sha512("GET", uri)),
		"SHA-512-256-SESS": sha512(sha512(sha512(user, realm, password), nonceText, cnonce),
			nonceText, "00000001", cnonce, "auth", sha512("GET", uri)),
		"MD5-sess": md5(md5(md5(user, realm, password), nonceText, cnonce), nonceText, "00000001", cnonce, "auth", md5("GET", uri)),
	} {
		c := newCredentials(Account{AuthUser: user, Password: password})
		chal := &digest.Challenge{Realm: realm, Nonce: nonceText, Algorithm: alg, QOP: []string{"auth"}}
		cred, err := c.answer(&nonce{challenge: chal, cnonce: cnonce, count: 1}, "GET", uri)
		if err != nil {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if cred.Response != want || cred.Algorithm != alg {
			t.Errorf("%q: response %s (algorithm %q), want %s", alg, cred.Response, cred.Algorithm, want)
		}
	}
}

func TestChoiceOfChallenge(t *testing.T) {
	const md5, sha, sha512 = `algorithm=MD5, qop="auth"`, `algorithm=SHA-256, qop="auth"`, `algorithm=SHA-512-256, qop="auth"`
	for name, c := range map[string]struct {
		floor      string
		challenges []string
		want       string // algorithm that is answered
		told       string
	}{
		"the first of several":            {"", []string{sha512, sha, md5}, "SHA-512-256", ""},
		"the first even if weaker":        {"", []string{md5, sha}, "MD5", ""},
		"the first that is known":         {"", []string{`algorithm=SHA3-256, qop="auth"`, `algorithm=MD5, qop="auth-int"`, sha}, "SHA-256", ""},
		"without an algorithm":            {"", []string{`qop="auth"`}, "", ""},
		"for sessions":                    {"", []string{`algorithm=MD5-sess, qop="auth"`}, "MD5-sess", ""},
		"for sessions, without qop":       {"", []string{`algorithm=MD5-sess`}, "-", "qop"},
		"only what is unknown":            {"", []string{`algorithm=AKAv1-MD5, qop="auth"`}, "-", "AKAv1-MD5"},
		"below the floor":                 {"sha-256", []string{md5}, "-", "nothing weaker than SHA-256"},
		"without an algorithm, the floor": {"sha-256", []string{`qop="auth"`}, "-", "nothing weaker than SHA-256"},
		"above the floor":                 {"sha-256", []string{md5, sha512}, "SHA-512-256", ""},
		"the highest floor":               {"sha-512-256", []string{sha, md5}, "-", "nothing weaker than SHA-512-256"},
	} {
		t.Run(name, func(t *testing.T) {
			a := lineAccount()
			a.Digest = c.floor
			inRegistered(t, Config{Account: a}, func(w *world, reg *peer) {
				var lines []string
				for _, chal := range c.challenges {
					lines = append(lines, `WWW-Authenticate: Digest realm="house.example", nonce="n1", `+chal)
				}
				reg.reply(reg.request("REGISTER"), 401, "a", lines...)
				if c.want == "-" {
					w.heard("unregistered 401")
					if reason := w.raw[0].(Unregistered).Reason; !strings.Contains(reason, c.told) || strings.Contains(reason, "secret") {
						t.Errorf("told %q, want %q in it", reason, c.told)
					}
					reg.quiet()
					return
				}
				h := reg.request("REGISTER").GetHeader("authorization")
				cred, err := digest.ParseCredentials(h.Value())
				if err != nil || cred.Algorithm != c.want {
					t.Errorf("answered with %q, want algorithm %q (%v)", h.Value(), c.want, err)
				}
			})
		})
	}
}
