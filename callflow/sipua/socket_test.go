package sipua

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
	"doorstation/callflow/sipua/trace"
)

func TestPortInUse(t *testing.T) {
	first, err := New(Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	_, err = New(Config{Local: first.LocalAddr()}, func(Event) {})
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.Addr != first.LocalAddr() {
		t.Errorf("the second gets %v", err)
	}
}

// A streamServer is a registrar on TCP or TLS that does what the test says.
type streamServer struct {
	t    *testing.T
	l    net.Listener
	conn net.Conn
	r    *bufio.Reader
}

func serveStream(t *testing.T, cfg *tls.Config) *streamServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cfg != nil {
		l = tls.NewListener(l, cfg)
	}
	t.Cleanup(func() { l.Close() })
	return &streamServer{t: t, l: l}
}

func (s *streamServer) accept() {
	s.t.Helper()
	conn, err := s.l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	s.conn, s.r = conn, bufio.NewReader(conn)
}

// request reads the next request, bodiless or not.
func (s *streamServer) request(method string) *sip.Request {
	s.t.Helper()
	var text strings.Builder
	for !strings.HasSuffix(text.String(), "\r\n\r\n") {
		line, err := s.r.ReadString('\n')
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", method, err)
		}
		text.WriteString(line)
	}
	m, _, err := sip.NewParser().ParseHeaders([]byte(text.String()), false)
	if err != nil {
		s.t.Fatal(err)
	}
	if n := m.ContentLength(); n != nil {
		_, _ = s.r.Discard(int(*n))
	}
	req, ok := m.(*sip.Request)
	if !ok || string(req.Method) != method {
		s.t.Fatalf("want %s, the panel sent\n%s", method, text.String())
	}
	return req
}

func (s *streamServer) send(text string) { _, _ = s.conn.Write([]byte(text)) }

// runStream runs a panel that registers over a flow.
func runStream(t *testing.T, s *streamServer, a Account) (*UA, chan Event) {
	t.Helper()
	return runStreamTraced(t, s, a, nil)
}

func runStreamTraced(t *testing.T, s *streamServer, a Account, ring *trace.Ring) (*UA, chan Event) {
	t.Helper()
	a.User, a.Registrar = "panel", s.l.Addr().String()
	events := make(chan Event, 100)
	u, err := New(Config{Account: a, Trace: ring, Local: netip.MustParseAddrPort("127.0.0.1:0"), Allow: []string{"sip:guard@127.0.0.1"},
		NewLeg: func() callflow.LegID { return 9 }}, func(ev Event) { events <- ev })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return u, events
}

func TestFlowOfTCPAndTLS(t *testing.T) {
	server, client := certificate(t)
	for _, c := range []struct {
		transport string
		server    *tls.Config
	}{{"tcp", nil}, {"tls", server}} {
		t.Run(c.transport, func(t *testing.T) {
			s := serveStream(t, c.server)
			u, events := runStream(t, s, Account{Transport: c.transport, TLS: client})
			s.accept()
			reg := s.request("REGISTER")
			if got, want := reg.Contact().Address.String(), "sip:panel@"+s.conn.RemoteAddr().String()+";transport="+c.transport; got != want {
				t.Errorf("Contact %s, want %s", got, want)
			}
			s.send(replyText(reg, 200, "r", "Expires: 600"))
			if ev, ok := (<-events).(Registered); !ok || ev.Expires != 10*time.Minute {
				t.Fatalf("got %+v", ev)
			}

			u.Invite(1, "sip:flat@127.0.0.1", []byte(testOffer))
			inv := s.request("INVITE")
			s.send(replyText(inv, 183, "a", "sdp:early") + replyText(inv, 180, "a") + replyText(inv, 200, "a",
				"Contact: <sip:flat@192.0.2.9>", "Record-Route: <sip:"+s.l.Addr().String()+";transport="+c.transport+";lr>", "sdp:answer"))
			for _, want := range []string{"sent INVITE", "progress 183 a sdp:early", "progress 180 a sdp:early", "sent ACK", "answered a sdp:answer"} {
				if got := tell(<-events); got != want {
					t.Errorf("told %q, want %q", got, want)
				}
			}
			s.request("ACK")

			s.conn.Close() // the flow is lost, and with it the registration
			if ev, ok := (<-events).(Unregistered); !ok || ev.Again <= 0 {
				t.Fatalf("got %+v", ev)
			}
			u.Bye(1) // by a new flow
			s.accept()
			s.send(replyText(s.request("BYE"), 200, "a"))
			for _, want := range []string{"sent BYE", "ended by us:true"} {
				if got := tell(<-events); got != want {
					t.Errorf("told %q, want %q", got, want)
				}
			}
		})
	}
}

func TestForeignCertificateIsRefused(t *testing.T) {
	server, _ := certificate(t)
	s := serveStream(t, server)
	_, events := runStream(t, s, Account{Transport: "tls"})
	s.accept()
	_ = s.conn.(*tls.Conn).Handshake()
	ev, ok := (<-events).(Unregistered)
	if !ok || !strings.Contains(ev.Reason, "certificate") {
		t.Errorf("told %+v", ev)
	}
}

// certificate makes a key pair for 127.0.0.1 and the names, and who trusts it.
func certificate(t *testing.T, names ...string) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: roots}
}

// BenchmarkInviteToWire is the time from Invite to the datagram at the phone.
func BenchmarkInviteToWire(b *testing.B) {
	phone, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		b.Fatal(err)
	}
	defer phone.Close()
	u, err := New(Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, func(Event) {})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	buf := make([]byte, 4096)
	target := "sip:phone@" + phone.LocalAddr().String()
	for leg := callflow.LegID(1); b.Loop(); leg++ {
		u.Invite(leg, target, []byte(testOffer))
		n, from, err := phone.ReadFrom(buf)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		refuse(b, phone, buf[:n], from)
		b.StartTimer()
	}
	cancel()
	<-ended
}

// refuse ends a call and takes the ACK.
func refuse(b *testing.B, phone net.PacketConn, invite []byte, from net.Addr) {
	b.Helper()
	m, err := sip.NewParser().ParseSIP(invite)
	if err != nil {
		b.Fatal(err)
	}
	_, _ = phone.WriteTo([]byte(replyText(m.(*sip.Request), 486, "a")), from)
	if _, _, err := phone.ReadFrom(make([]byte, 4096)); err != nil {
		b.Fatal(err)
	}
}
