package sipua

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A clientTx is a request of ours and what becomes of it. sipgo's state machine
// retransmits, times out, and acknowledges refusals; the responses come to us
// by our own way, in order.
type clientTx struct {
	req      *sip.Request
	hop      hop
	key      string        // of clients, once it is sent
	fsm      *sip.ClientTx // nil while its flow is dialled
	patience time.Duration // for a first word, if that is less than the transaction's; 0: it is not
	heard    bool          // something came
	final    bool
	dropped  bool
	silent   bool // given up, and still listened for
	awaited  bool // a clean stop waits for the final response
	sent     func(at time.Time)
	response func(*sip.Response, time.Time) // every one, retransmitted 2xx too
	failed   func(error)                    // instead of a final response
}

// errTerminated is the failure of a request that we gave up.
var errTerminated = errors.New("the request was given up")

// errTimeout is the failure of a request that got no final response.
var errTimeout = errors.New("no response in time")

// start sends the request, as soon as there is a flow.
func (u *UA) start(t *clientTx) {
	u.limit(t)
	if u.tooLarge(t) {
		u.launchLarge(t)
		return
	}
	if t.hop.network == "udp" {
		u.launch(t)
		return
	}
	u.overStream(t.hop, func(err error) {
		switch {
		case t.dropped:
		case err != nil:
			t.final = true
			t.failed(err)
		default:
			u.launch(t)
		}
	})
}

func (u *UA) launch(t *clientTx) {
	at := time.Now()
	err := u.initiate(t)
	if err != nil {
		t.final = true
		t.failed(fmt.Errorf("sip: %s to %v not sent: %w", t.req.Method, t.hop.addr, err))
		return
	}
	if t.sent != nil {
		t.sent(at)
	}
}

func (u *UA) initiate(t *clientTx) error {
	u.stamp(t.req, t.hop)
	key, err := sip.ClientTxKeyMake(t.req)
	if err != nil {
		return err
	}
	conn, err := u.connection(t.req)
	if err != nil {
		return err
	}
	t.fsm = sip.NewClientTx(key, t.req, conn, quietLog)
	t.key = key
	u.clients[key] = t
	if err := t.fsm.Init(); err != nil {
		delete(u.clients, key)
		t.fsm.Terminate()
		return err
	}
	go u.follow(t, key)
	return nil
}

// follow drains the machine's own, unordered responses, and tells its end.
func (u *UA) follow(t *clientTx, key string) {
	for {
		select {
		case <-t.fsm.Responses():
		case <-t.fsm.Done():
			err := t.fsm.Err()
			u.box.post(func() { u.finished(t, key, err) })
			return
		}
	}
}

func (u *UA) finished(t *clientTx, key string, err error) {
	if t.silent {
		return
	}
	delete(u.clients, key)
	if t.final {
		return
	}
	t.final = true
	switch {
	case err == nil: // it was terminated, and has not noted why yet
		err = errTerminated
	case errors.Is(err, sip.ErrTransactionTimeout):
		err = errTimeout
	}
	t.failed(err)
}

// giveUp ends a transaction that will not be answered any more.
func (t *clientTx) giveUp() {
	t.dropped = true
	if t.fsm != nil {
		t.fsm.Terminate()
	}
}

// connection finds the socket or flow of a stamped request. It never dials:
// without a flow it fails.
func (u *UA) connection(req *sip.Request) (sip.Connection, error) {
	never, cancel := context.WithCancel(context.Background())
	cancel()
	return u.tpl.ClientRequestConnection(never, req)
}

// sendOnce sends a request that has no transaction: the ACK to a 2xx (RFC 3261
// section 13.2.2.4).
func (u *UA) sendOnce(req *sip.Request, h hop, done func(error)) {
	write := func(err error) {
		if err == nil {
			u.stamp(req, h)
			err = u.write(req)
		}
		done(err)
	}
	if h.network == "udp" {
		write(nil)
		return
	}
	u.overStream(h, write)
}

func (u *UA) write(req *sip.Request) error {
	conn, err := u.connection(req)
	if err != nil {
		return err
	}
	defer conn.TryClose()
	return conn.WriteMsg(req)
}

// stamp sets what depends on the flow: Via, Contact, and the addresses. A
// request that is stamped already keeps its Via.
func (u *UA) stamp(req *sip.Request, h hop) {
	local := u.flowAddr(h)
	req.SetTransport(sip.NetworkToUpper(h.network))
	req.SetDestination(h.addr.String())
	req.Laddr = sip.Addr{} // a request that is sent again may have gone another way before
	if h.network == "udp" {
		req.Laddr = sip.Addr{IP: local.Addr().AsSlice(), Port: int(local.Port())}
	}
	if req.Via() == nil {
		req.PrependHeader(&sip.ViaHeader{
			ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: sip.NetworkToUpper(h.network),
			Host: local.Addr().String(), Port: int(local.Port()),
			Params: sip.HeaderParams{{K: "branch", V: sip.RFC3261BranchMagicCookie + rand.Text()}, {K: "rport"}},
		})
	}
	switch req.Method {
	case sip.INVITE, sip.UPDATE, sip.NOTIFY:
		if req.Contact() == nil {
			call := u.calls[callKey{req.CallID().Value(), tagOf(req.From().Params)}]
			req.AppendHeader(u.callContact(call, h, asksSecurely(req)))
		}
	case sip.REGISTER:
		if req.Contact() == nil {
			u.addContacts(req, h)
		}
	}
}

// receiveResponse matches a response to its request (RFC 3261 section 17.1.3).
func (u *UA) receiveResponse(res *sip.Response, at time.Time) {
	key, err := sip.ClientTxKeyMake(res)
	if err != nil {
		return
	}
	t := u.clients[key]
	if t == nil {
		u.lateSuccess(res, at)
		return
	}
	t.heard = true
	if t.silent {
		u.heardSilent(t, res)
		t.response(res, at)
		return
	}
	first := !t.final && !res.IsProvisional()
	if t.final && !res.IsSuccess() {
		// A refusal again. sipgo would hold the transaction's lock for seconds,
		// and stall all that wants to end it.
		if t.req.Method == sip.INVITE && !res.IsProvisional() {
			u.acknowledgeRefusal(t, res)
		}
		return
	}
	t.final = t.final || first
	forMachine := res.Clone()
	if first && !res.IsSuccess() {
		t.fsm.Receive(forMachine) // the ACK to a refusal goes before what we do about it
		t.response(res, at)
		return
	}
	t.response(res, at)
	go t.fsm.Receive(forMachine)
}

// source is the address a message came from.
func source(m sip.Message) netip.AddrPort {
	a, err := netip.ParseAddrPort(m.Source())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
