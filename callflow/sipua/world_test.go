package sipua

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

// A world is a network in memory with a panel and its peers, inside a synctest
// bubble: time passes only while everybody waits.
type world struct {
	t     *testing.T
	ua    *UA
	panel netip.AddrPort
	lobby *lobby // where the panel takes connections, if it does
	end   func()

	mu     sync.Mutex
	nodes  map[netip.AddrPort]*node
	events []string
	raw    []Event
	legs   callflow.LegID
	offers []Offered
	sent   []datagram // all that the panel sent; from is where to
	down   bool       // the panel's link: nothing goes either way
	busy   bool       // too much goes on to remember what was sent
}

const (
	panelAddr = "192.0.2.1:5060"
	phoneAddr = "192.0.2.10:5060"
	proxyAddr = "192.0.2.2:5060"
)

const testOffer = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"

// inWorld runs story in a bubble with a panel of this configuration.
func inWorld(t *testing.T, cfg Config, story func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, nodes: map[netip.AddrPort]*node{}, panel: netip.MustParseAddrPort(panelAddr), legs: 100}
		cfg.Local = w.panel
		cfg.Conn = w.node(panelAddr)
		if cfg.ListenTCP {
			w.lobby = newLobby()
			cfg.Listener = w.lobby
		}
		if cfg.Dial == nil {
			cfg.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
		}
		if cfg.NewLeg == nil {
			cfg.NewLeg = func() callflow.LegID { w.legs++; return w.legs }
		}
		ua, err := New(cfg, w.take)
		if err != nil {
			t.Fatal(err)
		}
		w.ua = ua
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- ua.Run(ctx) }()
		var once sync.Once
		w.end = func() {
			once.Do(func() {
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("Run: %v", err)
				}
			})
		}
		synctest.Wait()
		defer time.Sleep(time.Minute) // what is left of transactions ends
		defer w.end()
		story(w)
	})
}

func (w *world) take(ev Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.raw = append(w.raw, ev)
	w.events = append(w.events, tell(ev))
	if o, ok := ev.(Offered); ok {
		w.offers = append(w.offers, o)
	}
}

// tell writes an event as one line.
func tell(ev Event) string {
	sdp := func(b []byte) string {
		if b == nil {
			return ""
		}
		return " sdp:" + strings.TrimSpace(string(b))
	}
	switch ev := ev.(type) {
	case Registered:
		return fmt.Sprintf("registered %v", ev.Expires)
	case Unregistered:
		return fmt.Sprintf("unregistered %d", ev.Status)
	case Progress:
		return fmt.Sprintf("progress %d %s%s", ev.Status, ev.Fork, sdp(ev.SDP))
	case Answered:
		return fmt.Sprintf("answered %s%s", ev.Fork, sdp(ev.SDP))
	case Refused:
		return fmt.Sprintf("refused %d", ev.Status)
	case Ended:
		return fmt.Sprintf("ended by us:%v", ev.ByUs)
	case Incoming:
		return fmt.Sprintf("incoming %s%s", ev.Caller, sdp(ev.SDP))
	case Confirmed:
		return "confirmed" + sdp(ev.SDP)
	case Offered:
		return "offered" + sdp(ev.SDP)
	case Referred:
		return "referred " + ev.Target
	case Message:
		return fmt.Sprintf("message %s %q", ev.Caller, ev.Text)
	case CheckSync:
		return "check-sync"
	case Probed:
		return fmt.Sprintf("probed %s %v %d", ev.Target, ev.Reached, ev.Status)
	case Reanswered:
		return "reanswered" + sdp(ev.SDP)
	case Retried:
		return fmt.Sprintf("retried %d with offer %d", ev.Status, ev.Offer)
	case Redirected:
		return "redirected " + ev.Target
	case Digit:
		return fmt.Sprintf("digit %c", ev.Key)
	case PictureWanted:
		return "picture wanted"
	case Sent:
		return "sent " + ev.Method
	}
	return fmt.Sprintf("%T", ev)
}

// heard waits until all is still, and compares all events since the last time.
func (w *world) heard(want ...string) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	got := w.events
	w.events = nil
	w.mu.Unlock()
	if g, x := strings.Join(got, "\n"), strings.Join(want, "\n"); g != x {
		w.t.Fatalf("the panel told\n%s\n\nwant\n%s", g, x)
	}
}

// lastOffer is the latest Offered event.
func (w *world) lastOffer() Offered {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.offers) == 0 {
		w.t.Fatal("no offer came")
	}
	return w.offers[len(w.offers)-1]
}

// A node is a socket of the world.
type node struct {
	w    *world
	addr *net.UDPAddr
	in   chan datagram
	once sync.Once
	gone chan struct{}
}

type datagram struct {
	b    []byte
	from *net.UDPAddr
}

func (w *world) node(addr string) *node {
	ap := netip.MustParseAddrPort(addr)
	n := &node{w: w, addr: net.UDPAddrFromAddrPort(ap), in: make(chan datagram, 1000), gone: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[ap] = n
	return n
}

func (n *node) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-n.in:
		return copy(b, d.b), d.from, nil
	case <-n.gone:
		return 0, nil, net.ErrClosed
	}
}

func (n *node) WriteTo(b []byte, to net.Addr) (int, error) {
	n.w.mu.Lock()
	peer := n.w.nodes[addrPortOf(to)]
	if n.w.down {
		peer = nil
	}
	if addrPortOf(n.addr) == n.w.panel && !n.w.busy {
		n.w.sent = append(n.w.sent, datagram{append([]byte(nil), b...), to.(*net.UDPAddr)})
	}
	n.w.mu.Unlock()
	if peer != nil {
		select {
		case peer.in <- datagram{append([]byte(nil), b...), n.addr}:
		default: // its buffer is full
		}
	}
	return len(b), nil
}

func (n *node) Close() error                     { n.once.Do(func() { close(n.gone) }); return nil }
func (n *node) LocalAddr() net.Addr              { return n.addr }
func (n *node) SetDeadline(time.Time) error      { return nil }
func (n *node) SetReadDeadline(time.Time) error  { return nil }
func (n *node) SetWriteDeadline(time.Time) error { return nil }

// A peer is a phone or a proxy that does what the test says.
type peer struct {
	*node
	w   *world
	seq int
}

func (w *world) peer(addr string) *peer { return &peer{node: w.node(addr), w: w, seq: 7000} }

// next is the next message from the panel, within a minute.
func (p *peer) next() sip.Message {
	p.w.t.Helper()
	select {
	case d := <-p.in:
		m, err := sip.NewParser().ParseSIP(d.b)
		if err != nil {
			p.w.t.Fatalf("the panel sent what is no SIP: %v\n%s", err, d.b)
		}
		return m
	case <-time.After(time.Minute):
		p.w.t.Fatal("nothing came within a minute")
		return nil
	}
}

// request is the next message, which has to be this request.
func (p *peer) request(method string) *sip.Request {
	p.w.t.Helper()
	m := p.next()
	req, ok := m.(*sip.Request)
	if !ok || string(req.Method) != method {
		p.w.t.Fatalf("want %s, the panel sent\n%s", method, m)
	}
	return req
}

// response is the next message, which has to be this response.
func (p *peer) response(status int) *sip.Response {
	p.w.t.Helper()
	m := p.next()
	res, ok := m.(*sip.Response)
	if !ok || res.StatusCode != status {
		p.w.t.Fatalf("want %d, the panel sent\n%s", status, m)
	}
	return res
}

// quiet says that the panel has sent nothing more.
func (p *peer) quiet() {
	p.w.t.Helper()
	synctest.Wait()
	select {
	case d := <-p.in:
		p.w.t.Fatalf("the panel should be quiet, and sent\n%s", d.b)
	default:
	}
}

func (p *peer) send(text string) {
	_, _ = p.WriteTo([]byte(text), net.UDPAddrFromAddrPort(p.w.panel))
}

// reply builds a response as text: with a tag, extra lines, and a body after an
// empty line.
func (p *peer) reply(req *sip.Request, status int, tag string, lines ...string) {
	p.send(replyText(req, status, tag, lines...))
}

func replyText(req *sip.Request, status int, tag string, lines ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Phrase\r\n", status)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, h := range req.GetHeaders(name) {
			b.WriteString(h.String())
			if name == "To" && tag != "" && !strings.Contains(h.String(), "tag=") {
				b.WriteString(";tag=" + tag)
			}
			b.WriteString("\r\n")
		}
	}
	writeRest(&b, lines)
	return b.String()
}

// writeRest adds header lines and a body; a line "sdp:x" is the body x.
func writeRest(b *strings.Builder, lines []string) {
	body, kind := "", ""
	for _, l := range lines {
		if sdp, ok := strings.CutPrefix(l, "sdp:"); ok {
			body, kind = sdp, "application/sdp"
			continue
		}
		if text, ok := strings.CutPrefix(l, "body:"); ok {
			kind, body, _ = strings.Cut(text, "|")
			continue
		}
		b.WriteString(l + "\r\n")
	}
	if kind != "" {
		b.WriteString("Content-Type: " + kind + "\r\n")
	}
	fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s", len(body), body)
}

// A talk is a dialog as the peer sees it, after the panel's INVITE.
type talk struct {
	p            *peer
	id, us, them string // From (ours, with tag), To (the panel's, with tag)
	uri          string
	seq          int
}

func (p *peer) talk(invite *sip.Request, tag string) *talk {
	return &talk{p: p, id: invite.CallID().Value(), us: invite.To().Value() + ";tag=" + tag,
		them: invite.From().Value(), uri: invite.Contact().Address.String(), seq: 100}
}

// ask sends a request inside the dialog, with the next number.
func (k *talk) ask(method string, lines ...string) int {
	k.seq++
	k.askAs(method, k.seq, lines...)
	return k.seq
}

func (k *talk) askAs(method string, seq int, lines ...string) {
	k.p.send(k.text(method, seq, lines...))
}

func (k *talk) text(method string, seq int, lines ...string) string {
	var b strings.Builder
	branch := fmt.Sprintf("z9hG4bKpeer%d%s", seq, method)
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\n", method, k.uri, k.p.addr, branch)
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n", k.us, k.them, k.id, seq, method)
	writeRest(&b, lines)
	return b.String()
}

func phoneContact() string { return "Contact: <sip:phone@" + phoneAddr + ">" }

const phoneTarget = "sip:phone@" + phoneAddr
