//go:build board

package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorstation/board/emulator"
	"doorstation/callflow/timeline"
)

// BenchmarkBoard measures one boot and one call of ten seconds on each board.
// The processor is emulated: times and CPU seconds are this machine's, not the
// board's.
func BenchmarkBoard(b *testing.B) {
	for _, board := range emulator.Boards() {
		b.Run(board, func(b *testing.B) {
			for range b.N {
				benchBoard(b, board)
			}
		})
	}
}

func benchBoard(b *testing.B, board string) {
	const talk = 10 * time.Second
	s := newStreet(b)
	startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword, "anna": "a-word"})
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: "10.0.0.5", speaks: 600, video: true})
	p := bootPanel(s.boardHost("board", 10), boardSetup{board: board, config: config{targets: []string{"sip:anna@10.0.0.5"}}})
	p.registered()
	p.report(b, "power-to-registered-s", p.wire.first("the registrar's 200", sip(false, "SIP/2.0 200", "REGISTER")).at.Sub(p.Started).Seconds())
	p.report(b, "rss-registered-MB", p.resident())

	pressed := p.finger("BUTTON1")
	p.report(b, "edge-to-invite-ms", 1e3*p.wire.first("the INVITE", sip(true, "INVITE ", "INVITE")).at.Sub(pressed).Seconds())
	anna.event("CALL_INCOMING")
	anna.accept()
	anna.event("CALL_ESTABLISHED")
	before, began := p.processor(), time.Now()
	pause(b, talk)
	span := time.Since(began).Seconds()
	p.report(b, "call-cpu-%", 100*(p.processor()-before)/span)
	p.report(b, "rss-call-MB", p.resident())
	anna.types(rightCode + endKey)
	p.edge("DOOR1", true, 0)
	p.edge("DOOR1", false, 0)
	anna.hangUp()
	record := p.ended()
	digits, on := marks(record, timeline.Digit), marks(record, timeline.RelayOn)
	if len(digits) == 0 || len(on) == 0 {
		b.Fatalf("no digit or no relay in\n%s", drawn(record))
	}
	p.report(b, "digit-to-line-ms", 1e3*(on[0].At-digits[len(digits)-1].At).Seconds())
	p.report(b, "pictures/s", float64(pictures(p.wire.all(p.pictureTo(anna.host))))/record.Ended.Seconds())
}

func (p *boardPanel) report(b *testing.B, unit string, value float64) {
	b.Helper()
	b.ReportMetric(value, unit)
}

// resident is the daemon's memory in MB, counted page by page: the board's kernel
// adds to VmRSS late, by up to 64 pages of each thread.
func (p *boardPanel) resident() float64 {
	p.t.Helper()
	text := p.shell("grep ^Rss: /proc/$(pidof doorstationd)/smaps_rollup")
	words := strings.Fields(text)
	if len(words) != 3 {
		p.t.Fatalf("resident memory: %q", text)
	}
	kB, err := strconv.Atoi(words[1])
	if err != nil {
		p.t.Fatal(err)
	}
	return float64(kB) / 1000
}

// processor is what the daemon has used of the emulated processor, in seconds.
func (p *boardPanel) processor() float64 {
	p.t.Helper()
	text := p.shell("cut -d' ' -f14,15 /proc/$(pidof doorstationd)/stat")
	var user, system int
	if _, err := fmt.Sscan(text, &user, &system); err != nil {
		p.t.Fatalf("CPU time %q: %v", text, err)
	}
	return float64(user+system) / 100 // the kernel's ticks of 10 ms
}
