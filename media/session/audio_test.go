package session

import (
	"testing"
	"time"

	"doorstation/media/g711"
	"doorstation/media/sdp"
	"doorstation/media/tone"

	"github.com/pion/rtcp"
)

// loudness of a tone that counts as heard, and as not.
const (
	loud = 0.05
	soft = 0.001
)

// singer is a source of a steady tone.
func singer(freq float64) func([]int16) {
	clip := tone.Sine(freq, 0.5, time.Second)
	at := 0
	return func(frame []int16) {
		for i := range frame {
			frame[i] = clip[400+at%(len(clip)-800)]
			at++
		}
	}
}

func TestAudioBothWays(t *testing.T) {
	for _, codec := range []sdp.Codec{sdp.PCMU, sdp.PCMA} {
		t.Run(codec.String(), func(t *testing.T) {
			p := newPhone(t, codec)
			s, d := call(t, p, nil)
			s.Speak(singer(440))
			got := collect(t, p, codec, 25)
			if tone.Power(got, 440) < loud || tone.Power(got, 1000) > soft {
				t.Errorf("the phone hears %.4f of 440 Hz and %.4f of 1000 Hz", tone.Power(got, 440), tone.Power(got, 1000))
			}
			next[FirstOut](t, d)

			if heard := listenTo(s, p, codec, 1000); tone.Power(heard, 1000) < loud || tone.Power(heard, 440) > soft {
				t.Errorf("the panel hears %.4f of 1000 Hz and %.4f of 440 Hz", tone.Power(heard, 1000), tone.Power(heard, 440))
			}
			if e := next[FirstIn](t, d); e.Stream != Audio {
				t.Errorf("first in: %v", e.Stream)
			}
		})
	}
}

// collect decodes what comes to the phone, and checks the headers.
func collect(t *testing.T, p *phone, codec sdp.Codec, packets int) []int16 {
	t.Helper()
	var pcm []int16
	var seq uint16
	var ts uint32
	for i := range packets {
		got := p.audio.readRTP()
		if got.PayloadType != uint8(codec) || len(got.Payload) != 160 || got.Marker != (i == 0) {
			t.Fatalf("packet %d: type %d, %d bytes, marker %v", i, got.PayloadType, len(got.Payload), got.Marker)
		}
		// On a machine held up for long, frames are left out and timestamps say so.
		if step := got.Timestamp - ts; i > 0 && (got.SequenceNumber != seq+1 || step == 0 || step%160 != 0) {
			t.Fatalf("packet %d: sequence %d after %d, timestamp %d after %d", i, got.SequenceNumber, seq, got.Timestamp, ts)
		}
		seq, ts = got.SequenceNumber, got.Timestamp
		frame := make([]int16, 160)
		if codec == sdp.PCMA {
			g711.DecodeALaw(frame, got.Payload)
		} else {
			g711.DecodeULaw(frame, got.Payload)
		}
		pcm = append(pcm, frame...)
	}
	return pcm
}

// listenTo gives what the speaker gets of half a second of a tone from the
// phone, on a clock of the test's own.
func listenTo(s *Session, p *phone, codec sdp.Codec, freq float64) []int16 {
	var pcm []int16
	sing := singer(freq)
	frame, coded := make([]int16, 160), make([]byte, 160)
	for i := range 25 {
		sing(frame)
		if codec == sdp.PCMA {
			g711.EncodeALaw(coded, frame)
		} else {
			g711.EncodeULaw(coded, frame)
		}
		now := time.Minute + time.Duration(i)*20*time.Millisecond
		s.audio.take(now, p.rtp(uint8(codec), coded), p.audio.place())
		if s.ear.hear(now+5*time.Millisecond, frame) && i > 2 {
			pcm = append(pcm, frame...)
		}
	}
	return pcm
}

// What the phone sends on a real socket is heard.
func TestAudioIntakeOverTheSocket(t *testing.T) {
	p := newPhone(t)
	s, d := call(t, p, nil)
	p.audio.write(p.rtp(0, make([]byte, 160)), p.leg.Audio.RTP)
	next[FirstIn](t, d)
	if st := s.Stats().Audio; st.PacketsIn != 1 || st.BytesIn != 160 {
		t.Errorf("counted %d packets, %d bytes", st.PacketsIn, st.BytesIn)
	}
}

func TestNothingLeavesAClosedMicrophone(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, nil)
	marker := listen(t, "127.0.0.1")
	silent := func(when string) {
		t.Helper()
		s.mouth.tick(1) // a tick that was already under way
		marker.write([]byte("mark"), p.audio.place())
		for {
			raw, from := p.audio.read()
			if from == marker.place() {
				return
			}
			if raw[1] < 192 {
				t.Errorf("RTP %s", when)
			}
		}
	}
	silent("before the microphone was opened")
	s.Speak(singer(440))
	p.audio.readRTP()
	s.Speak(nil)
	sent := s.Stats().Audio.PacketsOut
	for range sent - 1 {
		p.audio.readRTP() // those that had left before
	}
	silent("after the microphone was closed")

	s.Speak(singer(440))
	if got := p.audio.readRTP(); !got.Marker {
		t.Error("the second talkspurt begins without a marker (RFC 3551 section 4.1)")
	}
}

func TestHoldAndCodecChangeByReInvite(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, nil)
	s.Speak(singer(440))
	if got := p.audio.readRTP(); got.PayloadType != 0 {
		t.Fatalf("type %d, want PCMU", got.PayloadType)
	}
	p.local.Audio.Direction = sdp.SendOnly // hold
	p.offers(s)
	held := s.Stats().Audio.PacketsOut
	s.mouth.tick(3)
	if now := s.Stats().Audio.PacketsOut; now > held+1 { // one may have been under way
		t.Errorf("%d packets sent on hold", now-held)
	}
	if p.leg.Audio.Direction.Sends() && p.leg.Audio.Direction.Receives() {
		t.Error("the leg answered a hold with sendrecv (RFC 3264 section 6.1)")
	}
	p.local.Audio.Direction = sdp.SendRecv
	p.local.Audio.Codecs = []sdp.Codec{sdp.PCMA}
	p.offers(s)
	for {
		if got := p.audio.readRTP(); got.PayloadType == 8 {
			break // PCMU packets of before the hold come first
		} else if got.PayloadType != 0 {
			t.Fatalf("type %d, want PCMA", got.PayloadType)
		}
	}
}

// A process that was held up sends a few frames at once, leaves the rest out,
// and its timestamps keep to the clock.
func TestCatchingUp(t *testing.T) {
	s := connected(t, "127.0.0.1:9")
	s.mouth.mu.Lock()
	s.mouth.src = func(frame []int16) { clear(frame) }
	before := s.mouth.stamp
	s.mouth.mu.Unlock()
	s.mouth.tick(10)
	if sent := s.Stats().Audio.PacketsOut; sent != maxCatchUp {
		t.Errorf("%d frames sent at once, want %d", sent, maxCatchUp)
	}
	if s.mouth.stamp-before != 10*frameSamples {
		t.Errorf("the clock went on by %d samples, want %d", s.mouth.stamp-before, 10*frameSamples)
	}
}

func TestAnotherForkTakesOver(t *testing.T) {
	first, second := newPhone(t), newPhone(t)
	s, d := openLeg(t, nil)
	offer := s.Offer()
	if err := s.Apply(first.answer(offer)); err != nil {
		t.Fatal(err)
	}
	next[PictureWanted](t, d)
	if err := s.Apply(first.answer(offer)); err != nil {
		t.Fatal(err)
	}
	none[PictureWanted](t, d) // the same answer again changes nothing
	s.Speak(singer(440))
	first.audio.readRTP()
	if err := s.Apply(second.answer(offer)); err != nil {
		t.Fatal(err)
	}
	second.audio.readRTP()
	next[PictureWanted](t, d)
	now := s.now()
	s.audio.take(now, first.rtp(0, make([]byte, 160)), first.audio.place())
	if st := s.Stats().Audio; st.PacketsIn != 0 || st.Strangers != 1 {
		t.Errorf("the first fork is still heard: %+v", st)
	}
}

func TestReportsAndGoodbye(t *testing.T) {
	p := newPhone(t)
	s, d := call(t, p, nil)
	s.Speak(singer(440))
	sent := p.audio.readRTP()
	p.audio.write(p.rtp(0, make([]byte, 160)), p.leg.Audio.RTP)
	next[FirstIn](t, d)
	s.Close()
	packets := p.audio.readRTCP()
	if len(packets) != 3 {
		t.Fatalf("%d packets in the last compound, want SR, SDES and BYE", len(packets))
	}
	sr, _ := packets[0].(*rtcp.SenderReport)
	if sr == nil || sr.SSRC != sent.SSRC || sr.PacketCount == 0 || sr.OctetCount != sr.PacketCount*160 {
		t.Fatalf("sender report %+v", packets[0])
	}
	if len(sr.Reports) != 1 || sr.Reports[0].SSRC != p.ssrc {
		t.Errorf("reception reports %+v", sr.Reports)
	}
	if sdes, _ := packets[1].(*rtcp.SourceDescription); sdes == nil || sdes.Chunks[0].Items[0].Text != "panel@test" {
		t.Errorf("source description %+v", packets[1])
	}
	if bye, _ := packets[2].(*rtcp.Goodbye); bye == nil || bye.Sources[0] != sent.SSRC {
		t.Errorf("goodbye %+v", packets[2])
	}
}
