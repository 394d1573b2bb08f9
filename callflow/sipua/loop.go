package sipua

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
	"doorstation/callflow/sipua/locate"
)

// quietLog is for sipgo, which logs whole messages.
var quietLog = slog.New(slog.DiscardHandler)

// errStopping is why a UA that takes its leave makes no call.
var errStopping = errors.New("the SIP line stops")

// stopWithin is how long a clean stop waits for the answers to its requests.
const stopWithin = 2 * time.Second

// A UA is one SIP user agent on one socket. All its fields belong to the loop,
// but for those that New sets and nobody changes.
type UA struct {
	cfg   Config
	on    func(Event)
	log   *slog.Logger
	box   *mailbox
	local netip.AddrPort // the bound address

	life    context.Context // ends with the UA
	die     context.CancelFunc
	readers sync.WaitGroup

	gate    *gate
	sources *sources
	tpl     *sip.TransportLayer
	parser  *sip.Parser

	public   netip.AddrPort // as seen from outside, if known
	seen     netip.AddrPort // as the server in use sees us, if it told
	dns      locate.Records
	pool     pool // the account's servers
	server   *hop // the one of them that is in use
	alive    liveness
	noTCP    map[netip.AddrPort]time.Time // who refused TCP for a large request, until when that is believed
	listener net.Listener                 // of TCP connections; nil: none are taken
	frames   atomic.Uint64                // that came by those
	streams  map[flowKey]*stream
	clients  map[string]*clientTx
	servers  map[string]*serverTx
	seed     maphash.Seed // of the tags of refusals
	legs     map[callflow.LegID]*call
	calls    map[callKey]*call
	allow    []allowed
	creds    *credentials
	verifier *verifier
	synced   time.Time // the last check-sync
	reg      registration
	stop     bool
}

func newUA(cfg Config, on func(Event)) (*UA, error) {
	allow, err := parseAllow(cfg.Allow, cfg.Account.Domain, cfg.Grants)
	if err != nil {
		return nil, err
	}
	conn, listener, err := bind(cfg)
	if err != nil {
		return nil, err
	}
	u := &UA{
		cfg: cfg, on: on, log: cfg.Log, allow: allow,
		box:      newMailbox(),
		local:    addrPortOf(conn.LocalAddr()),
		listener: listener,
		sources:  newSources(),
		noTCP:    map[netip.AddrPort]time.Time{},
		streams:  map[flowKey]*stream{},
		clients:  map[string]*clientTx{},
		servers:  map[string]*serverTx{},
		seed:     maphash.MakeSeed(),
		legs:     map[callflow.LegID]*call{},
		calls:    map[callKey]*call{},
		creds:    newCredentials(cfg.Account),
		verifier: newVerifier(),
		dns:      cfg.DNS,
		pool:     pool{names: cfg.Account.serverNames()},
	}
	u.life, u.die = context.WithCancel(context.Background())
	u.gate = newGate(conn, u.sources, u.side, cfg.Log)
	u.gate.lost = func(all []undelivered) {
		u.box.offer(func() {
			for _, l := range all {
				u.unreachable(l.to, l.cause)
			}
		})
	}
	u.gate.writes = func(b []byte, to netip.AddrPort) { u.traced(true, "udp", u.local, to, b) }
	u.tpl, u.parser = newTransports(), newParser()
	u.reg = newRegistration(cfg.Account.Expires)
	return u, nil
}

func (u *UA) run(ctx context.Context) error {
	u.readers.Go(u.serveUDP)
	<-u.gate.serving
	u.guard(u.admitAllowed)
	u.guard(u.listen)
	u.guard(u.registerFirst)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-u.box.ready:
			u.work()
		}
	}
	u.guard(u.wind)
	u.settle()
	u.guard(u.abandon)
	err := u.close()
	u.readers.Wait()
	return err
}

// settle waits for the answers to the last requests, for a while.
func (u *UA) settle() {
	limit := time.NewTimer(stopWithin)
	defer limit.Stop()
	for u.unanswered() {
		select {
		case <-limit.C:
			return
		case <-u.box.ready:
			u.work()
		}
	}
}

// work does what waits in the box, and survives any of it.
func (u *UA) work() {
	for _, f := range u.box.take() {
		u.guard(f)
	}
}

// guard contains a panic: it costs the message that made it, and no other.
func (u *UA) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			u.log.Error("sip message dropped after a panic", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	f()
}

// after runs f on the loop when d has passed. Whoever stops the timer may still
// see f run once, and checks its own state in it.
func (u *UA) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { u.box.post(f) })
}

// wind starts the orderly end: calls first, then the registration.
func (u *UA) wind() {
	u.stop = true
	for leg, c := range u.legs {
		if c.incoming != nil && !c.incoming.answered {
			u.reject(leg, sip.StatusTemporarilyUnavailable)
			continue
		}
		u.cancel(leg)
	}
	u.unregister()
}

// abandon tells the end of the legs whose last answer never came.
func (u *UA) abandon() {
	for _, c := range u.legs {
		if c.won != nil || c.incoming != nil {
			c.end(errStopping.Error(), true)
			continue
		}
		c.refuse(sip.StatusServiceUnavailable, errStopping.Error())
	}
}

// unanswered reports whether a request of ours still waits for its final response.
func (u *UA) unanswered() bool {
	for _, t := range u.clients {
		if !t.final && (t.awaited || t.req.Method != sip.INVITE) {
			return true
		}
	}
	return false
}

func (u *UA) close() error {
	u.die()
	for _, t := range u.clients {
		t.giveUp()
	}
	for _, t := range u.servers {
		t.fsm.Terminate()
	}
	for _, s := range u.streams {
		s.close()
	}
	if u.listener != nil {
		_ = u.listener.Close()
	}
	err := u.gate.Close()
	_ = u.tpl.Close()
	return err
}
