//go:build cgo

package openh264

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// anonymous is the memory of this process that is no file's, in kB, once the
// collector has given back all that it can.
func anonymous(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nRssAnon:")
	kB, err := strconv.Atoi(strings.Fields(rest + " none")[0])
	if err != nil {
		t.Fatalf("no RssAnon in %s", status)
	}
	return kB
}

// onThread runs do on a thread of its own, that ends with it.
func onThread(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked
		do()
	}()
	<-done
}

// Calls come for years, and the encoder of each may run on another thread: what
// one has used serves the next, or is given back.
func TestEncodersLeaveNoMemory(t *testing.T) {
	const calls, most = 8, 12 << 10 // kB; each uses about 3.5 MB, and the race detector needs its own
	encode := func() {
		if frames := encoded(t, film{pictures: 5}, vga); len(frames) != 5 {
			t.Errorf("%d frames of 5 pictures", len(frames))
		}
	}
	onThread(encode)
	first := anonymous(t)
	var stay []chan struct{}
	for range calls {
		// The threads stay, and with each what it had.
		end, done := make(chan struct{}), make(chan struct{})
		go onThread(func() { encode(); close(done); <-end })
		<-done
		stay = append(stay, end)
	}
	if grown := anonymous(t) - first; grown > most {
		t.Errorf("%d more encoders have left %d kB, want %d at most", calls, grown, most)
	}
	for _, end := range stay {
		close(end)
	}
}
