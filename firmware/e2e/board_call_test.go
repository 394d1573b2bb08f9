//go:build board

package e2e

import (
	"testing"
	"time"

	"doorstation/board/emulator"
	"doorstation/callflow/timeline"
)

// slack is what the emulated processor may add to a time measured outside.
const slack = 250 * time.Millisecond

// From power-on to an open door: pressed at the pin, shown to a phone that takes
// the picture before the answer, answered by baresip through Kamailio, the code
// typed, the relay's pin watched.
func TestBoardCall(t *testing.T) {
	for _, board := range emulator.Boards() {
		t.Run(board, func(t *testing.T) {
			s := newStreet(t)
			startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword, "anna": "a-word"})
			anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: "10.0.0.5", speaks: 600, video: true})
			viewer := newScripted(s.host("viewer", 31))
			newHandpiece(viewer.host)
			p := bootPanel(s.boardHost("board", 10), boardSetup{board: board, config: config{targets: []string{"sip:anna@10.0.0.5", viewer.uri()}}})
			safe := p.edge("DOOR2", true, 0) // active low: the guard has made it safe
			t.Logf("power-on → relays driven safe %v", safe.At.Sub(p.Started))
			p.registered()
			registration := p.wire.first("the registrar's 200", sip(false, "SIP/2.0 200", "REGISTER"))
			t.Logf("power-on → registered %v", registration.at.Sub(p.Started))

			pressed := p.finger("BUTTON1")
			invite := p.wire.first("the INVITE", sip(true, "INVITE ", "INVITE"))
			t.Logf("press → INVITE %v", invite.at.Sub(pressed))
			asked := viewer.request("INVITE")
			viewer.respond(viewer.response(asked, "183 Session Progress", "viewer", viewer.answer()))
			anna.event("CALL_INCOMING")
			p.shownTo(viewer.host, 15)
			anna.accept()
			viewer.respond(viewer.response(viewer.request("CANCEL"), "200 OK", "viewer", ""),
				viewer.response(asked, "487 Request Terminated", "viewer", ""))
			anna.event("CALL_ESTABLISHED")
			p.wire.first("the picture of the kernel's camera", p.pictureTo(anna.host))
			anna.types(rightCode + endKey)
			on := p.edge("DOOR1", true, 0)
			off := p.edge("DOOR1", false, 0)
			anna.hangUp()
			record := p.ended()
			p.wantEarlyPicture(viewer.host)

			wantRecord(t, record, "talked", map[timeline.Name]int{
				timeline.Press: 1, timeline.Invite: -1, timeline.EarlyAnswer: 1, timeline.Cancelled: 1, timeline.Answered: 1, timeline.CodeRight: 1, timeline.RelayOn: 1, timeline.RelayOff: 1,
			})
			if t.Failed() {
				return
			}
			t.Logf("inside:\n%s", drawn(record))
			press, rang, opened := marks(record, timeline.Press)[0].At, marks(record, timeline.Invite)[0].At, marks(record, timeline.RelayOn)[0].At
			for _, span := range []struct {
				what            string
				outside, inside time.Duration
			}{
				{"press → INVITE", invite.at.Sub(pressed), rang - press},
				{"INVITE → relay on", on.At.Sub(invite.at), opened - rang},
				{"relay on → off", off.At.Sub(on.At), marks(record, timeline.RelayOff)[0].At - opened},
			} {
				t.Logf("%s: outside %v, inside %v", span.what, span.outside, span.inside)
				if d := span.outside - span.inside; d < -slack || d > slack {
					t.Errorf("%s: outside %v, timeline %v; want no more than %v between", span.what, span.outside, span.inside, slack)
				}
			}
			pulse := off.At.Sub(on.At)
			t.Logf("pulse: outside %v", pulse)
			if pulse < time.Second-slack || pulse > time.Second+slack {
				t.Errorf("the relay was on for %v, want 1s ± %v", pulse, slack)
			}
			if up, down := p.moves("DOOR1"); up != 1 || down != 1 {
				t.Errorf("DOOR1 rose %d and fell %d times since power-on, want 1 and 1", up, down)
			}
			if up, down := p.moves("DOOR2"); up != 1 || down != 0 {
				t.Errorf("DOOR2 rose %d and fell %d times since power-on, want 1 and 0", up, down)
			}
		})
	}
}
