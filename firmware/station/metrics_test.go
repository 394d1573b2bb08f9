package station

import (
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"doorstation/callflow"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
	"doorstation/provisioning"
)

// freeAddress is one that nobody listens at now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// scrape asks the page for the figures as a collecting program does; empty
// while the page does not answer.
func scrape(t *testing.T, listen, password string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+listen+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("operator", password)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(raw)
}

var (
	helpLine   = regexp.MustCompile(`^# HELP (doorstation_[a-z_]+) [A-Z1].*\.$`)
	typeLine   = regexp.MustCompile(`^# TYPE (doorstation_[a-z_]+) (gauge|counter)$`)
	sampleLine = regexp.MustCompile(`^(doorstation_[a-z_]+)(\{[a-z_]+="([^"\\]|\\["\\n])*"(,[a-z_]+="([^"\\]|\\["\\n])*")*\})? -?[0-9.e+-]+$`)
)

// checkExposition holds an answer against the grammar of the format: help and
// type before the samples of each family, and each family and series once.
func checkExposition(t *testing.T, body string) {
	t.Helper()
	families, series := make(map[string]bool), make(map[string]bool)
	family, kind := "", ""
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		name, _, _ := strings.Cut(line, " -")
		name = name[:max(strings.LastIndexByte(line, ' '), 0)]
		switch help, typed, one := helpLine.FindStringSubmatch(line), typeLine.FindStringSubmatch(line), sampleLine.FindStringSubmatch(line); {
		case help != nil && !families[help[1]]:
			family, kind = help[1], ""
			families[family] = true
		case typed != nil && typed[1] == family:
			if kind = typed[2]; (kind == "counter") != strings.HasSuffix(family, "_total") {
				t.Errorf("%s is a %s", family, kind)
			}
		case one != nil && one[1] == family && kind != "" && !series[name]:
			series[name] = true
		default:
			t.Errorf("the format has no such line here: %s", line)
		}
	}
}

// A call that opens a door, by what the operator's program sees of it, through
// the page's own server.
func TestMetricsOfTheWholePanel(t *testing.T) {
	calls := make(chan *scriptCall, 1)
	phone := newScriptPhone(t, func(c *scriptCall) {
		if c.answer() {
			calls <- c
		}
	})
	phone.options = http.StatusOK
	listen, password := freeAddress(t), "not in any answer"
	config := oneConfig(phone.uri())
	config = strings.NewReplacer("call: {", "call: {probe: 1m, ", "revision: random", "revision: r-17", "name: Smith", `name: 'The "Smiths"'`).Replace(config) +
		"\nweb: {listen: \"" + listen + "\", user: operator, password: " + password + "}\n"
	p := startPanel(t, config)
	figures := func(what string, want ...string) string {
		t.Helper()
		var body string
		defer func() {
			if t.Failed() {
				t.Logf("the figures are\n%s", body)
			}
		}()
		p.await(what, func() bool {
			body = scrape(t, listen, password)
			for _, line := range want {
				if !strings.Contains("\n"+body, "\n"+line+"\n") {
					return false
				}
			}
			return true
		})
		return body
	}
	figures("the panel at rest",
		`doorstation_build_info{version="test",board="`+p.opt.Board.Model+`"} 1`,
		`doorstation_config_info{revision="r-17"} 1`,
		`doorstation_guard_connected 1`,
		`doorstation_camera_present 1`,
		`doorstation_sound_present 1`,
		`doorstation_part_up{part="page"} 1`,
		`doorstation_part_restarts_total{part="line"} 0`,
		`doorstation_line_in_use{line="first"} 1`,
		`doorstation_call_state{state="idle"} 1`,
		`doorstation_calls_total{result="talked"} 0`,
		`doorstation_presses_total{button="button1"} 0`,
		`doorstation_door_openings_total{door="front"} 0`,
		`doorstation_flat_reachable{flat="The \"Smiths\""} 1`,
	)
	p.press()
	figures("the conversation", `doorstation_call_state{state="talking"} 1`, `doorstation_call_state{state="idle"} 0`)
	if err := p.Open("front", "tester"); err != nil {
		t.Fatal(err)
	}
	(<-calls).bye()
	rec := p.idle()
	body := figures("what the call left",
		`doorstation_calls_total{result="talked"} 1`,
		`doorstation_presses_total{button="button1"} 1`,
		`doorstation_door_openings_total{door="front"} 1`,
		`doorstation_door_refusals_total 0`,
		`doorstation_door_released{door="front"} 0`,
	)
	checkExposition(t, body)
	took, ok := lastPressToInvite([]timeline.Record{rec})
	if !ok || took <= 0 || !strings.Contains(body, "\ndoorstation_last_press_to_invite_seconds ") || !strings.Contains(body, "\ndoorstation_resident_memory_bytes ") {
		t.Errorf("press to INVITE took %v s; the figures are\n%s", took, body)
	}
	for _, secret := range []string{password, rec.ID, phone.uri()} {
		if strings.Contains(body, secret) {
			t.Errorf("%q is in the figures", secret)
		}
	}
}

// What the tally counts, and what it does not.
func TestTally(t *testing.T) {
	o := bareOwner()
	for _, m := range []struct {
		name   timeline.Name
		detail string
	}{
		{timeline.Press, "button1"}, {timeline.SecondPress, "button2"}, {timeline.Press, "button1"}, {timeline.Debounced, ""},
		{timeline.CodeWrong, "no such code"}, {timeline.CodeWrong, "no such code"}, {timeline.CodeLocked, "5 wrong codes"}, {timeline.CodeRight, "resident"},
		{timeline.DoorAsked, "front"}, {timeline.RelayOn, "front"}, {timeline.RelayOff, "front"}, {timeline.DoorFailed, "no guard"}, {timeline.DoorForced, "back"},
	} {
		o.diary.mark(0, m.name, 0, m.detail)
	}
	o.done(callflow.Done{Result: callflow.ResultBusy})
	got := o.diary.tally.sums()
	o.diary.mark(0, timeline.Press, 0, "button1") // what was given does not move
	for what, c := range map[string]struct{ got, want int }{
		"presses of button1": {got.presses["button1"], 2},
		"presses of button2": {got.presses["button2"], 1},
		"wrong codes":        {got.codes[codeWrong], 2},
		"refused codes":      {got.codes[codeLocked], 1},
		"right codes":        {got.codes[codeRight], 1},
		"openings":           {got.openings["front"], 1},
		"forced":             {got.forced["back"], 1},
		"failures":           {got.failures, 1},
		"busy calls":         {got.calls["busy"], 1},
		"all results":        {len(got.calls), len(results)},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", what, c.got, c.want)
		}
	}
}

// A flat is reachable as long as one of its phones is, unknown before the first
// probe, and told of only while probes are wanted.
func TestFlatsThatWereProbed(t *testing.T) {
	doc, err := provisioning.Decode([]byte(probedConfig), "test", limits(simBoard(t)), sealer(nil))
	if err != nil {
		t.Fatal(err)
	}
	setup, err := newSetup(doc, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &Station{diary: newDiary(nil, nil)}
	s.seen.Store(&view{setup: setup})
	told := func() string {
		var all []string
		for _, f := range s.flatMetrics() {
			for _, one := range f.Samples {
				all = append(all, one.Labels[0].Value+map[float64]string{0: " no", 1: " yes"}[one.Value])
			}
		}
		return strings.Join(all, ", ")
	}
	for _, step := range []struct {
		target  string
		reached bool
		want    string
	}{
		{"sip:9@a", true, ""},
		{"sip:1@a", false, "Smith no"},
		{"sip:2@a", true, "Smith yes"},
		{"sip:3@a", false, "Smith yes, Jones no"},
		{"sip:2@a", false, "Smith no, Jones no"},
	} {
		s.diary.tally.probed(step.target, step.reached)
		if got := told(); got != step.want {
			t.Errorf("after %s is %v: %q, want %q", step.target, step.reached, got, step.want)
		}
	}
	doc.Call.Probe = 0
	if got := told(); got != "" {
		t.Errorf("without probes: %q", got)
	}
}

// Each account has its own figures, and the one that carries new calls is known.
func TestLinesInFigures(t *testing.T) {
	l := newLine("test", bareOwner().log)
	s := &Station{line: l}
	first := lineRule{standby: &lineRule{}}
	first.account.User, first.account.Registrar = "panel", "pbx.example"
	first.standby.account.User, first.standby.account.Domain = "panel", "spare.example"
	one := func(name string, labels ...string) float64 {
		for _, f := range s.lineMetrics() {
			for _, sample := range f.Samples {
				var values []string
				for _, label := range sample.Labels {
					values = append(values, label.Value)
				}
				if f.Name == "doorstation_"+name && strings.Join(values, " ") == strings.Join(labels, " ") {
					return sample.Value
				}
			}
		}
		return -1
	}
	want := func(v float64, name string, labels ...string) {
		t.Helper()
		if got := one(name, labels...); got != v {
			t.Errorf("%s of %v is %v, want %v", name, labels, got, v)
		}
	}
	want(1, "registration_state", "first", control.RegistrationNone)
	want(0, "line_in_use", "first")
	want(-1, "line_in_use", "standby")
	l.set(first)
	alone := first
	alone.standby = nil
	want(0, "registered", "first", "pbx.example")
	want(0, "registered", "standby", "spare.example")
	want(1, "line_in_use", "first")
	l.spare.register(*first.standby, control.Registration{State: control.RegistrationOK, Server: "192.0.2.9:5060"})
	want(1, "registered", "standby", "192.0.2.9:5060")
	want(1, "line_in_use", "standby")
	want(0, "line_in_use", "first")
	l.register(alone, control.Registration{State: control.RegistrationRefused})
	want(1, "registration_state", "first", control.RegistrationRefused)
	want(0, "registration_state", "first", control.RegistrationTrying)
}
