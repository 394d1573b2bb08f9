package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorstation/firmware/control"
)

// debounce is that of the buttons in board/sim.yaml.
const debounce = 10 * time.Millisecond

// An ear is a handpiece that counts what it hears.
type ear struct {
	*handpiece
	heard atomic.Int64 // packets on the audio port
}

func newEar(h *host) *ear {
	h.t.Helper()
	e := &ear{handpiece: &handpiece{t: h.t, host: h, audio: h.udp(6000), ssrc: 0x51a7e}}
	go func() {
		b := make([]byte, 2048)
		for {
			if _, _, err := e.audio.ReadFromUDPAddrPort(b); err != nil {
				return
			}
			e.heard.Add(1)
		}
	}()
	for _, port := range []uint16{6001, 6002, 6003} {
		go drain(h.udp(port))
	}
	return e
}

// quietPanel runs a panel as it is delivered: it logs no messages.
func quietPanel(h *host, c config) *panel {
	h.t.Helper()
	p := newPanel(h)
	text := strings.Replace(c.yaml(h), "pulse: 1s", "pulse: 100ms", 1)
	p.source = []string{"-config", write(h.t, p.run, "panel.yaml", text)}
	p.quietly().run()
	p.answers()
	p.registered()
	return p
}

// quietly prepares the daemon.
func (p *panel) quietly() *process {
	p.t.Helper()
	data := filepath.Join(p.run, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		p.t.Fatal(err)
	}
	p.daemon = p.host.command(p.host.name+"-daemon", program(p.t, "doorstationd"),
		append([]string{"-board", p.board, "-run", p.run, "-data", data}, p.source...)...)
	return p.daemon
}

// answers waits until the daemon answers its socket.
func (p *panel) answers() {
	p.t.Helper()
	p.daemon.until("the panel answers", func() (err error) {
		if p.client, err = control.Dial(filepath.Join(p.run, control.SocketName)); err != nil {
			return err
		}
		_, err = p.client.Status(context.Background())
		return err
	})
}

// pressed holds the button until the phone has its INVITE, which it returns.
func (s *scripted) pressed(p *panel) string {
	p.t.Helper()
	pause(p.t, 4*debounce) // the last press has been let go for that long
	if err := p.world.Press(button1, true); err != nil {
		p.t.Fatal(err)
	}
	invite := s.request("INVITE")
	if err := p.world.Press(button1, false); err != nil {
		p.t.Fatal(err)
	}
	return invite
}

// picksUp answers the last INVITE.
func (s *scripted) picksUp() {
	s.t.Helper()
	s.respond(s.response(s.invite, "200 OK", "phone", s.answer()))
	s.request("ACK")
}

// A rival is a baresip set up for speed: it records nothing and says little.
type rival struct {
	*baresip
	digits chan time.Time // when it reported the start of a key
}

// startRival runs it like startBaresip; a domain makes it register.
func startRival(h *host, set handset) *rival {
	h.t.Helper()
	r := prepareRival(h, set)
	r.run()
	r.connect()
	return r
}

// prepareRival writes its files and prepares its process.
func prepareRival(h *host, set handset) *rival {
	h.t.Helper()
	r := &rival{baresip: &baresip{host: h, dir: scratch(h.t, h.name)}, digits: make(chan time.Time, 1000)}
	var lines []string
	for _, line := range r.config(set) {
		switch line {
		case "module sndfile.so": // it would record
		default:
			lines = append(lines, line)
		}
	}
	write(h.t, r.dir, "config", lines...)
	write(h.t, r.dir, "accounts", account(h, set))
	write(h.t, r.dir, "contacts")
	r.process = h.command(h.name, "baresip", "-4", "-f", r.dir)
	return r
}

// connect takes its control socket.
func (r *rival) connect() {
	h := r.host
	h.t.Helper()
	r.until("baresip takes commands", func() error {
		return inside(h.namespace, func() (err error) {
			r.conn, err = net.Dial("tcp4", h.at(4444).String())
			return err
		})
	})
	h.t.Cleanup(func() { r.conn.Close() })
	go r.follow()
}

// follow is listen with the time of each key.
func (r *rival) follow() {
	in := bufio.NewReader(r.conn)
	for {
		size, err := in.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil {
			return
		}
		text := make([]byte, n+1)
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		if now := time.Now(); strings.Contains(string(text), "CALL_DTMF_START") {
			r.digits <- now
		}
		r.heard(text[:n])
	}
}

// calls brings a call of the rival to its conversation, and returns when its
// command was given.
func (r *rival) calls(phone *scripted) time.Time {
	r.t.Helper()
	began := time.Now()
	r.dial(phone.uri())
	phone.request("INVITE")
	phone.picksUp()
	r.event("CALL_ESTABLISHED")
	return began
}

// seen is the time of the first packet after began that matches.
func (c *capture) seen(began time.Time, what string, match func(packet) bool) time.Time {
	c.t.Helper()
	return c.first(what, func(k packet) bool { return k.at.After(began) && match(k) }).at
}

// The packets of a call to the phone at h, in the terms of its caller.
func soundTo(h *host) func(packet) bool   { return rtp(true, h.at(6000)) }
func pictureTo(h *host) func(packet) bool { return rtp(true, h.at(6002)) }

// forget drops what was captured, so that long runs stay quick.
func (c *capture) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.packets, c.raw = nil, nil
}

// seconds is how long the long calls last, from BENCH_SECONDS.
func seconds(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("BENCH_SECONDS")
	if text == "" {
		return time.Minute
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 3 {
		t.Fatal(fmt.Errorf("BENCH_SECONDS=%q: want a whole number of seconds, 3 or more", text))
	}
	return time.Duration(n) * time.Second
}
