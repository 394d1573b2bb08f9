package fake

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/drivers"

	"periph.io/x/conn/v3/gpio"
)

func TestInputsReportInOrderUntilLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in Inputs
		in.Change("button1", true, 1)
		var seen []drivers.Input
		end := make(chan error, 1)
		go func() { end <- in.Watch(t.Context(), func(ev drivers.Input) { seen = append(seen, ev) }) }()
		synctest.Wait()
		in.Change("button1", false, 2)
		lost := errors.New("wire cut")
		in.Lose(lost)
		if err := <-end; err != lost {
			t.Errorf("Watch ended with %v", err)
		}
		want := []drivers.Input{{Name: "button1", Active: true, At: 1}, {Name: "button1", At: 2}}
		if !slices.Equal(seen, want) {
			t.Errorf("saw %v, want %v", seen, want)
		}
	})
}

func TestSoundKeepsItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Sound
		s.Say([]int16{7, 8, 9})
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		var heard []int16
		err := s.Run(ctx, func(mic, speaker []int16) {
			heard = append(heard, mic[:3]...)
			speaker[0] = 5
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if want := []int16{7, 8, 9, 0, 0, 0}; !slices.Equal(heard, want) {
			t.Errorf("heard %v in 50 ms, want %v", heard, want)
		}
		if p := s.Played(); len(p) != 2*drivers.FrameSamples || p[0] != 5 || p[1] != 0 {
			t.Errorf("played %d samples", len(p))
		}
	})
}

func TestCameraCountsLoans(t *testing.T) {
	c := NewCamera()
	ctx, stop := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() {
		end <- c.Stream(ctx, drivers.VideoFormat{Width: 640}, func(f drivers.Frame) {
			if f.Key {
				f.Release()
			}
		})
	}()
	for _, key := range []bool{true, false} {
		if err := c.Deliver(ctx, drivers.Frame{Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-end
	if c.Loaned() != 1 || c.Format().Width != 640 {
		t.Errorf("%d on loan, format %v", c.Loaned(), c.Format())
	}
}

func TestPin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPin("X", gpio.High)
		if err := p.In(gpio.Float, gpio.RisingEdge); err != nil {
			t.Fatal(err)
		}
		p.Move(gpio.Low)
		if p.WaitForEdge(time.Second) {
			t.Error("falling edge reported")
		}
		p.Move(gpio.High)
		if !p.WaitForEdge(time.Second) {
			t.Error("rising edge lost")
		}
		broken := errors.New("broken")
		p.Break(broken)
		if err := p.Out(gpio.Low); err != broken || p.Read() != gpio.High || len(p.Driven()) != 0 {
			t.Errorf("broken pin: %v, %v, %v", err, p.Read(), p.Driven())
		}
	})
}

func TestLamp(t *testing.T) {
	var l Lamp
	for _, on := range []bool{true, false, true} {
		if err := l.Set(on); err != nil {
			t.Fatal(err)
		}
	}
	if !l.Lit() || !slices.Equal(l.History(), []bool{true, false, true}) {
		t.Error(l.History())
	}
}
