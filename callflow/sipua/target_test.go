package sipua

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTargets(t *testing.T) {
	u := &UA{cfg: Config{Account: Account{Domain: "house.example"}}}
	for target, want := range map[string]string{
		"sip:flat1@house.example":                      "sip:flat1@house.example",
		"sip:10.0.0.5:5070;transport=tcp":              "sip:10.0.0.5:5070;transport=tcp",
		"sips:a@b":                                     "sips:a@b",
		"sip:a@b?Subject=x":                            "sip:a@b",
		"tel:+49-30-123;ext=5":                         "sip:+4930123;ext=5@house.example;user=phone",
		"tel:863-1234;Phone-Context=+1-914;isub=1;x=y": "sip:8631234;isub=1;phone-context=+1-914@house.example;user=phone",
		"tel:863;phone-context=a@b":                    "sip:863@house.example;user=phone",
		"TEL:12#":                                      "sip:12%23@house.example;user=phone",
		"tel:":                                         "",
		"tel:12;x@evil":                                "sip:12@house.example;user=phone",
		"tel:1@2":                                      "",
		"http://x":                                     "",
		"sip:":                                         "",
		"flat1":                                        "",
		"sip:a@b\r\nVia: x":                            "",
		"sip:a@b>;tag=1":                               "",
		"sip:a b@c":                                    "",
		"sip:flat1@house.example;transport=":           "sip:flat1@house.example;transport",
	} {
		uri, err := u.targetURI(target)
		got := uri.String()
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%q becomes %q (%v), want %q", target, got, err, want)
		}
	}
}

func TestBadTargetIsRefused(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		w.ua.Invite(1, "sip:a@b\r\nEvil: 1", nil)
		w.ua.Invite(2, "tel:12", nil)
		w.heard("refused 503", "refused 503")
	})
}

func TestConfigErrors(t *testing.T) {
	good := Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}
	for name, edit := range map[string]func(*Config){
		"line end in the display name": func(c *Config) { c.Account.DisplayName = "Door\r\nRoute: <sip:evil>" },
		"line end in the user agent":   func(c *Config) { c.UserAgent = "x\ny" },
		"a user that is no user":       func(c *Config) { c.Account.User = "a>b" },
		"a domain with a port and tag": func(c *Config) { c.Account.Domain = "x;tag=1" },
		"an unknown transport":         func(c *Config) { c.Account.Transport = "sctp" },
		"every address":                func(c *Config) { c.Local = netip.MustParseAddrPort("0.0.0.0:5060") },
		"half a second":                func(c *Config) { c.Account.Expires = 1 },
		"an allowed caller of no host": func(c *Config) { c.Allow = []string{"sip:"} },
	} {
		c := good
		edit(&c)
		_, err := New(c, func(Event) {})
		var bad *ConfigError
		if !errors.As(err, &bad) || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDisplayNameStaysInItsQuotes(t *testing.T) {
	inWorld(t, Config{Account: Account{DisplayName: `Door "B" \ <sip:x>`}}, func(w *world) {
		_, inv := ring(w)
		if got := inv.From().Address.String(); got != "sip:doorstation@192.0.2.1" {
			t.Errorf("From: %s", got)
		}
	})
}

func TestSplitHostPort(t *testing.T) {
	for in, want := range map[string]struct {
		host string
		port uint16
	}{
		"a.example":        {"a.example", 0},
		"a.example:5070":   {"a.example", 5070},
		"192.0.2.1:5070":   {"192.0.2.1", 5070},
		"2001:db8::1":      {"2001:db8::1", 0},
		"[2001:db8::1]":    {"2001:db8::1", 0},
		"[2001:db8::1]:99": {"2001:db8::1", 99},
		"a.example:x":      {"a.example:x", 0},
		"a.example:70000":  {"a.example:70000", 0},
	} {
		if h, p := splitHostPort(in); h != want.host || p != want.port {
			t.Errorf("%q: %q %d", in, h, p)
		}
	}
}

func TestBackOff(t *testing.T) {
	for _, c := range []struct {
		status, failures int
		low, high        float64 // seconds
	}{
		{0, 0, 0.25, 2}, {503, 1, 0.25, 4}, {0, 5, 0.25, 64}, {0, 8, 0.25, 300}, {0, 90, 0.25, 300},
		{401, 0, 240, 300}, {403, 1, 240, 300}, {401, 10, 240, 300},
	} {
		if d := backOff(c.status, c.failures).Seconds(); d < c.low || d > c.high {
			t.Errorf("%+v: %v s", c, d)
		}
	}
}

// Names are looked up away from the loop, and again when they were not found.
func TestNames(t *testing.T) {
	var found sync.Map
	found.Store("phones.example", "192.0.2.10")
	names := dnsFunc(func(host string) []netip.Addr {
		if a, ok := found.Load(host); ok {
			return []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr(a.(string))}
		}
		return nil
	})
	inWorld(t, Config{DNS: names, Allow: []string{"sip:guard@guards.example"}}, func(w *world) {
		p := w.peer(phoneAddr)
		w.ua.Invite(1, "sip:phone@phones.example", nil)
		p.reply(p.request("INVITE"), 486, "a")
		p.request("ACK")
		w.ua.Invite(2, "sip:phone@nowhere.example", nil)
		w.heard("sent INVITE", "refused 486", "refused 503")

		c := w.caller("192.0.2.30:5060", "sip:guard@guards.example")
		c.ask("INVITE", 1, "", "sdp:offer")
		c.quiet()
		found.Store("guards.example", "192.0.2.30")
		time.Sleep(2 * allowRetry)
		c.ask("INVITE", 2, "", "sdp:offer")
		c.response(180)
		w.heard("incoming sip:guard@guards.example sdp:offer")
	})
}

// A dnsFor gives one address, and says for how long.
type dnsFor struct {
	dnsFunc
	ttl time.Duration
}

func (d dnsFor) Addrs(ctx context.Context, name string) ([]netip.Addr, time.Duration, error) {
	addrs, _, err := d.dnsFunc.Addrs(ctx, name)
	return addrs, d.ttl, err
}

// An allowed host is looked up again when its address may have changed.
func TestAllowedHostIsLookedUpInTime(t *testing.T) {
	for ttl, want := range map[time.Duration]time.Duration{
		0: shortestBelief, time.Second: shortestBelief, 40 * time.Second: 40 * time.Second, 3 * time.Hour: allowAgain,
	} {
		t.Run(ttl.String(), func(t *testing.T) {
			var mu sync.Mutex
			var asked []time.Time
			names := dnsFunc(func(string) []netip.Addr {
				mu.Lock()
				defer mu.Unlock()
				asked = append(asked, time.Now())
				return []netip.Addr{netip.MustParseAddr("192.0.2.30")}
			})
			inWorld(t, Config{DNS: dnsFor{names, ttl}, Allow: []string{"sip:guard@guards.example"}}, func(*world) {
				time.Sleep(want + time.Second)
			})
			mu.Lock()
			defer mu.Unlock()
			if len(asked) < 2 || asked[1].Sub(asked[0]) != want {
				t.Errorf("asked at %v, want %v between", asked, want)
			}
		})
	}
}
