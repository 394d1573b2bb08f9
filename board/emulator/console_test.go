package emulator

import (
	"testing"
	"testing/synctest"
)

func TestTagged(t *testing.T) {
	for _, c := range []struct{ console, text, status string }{
		{"<1><end> 0\r\n", "", "0"},
		{"<1>a\r\n<1>b\r\n<1><end> 2\r\n", "a\nb", "2"},
		{"<1>a\r\nnoise\r\n<1>b<end> 1\r\n", "a\nb", "1"},
		{"<1>not ended<end> 0\r\n", "not ended", "0"},
		{"<1>a\r\na trace that goes on<1><end> 0\r\n", "a", "0"},
		{"<2>other<end> 0\r\n<1>mine\r\n<1><end> 0\r\n", "mine", "0"},
	} {
		text, status, found := tagged(c.console, "<1>")
		if !found || text != c.text || status != c.status {
			t.Errorf("%q: %q, %q, %v; want %q, %q", c.console, text, status, found, c.text, c.status)
		}
	}
	for _, console := range []string{"", "<1>a\r\n", "<1><end> 0"} {
		if _, _, found := tagged(console, "<1>"); found {
			t.Errorf("%q has no end, and one was found", console)
		}
	}
}

func TestMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(nil)
		go func() {
			for _, part := range []string{"noise\r\nem", "u: init at 1.0\r", "\nemu: ready at 2", ".0\r\nemu: ready at 9.0\r\n"} {
				_, _ = c.Write([]byte(part))
				synctest.Wait()
			}
			c.end()
		}()
		for n, want := range []string{"ready at 2.0", "ready at 9.0"} {
			m, err := c.mark(t.Context(), "ready", n)
			if err != nil || m.Text != want {
				t.Errorf("mark %d: %q, %v; want %q", n, m.Text, err, want)
			}
		}
		if _, err := c.mark(t.Context(), "ready", 2); err == nil {
			t.Error("a mark after the end of the guest")
		}
	})
}
