package provisioning

import (
	"strings"
	"testing"
)

// Whether an account is needed depends on whom the panel rings.
func TestAccountIsNeeded(t *testing.T) {
	const flat = "flats: [{name: A, button: button1, "
	for text, want := range map[string]string{
		flat + "direct: ['sip:m@192.0.2.40']}]":                                   "",
		flat + "direct: ['sip:m@[2001:db8::40]:5070;transport=tcp']}]":            "",
		flat + "stages: [{targets: ['sip:m@192.0.2.40', 'sip:192.0.2.41']}]}]":    "",
		flat + "stages: [{targets: ['sip:m@192.0.2.40', 'sip:m@pbx.example']}]}]": "account.user",
		flat + "stages: [{targets: ['tel:12']}], direct: ['sip:m@192.0.2.40']}]":  "account.user",
		flat + "doors: []}]":                                                   "flats[0].stages",
		"panel: {name: x}":                                                     "account.user",
		"account: {user: a}":                                                   "account.domain",
		"account: {password: secret-12}":                                       "account.user",
		"account: {user: a, domain: b}":                                        "",
		"account: {user: a, domain: b}\nstandby: {user: c}":                    "standby.domain",
		"account: {user: a, domain: b}\nstandby: {domain: c}":                  "standby.user",
		flat + "direct: ['sip:m@192.0.2.40']}]\nstandby: {user: c, domain: d}": "no account that it could stand by for",
	} {
		doc, err := Decode([]byte(text), "f", board(), testSeal)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s\nis refused: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s\ntells %v, want %s in it", text, err, want)
		case want == "":
			keptAgain(t, doc)
		}
	}
}

func TestStandbyHasItsOwnDefaults(t *testing.T) {
	doc := decode(t, "account: {user: a, domain: b}\nstandby: {user: c, domain: d}")
	if s := doc.Standby; s.AuthUser != "c" || s.Registrar != "d" || s.Transport != "udp" || s.Digest != "md5" || s.Keepalive == 0 {
		t.Errorf("standby %+v", s)
	}
	if doc := decode(t, "account: {user: a, domain: b}"); doc.Standby.Used() {
		t.Errorf("a standby account out of nothing: %+v", doc.Standby)
	}
}
