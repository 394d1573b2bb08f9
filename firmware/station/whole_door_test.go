package station

import (
	"strings"
	"testing"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

const contactConfig = `
account: {user: panel, domain: pbx.example}
network: {address: 127.0.0.1, sip_port: 0}
doors: [{name: front, relay: door1, pulse: 100ms}]
`

// A whole panel on the simulated board, with its guard: a hand at the door, a
// finger on the exit button, a screwdriver at the cover.
func TestDoorOfTheWholePanel(t *testing.T) {
	p := startBoard(t, simBoard(t), contactConfig)
	door := func() string {
		for _, d := range p.Status().Doors {
			if d.Name == "front" {
				return d.Contact
			}
		}
		return ""
	}
	move := func(line string, active bool) {
		t.Helper()
		if err := p.world.Press(line, active); err != nil {
			t.Fatal(err)
		}
	}
	recorded := func(result string) timeline.Record {
		t.Helper()
		var found timeline.Record
		p.await("a record of "+result, func() bool {
			for _, rec := range p.Calls() {
				if rec.Result == result {
					found = rec
					return true
				}
			}
			return false
		})
		return found
	}
	p.await("the contact", func() bool { return door() == control.ContactClosed })
	move("CONTACT1", false)
	p.await("the forced door", func() bool { return door() == control.ContactForced })
	move("CONTACT1", true)
	recorded("door-closed")

	move("EXIT1", true)
	p.await("the guard's pulse", func() bool { return p.Status().Doors[0].Open })
	move("EXIT1", false)
	move("CONTACT1", false)
	p.await("somebody who leaves", func() bool { return door() == control.ContactOpen })
	move("CONTACT1", true)
	if rec := recorded("opened"); !strings.Contains(timeline.Why(rec), "after exit1 was pressed") || rec.Marks[0].Name != timeline.ExitPressed {
		t.Errorf("recorded:\n%s", text(rec))
	}

	move("COVER", true)
	p.await("the block", func() bool { c := p.Status().Cover; return c.Open && c.Blocked > 0 })
	err := p.Open("front", "tester")
	if err == nil || !strings.Contains(err.Error(), "cover open since ") || !strings.Contains(err.Error(), "doors blocked for another ") {
		t.Errorf("the one who asked hears %v", err)
	}
	if rec := recorded("not-opened"); !strings.Contains(timeline.Why(rec), "cover open since ") {
		t.Errorf("recorded:\n%s", text(rec))
	}
	move("COVER", false)
	recorded("cover-closed")
	p.await("the status of the closed cover", func() bool { return !p.Status().Cover.Open })
	if st := p.Status(); st.Cover.Blocked == 0 || len(st.Exits) != 1 || st.Exits[0].Door != "front" {
		t.Errorf("the status shows the cover as %+v, the exits as %+v", st.Cover, st.Exits)
	}
}
