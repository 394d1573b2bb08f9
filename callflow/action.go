package callflow

import "time"

// An Action is something to be done. Performing one hands over and returns;
// what comes of it comes back as an Event.
type Action interface{ action() }

// A Signal is what a visitor hears once, and sees where the panel has text.
type Signal string

// The signals of a call.
const (
	SignalRingback      Signal = "ringback"       // repeats until another signal or SignalNone
	SignalNone          Signal = "none"           // silence, far end only
	SignalBusy          Signal = "busy"           // the panel or the flat is in a call
	SignalRefused       Signal = "refused"        // a phone declined
	SignalNoAnswer      Signal = "no-answer"      // nobody answered in time
	SignalUnreachable   Signal = "unreachable"    // no phone could be reached
	SignalNetworkLost   Signal = "network-lost"   // the panel has no network or no server
	SignalNotConfigured Signal = "not-configured" // this button rings nobody
	SignalWarning       Signal = "warning"        // the conversation ends soon
	SignalEnded         Signal = "ended"          // the other side hung up
	SignalAccepted      Signal = "code-accepted"
	SignalRejected      Signal = "code-rejected"
	SignalDoorOpen      Signal = "door-open"
	SignalDoorFailed    Signal = "door-failed"
	SignalDoorHeld      Signal = "door-held" // a door stands open for too long; outside of calls too
	SignalIncoming      Signal = "incoming"  // somebody is listening from now on
)

// An Indicator is a lamp with a meaning (EN 301 549 asks for seen as well as heard).
type Indicator string

// The indicators of a panel.
const (
	IndicatorCalling Indicator = "calling"
	IndicatorTalking Indicator = "talking"
	IndicatorOpen    Indicator = "open"
	IndicatorTrouble Indicator = "trouble" // somebody could not be rung now; outside of calls, and no machine switches it
)

type (
	// Invite rings one phone.
	Invite struct {
		Leg    LegID
		Target string
		For    time.Duration // at most, to the end of its stage
	}

	// Cancel gives up a leg that has not been answered. Should its answer cross
	// our CANCEL, the one who performs this acknowledges and ends it
	// (RFC 3261 section 9.1) and reports nothing.
	Cancel struct {
		Leg LegID
	}

	// Accept answers an incoming leg.
	Accept struct{ Leg LegID }

	// Reject refuses an incoming leg.
	Reject struct {
		Leg    LegID
		Status int
	}

	// Bye ends an answered leg.
	Bye struct{ Leg LegID }

	// Hear plays what comes from this leg on the speaker, in place of any
	// other. Leg 0 plays none.
	Hear struct{ Leg LegID }

	// Speak lets the microphone reach this leg and no other. Leg 0 closes it.
	Speak struct{ Leg LegID }

	// Keypad reads the digits of this leg as codes of these doors, until its
	// media stop.
	Keypad struct {
		Leg   LegID
		Doors []string
	}

	// StopMedia ends what is sent to and taken from this leg.
	StopMedia struct{ Leg LegID }

	// Play gives a signal to the visitor, or to the phone when ToLeg is set.
	Play struct {
		Signal Signal
		ToLeg  LegID
	}

	// Show switches an indicator.
	Show struct {
		Indicator Indicator
		On        bool
	}

	// Key hands a digit of an answered leg to its keypad.
	Key struct {
		Leg  LegID
		Key  byte
		Road Road
	}

	// OpenDoor asks the guard for a pulse.
	OpenDoor struct {
		Door   string
		Leg    LegID // 0 for a local command
		Reason string
	}

	// Done closes the record of the call.
	Done struct {
		Result Result
		Reason string
	}
)

// A Result says how a call ended, for the record.
type Result string

// The results.
const (
	ResultTalked        Result = "talked"
	ResultCancelled     Result = "cancelled" // by the visitor
	ResultNoAnswer      Result = "no-answer"
	ResultRefused       Result = "refused"
	ResultBusy          Result = "busy"
	ResultUnreachable   Result = "unreachable"
	ResultNetworkLost   Result = "network-lost" // before an answer; media-lost is in the conversation
	ResultNotConfigured Result = "not-configured"
	ResultMediaLost     Result = "media-lost"
	ResultWrongCodes    Result = "wrong-codes"
	ResultTimeLimit     Result = "time-limit"
	ResultShutdown      Result = "shutdown"
)

func (Invite) action()    {}
func (Cancel) action()    {}
func (Accept) action()    {}
func (Reject) action()    {}
func (Bye) action()       {}
func (Hear) action()      {}
func (Speak) action()     {}
func (Keypad) action()    {}
func (StopMedia) action() {}
func (Play) action()      {}
func (Show) action()      {}
func (Key) action()       {}
func (OpenDoor) action()  {}
func (Done) action()      {}
