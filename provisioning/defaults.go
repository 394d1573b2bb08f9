package provisioning

import (
	"reflect"
	"slices"
	"time"
)

// A defaulter fills its defaults into a fresh value, before the document's
// own settings are laid over them.
type defaulter interface{ defaults() }

// setDefaults fills in the defaults of a struct and of the structs in it.
func setDefaults(v reflect.Value) {
	if d, ok := v.Addr().Interface().(defaulter); ok {
		d.defaults()
	}
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Struct {
			setDefaults(f)
		}
	}
}

func (n *Network) defaults() { *n = Network{SIPPort: 5060, RTPMin: 40000, RTPMax: 40199} }

func (a *Account) defaults() {
	*a = Account{Transport: "udp", Expires: Duration(5 * time.Minute)}
}

func (d *Door) defaults() { *d = Door{Pulse: Duration(3 * time.Second)} }

func (w *Window) defaults() {
	*w = Window{Days: slices.Clone(weekdays), From: "00:00", To: "24:00"}
}

func (k *Keypad) defaults() {
	*k = Keypad{Gap: Duration(4 * time.Second), TriesPerCall: 3, TriesPerHour: 10}
}

func (c *Call) defaults() {
	*c = Call{
		RingFor:     Duration(time.Minute),
		TalkFor:     Duration(3 * time.Minute),
		WarnBefore:  Duration(10 * time.Second),
		SecondPress: "cancel",
		Refusal:     "next",
		EarlyAudio:  new(true),
		NoMediaFor:  Duration(30 * time.Second),
	}
}

func (a *Audio) defaults() { *a = Audio{Codecs: slices.Clone(codecs)} }

func (v *Video) defaults() {
	*v = Video{Enabled: new(true), Width: 640, Height: 480, FPS: 15, Kbps: 512}
}

func (s *STUN) defaults() { *s = STUN{Keepalive: Duration(15 * time.Second)} }

// complete fills in the defaults that follow from other settings.
func (d *Document) complete() {
	a := &d.Account
	if a.AuthUser == "" {
		a.AuthUser = a.User
	}
	if a.Registrar == "" {
		a.Registrar = a.Domain
	}
	for i := range d.Flats {
		flat := &d.Flats[i]
		if flat.Doors == nil {
			flat.Doors = d.doorNames()
		}
		if last := len(flat.Stages) - 1; last >= 0 && flat.Stages[last].For == 0 {
			flat.Stages[last].For = d.Call.RingFor
		}
	}
	for _, door := range d.Doors {
		for _, code := range door.Codes {
			d.Keypad.LongestCode = max(d.Keypad.LongestCode, len(code.Digits))
		}
	}
}

func (d *Document) doorNames() []string {
	names := make([]string, len(d.Doors))
	for i, door := range d.Doors {
		names[i] = door.Name
	}
	return names
}
