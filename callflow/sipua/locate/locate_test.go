package locate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// A zone is a DNS in memory.
type zone struct {
	naptr map[string][]NAPTR
	srv   map[string][]SRV
	addrs map[string][]string
	local map[string]bool
	ttl   map[string]time.Duration
	fail  map[string]bool
	asked []string
}

func (z *zone) ask(kind, name string) (time.Duration, error) {
	z.asked = append(z.asked, kind+" "+name)
	if z.fail[name] {
		return 0, errors.New("no name server answers")
	}
	if ttl, ok := z.ttl[name]; ok {
		return ttl, nil
	}
	return time.Hour, nil
}

func (z *zone) NAPTR(_ context.Context, name string) ([]NAPTR, time.Duration, error) {
	ttl, err := z.ask("NAPTR", name)
	if err != nil {
		return nil, 0, err
	}
	return z.naptr[name], ttl, nil
}

func (z *zone) SRV(_ context.Context, name string) ([]SRV, time.Duration, error) {
	ttl, err := z.ask("SRV", name)
	if err != nil {
		return nil, 0, err
	}
	return z.srv[name], ttl, nil
}

func (z *zone) Addrs(_ context.Context, name string) ([]netip.Addr, time.Duration, error) {
	ttl, err := z.ask("A", name)
	if err != nil {
		return nil, 0, err
	}
	var all []netip.Addr
	for _, a := range z.addrs[name] {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, ttl, nil
}

func (z *zone) Local(_ context.Context, name string) bool { return z.local[name] }

func testZone() *zone {
	return &zone{
		naptr: map[string][]NAPTR{"house.example": {
			{Order: 20, Preference: 1, Flags: "s", Service: "SIP+D2U", Replacement: "_sip._udp.house.example"},
			{Order: 10, Preference: 2, Flags: "S", Service: "sip+d2t", Replacement: "_sip._tcp.house.example"},
			{Order: 10, Preference: 1, Flags: "s", Service: "SIPS+D2T", Replacement: "_sips._tcp.house.example"},
			{Order: 1, Preference: 1, Flags: "u", Service: "E2U+sip", Replacement: ""},
			{Order: 1, Preference: 1, Flags: "s", Service: "SIP+D2S", Replacement: "_sip._sctp.house.example"},
		}},
		srv: map[string][]SRV{
			"_sips._tcp.house.example": {{Priority: 1, Port: 5071, Target: "a.house.example."}},
			"_sip._tcp.house.example":  {{Priority: 1, Port: 5070, Target: "a.house.example."}},
			"_sip._udp.house.example":  {{Priority: 2, Port: 5070, Target: "b.house.example."}, {Priority: 1, Port: 5080, Target: "a.house.example."}},
			"_sip._udp.none.example":   {{Target: "."}},
		},
		addrs: map[string][]string{
			"a.house.example": {"192.0.2.1", "2001:db8::1", "192.0.2.2"},
			"b.house.example": {"192.0.2.3"},
			"house.example":   {"192.0.2.9"},
			"none.example":    {"192.0.2.8"},
			"plain.example":   {"192.0.2.7"},
			"local.example":   {"192.0.2.6"},
		},
		local: map[string]bool{"local.example": true},
		ttl:   map[string]time.Duration{"b.house.example": 30 * time.Second, "nothing.example": time.Second},
	}
}

func TestServers(t *testing.T) {
	for name, c := range map[string]struct {
		w     Wanted
		want  string
		ttl   time.Duration
		asked string // what must not be asked for
	}{
		"UDP by SRV, priorities": {Wanted{Host: "house.example", Transport: "udp"},
			"udp 192.0.2.1:5080, udp 192.0.2.2:5080, udp 192.0.2.3:5070", 30 * time.Second, "NAPTR"},
		"TCP by SRV":             {Wanted{Host: "house.example", Transport: "tcp"}, "tcp 192.0.2.1:5070, tcp 192.0.2.2:5070", time.Hour, "NAPTR"},
		"IPv6 only":              {Wanted{Host: "house.example", Transport: "tcp", IPv6: true}, "tcp [2001:db8::1]:5070", time.Hour, "NAPTR"},
		"NAPTR chooses":          {Wanted{Host: "house.example", Transport: Auto}, "tls 192.0.2.1:5071, tls 192.0.2.2:5071, tcp 192.0.2.1:5070, tcp 192.0.2.2:5070, udp 192.0.2.1:5080, udp 192.0.2.2:5080, udp 192.0.2.3:5070", 30 * time.Second, "_sctp"},
		"NAPTR, secure":          {Wanted{Host: "house.example", Transport: Auto, Secure: true}, "tls 192.0.2.1:5071, tls 192.0.2.2:5071", time.Hour, "_sip._tcp"},
		"a port is no SRV":       {Wanted{Host: "house.example", Port: 5099, Transport: "udp"}, "udp 192.0.2.9:5099", time.Hour, "SRV"},
		"an address":             {Wanted{Host: "192.0.2.77", Transport: Auto}, "udp 192.0.2.77:5060", longestTTL, "A"},
		"an address, secure":     {Wanted{Host: "192.0.2.77", Transport: Auto, Secure: true}, "tls 192.0.2.77:5061", longestTTL, "A"},
		"no SRV: its address":    {Wanted{Host: "plain.example", Transport: "tls"}, "tls 192.0.2.7:5061", time.Hour, "NAPTR"},
		"SRV says no: still try": {Wanted{Host: "none.example", Transport: "udp"}, "udp 192.0.2.8:5060", time.Hour, "NAPTR"},
		"a name of the machine":  {Wanted{Host: "local.example", Transport: "udp"}, "udp 192.0.2.6:5060", time.Hour, "SRV"},
		"nothing":                {Wanted{Host: "nothing.example", Transport: "udp"}, "", defaultTTL, "NAPTR"},
		"the other family":       {Wanted{Host: "plain.example", Transport: "udp", IPv6: true}, "", defaultTTL, "NAPTR"},
	} {
		t.Run(name, func(t *testing.T) {
			z := testZone()
			found, ttl, err := Servers(t.Context(), z, c.w)
			var got []string
			for _, s := range found {
				got = append(got, s.Transport+" "+s.Addr.String())
				if s.Name != c.w.Host {
					t.Errorf("a certificate would have to name %q", s.Name)
				}
			}
			if g := strings.Join(got, ", "); g != c.want || ttl != c.ttl || (err == nil) != (c.want != "") {
				t.Errorf("found %s for %v (%v)\nwant  %s for %v", g, ttl, err, c.want, c.ttl)
			}
			for _, a := range z.asked {
				if strings.Contains(a, c.asked) && c.asked != "A" || c.asked == "A" && strings.HasPrefix(a, "A ") {
					t.Errorf("asked for %q", a)
				}
			}
		})
	}
}

// A name server that knows addresses and fails on services costs no call.
func TestServiceFailureIsNoEnd(t *testing.T) {
	z := testZone()
	z.fail = map[string]bool{"_sip._udp.plain.example": true}
	found, ttl, err := Servers(t.Context(), z, Wanted{Host: "plain.example", Transport: "udp"})
	if err != nil || len(found) != 1 || ttl != defaultTTL {
		t.Errorf("found %v for %v, %v", found, ttl, err)
	}
	z.fail["plain.example"] = true
	if _, _, err := Servers(t.Context(), z, Wanted{Host: "plain.example", Transport: "udp"}); err == nil || !strings.Contains(err.Error(), "no name server answers") {
		t.Errorf("told %v", err)
	}
}

// The weights are 60, 20 and 0: the numbers to pick from are 0 to 80.
func TestOrder(t *testing.T) {
	for _, c := range []struct {
		picks []int
		want  string
	}{
		{[]int{0, 0}, "cabd"}, {[]int{0, 61}, "cbad"}, {[]int{1, 0}, "acbd"}, {[]int{60, 20}, "abcd"},
		{[]int{61, 1}, "bacd"}, {[]int{80, 0}, "bcad"},
	} {
		records := []SRV{
			{Priority: 2, Weight: 1, Target: "d"}, {Priority: 1, Weight: 60, Target: "a"},
			{Priority: 1, Weight: 0, Target: "c"}, {Priority: 1, Weight: 20, Target: "b"},
		}
		var among []int
		got := ""
		for _, r := range order(records, func(n int) int {
			among = append(among, n)
			if len(among) <= len(c.picks) {
				return c.picks[len(among)-1]
			}
			return 0
		}) {
			got += r.Target
		}
		if got != c.want || among[0] != 81 {
			t.Errorf("picks %v among %v give %s, want %s", c.picks, among, got, c.want)
		}
	}
}

// What an answer makes us do is bounded.
func TestManyRecords(t *testing.T) {
	z := testZone()
	for i := range 200 {
		name := fmt.Sprintf("s%d.many.example", i)
		z.srv["_sip._udp.many.example"] = append(z.srv["_sip._udp.many.example"], SRV{Target: name, Port: 5060})
		z.addrs[name] = []string{"192.0.2.1", fmt.Sprintf("198.51.100.%d", i)}
	}
	found, _, err := Servers(t.Context(), z, Wanted{Host: "many.example", Transport: "udp"})
	if err != nil || len(found) != maxServers || len(z.asked) > maxRecords+1 {
		t.Errorf("%d servers after %d questions, %v", len(found), len(z.asked), err)
	}
}
