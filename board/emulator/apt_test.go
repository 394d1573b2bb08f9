package emulator

import "testing"

func TestMirrorIn(t *testing.T) {
	const sources = "bookworm-updates main http://mirror.example/updates/\n" +
		"bookworm contrib http://mirror.example/contrib/\n" +
		"bookworm main http://mirror.example/debian/\n"
	if got, err := mirrorIn(sources); err != nil || got != "http://mirror.example/debian/" {
		t.Errorf("the mirror is %q, %v", got, err)
	}
	if got, err := mirrorIn("trixie main http://mirror.example/debian/\n"); err == nil {
		t.Errorf("trixie's mirror %q stands for bookworm's", got)
	}
}
