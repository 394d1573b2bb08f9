// Package nat learns how the world sees a socket, and keeps that mapping
// open: STUN binding (RFC 5389) and keepalives (RFC 6263). It owns no socket:
// whoever does writes for it and hands it what comes back.
package nat

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// The retransmission of RFC 5389 section 7.2.1.
const (
	rto       = 500 * time.Millisecond // before the first retransmission, then doubling
	requests  = 7                      // in all (Rc)
	lastWaits = 16                     // RTOs after the last one (Rm)
)

// DefaultEvery is the time between keepalives (RFC 6263 section 7).
const DefaultEvery = 15 * time.Second

// A Keeper learns the mapping of one socket and keeps it open. Several
// goroutines may use it; Run runs once at a time.
type Keeper struct {
	server  netip.AddrPort
	every   time.Duration
	write   func([]byte, netip.AddrPort) error
	changed func(mapped netip.AddrPort)

	mu      sync.Mutex
	pending bool
	id      ID
	answer  chan Response // of the pending request
	mapped  netip.AddrPort
}

// NewKeeper makes a keeper for a socket that write writes to. every is the
// time between requests, DefaultEvery if it is not positive. changed is told
// the mapped address when it is learnt and whenever it changes, from within
// Handle; it must not block.
func NewKeeper(server netip.AddrPort, every time.Duration, write func([]byte, netip.AddrPort) error, changed func(mapped netip.AddrPort)) *Keeper {
	if every <= 0 {
		every = DefaultEvery
	}
	server = netip.AddrPortFrom(server.Addr().Unmap(), server.Port())
	return &Keeper{server: server, every: every, write: write, changed: changed, answer: make(chan Response, 1)}
}

// Handle takes a datagram from the socket. It reports whether the datagram was
// a STUN message, which is then nobody else's; it counts only if it came from
// the server and answers the request that is under way.
func (k *Keeper) Handle(pkt []byte, from netip.AddrPort) bool {
	if !IsMessage(pkt) {
		return false
	}
	if from.Port() != k.server.Port() || from.Addr().Unmap() != k.server.Addr() {
		return true
	}
	r, ok := ParseResponse(pkt)
	if !ok || !k.settle(r) {
		return true
	}
	if k.learn(r) {
		k.changed(r.Mapped)
	}
	return true
}

// settle matches a response with the request under way, once.
func (k *Keeper) settle(r Response) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.pending || r.ID != k.id {
		return false
	}
	k.pending = false
	k.answer <- r
	return true
}

// learn keeps a mapped address, and reports whether it is another one.
func (k *Keeper) learn(r Response) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.Err != nil || r.Mapped == k.mapped {
		return false
	}
	k.mapped = r.Mapped
	return true
}

// Mapped is the socket's address as the server last saw it; ok is false until
// it is known.
func (k *Keeper) Mapped() (mapped netip.AddrPort, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.mapped, k.mapped.IsValid()
}

// Run asks the server, again after every, until ctx ends. A server that does
// not answer is asked for as long as RFC 5389 section 7.2.1 allows, and again
// after every.
func (k *Keeper) Run(ctx context.Context) {
	for ctx.Err() == nil {
		k.ask(ctx)
		sleep(ctx, k.every)
	}
}

// RunUntilLost is Run, and ends also when the server has not answered for as long
// as RFC 5389 section 7.2.1 allows: its name may have another address by now.
func (k *Keeper) RunUntilLost(ctx context.Context) {
	for k.ask(ctx) && ctx.Err() == nil {
		sleep(ctx, k.every)
	}
}

// ask is one transaction; it ends with an answer, in silence, or with ctx. It
// reports false for silence.
func (k *Keeper) ask(ctx context.Context) (answered bool) {
	raw, id, err := Request()
	if err != nil {
		return false
	}
	k.begin(id)
	defer k.end()
	wait := rto
	for sent := 1; sent <= requests; sent++ {
		if sent == requests {
			wait = lastWaits * rto
		}
		// A failed write is like a lost packet: the next one may do.
		_ = k.write(raw, k.server)
		if k.answered(ctx, wait) {
			return true
		}
		wait *= 2
	}
	return false
}

func (k *Keeper) begin(id ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending, k.id = true, id
	select {
	case <-k.answer: // of a request that had been given up
	default:
	}
}

func (k *Keeper) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending = false
}

// answered waits for the answer, and reports that there is nothing more to
// wait for.
func (k *Keeper) answered(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-k.answer:
		return true
	case <-ctx.Done():
		return true
	case <-timer.C:
		return false
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
