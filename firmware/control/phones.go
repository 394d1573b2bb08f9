package control

import (
	"strings"
	"time"
)

// What a Phone has taken before it was answered, the best first.
const (
	PreviewEarly = "early"   // the picture, in an answer of an 18x
	PreviewFirst = "preview" // the picture, in a first 200 without sound
	PreviewStill = "still"   // a still picture, fetched from the panel's page
	PreviewNone  = "none"    // it rang in several calls, and took none of these
)

// Phone is what one phone of the flats has shown to take while it rings. A panel
// learns it from calls, and forgets it after 30 days.
type Phone struct {
	Target string    `json:"target"` // its address, as the configuration has it
	Takes  string    `json:"takes,omitempty"`
	Since  time.Time `json:"since,omitzero"`             // of Takes
	Sound  time.Time `json:"sound_alone_since,omitzero"` // it failed over a picture, and is rung without one; zero: it did not
}

var previews = map[string]string{
	PreviewEarly: "early picture", PreviewFirst: "picture by a first answer", PreviewStill: "still picture", PreviewNone: "no preview",
}

// SoundAlone says in words that a phone is rung without a picture.
const SoundAlone = "sound alone"

// PreviewWords says one of the previews in words.
func PreviewWords(takes string) string { return previews[takes] }

// Words says what the phone takes, and since when; clock is the layout of the
// times (see time.Layout).
func (p Phone) Words(clock string) string {
	var all []string
	if !p.Sound.IsZero() {
		all = append(all, SoundAlone+" since "+p.Sound.Local().Format(clock))
	}
	if p.Takes != "" {
		all = append(all, PreviewWords(p.Takes)+" since "+p.Since.Local().Format(clock))
	}
	return strings.Join(all, ", ")
}
