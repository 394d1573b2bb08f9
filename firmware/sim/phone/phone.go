// Package phone is the flat's phone of the simulated building: a SIP phone with
// a picture, a keypad and a registrar of its own, worked over HTTP instead of
// by fingers.
//
// It shows the picture before anybody answers: its 183 takes the video and
// leaves the sound inactive, the 200 repeats that description, and an INVITE of
// its own makes the sound flow both ways (RFC 3261 section 13.2.1 lets the 200
// not change the answer of the 183).
package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"doorstation/firmware/sim/hub"
	"doorstation/firmware/sim/registrar"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Params say what a phone is.
type Params struct {
	User     string         // rings for sip:User@…
	Listen   netip.AddrPort // SIP over UDP, one exact address
	Accounts map[string]string
	Realm    string
	Both     bool // agree to sound both ways already in the 183
}

// A Phone rings, shows and talks. Its methods may be called from any goroutine.
type Phone struct {
	params    Params
	log       *slog.Logger
	registrar *registrar.Registrar
	client    *sipgo.Client

	mu   sync.Mutex
	line line
	call *call // nil when idle

	changed *hub.Hub[struct{}]
	units   *hub.Hub[Unit]
	frames  *hub.Hub[[]int16]
}

// New makes a phone; Run gives it its socket.
func New(log *slog.Logger, p Params) *Phone {
	return &Phone{
		params:    p,
		log:       log,
		registrar: registrar.New(p.Realm, p.Accounts),
		line:      line{state: Idle, since: time.Now()},
		changed:   hub.New[struct{}](1),
		units:     hub.New[Unit](60),
		frames:    hub.New[[]int16](50),
	}
}

// Run serves SIP until ctx ends.
func (p *Phone) Run(ctx context.Context) error {
	quiet := slog.New(levelAbove{p.log.Handler(), slog.LevelWarn})
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgent("simulated-phone"),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(quiet)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(quiet)),
	)
	if err != nil {
		return fmt.Errorf("phone: %w", err)
	}
	defer ua.Close()
	server, err := sipgo.NewServer(ua, sipgo.WithServerLogger(quiet))
	if err != nil {
		return fmt.Errorf("phone: %w", err)
	}
	p.client, err = sipgo.NewClient(ua, sipgo.WithClientAddr(p.params.Listen.String()), sipgo.WithClientLogger(quiet))
	if err != nil {
		return fmt.Errorf("phone: %w", err)
	}
	p.handle(server)
	err = server.ListenAndServe(ctx, "udp", p.params.Listen.String())
	p.end("the phone was switched off")
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("phone: sip on %s: %w", p.params.Listen, err)
}

// Status tells what the phone does.
func (p *Phone) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{
		User: p.params.User, State: p.line.state, Since: p.line.since.UnixMilli(), Caller: p.line.caller,
		Calls: p.line.calls, Ended: p.line.ended, Early: p.line.early, Registered: []string{},
	}
	for _, b := range p.registrar.Bindings(time.Now()) {
		s.Registered = append(s.Registered, b.User)
	}
	if p.call != nil {
		s.Video, s.Audio, s.Talk = p.call.counts()
	}
	return s
}

// Answer takes the call that rings.
func (p *Phone) Answer() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var early VideoCount
	if p.call != nil {
		early, _, _ = p.call.counts()
	}
	if err := p.line.answer(time.Now(), early); err != nil {
		return err
	}
	p.changed.Send(struct{}{})
	go p.call.accept()
	return nil
}

// Decline refuses the call that rings, with a status of 300 or more: 486 for
// "busy here", 603 for "nobody in this flat wants to".
func (p *Phone) Decline(status int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line.state != Ringing {
		return errNotRinging
	}
	if status < 400 || status > 699 {
		return fmt.Errorf("%d is no refusal; 400 to 699 are", status)
	}
	go p.call.refuse(status)
	return nil
}

// HangUp ends the call, whether it is answered or not.
func (p *Phone) HangUp() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.line.state {
	case Ringing:
		go p.call.refuse(603)
	case Talking:
		go p.call.bye("the resident hung up")
	default:
		return errNoCall
	}
	return nil
}

// Key sends one key of the keypad: 0 to 9, *, #, A to D.
func (p *Phone) Key(key byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line.state != Talking {
		return errNoCall
	}
	return p.call.audio.key(key)
}

// Say sends a frame of 20 ms of the resident's voice, at 8000 Hz. Nobody in a
// call: it is dropped.
func (p *Phone) Say(pcm []int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line.state == Talking {
		p.call.audio.say(pcm)
	}
}

// WantKey asks the panel for a whole picture, because somebody begins to look.
func (p *Phone) WantKey() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.call != nil && p.call.video != nil {
		p.call.video.wantKey()
	}
}

// errOther refuses a request that belongs to no call of this phone.
var errOther = errors.New("no such call")

// find gives the call that a request belongs to.
func (p *Phone) find(req *sip.Request) (*call, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.call == nil || !p.call.owns(req) {
		return nil, errOther
	}
	return p.call, nil
}

// end puts the phone to rest, whatever it did.
func (p *Phone) end(reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.line.end(time.Now(), reason) {
		return
	}
	p.log.Info("call ended", "reason", reason)
	p.call.stop()
	p.call = nil
	p.changed.Send(struct{}{})
}
