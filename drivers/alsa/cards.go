//go:build cgo

package alsa

import (
	"os"
	"strings"
)

// soundCards is where the kernel has its sound devices.
const soundCards = "/dev/snd"

// anyCard says whether there is a sound card with a PCM device.
func anyCard(dir string) bool {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "pcm") {
			return true
		}
	}
	return false
}
