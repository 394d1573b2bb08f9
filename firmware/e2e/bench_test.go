package e2e

import (
	"fmt"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"doorstation/firmware/control"
)

// rounds is how often a short thing is measured; the figure is the median.
const rounds = 15

// talkTime is how long the calls last whose CPU and rhythm are measured.
const talkTime = 60 * time.Second

// benchPanel is a panel beside a phone that the bench plays itself.
func benchPanel(b *testing.B, call string, extra ...string) (*panel, *scripted, *handpiece) {
	b.Helper()
	s, _, gate := site(b)
	phone := newScripted(s.host("phone", 31))
	piece := newHandpiece(phone.host)
	return startPanel(gate, config{targets: []string{phone.uri()}, call: call, extra: extra}), phone, piece
}

// answered brings one call to its conversation.
func answered(p *panel, phone *scripted) {
	p.t.Helper()
	p.press()
	invite := phone.request("INVITE")
	phone.respond(phone.response(invite, "200 OK", "phone", phone.answer()))
	phone.request("ACK")
	p.calls(control.CallTalking)
}

// ends the call from the phone's side.
func (s *scripted) ends(p *panel) {
	p.t.Helper()
	s.bye("phone")
	p.ended()
}

// BenchmarkCallSetup times press → INVITE, 200 → ACK and 200 → first RTP on the
// wire. The press is the edge of the line, before the board's debounce.
func BenchmarkCallSetup(b *testing.B) {
	p, phone, _ := benchPanel(b, "")
	var invite, ack, sound []time.Duration
	for range rounds {
		began := time.Now()
		answered(p, phone)
		p.wire.first("sound", func(k packet) bool { return audioTo(phone.host)(k) && k.at.After(began) })
		phone.ends(p)
		sent := p.since(began, sip(true, "INVITE ", "INVITE"))
		ok := p.since(began, sip(false, "SIP/2.0 200", "INVITE"))
		invite = append(invite, sent.Sub(p.pressedAt()))
		ack = append(ack, p.since(began, sip(true, "ACK ", "ACK")).Sub(ok))
		sound = append(sound, p.since(began, audioTo(phone.host)).Sub(ok))
	}
	report(b, invite, "press→INVITE")
	report(b, ack, "200→ACK")
	report(b, sound, "200→RTP")
}

// BenchmarkDigitToDoor times the first packet of the code's last key → the line.
func BenchmarkDigitToDoor(b *testing.B) {
	p, phone, piece := benchPanel(b, "")
	var times []time.Duration
	for n := range rounds {
		answered(p, phone)
		audio := gateAudio(p, phone)
		piece.types(audio, rightCode, damages["untouched"])
		began := time.Now()
		piece.types(audio, endKey, damages["untouched"])
		p.opened(n + 1)
		moves := p.moves(door1)
		event := p.since(began, func(k packet) bool { return !k.sent && !k.tcp && len(k.payload) == 16 })
		times = append(times, wall(moves[len(moves)-2].At).Sub(event))
		phone.ends(p)
	}
	report(b, times, "event→line")
}

// BenchmarkStartToRegister times the daemon's start → REGISTER on the wire, and
// its memory when registered.
func BenchmarkStartToRegister(b *testing.B) {
	p, _, _ := benchPanel(b, "")
	var times []time.Duration
	for range rounds {
		p.stopDaemon()
		began := time.Now()
		p.startDaemon()
		p.registered()
		times = append(times, p.since(began, sip(true, "REGISTER ", "REGISTER")).Sub(began))
	}
	report(b, times, "start→REGISTER")
	b.ReportMetric(p.daemon.memory(), "MB-registered")
}

// BenchmarkCall measures a minute of conversation: CPU, memory, pictures and
// the rhythm of the sound, beside baresip as caller of the same phone.
func BenchmarkCall(b *testing.B) {
	for _, c := range []struct {
		name  string
		extra []string
		load  bool
	}{
		{"PCMU", []string{"video: {enabled: false}"}, false},
		{"PCMU-loaded", []string{"video: {enabled: false}"}, true},
		{"PCMU+H264", nil, false},
	} {
		b.Run("panel/"+c.name, func(b *testing.B) {
			p, phone, piece := benchPanel(b, "talk_for: 10m", c.extra...)
			answered(p, phone)
			piece.speak(gateAudio(p, phone), 500)
			if c.load {
				load(b)
			}
			measureCall(b, p.daemon, p.wire, phone.host)
			phone.ends(p)
		})
	}
	for _, video := range []bool{false, true} {
		name := map[bool]string{false: "PCMU", true: "PCMU+H264"}[video]
		b.Run("baresip/"+name, func(b *testing.B) {
			s := newStreet(b)
			phone := newScripted(s.host("phone", 31))
			newHandpiece(phone.host)
			peer := startBaresip(s.host("peer", 10), handset{user: "peer", speaks: 500, video: video})
			wire := peer.host.capture()
			peer.dial(phone.uri())
			phone.respond(phone.response(phone.request("INVITE"), "200 OK", "phone", phone.answer()))
			peer.event("CALL_ESTABLISHED")
			measureCall(b, peer.process, wire, phone.host)
		})
	}
}

// gateAudio is where the panel wants sound in the phone's latest call.
func gateAudio(p *panel, phone *scripted) netip.AddrPort {
	return p.host.at(mediaPort(p.t, bodyOf([]byte(phone.invite)), "audio"))
}

// measureCall watches a running call for its talkTime and reports.
func measureCall(b *testing.B, p *process, wire *capture, phone *host) {
	b.Helper()
	wire.first("sound", audioTo(phone))
	cpu, began := p.cpu(), time.Now()
	pause(b, talkTime)
	used := p.cpu() - cpu
	end := time.Now()
	var sound, picture []packet
	for _, k := range wire.all(func(k packet) bool { return k.sent && k.at.After(began) && k.at.Before(end) }) {
		switch {
		case audioTo(phone)(k):
			sound = append(sound, k)
		case k.dst == phone.at(6002) && rtp(true, k.dst)(k):
			picture = append(picture, k)
		}
	}
	sd, p99 := rhythm(sound)
	b.ReportMetric(used.Seconds(), "CPU-s/min")
	b.ReportMetric(p.memory(), "MB-talking")
	b.ReportMetric(float64(len(sound)), "audio-packets")
	b.ReportMetric(float64(pictures(picture)), "pictures")
	b.ReportMetric(sd, "ms-spacing-sd")
	b.ReportMetric(p99, "ms-spacing-p99")
	b.ReportMetric(0, "ns/op") // one call is one operation; its time says nothing
}

// rhythm is the standard deviation of the spacing of packets and the 99th
// percentile of its distance from 20 ms, in ms.
func rhythm(packets []packet) (sd, p99 float64) {
	var off []float64
	var sum float64
	for i := 1; i < len(packets); i++ {
		d := packets[i].at.Sub(packets[i-1].at).Seconds()*1e3 - 20
		off = append(off, math.Abs(d))
		sum += d * d
	}
	if len(off) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(off)
	return math.Sqrt(sum / float64(len(off))), off[len(off)*99/100]
}

// report gives the median and the worst of times in ms.
func report(b *testing.B, times []time.Duration, what string) {
	b.Helper()
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2].Seconds()*1e3, "ms-"+what)
	b.ReportMetric(times[len(times)-1].Seconds()*1e3, "ms-"+what+"-worst")
	b.ReportMetric(0, "ns/op")
}

// since is the time of the first packet after began that matches.
func (p *panel) since(began time.Time, match func(packet) bool) time.Time {
	p.t.Helper()
	return p.wire.first("the packet", func(k packet) bool { return k.at.After(began) && match(k) }).at
}

// pressedAt is when the button's line last became active.
func (p *panel) pressedAt() time.Time {
	moves := p.moves(button1)
	for _, m := range slices.Backward(moves) {
		if m.Active {
			return wall(m.At)
		}
	}
	return time.Time{}
}

// wall turns a time of CLOCK_MONOTONIC into one of the wall clock, which the
// captures have.
func wall(monotonic time.Duration) time.Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return time.Now().Round(0).Add(monotonic - time.Duration(ts.Nano()))
}

// cpu is the processor time of the process so far (proc(5), stat, in 1/100 s).
func (p *process) cpu() time.Duration {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		if err != nil {
			p.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory is the process's resident set in MB.
func (p *process) memory() float64 {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kB, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		p.t.Fatal(err)
	}
	return float64(kB) / 1024
}

// load keeps every core busy until the bench ends.
func load(b *testing.B) {
	b.Helper()
	for range 2 {
		busy := exec.Command("sha256sum", "/dev/zero")
		if err := busy.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = busy.Process.Kill(); _ = busy.Wait() })
	}
}
