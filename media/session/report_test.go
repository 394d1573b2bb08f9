package session

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// RFC 3550 section 6.4: a sender reports as one for two intervals.
func TestReportsOfASenderThatStops(t *testing.T) {
	s, _ := openLeg(t, nil)
	st := s.audio
	st.out.sent(time.Minute, 8000, 5, 800)
	for i, sender := range []bool{true, true, false, false} {
		report := st.report(time.Minute+time.Second, "panel")
		sr, is := report[0].(*rtcp.SenderReport)
		if is != sender {
			t.Fatalf("report %d is %T", i, report[0])
		}
		if is && (sr.RTPTime != 8000+8000 || sr.PacketCount != 5 || sr.OctetCount != 800) {
			t.Errorf("one second after timestamp 8000: %+v", sr)
		}
	}
}

// The round trip of RFC 3550 section 6.4.1, from what the far end reports.
func TestRoundTrip(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, nil)
	sent := s.audio.report(time.Minute, "panel")
	s.audio.out.sent(time.Minute, 0, 1, 160)
	sr := s.audio.report(time.Minute, "panel")[0].(*rtcp.SenderReport)
	raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: p.ssrc, Reports: []rtcp.ReceptionReport{{
		SSRC: sr.SSRC, LastSenderReport: uint32(sr.NTPTime >> 16), Delay: 65536, TotalLost: 3,
	}}}})
	if err != nil || len(sent) != 2 {
		t.Fatal(err)
	}
	s.audio.take(time.Minute+time.Second+250*time.Millisecond, raw, p.audio.place())
	st := s.Stats().Audio
	if d := st.RoundTrip - 250*time.Millisecond; d < -time.Millisecond || d > time.Millisecond || st.LostOut != 3 {
		t.Errorf("round trip %v, lost %d", st.RoundTrip, st.LostOut)
	}
}
