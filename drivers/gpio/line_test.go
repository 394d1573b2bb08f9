package gpio

import (
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
)

func TestOutputIsRequestedWithItsLevel(t *testing.T) {
	for _, c := range []struct {
		level gpio.Level
		drive Drive
		flags uint64
		value uint64
	}{
		{gpio.Low, PushPull, flagOutput, 0},
		{gpio.High, PushPull, flagOutput, 1},
		{gpio.High, OpenDrain, flagOutput | flagOpenDrain, 1},
		{gpio.Low, OpenSource, flagOutput | flagOpenSource, 0},
	} {
		r := outputRequest(17, c.level, c.drive)
		want := configAttribute{attr: lineAttribute{id: attrOutputValues, value: c.value}, mask: 1}
		if r.config.flags != c.flags || r.config.numAttrs != 1 || r.config.attrs[0] != want || r.offsets[0] != 17 || r.numLines != 1 {
			t.Errorf("%v, drive %d: %+v", c.level, c.drive, r)
		}
	}
}

func TestInputRequest(t *testing.T) {
	for _, c := range []struct {
		pull  gpio.Pull
		edge  gpio.Edge
		flags uint64
	}{
		{gpio.PullNoChange, gpio.NoEdge, flagInput},
		{gpio.PullUp, gpio.BothEdges, flagInput | flagPullUp | flagEdgeRising | flagEdgeFalling},
		{gpio.PullDown, gpio.RisingEdge, flagInput | flagPullDown | flagEdgeRising},
		{gpio.Float, gpio.FallingEdge, flagInput | flagBiasDisabled | flagEdgeFalling},
	} {
		r := inputRequest(3, c.pull, c.edge, 0)
		if r.config.flags != c.flags || r.config.numAttrs != 0 || r.offsets[0] != 3 || text(r.consumer) != consumer {
			t.Errorf("%v, %v: %+v", c.pull, c.edge, r)
		}
	}
	r := inputRequest(3, gpio.PullUp, gpio.BothEdges, 20*time.Millisecond)
	if a := r.config.attrs[0]; r.config.numAttrs != 1 || a.attr.id != attrDebounce || uint32(a.attr.value) != 20000 || a.mask != 1 {
		t.Errorf("debounce: %+v", r.config)
	}
}
