package station

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"doorstation/firmware/control"
)

// A rung is the best that a phone has taken before it was answered, the better
// the higher.
type rung int

const (
	rungUnknown rung = iota
	rungStill        // it fetched the still picture of its own leg
	rungPreview      // a 200 without sound opened the picture
	rungEarly        // an answer before the 200 opened the picture
)

var rungNames = []string{rungUnknown: "", rungStill: control.PreviewStill, rungPreview: control.PreviewFirst, rungEarly: control.PreviewEarly}

// String names a rung as the status does.
func (r rung) String() string { return rungNames[r] }

// MarshalText implements encoding.TextMarshaler.
func (r rung) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. The name of a rung that a
// later version may know is one of a phone that is learnt anew.
func (r *rung) UnmarshalText(name []byte) error {
	*r = rung(max(0, slices.Index(rungNames, string(name))))
	return nil
}

// A phone is what the panel has learnt of one target.
type phone struct {
	Takes rung      `json:"takes,omitempty"`
	Blind int       `json:"blind,omitempty"` // calls in which it rang and took nothing; no more are counted than needed
	Told  int       `json:"told,omitempty"`  // those of them in which it was told where a picture lies
	Since time.Time `json:"since,omitzero"`  // when the above was learnt
	Sound time.Time `json:"sound,omitzero"`  // since when it is rung with sound alone
}

// at is what of it still counts. A clock that was set back makes nothing older.
func (p phone) at(now time.Time) phone {
	if p.Since.IsZero() || !now.Before(p.Since.Add(ladderFor)) {
		p = phone{Sound: p.Sound}
	}
	if !now.Before(p.Sound.Add(ladderFor)) {
		p.Sound = time.Time{}
	}
	return p
}

// latest is when something was learnt of it last.
func (p phone) latest() time.Time {
	if p.Sound.After(p.Since) {
		return p.Sound
	}
	return p.Since
}

// sees says what it takes, as the status does; empty: that is not known yet.
func (p phone) sees() string {
	if p.Takes == rungUnknown && p.Blind >= ladderBlind {
		return control.PreviewNone
	}
	return p.Takes.String()
}

// UnmarshalJSON implements json.Unmarshaler. Former versions knew of a phone only
// since when it was rung with sound alone.
func (p *phone) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte{'"'}) {
		*p = phone{}
		return json.Unmarshal(raw, &p.Sound)
	}
	type plain phone
	return json.Unmarshal(raw, (*plain)(p))
}

// readPhones reads what was kept of the phones.
func readPhones(raw []byte) (map[string]phone, error) {
	var all map[string]phone
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	return all, nil
}
