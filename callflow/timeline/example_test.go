package timeline_test

import (
	"os"
	"time"

	"doorstation/callflow/timeline"
)

// twoPhones is a call to two phones: one wrong code, one right code.
func twoPhones() timeline.Record {
	at := func(us int) time.Duration { return time.Hour + time.Duration(us)*time.Microsecond }
	b := timeline.New("7f3a-12", time.Date(2026, 11, 22, 18, 2, 13, 120e6, time.UTC), at(0))
	b.Of("button1", "Berger")
	for _, m := range []struct {
		us     int
		name   timeline.Name
		leg    uint32
		detail string
	}{
		{0, timeline.Press, 0, "button1"},
		{410, timeline.Invite, 1, "sip:berger@192.0.2.7"},
		{430, timeline.Invite, 2, "sip:berger-mobile@192.0.2.9"},
		{9200, timeline.Ringing, 2, "180"},
		{12300, timeline.EarlyAnswer, 1, "183"},
		{15900, timeline.FirstVideoOut, 1, ""},
		{15910, timeline.KeyFrameOut, 1, "the leg began"},
		{4100000, timeline.Answered, 1, ""},
		{4100310, timeline.Ack, 1, ""},
		{4100700, timeline.Cancelled, 2, "another phone answered"},
		{4103000, timeline.FirstAudioOut, 1, ""},
		{4121000, timeline.FirstAudioIn, 1, ""},
		{7000000, timeline.Digit, 1, timeline.RoadRTP},
		{7400000, timeline.Digit, 1, timeline.RoadRTP},
		{7400100, timeline.CodeWrong, 1, "no such code"},
		{9000000, timeline.Digit, 1, timeline.RoadRTP},
		{9400000, timeline.Digit, 1, timeline.RoadRTP},
		{9400080, timeline.CodeRight, 1, "resident"},
		{9400090, timeline.DoorAsked, 0, "front"},
		{9400380, timeline.RelayOn, 0, "front"},
		{12400500, timeline.RelayOff, 0, "front"},
		{14000000, timeline.HungUp, 1, "by the phone"},
	} {
		b.Add(at(m.us), m.name, m.leg, m.detail)
	}
	return b.Finish(at(14000400), "talked", "the phone hung up")
}

func ExampleFormat() {
	_ = timeline.Format(os.Stdout, twoPhones())
	// Output:
	// call 7f3a-12   Sun 22 Nov 2026 18:02:13.120 UTC
	// button1 → Berger
	// ended after 14.0 s: talked (the phone hung up)
	//
	//         ms      +ms   panel  leg 1  leg 2
	//        0.0              ●                  press           button1
	//        0.4     +0.4     │      ●           invite          sip:berger@192.0.2.7
	//        0.4              │      │      ●    invite          sip:berger-mobile@192.0.2.9
	//        9.2     +8.8     │      │      ●    ringing         180
	//       12.3     +3.1     │      ●      │    early-answer    183
	//       15.9     +3.6     │      ●      │    first-video-out
	//       15.9              │      ●      │    key-frame-out   the leg began
	//     4100.0  +4084.1     │      ●      │    answered
	//     4100.3     +0.3     │      ●      │    ack
	//     4100.7     +0.4     │      │      ■    cancelled       another phone answered
	//     4103.0     +2.3     │      ●           first-audio-out
	//     4121.0    +18.0     │      ●           first-audio-in
	//     7000.0  +2879.0     │      •           digit           • rtp
	//     7400.0   +400.0     │      •           digit           • rtp
	//     7400.1     +0.1     │      ✗           code-wrong      no such code
	//     9000.0  +1599.9     │      •           digit           • rtp
	//     9400.0   +400.0     │      •           digit           • rtp
	//     9400.1     +0.1     │      ✓           code-right      resident
	//     9400.1              ●      │           door-asked      front
	//     9400.4     +0.3     ▲      │           relay-on        front
	//    12400.5  +3000.1     ▽      │           relay-off       front
	//    14000.0  +1599.5     │      ■           hung-up         by the phone
	//    14000.4     +0.4     ■                  done            talked
	//
	//        0.4 ms  press → INVITE
	//        8.8 ms  INVITE → ringing
	//        3.6 ms  early answer → first video packet
	//        0.3 ms  200 → ACK
	//        3.0 ms  200 → first audio out
	//       21.0 ms  200 → first audio in
	//        0.4 ms  last digit → relay
	//     3000.1 ms  relay on → off
	//
	// The door opened 0.4 ms after the digit; a code was wrong once.
}
