package provisioning

import (
	"fmt"
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
	*a = Account{Transport: "udp", Expires: Duration(5 * time.Minute), Digest: "md5",
		Keepalive: Duration(25 * time.Second), Spread: Duration(5 * time.Second)}
}

func (d *Door) defaults() {
	*d = Door{Pulse: Duration(3 * time.Second), HeldAfter: Duration(time.Minute)}
}

func (w *Window) defaults() {
	*w = Window{Days: slices.Clone(weekdays), From: "00:00", To: "24:00"}
}

func (k *Keypad) defaults() {
	*k = Keypad{Gap: Duration(4 * time.Second), TriesPerCall: 3, TriesPerHour: 10}
}

func (c *Call) defaults() {
	*c = Call{
		RingFor:        Duration(time.Minute),
		TalkFor:        Duration(3 * time.Minute),
		WarnBefore:     Duration(10 * time.Second),
		SecondPress:    "cancel",
		Refusal:        "next",
		EarlyAudio:     new(true),
		NoMediaFor:     Duration(30 * time.Second),
		SessionExpires: Duration(30 * time.Minute),
	}
}

func (c *Caller) defaults() { *c = Caller{May: []string{"talk", "see"}} }

func (a *Audio) defaults() { *a = Audio{Codecs: slices.Clone(codecs)} }

func (v *Video) defaults() {
	*v = Video{Enabled: new(true), Width: 640, Height: 480, FPS: 15, Kbps: 512, CameraPower: "always"}
}

func (s *STUN) defaults() { *s = STUN{Keepalive: Duration(15 * time.Second)} }

// fit makes the defaults that the document does not overrule fit the board and
// the document's other settings. lines tells what was written.
func (d *Document) fit(lines map[string]int, lim Limits) {
	written := func(path string) bool { return lines[path] != 0 }
	reduce := func(path string, n *int, most int) {
		if most > 0 && !written(path) {
			*n = min(*n, most&^1)
		}
	}
	reduce("video.width", &d.Video.Width, lim.MaxWidth)
	reduce("video.height", &d.Video.Height, lim.MaxHeight)
	if lim.MaxFPS > 0 && !written("video.fps") {
		d.Video.FPS = min(d.Video.FPS, lim.MaxFPS)
	}
	for i := range d.Doors {
		door := &d.Doors[i]
		if most, known := lim.Relays[door.Relay]; known && !written(fmt.Sprintf("doors[%d].pulse", i)) {
			door.Pulse = min(door.Pulse, Duration(most))
		}
	}
	if half := d.Call.TalkFor / 2; !written("call.warn_before") && half < d.Call.WarnBefore {
		d.Call.WarnBefore = half
		if half < Duration(time.Second) {
			d.Call.WarnBefore = 0
		}
	}
}

// complete fills in the defaults that follow from other settings.
func (d *Document) complete() {
	for _, a := range []*Account{&d.Account, &d.Standby} {
		if a.AuthUser == "" {
			a.AuthUser = a.User
		}
		if a.Registrar == "" {
			a.Registrar = a.Domain
		}
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
