package detect_test

import (
	"strings"
	"testing"

	"doorstation/board"
	"doorstation/board/detect"
)

var zero = detect.Machine{Model: "Raspberry Pi Zero 2 W", Compatible: []string{"raspberrypi,model-zero-2-w", "brcm,bcm2837"}}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		compatible []string
		by         string
		before     int
		wrong      string
	}{
		{[]string{"raspberrypi,model-zero-2-w"}, "raspberrypi,model-zero-2-w", 0, ""},
		{[]string{"brcm,bcm2711", "brcm,bcm2837"}, "brcm,bcm2837", 1, ""},
		{[]string{"brcm,bcm2711"}, "", 0, "board file b is for brcm,bcm2711, and this machine is Raspberry Pi Zero 2 W (raspberrypi,"},
		{nil, "", 0, ""},
	} {
		b := &board.Board{Name: "b", Compatible: c.compatible}
		by, before, ok := zero.Fit(b)
		if by != c.by || before != c.before || ok != (c.by != "") {
			t.Errorf("%v fits by %q after %d, %v; want %q", c.compatible, by, before, ok, c.by)
		}
		if got := zero.Mismatch(b); (got == "") != (c.wrong == "") || !strings.HasPrefix(got, c.wrong) {
			t.Errorf("%v: %q, want %q", c.compatible, got, c.wrong)
		}
	}
	if got := (detect.Machine{}).Mismatch(&board.Board{Compatible: []string{"x"}}); !strings.Contains(got, "without a device tree") {
		t.Error(got)
	}
}

// TestThis holds for any machine: with a device tree there is a model.
func TestThis(t *testing.T) {
	m := detect.This()
	if (m.Model == "") != (len(m.Compatible) == 0) {
		t.Errorf("%+v", m)
	}
}
