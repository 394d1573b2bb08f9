package station

import (
	"fmt"
	"strings"
	"testing"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/firmware/control"
	"doorstation/provisioning"
)

const probedConfig = `
account: {user: panel, domain: pbx.example}
flats:
  - {name: Smith, button: button1, stages: [{targets: ["sip:1@a", "sip:2@a"], for: 9s}, {targets: ["sip:1@a"]}]}
  - {name: Jones, button: button2, stages: [{targets: ["sip:3@a"]}]}
call: {probe: 5m}
`

// What a press would come to is known before anybody presses.
func TestProbesAreShown(t *testing.T) {
	doc, err := provisioning.Decode([]byte(probedConfig), "test", limits(simBoard(t)), sealer(nil))
	if err != nil {
		t.Fatal(err)
	}
	o := bareOwner()
	if o.setup, err = newSetup(doc, nil); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(o.setup.phones()); got != "[sip:1@a sip:2@a sip:3@a]" {
		t.Errorf("the phones are %s, want each once", got)
	}
	for _, step := range []struct {
		ev   sipua.Probed
		want string
	}{
		{sipua.Probed{Target: "sip:1@a", Reached: true, Status: 200}, ""},
		{sipua.Probed{Target: "sip:2@a", Status: 404, Reason: "Not Found"}, "flat Smith: 1 of 3 phones cannot be rung now: sip:2@a (404 Not Found)"},
		{sipua.Probed{Target: "sip:3@a", Reason: "nothing came back"}, "flat Jones: a press would ring nobody now: sip:3@a (nothing came back)"},
		{sipua.Probed{Target: "sip:2@a", Reached: true, Status: 200}, "flat Jones"},
		{sipua.Probed{Target: "sip:3@a", Reached: true, Status: 486}, ""},
	} {
		shown := o.reach
		before := len(shown)
		o.probed(step.ev)
		if len(shown) != before {
			t.Error("what was shown has changed under its reader")
		}
		got := strings.Join(o.setup.silent(o.reach), "\n")
		if (step.want == "") != (got == "") || !strings.Contains(got, step.want) {
			t.Errorf("after %+v the page says %q, want %q", step.ev, got, step.want)
		}
	}
}

// The lamp of trouble is lit while a press would ring nobody: no registration, or
// a flat without a phone that can be reached.
func TestTroubleIsLit(t *testing.T) {
	doc, err := provisioning.Decode([]byte(probedConfig), "test", limits(simBoard(t)), sealer(nil))
	if err != nil {
		t.Fatal(err)
	}
	o := bareOwner()
	light := newLamp("trouble", o.log, nil)
	o.lamps = map[callflow.Indicator]*lamp{callflow.IndicatorTrouble: light}
	rule := lineRule{account: sipua.Account{User: "panel"}}
	o.line.set(rule)
	lit := func(want string) {
		t.Helper()
		o.warn()
		got := "as it was"
		select {
		case on := <-light.want:
			got = map[bool]string{true: "on", false: "off"}[on]
		default:
		}
		if got != want {
			t.Errorf("the lamp goes %s, want %s", got, want)
		}
	}
	lit("on") // no configuration
	if o.setup, err = newSetup(doc, nil); err != nil {
		t.Fatal(err)
	}
	lit("as it was") // not registered yet
	o.line.register(rule, control.Registration{State: control.RegistrationOK})
	lit("off")
	o.probed(sipua.Probed{Target: "sip:2@a", Status: 404})
	lit("as it was") // Smith has another phone
	o.probed(sipua.Probed{Target: "sip:3@a", Status: 404})
	lit("on")
	o.probed(sipua.Probed{Target: "sip:3@a", Reached: true})
	lit("off")
	o.line.register(rule, control.Registration{State: control.RegistrationTrying})
	lit("on")
}

// A probe of the panel asks the phone and rings nothing; a phone that is not
// there is told before a visitor finds out.
func TestProbeOfTheWholePanel(t *testing.T) {
	phone := newScriptPhone(t, func(*scriptCall) { t.Error("the phone rings") })
	phone.options = 480
	config := strings.Replace(oneConfig(phone.uri()), "call: {", "call: {probe: 1m, ", 1)
	p := startPanel(t, config)
	p.await("the problem", func() bool {
		return strings.Contains(strings.Join(p.Status().Problems, "\n"), "a press would ring nobody now: "+phone.uri()+" (480 So)")
	})
	if p.Status().Call.State != control.CallIdle || len(p.Calls()) != 0 {
		t.Error("the probe has made a call")
	}
}

func TestMessageIsShown(t *testing.T) {
	o := bareOwner()
	o.message(sipua.Message{Caller: "sip:guard@pbx", Text: "the lift is broken"})
	if o.text == nil || o.text.From != "sip:guard@pbx" || o.text.Text != "the lift is broken" || o.text.At.IsZero() {
		t.Errorf("the page shows %+v", o.text)
	}
}
