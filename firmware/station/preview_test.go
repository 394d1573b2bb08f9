package station

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
	"doorstation/provisioning"
)

// early is an answer that takes the picture, and sends no sound yet, or both.
func (c *scriptCall) early() string { return c.look("sendonly") }

// shown waits until the status says so of the flat's phone.
func (p *testPanel) shown(target, takes string) control.Phone {
	p.t.Helper()
	var one control.Phone
	p.await("a phone that takes "+takes, func() bool {
		i := slices.IndexFunc(p.Status().Phones, func(it control.Phone) bool { return it.Target == target && it.Takes == takes })
		if i >= 0 {
			one = p.Status().Phones[i]
		}
		return i >= 0
	})
	return one
}

// A leg that ends without a picture teaches something only if its phone had one
// to take, and the time for it.
func TestWhoTakesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*owner, *leg)
		want   phone
	}{
		"told of a picture": {func(*owner, *leg) {}, phone{Blind: 1, Told: 1}},
		"rung with one":     {func(_ *owner, l *leg) { l.showing.told = false }, phone{Blind: 1}},
		"told, sound alone": {func(_ *owner, l *leg) { l.sounded = true }, phone{Blind: 1, Told: 1}},
		"offered nothing":   {func(_ *owner, l *leg) { l.sounded, l.showing.told = true, false }, phone{}},
		"video is off":      {func(o *owner, l *leg) { o.rules.media.video, l.showing.told = false, false }, phone{}},
		"it took something": {func(_ *owner, l *leg) { l.showing.taught = true }, phone{}},
		"it never rang":     {func(_ *owner, l *leg) { l.showing.rang = time.Time{} }, phone{}},
		"hardly rung":       {func(_ *owner, l *leg) { l.showing.rang = l.showing.rang.Add(time.Millisecond) }, phone{}},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := bareOwner()
			o.rules.media.video = true
			l := &leg{id: 1, peer: flatPhone, showing: showing{rang: time.Now(), told: true}}
			c.change(o, l)
			time.Sleep(ladderRing)
			o.unseen(l)
			got := o.phones.known[flatPhone]
			got.Since = time.Time{}
			if got != c.want {
				t.Errorf("%s: %+v is known, want %+v", name, got, c.want)
			}
		})
	}
}

// The third call without a look is the last that tells where a picture lies, and
// the record says so.
func TestNoPreviewIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := bareOwner()
		o.diary.begin(monotonic(), "button1", "Smith")
		for call := range callflow.LegID(ladderBlind + 1) {
			if told := o.phones.asks(flatPhone, time.Now()); told != (call < ladderBlind) {
				t.Errorf("in call %d the phone is told: %v", call+1, told)
			}
			l := &leg{id: call, peer: flatPhone, showing: showing{rang: time.Now(), told: true}}
			time.Sleep(ladderRing)
			o.unseen(l)
		}
		rec := o.diary.now.rec.Record()
		if count(rec, timeline.Learnt) != 1 || rec.Marks[0].Detail != "no preview" || rec.Marks[0].Leg != ladderBlind-1 {
			t.Errorf("the record is\n%s", text(rec))
		}
	})
}

// The status tells of the flats' phones, in their order, and of no others.
func TestPhonesAreShown(t *testing.T) {
	doc, err := provisioning.Decode([]byte(probedConfig), "test", limits(simBoard(t)), sealer(nil))
	if err != nil {
		t.Fatal(err)
	}
	setup, err := newSetup(doc, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	known := map[string]phone{
		"sip:3@a": {Takes: rungEarly, Since: now}, "sip:2@a": {Blind: 1, Since: now}, "sip:porter@a": {Takes: rungStill, Since: now},
		"sip:1@a": {Takes: rungStill, Since: now.Add(-ladderFor), Sound: now},
	}
	want := []control.Phone{{Target: "sip:1@a", Sound: now}, {Target: "sip:3@a", Takes: control.PreviewEarly, Since: now}}
	if got := setup.phonesShown(known, now); !slices.Equal(got, want) {
		t.Errorf("the status shows %+v, want %+v", got, want)
	}
}

// Whoever takes the picture in an answer of an 18x, or in a first 200, is learnt
// once, and after a restart still known.
func TestPicturesAreLearnt(t *testing.T) {
	for name, c := range map[string]struct {
		script func(*scriptCall)
		takes  string
		words  string
	}{
		"early": {func(c *scriptCall) {
			c.respond(183, "Session Progress", c.early())
			c.respond(486, "Busy Here", "")
		}, control.PreviewEarly, "early picture"},
		"first answer": {func(c *scriptCall) {
			c.respond(180, "Ringing", "")
			c.answerWith(c.look("inactive"))
			c.bye()
		}, control.PreviewFirst, "picture by a first answer"},
		"both": {func(c *scriptCall) {
			c.respond(183, "Session Progress", c.early())
			c.answerWith(c.look("inactive"))
			c.bye()
		}, control.PreviewEarly, "early picture"},
	} {
		t.Run(name, func(t *testing.T) {
			phone := newScriptPhone(t, c.script)
			p := startPanel(t, oneConfig(phone.uri()))
			for call := range 2 {
				p.press()
				rec := p.idle()
				if n := count(rec, timeline.Learnt); n != 1-call {
					t.Errorf("call %d has learnt %d times\n%s", call+1, n, text(rec))
				}
			}
			shown := p.shown(phone.uri(), c.takes)
			if words := shown.Words(time.DateOnly); words != c.words+" since "+time.Now().Format(time.DateOnly) {
				t.Errorf("people read %q", words)
			}
			if again := openLadder(p.opt.Data, p.Station.log).state(phone.uri(), time.Now()); again != c.takes {
				t.Errorf("after a restart it is %q", again)
			}
		})
	}
}

// A picture in the conversation, or of a caller, is no preview.
func TestPictureOfAConversationTeachesNothing(t *testing.T) {
	phone := newScriptPhone(t, func(c *scriptCall) {
		c.respond(180, "Ringing", "")
		if c.answerWith(c.look("sendrecv")) {
			c.request("INVITE", "application/sdp", c.look("inactive")) // held
			c.bye()
		}
	})
	p := startPanel(t, oneConfig(phone.uri()))
	p.press()
	rec := p.idle()
	if rec.Result != "talked" || count(rec, timeline.Reoffer) != 1 || count(rec, timeline.Learnt) != 0 || len(p.Status().Phones) != 0 {
		t.Errorf("%+v is known, the record is\n%s", p.Status().Phones, text(rec))
	}
}
