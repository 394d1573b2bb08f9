//go:build board

package e2e

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"
	"time"

	"doorstation/board/emulator"
)

// A clock that has forgotten the time, or is far ahead, does not keep the panel
// from its registrar, whose certificate is of today: it registers over TLS
// within a minute of the network. A 32-bit kernel takes no time from an RTC that
// is past 2038, and begins in 1970.
func TestBoardClock(t *testing.T) {
	for name, c := range map[string]struct {
		board string
		clock time.Time
		year  string // in the guest
		asks  bool   // a time server
	}{
		"1970":           {"qemu-virt-armhf", time.Date(1970, 1, 1, 0, 0, 10, 0, time.UTC), "1970", false},
		"2039":           {"qemu-virt-arm64", time.Date(2039, 6, 1, 0, 0, 0, 0, time.UTC), "2039", true},
		"2039 on 32 bit": {"qemu-virt-armhf", time.Date(2039, 6, 1, 0, 0, 0, 0, time.UTC), "1970", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t)
			proxy := s.host("proxy", 5)
			k := startYearlyKamailio(proxy, map[string]string{"panel": panelPassword})
			ca, err := os.ReadFile(k.pair.cert)
			if err != nil {
				t.Fatal(err)
			}
			set := boardSetup{
				board: c.board, clock: c.clock, without: []string{"vivid", "snd-aloop"},
				files: []emulator.File{{Path: "etc/doorstation/ca.pem", Content: ca}},
				config: config{
					targets: []string{"sip:anna@10.0.0.5"}, transport: "tls",
					account: ", registrar: \"10.0.0.5:5061\", ca_file: /etc/doorstation/ca.pem",
				},
			}
			if c.asks {
				set.extra = []string{"time: {servers: [" + startTimeServer(s.host("time", 8)) + "]}"}
			}
			p := bootPanel(s.boardHost("board", 10), set)
			network, err := p.Mark(p.wait(), "network", 0)
			if err != nil {
				t.Fatal(err)
			}
			if year := p.shell("date +%Y"); year != c.year {
				t.Errorf("the guest's clock begins in %s, want %s", year, c.year)
			}
			p.registered() // or the test ends after a minute
			t.Logf("network → registered over TLS %v", time.Since(network.At))
		})
	}
}

// startYearlyKamailio is one with TLS whose certificate is valid for a year to
// either side.
func startYearlyKamailio(h *host, users map[string]string) *kamailio {
	h.t.Helper()
	const year = 365 * 24 * time.Hour
	k := &kamailio{host: h, users: users, pair: newCertificateFor(h.t, scratch(h.t, h.name), h.addr, year, year)}
	k.start()
	return k
}

// startTimeServer answers SNTP requests (RFC 4330) with this machine's time, and
// returns its address.
func startTimeServer(h *host) string {
	h.t.Helper()
	conn := h.udp(123)
	go func() {
		b := make([]byte, 128)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if n >= 48 {
				_, _ = conn.WriteToUDPAddrPort(timeAnswer(b[:48], time.Now()), from)
			}
		}
	}()
	return h.addr.String()
}

// timeAnswer is a server's answer to a request (RFC 4330 section 5): stratum 1,
// the request's own time, and ours.
func timeAnswer(request []byte, now time.Time) []byte {
	const (
		serverMode = 4
		epoch1900  = 2208988800 // seconds from 1900 to 1970
	)
	out := make([]byte, 48)
	out[0] = request[0]&0x38 | serverMode // its version
	out[1], out[2], out[3] = 1, request[2], 0xec
	copy(out[12:], "TEST")
	stamp := func(at int) {
		binary.BigEndian.PutUint32(out[at:], uint32(now.Unix()+epoch1900))
		binary.BigEndian.PutUint32(out[at+4:], uint32(uint64(now.Nanosecond())<<32/uint64(time.Second)))
	}
	stamp(16)
	copy(out[24:32], request[40:48])
	stamp(32)
	stamp(40)
	return out
}

// A server's answer that its client could not use would make the clock's test
// one of nothing.
func TestTimeAnswer(t *testing.T) {
	request := make([]byte, 48)
	request[0], request[47] = 4<<3|3, 7
	out := timeAnswer(request, time.Unix(0, 500_000_000))
	if got := fmt.Sprintf("%x %x %x", out[0], out[31], out[40:48]); got != "24 7 83aa7e8080000000" {
		t.Errorf("the answer has %s, want 24 7 83aa7e8080000000", got)
	}
}
