package session

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"doorstation/media/sdp"
)

func TestNoFreePort(t *testing.T) {
	taken := listen(t, "127.0.0.1")
	port := int(taken.place().Port()) &^ 1
	_, err := Open(Params{Address: loopback, PortMin: port, PortMax: port + 1, Codecs: []sdp.Codec{sdp.PCMU}})
	var none *PortError
	if !errors.As(err, &none) || none.Min != port || none.Err == nil {
		t.Fatalf("%v", err)
	}
	if !strings.HasPrefix(err.Error(), "no free RTP port in ") {
		t.Errorf("%v", err)
	}
	if _, err := Open(Params{Address: loopback, PortMin: 40001, PortMax: 40001}); !errors.As(err, &none) {
		t.Errorf("an empty range: %v", err)
	}
}

func TestPortsAreEven(t *testing.T) {
	s, _ := openLeg(t, nil)
	for _, st := range s.streams {
		rtp, rtcp := st.local.Port(), netip.MustParseAddrPort(st.rtcp.LocalAddr().String()).Port()
		if rtp%2 != 0 || rtcp != rtp+1 {
			t.Errorf("%v: RTP %d, RTCP %d (RFC 3550 section 11)", st.kind, rtp, rtcp)
		}
	}
}

// A failed Open gives back what it had taken.
func TestOpenGivesPortsBack(t *testing.T) {
	taken := listen(t, "127.0.0.1")
	port := int(taken.place().Port()) &^ 1
	taken.conn.Close()
	p := Params{Address: loopback, PortMin: port, PortMax: port + 1, Video: true, Codecs: []sdp.Codec{sdp.PCMU}}
	if _, err := Open(p); err == nil {
		t.Fatal("two streams on one pair of ports")
	}
	p.Video = false
	s, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestCloseLeavesNothing(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, func(p *Params) { p.STUN = listen(t, "127.0.0.1").place() })
	s.Speak(singer(440))
	p.audio.readRTP()
	s.SendVideo(keyUnit(3000), 0, true)
	go s.Public(t.Context())
	s.Close()
	s.Close() // twice does no harm
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, what := range []string{"(*stream).read", "(*mouth).run", ").keepHouse", "(*Keeper).Run"} {
		if strings.Contains(string(stacks), what) {
			t.Errorf("%s still runs", what)
		}
	}
	sent := s.Stats()
	s.Speak(singer(440))
	s.SendVideo(keyUnit(3000), 0, true)
	s.Hear(make([]int16, 160))
	if err := s.Apply(newPhone(t).answer(s.Offer())); err != nil {
		t.Error(err)
	}
	if after := s.Stats(); after.Audio.PacketsOut != sent.Audio.PacketsOut || after.FramesOut != sent.FramesOut {
		t.Error("something was sent after Close")
	}
	again, err := Open(Params{Address: loopback, PortMin: int(s.audio.local.Port()), PortMax: int(s.audio.local.Port()) + 1})
	if err != nil {
		t.Fatalf("the ports are still taken: %v", err)
	}
	again.Close()
}

func TestIPv6(t *testing.T) {
	conn, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	far := &socket{t: t, conn: conn}
	p := &phone{t: t, audio: far, video: far, ssrc: 3}
	p.local = sdp.Local{ID: 7, Version: 1,
		Audio: sdp.LocalAudio{RTP: far.place(), RTCP: far.place(), Codecs: []sdp.Codec{sdp.PCMU}, Direction: sdp.SendRecv},
		Video: &sdp.LocalVideo{RTP: far.place(), RTCP: far.place(), Receive: true},
	}
	s, d := call(t, p, func(p *Params) { p.Address = netip.IPv6Loopback() })
	s.SendVideo(keyUnit(5000), 0, true)
	if unit, _ := p.watch(); len(unit) != 3 {
		t.Errorf("%d NAL units", len(unit))
	}
	far.write(p.rtp(0, make([]byte, 160)), p.leg.Audio.RTP)
	next[FirstIn](t, d)
	s.Speak(singer(440))
	far.readRTP()
}

func TestVersionsOfDescriptions(t *testing.T) {
	p := newPhone(t)
	s, _ := openLeg(t, nil)
	first := string(s.Offer())
	if again := string(s.Offer()); again != first {
		t.Errorf("the same leg is described otherwise:\n%s\n%s", first, again)
	}
	p.offers(s)
	version := s.local.Version
	p.offers(s)
	if s.local.Version != version {
		t.Error("the version grows without a change (RFC 3264 section 8)")
	}
	p.local.Audio.Direction = sdp.SendOnly
	p.offers(s)
	if s.local.Version != version+1 {
		t.Error("the version does not grow with a change (RFC 3264 section 8)")
	}
}

func TestARefusedAnswerChangesNothing(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, nil)
	before := s.audio.peer.Load()
	for _, body := range []string{"", "rubbish", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 99\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:99 opus/48000/2\r\n"} {
		if err := s.Apply([]byte(body)); err == nil {
			t.Errorf("taken: %q", body)
		}
		if _, err := s.Answer([]byte(body)); err == nil {
			t.Errorf("answered: %q", body)
		}
	}
	if s.audio.peer.Load() != before {
		t.Error("the far end has changed")
	}
}

// The watch over a far end that has gone silent, on a clock of the test's own.
func TestSilenceOfTheFarEnd(t *testing.T) {
	const limit = 10 * time.Second
	leg := func(t *testing.T) (*phone, *Session, diary) {
		p := newPhone(t)
		s, d := call(t, p, func(p *Params) { p.NoMediaFor = limit })
		return p, s, d
	}
	lost := func(d diary) (n int) {
		for len(d) > 0 {
			if _, ok := (<-d).(Lost); ok {
				n++
			}
		}
		return n
	}
	t.Run("ringing phones are silent", func(t *testing.T) {
		_, s, d := leg(t)
		w := s.watcher()
		w.look(time.Minute)
		if w.look(10*time.Minute) != never || lost(d) != 0 {
			t.Error("lost before the conversation")
		}
	})
	t.Run("lost once", func(t *testing.T) {
		_, s, d := leg(t)
		s.talked.Store(true)
		w := s.watcher()
		if due := w.look(time.Minute); due != time.Minute+limit {
			t.Errorf("looks again at %v", due)
		}
		w.look(time.Minute + limit - 1)
		if lost(d) != 0 {
			t.Error("lost too early")
		}
		w.look(time.Minute + limit)
		w.look(2 * time.Minute)
		if n := lost(d); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
	t.Run("heard in between", func(t *testing.T) {
		p, s, d := leg(t)
		s.talked.Store(true)
		w := s.watcher()
		w.look(time.Minute)
		s.audio.take(time.Minute+8*time.Second, p.rtp(0, make([]byte, 160)), p.audio.place())
		if due := w.look(time.Minute + limit); due != time.Minute+8*time.Second+limit || lost(d) != 0 {
			t.Errorf("looks again at %v", due)
		}
	})
	t.Run("not on hold, and anew after it", func(t *testing.T) {
		p, s, d := leg(t)
		s.talked.Store(true)
		w := s.watcher()
		w.look(time.Minute)
		p.local.Audio.Direction = sdp.Inactive
		p.offers(s)
		w.look(2 * time.Minute)
		p.local.Audio.Direction = sdp.SendRecv
		p.offers(s)
		w.look(3 * time.Minute)
		w.look(3*time.Minute + limit - 1)
		if lost(d) != 0 {
			t.Error("lost on hold")
		}
		w.look(3*time.Minute + limit)
		if lost(d) != 1 {
			t.Error("not lost after the hold")
		}
	})
}
