package sipua

import (
	"hash/maphash"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Requests of others in work and in remembrance, which lasts 32 s (RFC 3261
// section 17.2.2). Those inside a dialog find room when others do not: nobody
// can keep a BYE or a door code out by asking for something else.
const (
	maxServers       = 512
	maxDialogServers = 4096
)

// allowedMethods is what others may ask of us.
const allowedMethods = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"

// A serverTx is a request of somebody else. sipgo's state machine repeats our
// response when the request comes again.
type serverTx struct {
	u      *UA
	req    *sip.Request
	from   netip.AddrPort
	at     time.Time
	key    string
	fsm    *sip.ServerTx // nil while nothing is kept of it
	status int           // of our response so far
	early  bool          // it came before its dialog was the answered one

	onCancel func() // what a CANCEL of it does
}

// receiveRequest matches a request to what we know of (RFC 3261 section 17.2.3).
func (u *UA) receiveRequest(req *sip.Request, at time.Time) {
	from := source(req)
	answerTo(req, from)
	key := serverKey(req, req.Method)
	known := u.servers[key]
	t := &serverTx{u: u, req: req, from: from, at: at, key: key}
	switch {
	case req.Method == sip.ACK && known != nil && known.status >= 300:
		_ = known.fsm.Receive(req)
	case req.Method == sip.ACK:
		u.acked(req, from)
	case req.Method == sip.CANCEL:
		u.cancelled(t)
	case known != nil:
		_ = known.fsm.Receive(req)
	case tagOf(req.To().Params) == "":
		u.outOfDialog(t)
	default:
		u.inDialog(t)
	}
}

// begin makes a transaction of a request that will be dealt with. What is
// refused at the door has none, and costs no memory (RFC 3261 section 8.2.7).
// most bounds how many there may be.
func (t *serverTx) begin(most int) bool {
	if len(t.u.servers) >= most {
		return false
	}
	conn, err := t.u.connectionBack(t.req)
	if err != nil {
		t.u.log.Warn("sip request not answered", "method", t.req.Method, "from", t.from, "err", err)
		return false
	}
	fsm := sip.NewServerTx(t.key, t.req, conn, quietLog)
	if err := fsm.Init(); err != nil {
		conn.TryClose()
		return false
	}
	t.fsm = fsm
	t.u.servers[t.key] = t
	fsm.OnTerminate(func(string, error) { t.u.box.post(func() { delete(t.u.servers, t.key) }) })
	return true
}

// tagged gives a request that began no dialog our tag, the same one each time it
// comes (RFC 3261 section 8.2.6.2).
func (t *serverTx) tagged() {
	if to := t.req.To(); tagOf(to.Params) == "" {
		to.Params.Add("tag", strconv.FormatUint(maphash.String(t.u.seed, t.key), 36))
	}
}

// connectionBack is the socket or flow that a request came by.
func (u *UA) connectionBack(req *sip.Request) (sip.Connection, error) {
	if sip.IsReliable(req.Transport()) {
		return u.tpl.GetConnection(req.Transport(), source(req).String())
	}
	return u.tpl.GetConnection("udp", u.local.String())
}

// answerTo sets where responses go (RFC 3261 section 18.2.2, RFC 3581 section
// 4): back to the source, at Via's port if it has no rport.
func answerTo(req *sip.Request, from netip.AddrPort) {
	via := req.Via()
	if sip.IsReliable(req.Transport()) || via.Params.Has("rport") {
		return
	}
	port := via.Port
	if port == 0 {
		port = sip.DefaultUdpPort
	}
	req.SetSource(net.JoinHostPort(from.Addr().String(), strconv.Itoa(port)))
	if bareHost(via.Host) != from.Addr().String() {
		via.Params.Add("received", from.Addr().String())
	}
}

// outOfDialog answers what belongs to no call yet.
func (u *UA) outOfDialog(t *serverTx) {
	scheme := t.req.Recipient.Scheme
	switch {
	case !u.admits(t.from):
		t.respond(sip.StatusForbidden)
	case scheme != "sip" && scheme != "sips":
		t.respond(416)
	case t.req.Method == sip.INVITE:
		u.invited(t)
	case unsupported(t.req) != "":
		t.respond(sip.StatusBadExtension, sip.NewHeader("Unsupported", unsupported(t.req)))
	case t.req.Method == sip.OPTIONS:
		t.respond(sip.StatusOK, capabilities()...)
	case t.req.Method == sip.MESSAGE && u.takesMessages():
		u.messaged(t)
	case t.req.Method == sip.NOTIFY:
		u.notified(t)
	case t.req.Method == sip.BYE, t.req.Method == sip.INFO, t.req.Method == sip.UPDATE,
		t.req.Method == sip.PRACK:
		t.respond(sip.StatusCallTransactionDoesNotExists)
	default:
		t.respond(refusalOf(t.req.Method), sip.NewHeader("Allow", allowedMethods))
	}
}

func capabilities() []sip.Header {
	return []sip.Header{
		sip.NewHeader("Allow", allowedMethods),
		sip.NewHeader("Supported", supported),
		sip.NewHeader("Accept", "application/sdp, application/dtmf-relay, application/dtmf, application/media_control+xml"),
	}
}

// supported are the options that others may count on; of them, they may demand
// session timers. Reliable provisional responses we take and never send.
const supported = "100rel, timer"

// statusSessionTooBrief is 422 (RFC 4028 section 6).
const statusSessionTooBrief = 422

// unsupported gives what a request demands that we do not have, or "".
func unsupported(req *sip.Request) string {
	var not []string
	for _, h := range req.GetHeaders("require") {
		for option := range strings.SplitSeq(h.Value(), ",") {
			if option = strings.TrimSpace(option); option != "" && !strings.EqualFold(option, "timer") {
				not = append(not, option)
			}
		}
	}
	return strings.Join(not, ", ")
}

// respond sends a response without a body.
func (t *serverTx) respond(status int, headers ...sip.Header) {
	t.respondWith(t.response(status, nil, headers...))
}

func (t *serverTx) response(status int, sdp []byte, headers ...sip.Header) *sip.Response {
	t.tagged()
	res := sip.NewResponseFromRequest(t.req, status, reasonOf(status), nil)
	for _, h := range headers {
		res.AppendHeader(h)
	}
	if t.fsm != nil { // who is refused at the door learns nothing about us
		res.AppendHeader(sip.NewHeader("Server", t.u.cfg.UserAgent))
	}
	if len(sdp) > 0 {
		res.AppendHeader(sdpType())
		res.SetBody(sdp)
	}
	return res
}

func (t *serverTx) respondWith(res *sip.Response) {
	t.status = res.StatusCode
	err := t.write(res)
	if err != nil {
		t.u.log.Warn("sip response not sent", "status", res.StatusCode, "method", t.req.Method, "to", t.from, "err", err)
	}
}

func (t *serverTx) write(res *sip.Response) error {
	if t.fsm != nil {
		return t.fsm.Respond(res)
	}
	conn, err := t.u.connectionBack(t.req)
	if err != nil {
		return err
	}
	defer conn.TryClose()
	return conn.WriteMsg(res)
}

// retryAfter is a Retry-After of 0 to 10 s, by chance (RFC 3261 section 14.2).
func retryAfter() sip.Header {
	return sip.NewHeader("Retry-After", strconv.Itoa(rand.IntN(11)))
}

// retryIn is a Retry-After of so much time.
func retryIn(d time.Duration) sip.Header {
	return sip.NewHeader("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds()))))
}

func sdpType() sip.Header {
	h := sip.ContentTypeHeader("application/sdp")
	return &h
}

// reasonOf gives the standard phrase of the responses we send.
func reasonOf(status int) string {
	if s, ok := phrases[status]; ok {
		return s
	}
	return "Response"
}

var phrases = map[int]string{
	180: "Ringing", 200: "OK", 202: "Accepted", 401: "Unauthorized", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 406: "Not Acceptable",
	415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
	422: "Session Interval Too Small",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
	500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}
