package provisioning

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// board is what the panel of these tests has.
func board() Limits {
	return Limits{
		Board:    "panel-a",
		Buttons:  []string{"button1", "button2", "button3"},
		Relays:   map[string]time.Duration{"door1": 10 * time.Second, "door2": 2 * time.Second},
		MaxWidth: 1280, MaxHeight: 720, MaxFPS: 25,
	}
}

func sealWith(key string) Seal {
	return func(digits string) string {
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(digits))
		return hex.EncodeToString(m.Sum(nil))
	}
}

var testSeal = sealWith("the key of this panel")

func example(t testing.TB) string {
	t.Helper()
	raw, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func decode(t testing.TB, text string) *Document {
	t.Helper()
	doc, err := Decode([]byte(text), "panel.yaml", board(), testSeal)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// A change is one edit of the example document.
type change struct{ from, to string }

func (c change) apply(t testing.TB, text string) string {
	t.Helper()
	if c.from == "" {
		return text + "\n" + c.to
	}
	if strings.Count(text, c.from) != 1 {
		t.Fatalf("%q stands %d times in the example, want once", c.from, strings.Count(text, c.from))
	}
	return strings.Replace(text, c.from, c.to, 1)
}

func TestExampleDecodes(t *testing.T) {
	doc := decode(t, example(t))
	if doc.Revision != "2026-03-01" || doc.Panel.Name != "Lindenstraße 12" {
		t.Errorf("revision %q of panel %q", doc.Revision, doc.Panel.Name)
	}
	if got := doc.Flats[0].Doors; !slices.Equal(got, []string{"house", "garage"}) {
		t.Errorf("a flat without doors may open %q, want all", got)
	}
	if got := doc.Flats[1].Doors; !slices.Equal(got, []string{"house"}) {
		t.Errorf("a flat with doors may open %q, want its own", got)
	}
	if got := time.Duration(doc.Flats[1].Stages[0].For); got != time.Minute {
		t.Errorf("the last stage rings for %v, want call.ring_for", got)
	}
	if doc.Keypad.LongestCode != 5 {
		t.Errorf("longest code has %d digits, want 5", doc.Keypad.LongestCode)
	}
	code := doc.Doors[1].Codes[0]
	if code.Digits != "" || code.Sealed != testSeal("58*63") {
		t.Errorf("code is kept as %+v, want sealed only", code)
	}
}

func TestDefaults(t *testing.T) {
	doc := decode(t, "account: {user: 012, domain: pbx.example}")
	if doc.Account.User != "012" || doc.Account.AuthUser != "012" || doc.Account.Registrar != "pbx.example" {
		t.Errorf("account is %+v", doc.Account)
	}
	if doc.Network != (Network{SIPPort: 5060, RTPMin: 40000, RTPMax: 40199}) {
		t.Errorf("network is %+v", doc.Network)
	}
	if len(doc.Revision) != 8 {
		t.Errorf("revision is %q, want 8 digits of the hash", doc.Revision)
	}
	if !*doc.Call.EarlyAudio || !*doc.Video.Enabled || doc.Video.Width != 640 {
		t.Errorf("call %+v, video %+v", doc.Call, doc.Video)
	}
}

// What the example writes out as default is the default.
func TestExampleShowsTheDefaults(t *testing.T) {
	got, want := decode(t, "account: {user: a, domain: b}"), decode(t, example(t))
	if *got.Call.EarlyAudio != *want.Call.EarlyAudio || *got.Video.Enabled != *want.Video.Enabled {
		t.Error("the switches of the example are not the defaults")
	}
	got.Call.EarlyAudio, got.Video.Enabled = want.Call.EarlyAudio, want.Video.Enabled
	got.Keypad.LongestCode = want.Keypad.LongestCode
	if got.Network != want.Network || got.Keypad != want.Keypad || !reflect.DeepEqual(got.Call, want.Call) || got.Video != want.Video || got.STUN != want.STUN {
		t.Errorf("defaults are\n%+v\nthe example says\n%+v", got, want)
	}
}

func TestDefaultsFitTheBoard(t *testing.T) {
	lim := board()
	lim.MaxWidth, lim.MaxHeight, lim.MaxFPS = 321, 240, 10
	doc, err := Decode([]byte("account: {user: a, domain: b}\ncall: {talk_for: 6s}\ndoors: [{name: garage, relay: door2}]"), "panel.yaml", lim, testSeal)
	if err != nil {
		t.Fatal(err)
	}
	if v := doc.Video; v.Width != 320 || v.Height != 240 || v.FPS != 10 {
		t.Errorf("video is %+v, want what the board has", v)
	}
	if got := doc.Doors[0].Pulse.String(); got != "2s" {
		t.Errorf("pulse is %s, want the board's 2s", got)
	}
	if got := doc.Call.WarnBefore.String(); got != "3s" {
		t.Errorf("warn_before is %s, want half of talk_for", got)
	}
}

func TestTextStaysAsWritten(t *testing.T) {
	for _, written := range []string{"012", "0x1F", "1e3", "true", "yes", "07:30", "1_000", "3.10", "2026-03-01"} {
		doc := decode(t, "panel: {name: "+written+"}\naccount: {user: 012, domain: b}")
		if doc.Panel.Name != written {
			t.Errorf("%s became %q", written, doc.Panel.Name)
		}
	}
	doc, err := Decode([]byte("account: {user: a, domain: b}\ndoors: [{name: d, relay: door1, codes: [{name: c, digits: 012}]}]"), "f", board(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := doc.Doors[0].Codes[0].Digits; got != "012" {
		t.Errorf("code 012 became %q", got)
	}
}

// No doors is not the same as no word about doors.
func TestFlatWithoutDoors(t *testing.T) {
	doc := decode(t, change{"doors: [house]", "doors: []"}.apply(t, example(t)))
	if got := doc.Flats[1].Doors; len(got) != 0 {
		t.Errorf("a flat with an empty list may open %q", got)
	}
	if got := keptAgain(t, doc).Flats[1].Doors; len(got) != 0 {
		t.Errorf("kept, it may open %q", got)
	}
}

func TestJSONIsRead(t *testing.T) {
	doc := decode(t, `{"account": {"user": "a", "domain": "b"}, "call": {"ring_for": "20s", "early_audio": false}, "network": {"sip_port": 5070, "sip_tcp": true}}`)
	if doc.Call.RingFor.String() != "20s" || *doc.Call.EarlyAudio || doc.Network.SIPPort != 5070 || !doc.Network.SIPTCP {
		t.Errorf("got %+v, %+v", doc.Call, doc.Network)
	}
}

func TestAliasesAreFollowed(t *testing.T) {
	doc := decode(t, "account: {user: a, domain: b}\nflats:\n"+
		"- {name: x, button: button1, stages: &s [{targets: ['sip:1@b']}]}\n"+
		"- {name: y, button: button2, stages: *s}\n")
	if got := doc.Flats[1].Stages[0].Targets[0]; got.URI != "sip:1@b" {
		t.Errorf("target is %q", got)
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := Decode([]byte("account: {user: a, domain: b}\nvideo:\n  width: 641\n  fps: 99\nweb: {listen: ':1'}\n"), "panel.yaml", board(), testSeal)
	var all Errors
	if !errors.As(err, &all) {
		t.Fatalf("error is %T, want Errors", err)
	}
	var fields []string
	for _, e := range all {
		fields = append(fields, e.Field)
	}
	want := []string{"video.fps", "video.width", "web.user", "web.password"}
	if !slices.Equal(fields, want) {
		t.Errorf("faults at %q, want %q", fields, want)
	}
	var one *Error
	if !errors.As(err, &one) || one.Line != 4 || one.Value != "99" || one.File != "panel.yaml" {
		t.Errorf("first fault is %+v", one)
	}
	if got, want := one.Error(), `panel.yaml:4: video.fps is "99": must be 1 to 30 frames a second`; got != want {
		t.Errorf("message is\n%s\nwant\n%s", got, want)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	text := "account: {user: a, domain: b}\nflats:\n" + strings.Repeat("- {name: x}\n", 500)
	_, err := Decode([]byte(text), "panel.yaml", board(), testSeal)
	var all Errors
	if !errors.As(err, &all) || len(all) != maxErrors+1 {
		t.Fatalf("%d faults are listed, want %d and a last line", len(all), maxErrors)
	}
	if last := all[maxErrors].Error(); !strings.Contains(last, "more than 20 faults") {
		t.Errorf("the last line is %q", last)
	}
}

// One wrong thing is told once, not again in its consequences.
func TestFaultsDoNotCascade(t *testing.T) {
	_, err := Decode([]byte("account: 7\nflats: none\n"), "panel.yaml", board(), testSeal)
	var all Errors
	if !errors.As(err, &all) || len(all) != 2 {
		t.Errorf("faults: %v", err)
	}
}

func TestNoSecretInErrors(t *testing.T) {
	const secret = "77665544"
	for name, text := range map[string]string{
		"password has wrong type":  "account: {user: a, domain: b, password: [" + secret + "]}",
		"password too long":        "account: {user: a, domain: b, password: '" + strings.Repeat(secret, 64) + "'}",
		"web password short":       "account: {user: a, domain: b}\nweb: {listen: ':1', user: u, password: '776'}",
		"digits with letter":       "account: {user: a, domain: b}\ndoors: [{name: d, relay: door1, codes: [{name: c, digits: x" + secret + "}]}]",
		"digits begin others":      "account: {user: a, domain: b}\ndoors: [{name: d, relay: door1, codes: [{name: c, digits: '776'}, {name: e, digits: '" + secret + "'}]}]",
		"digits unquoted asterisk": "account: {user: a, domain: b}\ndoors: [{name: d, relay: door1, codes: [{name: c, digits: *" + secret + "}]}]",
		"digits as anchor":         "account: {user: a, domain: b, password: &" + secret + "}",
		"password in a target":     "account: {user: a, domain: b}\ninbound: {allow: ['sip:a:" + secret + "@b']}",
		"sealed by operator":       "account: {user: a, domain: b}\ndoors: [{name: d, relay: door1, codes: [{name: c, sealed: '" + secret + "'}]}]",
		"tagged":                   "account: {user: a, domain: b, password: !x " + secret + "}",
	} {
		_, err := Decode([]byte(text), "panel.yaml", board(), testSeal)
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		if strings.Contains(err.Error(), "776") {
			t.Errorf("%s: the message shows it: %v", name, err)
		}
	}
}

func TestTLSFiles(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(good, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		good:                       "",
		empty:                      "no file with something in it",
		dir:                        "no file with something in it",
		filepath.Join(dir, "gone"): "no such file or directory",
	} {
		_, err := Decode([]byte("account: {user: a, domain: b, transport: tls, ca_file: "+file+"}"), "f", board(), testSeal)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
}

// A checker away from the panel knows no board; only what every board has holds.
func TestWithoutABoard(t *testing.T) {
	doc, err := Decode([]byte(example(t)), "panel.yaml", Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := doc.Doors[0].Codes[0].Digits; got != "4711" {
		t.Errorf("digits are %q, want them left where there is no seal", got)
	}
}

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 5 * time.Minute: "5m", time.Hour: "1h", 24 * time.Hour: "24h", 90 * time.Second: "1m30s",
		500 * time.Millisecond: "500ms", time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m", 20 * time.Second: "20s",
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(example(f)))
	for _, seed := range []string{
		"", "---\n---\n", "a: &a [*a]", "account: {user: 012, domain: b}", "{\"account\": {}}", "? [a]\n: b", "flats: [{stages: [{for: 1h}]}]",
		"doors: [{codes: [{digits: *1}]}]", "\xff\xfea\x00", "account: !!binary aGk=", "call: {ring_for: -1s}", "<<: {a: b}", "keypad: {end_key: #}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := Decode(raw, "fuzz", board(), testSeal)
		if (doc == nil) == (err == nil) {
			t.Fatalf("document %v with error %v", doc, err)
		}
		if err != nil {
			return
		}
		keptAgain(t, doc)
	})
}

// README.md shows the example as it is.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```yaml\n"+example(t)+"```\n") {
		t.Error("the example in README.md differs from example.yaml")
	}
}
