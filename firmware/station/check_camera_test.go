//go:build cgo

package station

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"slices"
	"testing"

	"doorstation/firmware/control"
)

func TestCheckOfLampsSoundAndCamera(t *testing.T) {
	p := startPanel(t, unconfigured)
	filter := func(on bool) bool { // the infra-red filter, which is on by day
		return slices.ContainsFunc(p.Status().Outputs, func(o control.Output) bool { return o.Name == "filter" && o.On == on })
	}
	p.await("the filter", func() bool { return filter(true) })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if _, _, err := p.Check(ctx, ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		do   control.Trial
		kind control.Kind
	}{
		{control.Trial{Do: control.TryLamp, Name: "open", On: true}, ""},
		{control.Trial{Do: control.TryLamp, Name: "open"}, ""},
		{control.Trial{Do: control.TryLamp, Name: "filter", On: true}, ""},
		{control.Trial{Do: control.TryLamp, Name: "party"}, control.NotFound},
		{control.Trial{Do: control.TryLamp, Name: "camera", On: true}, control.NotFound}, // it has a step of its own
		{control.Trial{Do: control.TryRelay, Name: "door9"}, control.NotFound},
		{control.Trial{Do: control.TryTone}, ""},
		{control.Trial{Do: "dance"}, control.Invalid},
	} {
		_, err := p.Try(t.Context(), c.do, "")
		if refusal := (*control.Error)(nil); c.kind == "" && err != nil || c.kind != "" && (!errors.As(err, &refusal) || refusal.Kind != c.kind) {
			t.Errorf("%+v: %v, want %q", c.do, err, c.kind)
		}
	}
	if !filter(false) {
		t.Error("the filter was not turned over")
	}
	p.await("the chime", func() bool {
		found, err := p.Try(t.Context(), control.Trial{Do: control.TryLevels}, "")
		return err == nil && found.Speaker > -40
	})
	found, err := p.Try(t.Context(), control.Trial{Do: control.TryPicture}, "")
	if err != nil {
		t.Fatal(err)
	}
	pic := found.Picture
	if pic.Width != 640 || pic.Height != 480 || pic.Frames < 10 || pic.For < filmTime/2 || pic.KeyBytes < 1000 || pic.Brightness < 10 {
		t.Errorf("filmed %dx%d, %d frames in %v, key %d bytes, brightness %.0f", pic.Width, pic.Height, pic.Frames, pic.For, pic.KeyBytes, pic.Brightness)
	}
	if img, err := jpeg.Decode(bytes.NewReader(pic.JPEG)); err != nil || img.Bounds().Dx() != 640 {
		t.Errorf("the picture: %v", err)
	}
	p.await("the camera's rest", func() bool {
		p.video.mu.Lock()
		defer p.video.mu.Unlock()
		return !p.video.wanted && len(p.video.viewers) == 0
	})
	stop()
	p.await("the filter to be right again", func() bool { return filter(true) })
}
