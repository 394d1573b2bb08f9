package session

import (
	"bytes"
	"testing"
	"time"

	"doorstation/media/h264"
	"doorstation/media/sdp"

	"github.com/pion/rtcp"
)

// keyUnit is a key frame of about size bytes; deltaUnit one that needs it.
func keyUnit(size int) [][]byte {
	sps := []byte{0x67, 0x42, 0xc0, 0x16, 0x8c, 0x8d, 0x40, 0x50, 0x1e, 0xd0}
	pps := []byte{0x68, 0xce, 0x3c, 0x80}
	idr := bytes.Repeat([]byte{0x65, 1, 2, 3, 4, 5, 6, 7}, size/8)
	return [][]byte{sps, pps, idr}
}

func deltaUnit(size int) [][]byte {
	return [][]byte{bytes.Repeat([]byte{0x41, 9, 8, 7, 6, 5, 4, 3}, size/8)}
}

// watch reassembles the next access unit that comes to the phone.
func (p *phone) watch() (unit [][]byte, ts uint32) {
	p.t.Helper()
	for unit == nil {
		got := p.video.readRTP()
		if got.PayloadType != p.leg.Video.PayloadType {
			p.t.Fatalf("payload type %d, want %d", got.PayloadType, p.leg.Video.PayloadType)
		}
		err := p.units.Packet(got.SequenceNumber, got.Timestamp, got.Marker, got.Payload, func(u h264.AccessUnit) {
			for _, nal := range u.NALs {
				unit = append(unit, bytes.Clone(nal))
			}
			ts = got.Timestamp
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return unit, ts
}

func TestPictureBeginsWithAKeyFrame(t *testing.T) {
	p := newPhone(t)
	s, d := call(t, p, nil)
	if !s.WantsVideo() {
		t.Fatal("the picture was agreed and is not wanted")
	}
	next[PictureWanted](t, d)
	s.SendVideo(deltaUnit(400), 0, false)
	key := keyUnit(30000)
	s.SendVideo(key, 100*time.Millisecond, true)
	s.SendVideo(deltaUnit(400), 200*time.Millisecond, false)
	got, ts := p.watch()
	if len(got) != 3 || !bytes.Equal(got[2], key[2]) {
		t.Fatalf("the first unit has %d NAL units", len(got))
	}
	if _, later := p.watch(); later-ts != 9000 {
		t.Errorf("100 ms are %d units of the RTP clock, want 9000", later-ts)
	}
	next[FirstOut](t, d)
	next[KeyFrameOut](t, d)
	if st := s.Stats(); st.FramesOut != 2 || st.FramesMissed != 1 || st.Video.PacketsOut < 26 {
		t.Errorf("counted %+v", st)
	}
}

func TestPictureClockNeverTurnsBack(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, nil)
	s.SendVideo(keyUnit(800), time.Hour, true)
	s.SendVideo(keyUnit(800), time.Millisecond, true) // the camera began anew
	_, first := p.watch()
	if _, second := p.watch(); int32(second-first) <= 0 {
		t.Errorf("timestamps %d, %d", first, second)
	}
}

func TestSingleUnitMode(t *testing.T) {
	p := newPhone(t)
	s, d := openLeg(t, nil)
	p.answer(s.Offer())
	answer := sdp.Offer(sdp.Local{ID: 1, Version: 1, Audio: p.local.Audio})
	answer = append(answer, "m=video 40000 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\na=fmtp:98 packetization-mode=0\r\na=recvonly\r\n"...)
	answer = bytes.Replace(answer, []byte("40000"), []byte(p.video.place().String()[len("127.0.0.1:"):]), 1)
	if err := s.Apply(answer); err != nil {
		t.Fatal(err)
	}
	p.leg.Video.PayloadType = 98
	s.SendVideo(keyUnit(30000), 0, true) // cannot be cut in this mode
	s.SendVideo(keyUnit(1000), time.Second, true)
	if got, _ := p.watch(); len(got) != 3 {
		t.Errorf("%d NAL units", len(got))
	}
	if st := s.Stats(); st.FramesOut != 1 || st.FramesMissed != 1 {
		t.Errorf("counted %+v", st)
	}
	next[KeyFrameOut](t, d)
}

func TestADroppedFrameAsksForAKeyFrame(t *testing.T) {
	p := newPhone(t)
	s, d := call(t, p, nil)
	next[PictureWanted](t, d)
	s.SendVideo(keyUnit(800), 0, true)
	s.video.rtp.Close() // every write fails
	s.SendVideo(deltaUnit(800), 66*time.Millisecond, false)
	next[PictureWanted](t, d)
	if !s.screen.needKey {
		t.Error("frames would go on without a key frame")
	}
}

func TestFeedbackAsksForAKeyFrame(t *testing.T) {
	const own = 0x5EED
	pli := func(ssrc uint32) rtcp.Packet { return &rtcp.PictureLossIndication{SenderSSRC: own, MediaSSRC: ssrc} }
	fir := func(ssrc uint32, seq uint8) rtcp.Packet {
		return &rtcp.FullIntraRequest{SenderSSRC: own, MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: seq}}}
	}
	for name, tt := range map[string]struct {
		send func(ssrc uint32) []rtcp.Packet
		want int
	}{
		"PLI":                        {func(s uint32) []rtcp.Packet { return []rtcp.Packet{pli(s)} }, 1},
		"PLI without an SSRC":        {func(uint32) []rtcp.Packet { return []rtcp.Packet{pli(0)} }, 1},
		"PLI of another source":      {func(s uint32) []rtcp.Packet { return []rtcp.Packet{pli(s + 1)} }, 0},
		"FIR":                        {func(s uint32) []rtcp.Packet { return []rtcp.Packet{fir(s, 7)} }, 1},
		"FIR sent again":             {func(s uint32) []rtcp.Packet { return []rtcp.Packet{fir(s, 7), fir(s, 7), fir(s, 7)} }, 1},
		"two FIR commands":           {func(s uint32) []rtcp.Packet { return []rtcp.Packet{fir(s, 7), fir(s, 8)} }, 2},
		"FIR of another source":      {func(s uint32) []rtcp.Packet { return []rtcp.Packet{fir(s+1, 7)} }, 0},
		"a receiver report asks not": {func(s uint32) []rtcp.Packet { return []rtcp.Packet{&rtcp.ReceiverReport{SSRC: own}} }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPhone(t)
			s, d := call(t, p, nil)
			next[PictureWanted](t, d)
			for i, packet := range tt.send(s.video.out.ssrc) {
				raw, err := rtcp.Marshal([]rtcp.Packet{packet})
				if err != nil {
					t.Fatal(err)
				}
				s.video.take(time.Duration(i+1)*time.Second+s.now(), raw, p.video.place())
			}
			got := 0
			for len(d) > 0 {
				if _, ok := (<-d).(PictureWanted); ok {
					got++
				}
			}
			if got != tt.want {
				t.Errorf("%d key frames wanted, want %d", got, tt.want)
			}
		})
	}
}

// A phone that asks again and again gets key frames at a bearable rate, and
// its last wish is not forgotten.
func TestFeedbackFlood(t *testing.T) {
	p := newPhone(t)
	s, d := call(t, p, nil)
	next[PictureWanted](t, d)
	begin := s.now() + time.Second
	for i := range 100 {
		s.screen.request(begin + time.Duration(i)*time.Millisecond)
	}
	next[PictureWanted](t, d)
	none[PictureWanted](t, d)
	s.screen.mu.Lock()
	late := s.screen.due(begin + askClose)
	s.screen.mu.Unlock()
	if !late {
		t.Error("the wishes after the first are forgotten")
	}
}

func TestPLIOverTheSocket(t *testing.T) {
	p := newPhone(t)
	s, d := call(t, p, nil)
	next[PictureWanted](t, d)
	s.screen.mu.Lock()
	s.screen.askedAt = -askAgain // the start's own was long ago
	s.screen.mu.Unlock()
	raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: s.video.out.ssrc}})
	if err != nil {
		t.Fatal(err)
	}
	p.video.write(raw, p.leg.Video.RTP)
	next[PictureWanted](t, d)
}
