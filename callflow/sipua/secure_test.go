package sipua

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emiago/sipgo/sip"
)

// A tlsProxy is an outbound proxy's TLS server in memory.
type tlsProxy struct {
	tcpRegistrar
	certified *tls.Config
	dialled   []string
}

func (p *tlsProxy) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := p.tcpRegistrar.dial(ctx, network, addr)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialled = append(p.dialled, addr)
	return conn, err
}

func (p *tlsProxy) accept(t *testing.T) {
	t.Helper()
	p.tcpRegistrar.accept(t)
	p.conn = tls.Server(p.conn, p.certified)
	p.r = bufio.NewReader(p.conn)
}

// byProxy runs story with a panel that registers over UDP by an outbound proxy,
// whose machine has a TLS server with a certificate for a name.
func byProxy(t *testing.T, proxy, certified string, story func(w *world, p *tlsProxy)) {
	t.Helper()
	p := &tlsProxy{}
	names := dnsFunc(func(host string) []netip.Addr {
		if host != "proxy.example" {
			return nil
		}
		return []netip.Addr{netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")}
	})
	a := lineAccount()
	a.Proxy, a.TLS = proxy, &tls.Config{}
	inWorld(t, Config{Account: a, DNS: names, Dial: p.dial}, func(w *world) {
		server, client := certificate(t, certified)
		p.certified = server
		w.ua.box.post(func() { w.ua.cfg.Account.TLS.RootCAs = client.RootCAs }) // valid in the bubble's time
		story(w, p)
	})
}

// saidOpenly are the panel's datagrams of calls.
func (w *world) saidOpenly() string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, d := range w.sent {
		if text := string(d.b); !strings.HasPrefix(text, "REGISTER ") && !strings.HasPrefix(text, "OPTIONS ") {
			all = append(all, text)
		}
	}
	return strings.Join(all, "\n")
}

// A sips phone by an outbound proxy that the account reaches over UDP: the call
// goes by the proxy, over TLS, to its end.
func TestSipsByTheOutboundProxy(t *testing.T) {
	byProxy(t, "proxy.example", "proxy.example", func(w *world, p *tlsProxy) {
		reg := w.peer(proxyAddr)
		reg.grant(reg.request("REGISTER"), 600)
		w.heard("registered 10m0s")
		w.ua.Invite(1, "sips:flat@house.example", []byte(testOffer))
		p.accept(t)
		inv := p.request("INVITE")
		if got, want := strings.Join(p.dialled, ", "), "192.0.2.2:5061"; got != want {
			t.Errorf("connected to %s, want %s", got, want)
		}
		if route := inv.Route(); route == nil || route.Address.String() != "sips:proxy.example;lr" {
			t.Errorf("Route: %v", route)
		}
		if via, contact := inv.Via(), inv.Contact(); via.Transport != "TLS" || contact.Address.Scheme != "sips" {
			t.Errorf("Via %s, Contact %s", via.Value(), contact.Value())
		}
		p.send(replyText(inv, 407, "a", "Proxy-Authenticate: "+challenge))
		p.request("ACK")
		again := p.request("INVITE")
		checkDigest(t, again, "Proxy-Authorization", "secret")
		p.send(replyText(again, 200, "b", "Contact: <sips:flat@192.0.2.10>", "Record-Route: <sips:proxy.example;lr>", "sdp:answer"))
		p.request("ACK")
		w.ua.Bye(1)
		p.send(replyText(p.request("BYE"), 200, "b"))
		w.heard("sent INVITE", "sent INVITE", "sent ACK", "answered b sdp:answer", "sent BYE", "ended by us:true")
		if open := w.saidOpenly(); open != "" {
			t.Errorf("in the clear:\n%s", open)
		}
	})
}

// The call goes by the machine that holds the registration.
func TestSipsByTheProxyInUse(t *testing.T) {
	byProxy(t, "proxy.example", "proxy.example", func(w *world, p *tlsProxy) {
		second := w.peer(secondAddr)
		second.grant(second.request("REGISTER"), 600) // the first is silent
		w.ua.Invite(1, "sips:flat@house.example", []byte(testOffer))
		p.accept(t)
		p.request("INVITE")
		if got, want := strings.Join(p.dialled, ", "), "192.0.2.3:5061"; got != want {
			t.Errorf("connected to %s, want %s", got, want)
		}
	})
}

// Where no way to the proxy is known to be TLS, there is no call, and a reason.
func TestSipsWithoutAWay(t *testing.T) {
	for name, c := range map[string]struct{ proxy, certified, target, reason string }{
		"a port of UDP":        {"192.0.2.2:5060", "", "sips:flat@house.example", `leave out the proxy's port`},
		"for any sips address": {"192.0.2.2:5060", "", "sips:flat@192.0.2.10", `needs TLS`},
		"another's certificate": {
			"proxy.example", "others.example", "sips:flat@house.example",
			"not proxy.example",
		},
	} {
		t.Run(name, func(t *testing.T) {
			byProxy(t, c.proxy, c.certified, func(w *world, p *tlsProxy) {
				reg := w.peer(proxyAddr)
				reg.grant(reg.request("REGISTER"), 600)
				w.heard("registered 10m0s")
				w.ua.Invite(1, c.target, []byte(testOffer))
				if c.certified != "" {
					p.accept(t)
					_ = p.conn.(*tls.Conn).Handshake()
				}
				w.heard("refused 503")
				w.mu.Lock()
				last := w.raw[len(w.raw)-1].(Refused)
				w.mu.Unlock()
				if !strings.Contains(last.Reason, c.reason) {
					t.Errorf("the reason is %q, want %q in it", last.Reason, c.reason)
				}
				if open := w.saidOpenly(); open != "" {
					t.Errorf("in the clear:\n%s", open)
				}
			})
		})
	}
}

// Inside a dialog a SIPS route or target that names our server, reached over
// UDP, has its TLS server for a hop.
func TestSipsServerNameIsReachedOverTLS(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:proxy.example;lr":               "udp 192.0.2.2:5060",
		"sips:proxy.example;lr":              "tls 192.0.2.2:5061",
		"sip:proxy.example;lr;transport=tls": "tls 192.0.2.2:5061",
	} {
		byProxy(t, "proxy.example", "proxy.example", func(w *world, _ *tlsProxy) {
			reg := w.peer(proxyAddr)
			reg.grant(reg.request("REGISTER"), 600)
			w.heard("registered 10m0s")
			var route sip.Uri
			if err := sip.ParseUri(uri, &route); err != nil {
				t.Fatal(err)
			}
			got := make(chan string, 1)
			w.ua.box.post(func() {
				w.ua.locate(route, func(h hop, err error) {
					got <- h.network + " " + h.addr.String()
				})
			})
			if g := <-got; g != want {
				t.Errorf("%s is at %s, want %s", uri, g, want)
			}
		})
	}
}
