package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"doorstation/firmware/control"
)

// Levels, in dB of full scale, and brightness.
const (
	quietest  = -50.0 // speech in front of a microphone that works is louder
	loudest   = -3.0  // and does not come so close to its limit
	darkest   = 20.0  // mean luma of a picture in which nothing is seen, 0 to 255
	brightest = 240.0
	meterBars = 30
)

// sound plays a chime and hears the microphone.
func (w *walk) sound(ctx context.Context) {
	if !w.wiring.Sound {
		w.tell("sound", "", stepSkipped, "the board file names none")
		return
	}
	if err := w.lost(ctx, "sound"); err != nil {
		w.tell("sound", "", stepFailed, "%v", err)
		return
	}
	w.speaker(ctx)
	w.microphone(ctx)
}

// lost says whether a part of the panel does not run.
func (w *walk) lost(ctx context.Context, name string) error {
	s, err := w.client.Status(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.Parts {
		if p.Name == name && (p.State == control.PartFailed || p.State == control.PartOff) {
			return fmt.Errorf("%s", part(p))
		}
	}
	return nil
}

func (w *walk) speaker(ctx context.Context) {
	if err := w.try(ctx, control.Trial{Do: control.TryTone}); err != nil {
		w.tell("sound", "speaker", stepFailed, "%v", err)
		return
	}
	level := w.loudest(ctx, w.times.tone, nil).Speaker
	if level <= quietest {
		w.tell("sound", "speaker", stepFailed, "the chime was not played: %.0f dB at most", level)
		return
	}
	good := w.answer.question(ctx, "A chime was played, %.0f dB at most. Was it heard?", level)
	w.seenBy("sound", "speaker", good, "heard", "not heard")
}

// loudest measures for a while, and shows each level.
func (w *walk) loudest(ctx context.Context, lasts time.Duration, show func(control.Finding)) control.Finding {
	most := control.Finding{Microphone: silence, Speaker: silence}
	end := time.Now().Add(lasts)
	for once := false; ctx.Err() == nil && (!once || time.Now().Before(end)); once = true {
		f, err := w.client.Try(ctx, control.Trial{Do: control.TryLevels})
		if err != nil {
			wait(ctx, retryTime)
			continue
		}
		most.Microphone, most.Speaker = max(most.Microphone, f.Microphone), max(most.Speaker, f.Speaker)
		if show != nil {
			show(f)
		}
	}
	return most
}

// retryTime is the pause after a level that could not be had.
const retryTime = 200 * time.Millisecond

// silence is the lowest level that is told, in dB of full scale.
const silence = -96.0

func (w *walk) microphone(ctx context.Context) {
	w.say("Speak into the panel for %v.", w.times.meter)
	most := w.loudest(ctx, w.times.meter, func(f control.Finding) { w.say("  %s", meter(f.Microphone)) }).Microphone
	switch {
	case most <= silence && w.yes:
		w.tell("sound", "microphone", stepFailed, "nothing at all is heard: it is not connected, or it is muted")
	case most <= quietest && w.yes:
		w.tell("sound", "microphone", stepSkipped, "%.0f dB at most, and perhaps nobody spoke", most)
	case most <= quietest:
		w.tell("sound", "microphone", stepFailed, "%.0f dB at most, and speech should reach %.0f dB", most, quietest)
	case most >= loudest:
		w.tell("sound", "microphone", stepFailed, "%.0f dB: it is too loud and will be distorted; lower its gain", most)
	default:
		w.tell("sound", "microphone", stepGood, "%.0f dB at most", most)
	}
}

// meter draws a level.
func meter(db float64) string {
	n := max(0, min(meterBars, int(meterBars*(1-db/silence)+0.5)))
	return fmt.Sprintf("%4.0f dB |%-*s|", db, meterBars, "##############################"[:n])
}

// camera films for a while.
func (w *walk) camera(ctx context.Context) {
	if !w.wiring.Camera {
		w.tell("camera", "", stepSkipped, "the board file names none")
		return
	}
	w.say("The camera films for some seconds.")
	found, err := w.client.Try(ctx, control.Trial{Do: control.TryPicture})
	if err == nil {
		err = w.lost(ctx, "camera")
	}
	if err != nil || found.Picture == nil {
		w.tell("camera", "", stepFailed, "%v", err)
		return
	}
	w.judgePicture(ctx, found.Picture)
}

func (w *walk) judgePicture(ctx context.Context, p *control.Picture) {
	rate := float64(p.Frames) / max(p.For.Seconds(), 1e-3)
	what := fmt.Sprintf("%dx%d, %.1f pictures a second, key frame of %d bytes", p.Width, p.Height, rate, p.KeyBytes)
	if p.JPEG == nil {
		w.tell("camera", "", stepGood, "%s", what)
		return
	}
	what += fmt.Sprintf(", brightness %.0f of 255", p.Brightness)
	if w.picture != "" {
		if err := os.WriteFile(w.picture, p.JPEG, 0o600); err != nil {
			w.tell("camera", "", stepFailed, "%s; the picture was not kept: %v", what, err)
			return
		}
		what += ", kept in " + w.picture
	}
	switch {
	case p.Brightness < darkest:
		w.tell("camera", "", stepFailed, "%s: too dark to see anybody; is the lens covered?", what)
	case p.Brightness > brightest:
		w.tell("camera", "", stepFailed, "%s: too bright to see anybody", what)
	case w.picture != "" && !w.answer.question(ctx, "The picture is in %s. Does it show what stands before the panel?", w.picture):
		w.tell("camera", "", stepFailed, "%s, and it does not show what stands before the panel", what)
	default:
		w.tell("camera", "", stepGood, "%s", what)
	}
}
