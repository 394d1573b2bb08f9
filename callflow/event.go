package callflow

import "time"

// LegID names one way to one phone during one call. It is used once while the
// process lives: the machine counts those of its own invitations up from 1;
// whoever receives a call gives it one with IncomingLeg set. 0 is no leg.
type LegID uint32

// IncomingLeg is set in the LegID of every call that the panel received.
const IncomingLeg LegID = 1 << 31

// Road says how a digit came to us.
type Road uint8

// The roads a digit can come by.
const (
	RoadRTP  Road = iota + 1 // telephone-event, RFC 4733
	RoadINFO                 // SIP INFO
)

// An Event is something that happened. The machine's Step takes one at a time.
type Event interface{ event() }

type (
	// Tick says that the machine's deadline may have passed.
	Tick struct{}

	// Pressed is a debounced press of a button. The Plan is the configuration
	// of this call, by value, and stays to its end. A Plan without stages means
	// that the button has no flat.
	Pressed struct {
		Button string
		Plan   Plan
	}

	// Incoming is an allowed caller's INVITE. Whoever is not allowed never
	// becomes an event.
	Incoming struct {
		Leg    LegID
		Caller string
		Plan   Plan // TalkFor, warnings and doors; stages are not used
		Guest  Guest
	}

	// Progress is a provisional response other than 100.
	Progress struct {
		Leg    LegID
		Status int  // 101 to 199
		Media  bool // its answer opens early media
	}

	// AudioArrived is the first audio packet of a leg.
	AudioArrived struct {
		Leg LegID
	}

	// Answered is the 200 to our INVITE that won on this leg, already
	// acknowledged, its answer understood.
	Answered struct {
		Leg LegID
	}

	// Confirmed is the ACK to our own 200 on an incoming leg.
	Confirmed struct {
		Leg LegID
	}

	// Refused ends a leg before its answer: a final response of 300 or more,
	// a time-out (408), or a failure to send (503).
	Refused struct {
		Leg    LegID
		Status int
		Reason string
		Cut    bool // it is the panel that has no network or no server, not the phone
	}

	// HungUp ends an answered leg: BYE, a transaction that failed, or a dialog
	// that the far end does not know any more.
	HungUp struct {
		Leg    LegID
		Reason string
	}

	// Transferred says that the phone we talk to passes the visitor on.
	Transferred struct {
		Leg    LegID
		Target string
	}

	// MediaLost says that nothing has come from the leg for the time the
	// configuration allows, or that its answer cannot be used.
	MediaLost struct {
		Leg    LegID
		Reason string
	}

	// Digit is one key of a phone, de-duplicated over all roads.
	Digit struct {
		Leg  LegID
		Key  byte // '0' to '9', '*', '#', 'A' to 'D'
		Road Road
	}

	// CodeRight is the keypad's word that the digits of this leg are a valid
	// code of this door at this time.
	CodeRight struct {
		Leg  LegID
		Door string
		Name string // the code's name, never the code
	}

	// CodeWrong is the keypad's word that the digits are no code.
	CodeWrong struct {
		Leg    LegID
		Reason string
		End    bool // the call has used up its tries
	}

	// OpenAsked is an authenticated local command to open a door.
	OpenAsked struct {
		Door string
		Who  string
	}

	// DoorMoved is an edge of the door's relay as the guard drove it.
	DoorMoved struct {
		Door string
		Open bool
	}

	// DoorFailed says that the guard refused or is not there.
	DoorFailed struct {
		Door   string
		Reason string
	}

	// Shutdown ends whatever runs, in an orderly way.
	Shutdown struct{}
)

func (Tick) event()         {}
func (Pressed) event()      {}
func (Incoming) event()     {}
func (Progress) event()     {}
func (AudioArrived) event() {}
func (Answered) event()     {}
func (Confirmed) event()    {}
func (Refused) event()      {}
func (HungUp) event()       {}
func (Transferred) event()  {}
func (MediaLost) event()    {}
func (Digit) event()        {}
func (CodeRight) event()    {}
func (CodeWrong) event()    {}
func (OpenAsked) event()    {}
func (DoorMoved) event()    {}
func (DoorFailed) event()   {}
func (Shutdown) event()     {}

// A Guest says what a caller may do. Who may neither talk nor listen has a keypad
// all the same.
type Guest struct {
	Talk     bool          // he hears and is heard
	Listen   bool          // he hears; a tone tells of it at the start and every ListenTone
	Second   bool          // during a conversation he is let in beside it, for his codes alone
	AnswerIn time.Duration // his wish, at most AnswerMost; the tone comes first in any case
}

// A Plan is what one call obeys. All times are positive; zero means the
// default named at the field.
type Plan struct {
	Flat   string
	Stages []Stage

	RingFor     time.Duration // limit over all stages; default 60 s
	TalkFor     time.Duration // limit of the conversation; default 180 s
	WarnBefore  time.Duration // tone this long before TalkFor ends; default 10 s
	CancelAfter time.Duration // a second press is ignored before; default 2 s

	EarlyAudio       bool          // a phone's audio before its answer replaces our ringback
	SecondPressKeeps bool          // the same button while ringing does not cancel
	RefusalEnds      bool          // one phone's 6xx or 486 ends the call, not its leg alone
	HangUpAfterOpen  time.Duration // zero: the call goes on after the door opened
	Doors            []string      // the doors that codes of this call may open
}

// A Stage is a set of phones that ring together.
type Stage struct {
	Targets []Target      // at most MaxLegs
	For     time.Duration // then the next stage; zero: until RingFor ends

	// LastResort says that these phones ring only when no phone before them
	// was reached at all.
	LastResort bool
}

// A Target is one phone of a stage.
type Target struct {
	URI   string        // SIP or tel
	After time.Duration // it is rung so long after the stage began, or when no other phone of the stage is left
}
