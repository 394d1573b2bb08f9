package station

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/callflow/sipua/trace"
	"doorstation/firmware/control"
	"doorstation/media/nat"
	"doorstation/media/session"
)

// A line is the panel's SIP line: the user agent of the present configuration,
// and STUN on its socket. A new configuration gets a new user agent.
type line struct {
	log      *slog.Logger
	version  string
	on       func(of lineRule, ev sipua.Event) // called on the goroutine of that rule's user agent
	present  func(netip.Addr) bool             // whether an address is still this machine's
	wake     chan struct{}
	lookUp   func(host string, port int) (netip.AddrPort, error)
	certTime func() time.Time // by which certificates are judged; nil: the system's clock
	instance string           // URN of this panel, for the registrar
	uptime   func() time.Duration
	callers  *atomic.Uint32 // legs handed out to callers
	messages *trace.Ring    // the latest on the wire, also of former user agents
	spare    *line          // of the standby account, which has none itself

	mu    sync.Mutex
	rule  *lineRule // nil: nothing is configured
	ua    *sipua.UA
	local netip.Addr
	stun  netip.AddrPort // of the rule's server, once its name is found
	down  time.Time      // since when there is no ua, though a rule wants one
	reg   control.Registration
	legs  map[callflow.LegID]carried
}

func newLine(version string, log *slog.Logger) *line {
	l := newAccountLine(version, log)
	l.spare = newAccountLine(version, log.With("account", "standby"))
	l.spare.callers, l.spare.messages = l.callers, l.messages
	l.spare.on = l.fromStandby
	return l
}

func newAccountLine(version string, log *slog.Logger) *line {
	return &line{
		log: log, version: version, present: isOurs, lookUp: resolve, uptime: uptime, wake: make(chan struct{}, 1), callers: new(atomic.Uint32), messages: new(trace.Ring),
		reg: control.Registration{State: control.RegistrationNone}, legs: make(map[callflow.LegID]carried),
	}
}

// set puts a rule in force and reports whether it needs a new user agent. Until
// that one is there, the line is down: the former one, which takes its leave,
// gets no more calls.
func (l *line) set(rule lineRule) bool {
	if l.spare != nil {
		l.setStandby(rule.standby)
		rule.standby = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inForce(rule) {
		return false
	}
	l.rule = &rule
	l.ua, l.local, l.stun, l.down = nil, netip.Addr{}, netip.AddrPort{}, time.Now()
	l.reg = control.Registration{State: control.RegistrationTrying, Since: time.Now()}
	if rule.account.User == "" {
		l.reg.State = control.RegistrationNone
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return true
}

// run keeps a user agent for the present rule until ctx ends.
func (l *line) run(ctx context.Context) error {
	for ctx.Err() == nil {
		l.mu.Lock()
		rule := l.rule
		l.mu.Unlock()
		if rule == nil {
			select {
			case <-ctx.Done():
			case <-l.wake:
			}
			continue
		}
		if err := l.serve(ctx, *rule); err != nil && ctx.Err() == nil {
			l.register(*rule, control.Registration{State: control.RegistrationTrying, Reason: err.Error()})
			return err
		}
	}
	return nil
}

// serve runs one user agent until its rule is replaced or ctx ends.
func (l *line) serve(ctx context.Context, rule lineRule) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cfg, err := l.config(rule)
	if err != nil {
		return err
	}
	var keeper atomic.Pointer[nat.Keeper]
	cfg.OnPacket = func(b []byte, from netip.AddrPort) bool {
		k := keeper.Load()
		return k != nil && k.Handle(b, from)
	}
	ua, err := sipua.New(cfg, func(ev sipua.Event) { l.event(rule, ev) })
	if err != nil {
		return err
	}
	if rule.stun != "" {
		go l.keepMapped(ctx, ua, rule, &keeper)
	}
	go l.followCables(ctx, ua)
	go l.stopWhenReplaced(ctx, stop, rule)
	go l.stopWhenGone(ctx, stop, rule, cfg.Local.Addr())
	l.use(rule, ua, cfg.Local.Addr())
	defer l.use(rule, nil, netip.Addr{})
	return ua.Run(ctx)
}

// addressCheck is how often the line looks whether it still has its address.
const addressCheck = 5 * time.Second

// stopWhenGone ends a user agent whose address this machine has lost, by
// another lease say, so that one with the new address takes its place. An
// address that is away for a moment only, while a lease is renewed, is kept.
func (l *line) stopWhenGone(ctx context.Context, stop func(), rule lineRule, addr netip.Addr) {
	for away := false; ctx.Err() == nil; {
		pause(ctx, addressCheck)
		was := away
		if away = !l.present(addr); away && was && ctx.Err() == nil {
			l.log.Warn("the address of the SIP line is gone, looking for another", "address", addr)
			l.use(rule, nil, netip.Addr{})
			stop()
		}
	}
}

// followCables registers anew when a cable was put in. Where the kernel tells
// no news, the signs of life of the server have to do.
func (l *line) followCables(ctx context.Context, ua *sipua.UA) {
	if err := watchCables(ctx, ua.Refresh); err != nil {
		l.log.Warn("a cable that is put in is not noticed", "err", err)
	}
}

func (l *line) stopWhenReplaced(ctx context.Context, stop func(), rule lineRule) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
			if !l.obeys(rule) {
				stop()
				return
			}
		}
	}
}

func (l *line) config(rule lineRule) (sipua.Config, error) {
	addr, err := localAddress(rule.address, rule.peers())
	if err != nil {
		return sipua.Config{}, err
	}
	account := rule.account
	if account.TLS, err = tlsConfig(rule, l.certTime); err != nil && account.Transport != "udp" && account.Transport != "tcp" {
		return sipua.Config{}, err
	}
	if account.Instance = l.instance; l.uptime() > justSwitchedOn {
		account.Spread = 0 // nobody else was switched on with us
	}
	cfg := sipua.Config{
		Account:   account,
		Local:     netip.AddrPortFrom(addr, uint16(rule.port)),
		ListenTCP: rule.listenTCP,
		Allow:     strings.Fields(rule.allow),
		NewLeg:    func() callflow.LegID { return callflow.IncomingLeg | callflow.LegID(l.callers.Add(1)) },
		UserAgent: "doorstation/" + l.version,
		Trace:     l.messages,
		Log:       l.log,
		STUN:      bindingRequest,
	}
	rule.calls.put(&cfg)
	return cfg, nil
}

// justSwitchedOn is how long after the board's start its neighbours, who had the
// same power cut, start too.
const justSwitchedOn = 2 * time.Minute

// bindingRequest is a STUN request and what reads its response.
func bindingRequest() ([]byte, func([]byte) (netip.AddrPort, bool), error) {
	request, id, err := nat.Request()
	return request, func(b []byte) (netip.AddrPort, bool) {
		r, ok := nat.ParseResponse(b)
		return r.Mapped, ok && r.ID == id && r.Err == nil
	}, err
}

// event notes the registration and passes everything on.
func (l *line) event(of lineRule, ev sipua.Event) {
	switch ev := ev.(type) {
	case sipua.Registered:
		l.register(of, control.Registration{State: control.RegistrationOK, Server: ev.Server})
	case sipua.Unregistered:
		state := control.RegistrationTrying
		if ev.Status >= 400 && ev.Status < 500 && ev.Status != 408 {
			state = control.RegistrationRefused
		}
		l.register(of, control.Registration{State: state, Reason: fmt.Sprintf("%s; next try in %v", ev.Reason, ev.Again.Round(time.Second))})
	}
	if l.spare == nil {
		l.on(of, ev)
		return
	}
	l.tell(of, ev)
}

// inForce compares a rule with the present one; l.mu is held.
func (l *line) inForce(rule lineRule) bool { return l.rule != nil && l.rule.equals(rule) }

// obeys reports whether a rule is the one in force.
func (l *line) obeys(rule lineRule) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inForce(rule)
}

func (l *line) register(of lineRule, reg control.Registration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.inForce(of) {
		return
	}
	reg.Since = time.Now()
	if reg.State == l.reg.State {
		reg.Since = l.reg.Since
	}
	l.reg = reg
}

// own is the state of this account.
func (l *line) own() control.Registration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reg
}

// use takes the user agent of a rule, unless another one is in force by now.
func (l *line) use(of lineRule, ua *sipua.UA, local netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inForce(of) {
		l.ua, l.local, l.down = ua, local, time.Now()
	}
}

func (l *line) agent() *sipua.UA {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ua
}

// mediaParams is what a leg's media needs, on the line's own address, for a
// picture of this profile; an empty one means no picture.
func (l *line) mediaParams(m mediaRule, profile string) (session.Params, error) {
	local, server := l.carrier().place()
	if !local.IsValid() && l.spare != nil {
		local, server = l.spare.place()
	}
	if !local.IsValid() {
		return session.Params{}, fmt.Errorf("the SIP line is down: %s", cmp.Or(l.registration().Reason, "it is being set up"))
	}
	p := session.Params{
		Address: local, PortMin: m.portMin, PortMax: m.portMax,
		Video: m.video && profile != "", Codecs: m.codecs, ProfileLevelID: profile, Kbps: m.kbps,
		NoMediaFor: m.noMediaFor, Keepalive: m.keepalive, CNAME: "panel@" + local.String(),
		STUN: server,
	}
	return p, nil
}

// place is the line's own address, and that of its STUN server.
func (l *line) place() (local netip.Addr, stun netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.local, l.stun
}

func (l *line) cancel(id callflow.LegID) {
	if ua := l.kept(id).agent(); ua != nil {
		ua.Cancel(id)
	}
}

func (l *line) accept(id callflow.LegID, sdp []byte) {
	if ua := l.carriedBy(id).agent(); ua != nil {
		ua.Accept(id, sdp)
	}
}

func (l *line) reject(id callflow.LegID, status int) {
	if ua := l.carriedBy(id).agent(); ua != nil {
		ua.Reject(id, status)
	}
}

func (l *line) bye(id callflow.LegID) {
	if ua := l.carriedBy(id).agent(); ua != nil {
		ua.Bye(id)
	}
}
