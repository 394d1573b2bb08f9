package e2e

import (
	"strconv"
	"strings"
	"testing"
)

// mediaPort is the port of the first m= line of a kind in an SDP.
func mediaPort(t testing.TB, sdp, kind string) uint16 {
	t.Helper()
	for line := range strings.Lines(sdp) {
		rest, found := strings.CutPrefix(line, "m="+kind+" ")
		if !found {
			continue
		}
		port, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 16)
		if err != nil {
			t.Fatalf("m=%s %s: %v", kind, rest, err)
		}
		return uint16(port)
	}
	t.Fatalf("no m=%s in the SDP:\n%s", kind, sdp)
	return 0
}
