package sipua

import (
	"time"

	"doorstation/callflow"
)

// An Event is what the UA has to tell. Events come one at a time, in the order
// of the wire, on the UA's own goroutine; the receiver must not block.
type Event interface{ sipEvent() }

type (
	// Registered says that the registrar granted a registration.
	Registered struct {
		Expires time.Duration
		Server  string // address that answered
		GRUU    string // our public GRUU (RFC 5627), "" where the registrar gives none
	}

	// Unregistered says that there is no registration now, why, and when the
	// next try is made. Status is 0 when no response came.
	Unregistered struct {
		Status int
		Reason string
		Again  time.Duration
	}

	// Progress is a provisional response of a leg, 101 to 199. Fork is the
	// To-tag: each fork is an early dialog of its own. SDP is nil when the
	// response (or the reliable one before it) carried none.
	Progress struct {
		Leg    callflow.LegID
		Fork   string
		Status int
		SDP    []byte
		At     time.Time // when it came off the wire
	}

	// Answered is the first 200 of a leg, already acknowledged. SDP is the
	// answer, or nil when the answer came in a reliable provisional response of
	// this Fork. Every later 200 of another fork is acknowledged and ended
	// without an event.
	Answered struct {
		Leg  callflow.LegID
		Fork string
		SDP  []byte
		At   time.Time
	}

	// Refused ends a leg that was never answered. Status is 408 when nothing
	// came, 487 after our CANCEL, 503 when nothing could be sent.
	Refused struct {
		Leg     callflow.LegID
		Status  int
		Reason  string
		Unheard bool // it could not be sent, or nothing at all came back
	}

	// Ended ends an answered leg, ours or theirs, by BYE or by a failure. It
	// comes once per answered leg, also after our own Bye.
	Ended struct {
		Leg    callflow.LegID
		Reason string
		ByUs   bool
	}

	// Incoming is an INVITE of an allowed caller. Leg comes from Config.NewLeg.
	// SDP is nil when the INVITE has no offer.
	Incoming struct {
		Leg         callflow.LegID
		Caller      string // his entry in Config.Allow, not what his From says
		SDP         []byte
		AnswerAfter time.Duration // his wish, by Call-Info or Alert-Info; 0: at once, or none
	}

	// Confirmed is the ACK to our 200 on an incoming leg. SDP is the answer
	// when our 200 carried the offer.
	Confirmed struct {
		Leg callflow.LegID
		SDP []byte
	}

	// Offered is an offer inside a dialog (re-INVITE or UPDATE). Whoever gets
	// it calls Answer exactly once, from any goroutine: with the answer, or
	// with nil and a status of 488 to refuse it. With an empty SDP the far end
	// asks for our offer.
	Offered struct {
		Leg    callflow.LegID
		Fork   string // whose: before the answer, one of several
		SDP    []byte
		Answer func(sdp []byte, status int)
	}

	// Reanswered is the answer to an offer of ours inside the dialog.
	Reanswered struct {
		Leg callflow.LegID
		SDP []byte
	}

	// Retried says that the phone refused our offer, and that the INVITE went
	// out again with the next one of its Invitation.
	Retried struct {
		Leg    callflow.LegID
		Status int
		Reason string
		Offer  int // place of the offer that is tried now
	}

	// Redirected says that the phone's 3xx is followed.
	Redirected struct {
		Leg    callflow.LegID
		Target string
	}

	// Referred says that the phone passes the visitor on to one of
	// Config.TransferTo, and was told that it happens.
	Referred struct {
		Leg    callflow.LegID
		Target string
	}

	// Message is a text of an allowed caller, of printable characters and line
	// breaks, at most 1000.
	Message struct {
		Caller string // his entry in Config.Allow
		Text   string
	}

	// CheckSync is the server's wish that the configuration be fetched, at most
	// once a minute.
	CheckSync struct{}

	// Probed is the end of a Probe. Status is 0 when nothing came back.
	Probed struct {
		Target  string
		Reached bool
		Status  int
		Reason  string
	}

	// Digit is a key in an INFO body (application/dtmf-relay, application/dtmf),
	// in CSeq order, once.
	Digit struct {
		Leg callflow.LegID
		Key byte
		At  time.Time
	}

	// PictureWanted is an INFO picture_fast_update (RFC 5168).
	PictureWanted struct {
		Leg callflow.LegID
	}

	// Sent marks a request that has left, for the timeline: INVITE, ACK, CANCEL,
	// BYE. At is when it was handed to the socket.
	Sent struct {
		Leg    callflow.LegID
		Method string
		At     time.Time
	}
)

func (Registered) sipEvent()    {}
func (Unregistered) sipEvent()  {}
func (Progress) sipEvent()      {}
func (Answered) sipEvent()      {}
func (Refused) sipEvent()       {}
func (Ended) sipEvent()         {}
func (Incoming) sipEvent()      {}
func (Confirmed) sipEvent()     {}
func (Offered) sipEvent()       {}
func (Reanswered) sipEvent()    {}
func (Retried) sipEvent()       {}
func (Redirected) sipEvent()    {}
func (Referred) sipEvent()      {}
func (Message) sipEvent()       {}
func (CheckSync) sipEvent()     {}
func (Probed) sipEvent()        {}
func (Digit) sipEvent()         {}
func (PictureWanted) sipEvent() {}
func (Sent) sipEvent()          {}
