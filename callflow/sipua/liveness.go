package sipua

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Signs of life. The server in use gives one now and then, so that one that died
// is known before a visitor presses.
const (
	probeWithin = 3 * time.Second  // for one question
	pongWithin  = 10 * time.Second // RFC 5626 section 4.4.1
	mostMisses  = 2                // in a row
)

// How a server gives its sign of life, the cheapest first.
type sign int

const (
	unknownSign sign = iota
	stunSign         // it answers STUN on its SIP port, as RFC 5626 section 3.5.2 wants
	pongSign         // it answers a CRLF ping (section 3.5.1)
	optionsSign      // it answers OPTIONS, as every SIP element does
)

// liveness watches the server in use.
type liveness struct {
	timer  *time.Timer
	flow   flowKey
	sign   sign
	misses int
	stun   atomic.Pointer[stunProbe] // under way; the reader looks at it too
}

// A stunProbe is one binding request to the server.
type stunProbe struct {
	to       netip.AddrPort
	response func(b []byte) (mapped netip.AddrPort, ok bool)
	done     func(mapped netip.AddrPort)
}

// keepAlive makes the next question due. The sign that a server gives is learnt
// anew when another one is in use.
func (u *UA) keepAlive() {
	l := &u.alive
	if l.timer != nil {
		l.timer.Stop()
	}
	every := u.cfg.Account.Keepalive
	if every <= 0 || u.server == nil || u.stop {
		return
	}
	if l.flow != u.server.flow() {
		l.flow, l.sign, l.misses = u.server.flow(), unknownSign, 0
	}
	l.timer = u.after(jitter(every, 0.8, 1), u.askForLife)
}

func (u *UA) askForLife() {
	if u.server == nil || !u.reg.granted || u.stop {
		return
	}
	h := *u.server
	u.probe(h, func(alive bool) { u.heardOfLife(h, alive) })
}

func (u *UA) heardOfLife(h hop, alive bool) {
	l := &u.alive
	if u.server == nil || u.server.flow() != h.flow() || !u.reg.granted || u.stop || u.reg.asking {
		return
	}
	if alive {
		l.misses = 0
		u.keepAlive()
		return
	}
	if l.misses++; l.misses < mostMisses {
		u.askForLife()
		return
	}
	l.misses = 0
	u.serverFailed(h, 0, fmt.Sprintf("the registrar %v gives no sign of life", h.addr), 0)
}

// probe asks a server for a sign of life and tells whether it came.
func (u *UA) probe(h hop, f func(alive bool)) {
	l := &u.alive
	known := l.flow == h.flow()
	switch {
	case h.network != "udp" && (!known || l.sign != optionsSign) && u.streams[h.flow()] != nil:
		u.probeStream(h, f)
	case h.network == "udp" && u.cfg.STUN != nil && (!known || l.sign != optionsSign):
		u.probeSTUN(h, f)
	default:
		u.probeOptions(h, f)
	}
}

// signOf notes how a server gives its sign.
func (u *UA) signOf(h hop, s sign) {
	if u.alive.flow == h.flow() {
		u.alive.sign = s
	}
}

// probeOptions takes any response as a sign of life, and learns from it how the
// server sees us.
func (u *UA) probeOptions(h hop, f func(bool)) {
	a := u.cfg.Account
	req := sip.NewRequest(sip.OPTIONS, sip.Uri{Scheme: "sip", Host: bareHost(a.Domain)})
	if a.Proxy != "" {
		req.AppendHeader(&sip.RouteHeader{Address: proxyRoute(h)})
	}
	us, key, seq := party{uri: u.self().uri}, freshKey(), uint32(1)
	u.fill(req, us, party{uri: sip.Uri{Scheme: "sip", Host: bareHost(a.Domain)}}, key, "", seq)
	t := &clientTx{req: req, hop: h, patience: probeWithin, failed: func(error) { f(false) }}
	t.response = func(res *sip.Response, _ time.Time) {
		if !res.IsProvisional() {
			u.learnSeen(h, res)
			f(true)
		}
	}
	u.start(t)
}

// probeStream sends a CRLF ping. Whatever comes back counts. A server that never
// answered one is asked by OPTIONS from then on.
func (u *UA) probeStream(h hop, f func(bool)) {
	s := u.streams[h.flow()]
	if !s.ready {
		u.probeOptions(h, f)
		return
	}
	before := s.heard()
	conn := s.conn
	go func() { _, _ = conn.Write([]byte("\r\n\r\n")) }() // a broken flow is seen by its reader
	u.after(pongWithin, func() {
		switch {
		case u.streams[h.flow()] != s:
		case s.heard() > before:
			u.signOf(h, pongSign)
			f(true)
		case u.alive.flow == h.flow() && u.alive.sign == pongSign:
			u.streamEnded(s, fmt.Errorf("no answer to a keep-alive within %v", pongWithin))
		default:
			u.signOf(h, optionsSign)
			u.probeOptions(h, f)
		}
	})
}

// stunAgain are the times of a binding request's repetitions.
var stunAgain = []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond}

// probeSTUN asks on the server's SIP port. One that never answered is asked by
// OPTIONS from then on.
func (u *UA) probeSTUN(h hop, f func(bool)) {
	request, response, err := u.cfg.STUN()
	if err != nil {
		u.probeOptions(h, f)
		return
	}
	p := &stunProbe{to: h.addr, response: response}
	over := false
	p.done = func(mapped netip.AddrPort) {
		if !over {
			over = true
			u.signOf(h, stunSign)
			u.see(h, mapped)
			f(true)
		}
	}
	u.alive.stun.Store(p)
	send := func() {
		if !over {
			_ = u.gate.writeTo(request, h.addr)
		}
	}
	send()
	for _, d := range stunAgain {
		u.after(d, send)
	}
	u.after(probeWithin, func() {
		if over {
			return
		}
		over = true
		u.alive.stun.CompareAndSwap(p, nil)
		if u.alive.flow == h.flow() && u.alive.sign == stunSign {
			f(false)
			return
		}
		u.signOf(h, optionsSign)
		u.probeOptions(h, f)
	})
}

// side takes what is no SIP off the socket. It runs on the reader's goroutine.
func (u *UA) side(b []byte, from netip.AddrPort) bool {
	if p := u.alive.stun.Load(); p != nil && p.to == from {
		if mapped, ok := p.response(b); ok {
			u.alive.stun.CompareAndSwap(p, nil)
			u.box.post(func() { p.done(mapped) })
			return true
		}
	}
	return u.cfg.OnPacket != nil && u.cfg.OnPacket(b, from)
}
