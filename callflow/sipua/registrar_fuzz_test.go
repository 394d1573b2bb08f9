package sipua

import (
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// FuzzRegistrarAnswer reads everything that a registrar's answer can steer us
// by: what comes of it is harmless, whatever it says.
func FuzzRegistrarAnswer(f *testing.F) {
	for _, lines := range []string{
		"Service-Route: <sip:a.example;lr>, <sip:b.example>\r\n",
		"Contact: <sip:panel@192.0.2.1:5060>;expires=60;pub-gruu=\"sip:panel@house.example;gr=urn:x\"\r\n",
		"Contact: <sip:panel@192.0.2.1:5060>;pub-gruu=\"\r\nExpires: 99999999999\r\n",
		"Contact: <sip:panel@192.0.2.1:5060>;pub-gruu=\"sip:panel@h;gr=a>,<sip:x@h;gr=b\"\r\n",
		"Require: outbound,path\r\nMin-Expires: 60\r\nRetry-After: 5 (busy);duration=3\r\n",
		"Service-Route: <<>>,<,>\r\nService-Route: <sip:>\r\n",
		"Contact: *\r\n", "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256-sess, qop=\"auth\"\r\n",
	} {
		f.Add("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;rport=4000;received=[::1]\r\n" + lines + "\r\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := newParser().ParseSIP([]byte(text))
		res, ok := m.(*sip.Response)
		if err != nil || !ok {
			return
		}
		u := &UA{cfg: Config{Account: lineAccount()}, creds: newCredentials(lineAccount())}
		u.reg.offered = binding{"udp", netip.MustParseAddrPort(panelAddr)}
		if routes := serviceRoute(res); len(routes) > maxRoutes {
			t.Errorf("%d routes", len(routes))
		} else {
			for _, r := range routes {
				if hasControl(r.String()) {
					t.Errorf("route %q", r.String())
				}
			}
		}
		if name := u.givenName(res); name != "" {
			again, err := newParser().ParseSIP([]byte("SIP/2.0 200 OK\r\nContact: <" + name + ">\r\n\r\n"))
			if err != nil || len(again.GetHeaders("Contact")) != 1 || hasControl(name) {
				t.Errorf("GRUU %q: %v", name, err)
			}
		}
		if at, ok := seenIn(res, u.reg.offered.at); ok && !at.IsValid() {
			t.Errorf("seen at %v", at)
		}
		if d := u.grantedTime(res); d < 0 || d > longestGrant {
			t.Errorf("granted %v", d)
		}
		if d := retryAfterOf(res); d < 0 || d > longestRetry {
			t.Errorf("again in %v", d)
		}
		_ = u.creds.choose(res.GetHeaders("WWW-Authenticate"), true)
		if hasControl(u.creds.declined) {
			t.Errorf("told %q", u.creds.declined)
		}
	})
}
