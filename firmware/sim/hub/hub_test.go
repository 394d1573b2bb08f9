package hub

import "testing"

func TestSlowListenerLosesItsOwn(t *testing.T) {
	h := New[int](2)
	slow, endSlow := h.Listen()
	quick, endQuick := h.Listen()
	defer endSlow()
	for i := range 5 {
		h.Send(i)
		if got := <-quick; got != i {
			t.Errorf("the quick one got %d, want %d", got, i)
		}
	}
	if a, b := <-slow, <-slow; a != 0 || b != 1 || len(slow) != 0 {
		t.Errorf("the slow one got %d, %d and %d more, want 0, 1 and none", a, b, len(slow))
	}
	endQuick()
	h.Send(9)
	if len(quick) != 0 {
		t.Error("a listener that left still gets values")
	}
	if got := <-slow; got != 9 {
		t.Errorf("after the loss %d, want 9", got)
	}
}
