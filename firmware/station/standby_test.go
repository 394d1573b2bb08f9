package station

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/sipua"
	"doorstation/firmware/control"
	"doorstation/provisioning"
)

// twoAccounts is a line whose standby account is registered, with a user agent
// of its own on loopback.
func twoAccounts(t *testing.T) (l *line, told *[]sipua.Event) {
	t.Helper()
	l = newLine("test", slog.New(slog.DiscardHandler))
	told = new([]sipua.Event)
	l.on = func(_ lineRule, ev sipua.Event) { *told = append(*told, ev) }
	first, second := account("first"), account("second")
	first.account.Domain, second.account.Domain = "pbx.example", "127.0.0.1"
	first.standby = &second
	l.set(first)
	first.standby = nil
	l.use(first, startAgent(t), netip.MustParseAddr("127.0.0.1"))
	l.spare.use(second, startAgent(t), netip.MustParseAddr("127.0.0.1"))
	l.spare.event(second, sipua.Registered{Server: "backup"})
	return l, told
}

func startAgent(t *testing.T) *sipua.UA {
	t.Helper()
	ua, err := sipua.New(sipua.Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, func(sipua.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ua.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return ua
}

// rungBy is the first line of what comes to a phone, and where from.
func rungBy(t *testing.T, phone net.PacketConn) (request string, from netip.AddrPort) {
	t.Helper()
	b := make([]byte, 4096)
	n, addr, err := phone.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	request, _, _ = strings.Cut(string(b[:n]), "\r\n")
	return request, addr.(*net.UDPAddr).AddrPort()
}

func TestStandbyCarriesTheCalls(t *testing.T) {
	l, _ := twoAccounts(t)
	phone := listenLoopback(t)
	port := strings.TrimPrefix(phone.LocalAddr().String(), "127.0.0.1")
	if reg := l.registration(); reg.State != control.RegistrationOK || reg.Server != "backup" || !strings.Contains(reg.Reason, "standby") {
		t.Errorf("the line is %+v", reg)
	}
	l.ring(1, sipua.Invitation{Target: "sip:flat@127.0.0.1" + port})
	if _, from := rungBy(t, phone); from != l.spare.agent().LocalAddr() {
		t.Errorf("rung from %v, want the standby account's %v", from, l.spare.agent().LocalAddr())
	}
	l.event(account("first"), sipua.Registered{}) // of no rule that is in force
	if l.carrier() != l.spare {
		t.Error("a former registration counts")
	}
	rule := *l.rule
	l.event(rule, sipua.Registered{Server: "pbx"})
	if l.carrier() != l || l.registration().Server != "pbx" {
		t.Errorf("the first account is back, and the line is %+v", l.registration())
	}
	l.ring(2, sipua.Invitation{Target: "sip:flat@127.0.0.1" + port})
	for from := l.spare.agent().LocalAddr(); from != l.agent().LocalAddr(); { // past repetitions of the first call
		_, from = rungBy(t, phone)
	}
	if l.carriedBy(1) != l.spare || l.carriedBy(2) != l {
		t.Error("a running call changed its account")
	}
}

// A call that the first account's server never heard of goes by the standby one,
// once; one that somebody has refused does not, nor one that was given up.
func TestCallGoesByTheStandbyAccount(t *testing.T) {
	for name, c := range map[string]struct {
		how  func(l *line)
		ev   sipua.Refused
		goes bool
	}{
		"silence":           {nil, sipua.Refused{Leg: 1, Status: 408, Unheard: true}, true},
		"refused":           {nil, sipua.Refused{Leg: 1, Status: 486}, false},
		"given up":          {func(l *line) { l.cancel(1) }, sipua.Refused{Leg: 1, Status: 408, Unheard: true}, false},
		"standby is no use": {func(l *line) { l.spare.event(*l.spare.rule, sipua.Unregistered{}) }, sipua.Refused{Leg: 1, Status: 408, Unheard: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, told := twoAccounts(t)
			phone := listenLoopback(t)
			rule := *l.rule
			l.event(rule, sipua.Registered{Server: "pbx"})
			*told = nil
			target := "sip:flat@" + phone.LocalAddr().String()
			l.carry(1, l, &sipua.Invitation{Target: target})
			if c.how != nil {
				c.how(l)
			}
			*told = nil
			l.event(rule, c.ev)
			if c.goes {
				if _, from := rungBy(t, phone); from != l.spare.agent().LocalAddr() || len(*told) != 0 {
					t.Errorf("rung from %v, told %v", from, *told)
				}
				l.tell(rule, c.ev) // the standby account's server is silent too
			}
			if len(*told) != 1 {
				t.Errorf("told %v, want the refusal", *told)
			}
			if len(l.legs) != 0 {
				t.Errorf("calls left: %v", l.legs)
			}
		})
	}
}

func TestStandbyGoesWithItsConfiguration(t *testing.T) {
	l, _ := twoAccounts(t)
	l.set(account("alone"))
	if l.spare.agent() != nil || l.spare.rule != nil || l.carrier() != l {
		t.Error("the standby account stays after it was taken out")
	}
	l.spare.event(account("second"), sipua.Registered{}) // late
	if l.registration().State == control.RegistrationOK {
		t.Error("an account that is gone registers the line")
	}
}

func TestMoveDomain(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:101@pbx.example":           "sip:101@b.example",
		"sip:101@PBX.example:5070;x=y":  "sip:101@b.example;x=y",
		"sips:a%40b@pbx.example;user=x": "sips:a%40b@b.example;user=x",
		"sip:101@other.example":         "sip:101@other.example",
		"sip:101@pbx.example.evil":      "sip:101@pbx.example.evil",
		"sip:monitor@192.0.2.40":        "sip:monitor@192.0.2.40",
		"tel:+4930":                     "tel:+4930",
	} {
		if got := moveDomain(uri, "pbx.example", "b.example"); got != want {
			t.Errorf("%s becomes %s, want %s", uri, got, want)
		}
	}
}

func TestRulesOfTwoAccounts(t *testing.T) {
	doc := &provisioning.Document{
		Network: provisioning.Network{SIPPort: 5060},
		Account: provisioning.Account{User: "a", Domain: "pbx.example", Servers: []string{"pbx2.example:5070"}},
		Standby: provisioning.Account{User: "b", Domain: "backup.example"},
		Flats:   []provisioning.Flat{{Name: "A", Button: "1", Direct: []string{"sip:monitor@192.0.2.40:5062;transport=tcp"}}},
	}
	rule := newLineRule(doc)
	if !rule.account.Impatient || rule.port != 5060 || rule.standby == nil || rule.standby.port != 0 || rule.standby.account.User != "b" {
		t.Errorf("rule %+v", rule)
	}
	if got, want := rule.peers(), []string{"pbx.example", "pbx2.example:5070", "192.0.2.40:5062"}; !slices.Equal(got, want) {
		t.Errorf("peers %v, want %v", got, want)
	}
	if !rule.isDirect("sip:monitor@192.0.2.40:5062;transport=tcp") || rule.isDirect("sip:101@pbx.example") {
		t.Error("the phones of the last resort are not known")
	}
	if st := lastResort(doc.Flats[0]); len(st) != 1 || !st[0].LastResort || len(st[0].Targets) != 1 {
		t.Errorf("last resort %+v", st)
	}
	doc.Standby, doc.Flats = provisioning.Account{}, nil
	if rule := newLineRule(doc); rule.account.Impatient || rule.standby != nil {
		t.Errorf("rule %+v", rule)
	}
}

// An account whose server has no address yet does not keep the line down.
func TestOwnAddress(t *testing.T) {
	for _, c := range []struct {
		written string
		peers   []string
		want    string
	}{
		{"192.0.2.7", nil, "192.0.2.7"},
		{"", []string{"127.0.0.1"}, "127.0.0.1"},
		{"", []string{"127.0.0.1:99999", "127.0.0.2:5070"}, "127.0.0.1"},
	} {
		got, err := localAddress(c.written, c.peers)
		if err != nil || got.String() != c.want && !got.IsLoopback() {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
}

func TestInstance(t *testing.T) {
	a, b := instanceURN([]byte("key one")), instanceURN([]byte("key two"))
	if a == b || a != instanceURN([]byte("key one")) {
		t.Errorf("%s and %s", a, b)
	}
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(a) {
		t.Errorf("%s is no UUID of version 8", a)
	}
}

func TestSpreadAfterPowerUpOnly(t *testing.T) {
	l := newLine("test", slog.New(slog.DiscardHandler))
	rule := lineRule{account: sipua.Account{Spread: 5 * time.Second, Transport: "udp"}, address: "127.0.0.1"}
	for up, want := range map[time.Duration]time.Duration{time.Minute: 5 * time.Second, 3 * time.Minute: 0} {
		l.uptime = func() time.Duration { return up }
		if cfg, err := l.config(rule); err != nil || cfg.Account.Spread != want {
			t.Errorf("up for %v: spread %v, %v; want %v", up, cfg.Account.Spread, err, want)
		}
	}
	if up := uptime(); up <= 0 {
		t.Errorf("this machine is up for %v", up)
	}
}

func TestPin(t *testing.T) {
	cert := &x509.Certificate{RawSubjectPublicKeyInfo: []byte("key")}
	const sum = "LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM=" // of "key"
	for pin, want := range map[string]string{sum: "", base64.StdEncoding.EncodeToString(make([]byte, 32)): "its pin is " + sum} {
		cfg, err := tlsConfig(lineRule{pin: pin}, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = cfg.VerifyConnection(tls.ConnectionState{ServerName: "pbx.example", PeerCertificates: []*x509.Certificate{cert}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("pin %s: %v, want %q", pin, err, want)
		}
		if cfg.VerifyConnection(tls.ConnectionState{}) == nil {
			t.Error("no certificate is good enough")
		}
	}
	if _, err := tlsConfig(lineRule{ca: "/nonexistent"}, nil); err == nil {
		t.Error("a missing bundle is no error")
	}
}
