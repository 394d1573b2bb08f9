// Package timeline is the record of one press: what happened, when, on which
// leg, and what that says about the call.
//
// It is pure data. A Builder collects marks while the call runs and gives a
// Record; Format draws one for a person, Figures derives its times, and Why
// says why the door opened or did not. No digit of a code is ever kept.
package timeline

import "time"

// A Name says what a mark is about. The names are stable: they are stored on
// flash and read by tools.
type Name string

// The marks of a call. The comments name the Detail that belongs to them.
const (
	Press         Name = "press"           // the edge of the input; detail: the input
	Debounced     Name = "debounced"       // the edge counted, after the board's debounce time
	Incoming      Name = "incoming"        // a phone calls the panel; detail: the caller
	Invite        Name = "invite"          // the INVITE left; detail: the target
	Retried       Name = "retried"         // the INVITE left again, with fewer streams; detail: the refusal
	Redirected    Name = "redirected"      // the phone's 3xx is followed; detail: the new target
	Preview       Name = "preview"         // a 200 for the picture alone: it rings on
	Learnt        Name = "learnt"          // how the phone shows the visitor from now on; detail: how
	Ringing       Name = "ringing"         // a provisional response; detail: its status
	EarlyAnswer   Name = "early-answer"    // an SDP answer before the 200
	FirstVideoOut Name = "first-video-out" // first video packet sent
	KeyFrameOut   Name = "key-frame-out"   // a key frame sent; detail: why
	FirstAudioIn  Name = "first-audio-in"  // first audio packet taken
	Answered      Name = "answered"        // the 200
	Ack           Name = "ack"             // the ACK left, or came
	FirstAudioOut Name = "first-audio-out"
	FirstVideoIn  Name = "first-video-in"
	Digit         Name = "digit"       // detail: the road alone, never the digit
	CodeRight     Name = "code-right"  // detail: the code's name
	CodeWrong     Name = "code-wrong"  // detail: the reason
	CodeLocked    Name = "code-locked" // the callee is blocked; detail: the reason
	OpenAsked     Name = "open-asked"  // a local command; detail: who
	DoorAsked     Name = "door-asked"  // the guard was asked; detail: the door
	RelayOn       Name = "relay-on"    // the guard drove the line; detail: the door
	RelayOff      Name = "relay-off"
	DoorFailed    Name = "door-failed"    // detail: the reason
	ExitPressed   Name = "exit-pressed"   // the button that opens from inside; detail: the input
	DoorOpened    Name = "door-opened"    // its contact says so, after a release; detail: the door
	DoorClosed    Name = "door-closed"    // detail: the door
	DoorForced    Name = "door-forced"    // opened without a release; detail: the door
	DoorHeld      Name = "door-held"      // open for too long; detail: the door, and for how long
	DoorUnused    Name = "door-unused"    // released, and its contact never moved; detail: the door
	CoverOpened   Name = "cover-opened"   // the panel's cover; detail: for how long no door opens
	CoverClosed   Name = "cover-closed"   // detail: as above
	PictureWanted Name = "picture-wanted" // PLI, FIR or INFO; detail: which
	Transferred   Name = "transferred"    // the phone passes the visitor on; detail: to whom
	Reoffer       Name = "re-offer"       // a new offer inside the dialog
	Cancelled     Name = "cancelled"      // the CANCEL left
	Refused       Name = "refused"        // a final response; detail: its status and reason
	HungUp        Name = "hung-up"        // BYE; detail: who, and why
	MediaLost     Name = "media-lost"     // detail: for how long, or why
	SecondPress   Name = "second-press"   // a press in a call; detail: what came of it
	LongPress     Name = "long-press"     // a button was held down; detail: which, and for how long
	PartLost      Name = "part-lost"      // the camera or the sound card; detail: which, and why
	PartBack      Name = "part-back"      // detail: which
	BoardReset    Name = "board-reset"    // by the guard; detail: how often in a row, and what follows
	Signal        Name = "signal"         // what the visitor hears; detail: which
	Done          Name = "done"           // detail: the result
)

// A Mark is one thing that happened.
type Mark struct {
	At     time.Duration `json:"at_ns"` // since the press, monotonic; negative: before it
	Name   Name          `json:"name"`
	Leg    uint32        `json:"leg,omitempty"` // 0: the panel
	Detail string        `json:"detail,omitempty"`
}

// A Record is one press with its marks, in the order of their time.
type Record struct {
	ID      string        `json:"id"`
	Began   time.Time     `json:"began"` // wall clock of the press
	Button  string        `json:"button,omitempty"`
	Flat    string        `json:"flat,omitempty"`
	Marks   []Mark        `json:"marks"`
	Dropped int           `json:"dropped,omitempty"` // marks for which there was no room
	Result  string        `json:"result,omitempty"`  // empty while the call runs
	Reason  string        `json:"reason,omitempty"`
	Ended   time.Duration `json:"ended_ns,omitempty"` // since the press; 0 while the call runs
}

// Running says that the call has not ended yet.
func (r Record) Running() bool { return r.Result == "" }
