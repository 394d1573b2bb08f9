package station

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/callflow"
	"doorstation/drivers"
	"doorstation/firmware/web"
	"doorstation/provisioning"
)

// plain is a picture of one brightness.
func plain(width, height int, luma byte) drivers.Picture {
	p := drivers.Picture{Width: width, Height: height, Y: make([]byte, width*height), U: make([]byte, width*height/4), V: make([]byte, width*height/4)}
	for i := range p.Y {
		p.Y[i] = luma
	}
	for i := range p.U {
		p.U[i], p.V[i] = 128, 128
	}
	return p
}

// lumaOf reads the first luma of a JPEG of these dimensions.
func lumaOf(t *testing.T, raw []byte, width, height int) int {
	t.Helper()
	picture, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if b := picture.Bounds(); b.Dx() != width || b.Dy() != height {
		t.Fatalf("the picture is %v, want %d x %d", b, width, height)
	}
	r, _, _, _ := picture.At(1, 1).RGBA()
	return int(r >> 8)
}

func TestStillOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var camera peek
		var asked []callflow.LegID
		s := stills{asked: func(leg callflow.LegID) { asked = append(asked, leg) }}
		defer s.close()
		if _, err := s.Still(""); !errors.Is(err, web.ErrNoStill) {
			t.Errorf("without a call: %v", err)
		}
		first, other := s.open(1, &camera), s.open(2, &camera)
		if first == other || len(first) < 22 || len(camera.looks) != 1 {
			t.Errorf("two legs of a call get %q and %q, and %d looks", first, other, len(camera.looks))
		}
		luma := func(token string) int {
			t.Helper()
			raw, err := s.Still(token)
			if err != nil {
				t.Fatal(err)
			}
			return lumaOf(t, raw, 64, 48)
		}
		near := func(what string, got, want int) {
			t.Helper()
			if got < want-8 || got > want+8 {
				t.Errorf("%s: brightness %d, want %d", what, got, want)
			}
		}
		if _, err := s.Still(first); !errors.Is(err, errNoPicture) {
			t.Errorf("before the first picture: %v", err)
		}
		camera.show(plain(64, 48, 60))
		near("the first", luma(first), 60)
		time.Sleep(stillEvery - time.Millisecond)
		camera.show(plain(64, 48, 200))
		near("too soon for another", luma(first), 60)
		time.Sleep(time.Millisecond)
		camera.show(plain(64, 48, 200))
		near("half a second later", luma(first), 200)
		near("for the other leg", luma(other), 200)
		if fmt.Sprint(asked) != "[1 2]" {
			t.Errorf("the legs that asked are %v, want each once", asked)
		}
		if _, err := s.Still(first[1:] + "A"); !errors.Is(err, web.ErrNoStill) {
			t.Errorf("with another token: %v", err)
		}
		time.Sleep(stillFresh + time.Millisecond)
		if _, err := s.Still(first); !errors.Is(err, errNoPicture) {
			t.Errorf("of a camera that is lost: %v", err)
		}
		camera.show(plain(64, 48, 100))
		s.leave(2)
		if _, err := s.Still(other); !errors.Is(err, web.ErrNoStill) {
			t.Errorf("of a leg that has ended: %v", err)
		}
		near("for the leg that goes on", luma(first), 100)
		s.close()
		if _, err := s.Still(first); !errors.Is(err, web.ErrNoStill) || len(camera.looks) != 0 {
			t.Errorf("after the call: %v, %d look on", err, len(camera.looks))
		}
		second := s.open(3, &camera)
		if second == first {
			t.Error("two calls have one token")
		}
		if _, err := s.Still(second); !errors.Is(err, errNoPicture) {
			t.Errorf("the next call before its first picture: %v", err)
		}
		synctest.Wait()
		if s.shot != nil {
			t.Error("the picture of the former call is kept")
		}
	})
}

// A phone is told of a picture only where all that it needs is there.
func TestWhoIsToldOfAPicture(t *testing.T) {
	for name, c := range map[string]struct {
		listen     string
		still, raw bool
		video      bool
		known      phone
		want       string
	}{
		"all of it":         {":8080", true, true, true, phone{}, "<http://192.0.2.5:8080/still/*.jpg>;purpose=icon"},
		"one address":       {"192.0.2.6:80", true, true, true, phone{}, "<http://192.0.2.6:80/still/*.jpg>;purpose=icon"},
		"IPv6":              {"[2001:db8::1]:80", true, true, true, phone{}, "<http://[2001:db8::1]:80/still/*.jpg>;purpose=icon"},
		"this machine only": {"localhost:80", true, true, true, phone{}, "<http://127.0.0.1:80/still/*.jpg>;purpose=icon"},
		"it polls":          {":8080", true, true, true, phone{Takes: rungStill}, "<http://192.0.2.5:8080/still/*.jpg>;purpose=icon"},
		"it sees more":      {":8080", true, true, true, phone{Takes: rungPreview}, ""},
		"it never came":     {":8080", true, true, true, phone{Blind: ladderBlind, Told: ladderBlind}, ""},
		"not wanted":        {":8080", false, true, true, phone{}, ""},
		"no page":           {"", true, true, true, phone{}, ""},
		"a coding camera":   {":8080", true, false, true, phone{}, ""},
		"no picture":        {":8080", true, true, false, phone{}, ""},
	} {
		o := bareOwner()
		o.line.local = netip.MustParseAddr("192.0.2.5")
		o.rules = &setup{doc: &provisioning.Document{Call: provisioning.Call{Still: c.still}, Web: provisioning.Web{Listen: c.listen}}, media: mediaRule{video: c.video}}
		o.video.camera = &peekedCamera{}
		if c.raw {
			o.video.camera = &peekedCamera{peek: new(peek)}
		}
		c.known.Since = time.Now()
		o.phones.known = map[string]phone{flatPhone: c.known}
		l := &leg{id: 1, peer: flatPhone}
		got := o.callInfo(l)
		for _, pass := range o.stills.passes.all {
			got = strings.Replace(got, pass.token, "*", 1)
		}
		if got != c.want || l.showing.told != (got != "") {
			t.Errorf("%s: %q, told: %v; want %q", name, got, l.showing.told, c.want)
		}
		o.stills.close()
	}
}

func TestStillWarnings(t *testing.T) {
	off := false
	for _, c := range []struct {
		doc  provisioning.Document
		want string
	}{
		{provisioning.Document{}, ""},
		{provisioning.Document{Call: provisioning.Call{Still: true}}, "web.listen is off"},
		{provisioning.Document{Call: provisioning.Call{Still: true}, Web: provisioning.Web{Listen: ":80"}, Video: provisioning.Video{Enabled: &off}}, "video.enabled is false"},
		{provisioning.Document{Call: provisioning.Call{Still: true}, Web: provisioning.Web{Listen: ":80"}}, "can see the visitor"},
	} {
		if got := stillWarning(&c.doc); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v warns %q, want %q", c.doc.Call, got, c.want)
		}
	}
}
