package phone

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"doorstation/media/dtmf"
	"doorstation/media/h264"

	"github.com/pion/rtp"
)

// startPhone runs a phone on a free port.
func startPhone(t *testing.T) (*Phone, netip.AddrPort) {
	t.Helper()
	probe, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	at := bound(probe)
	probe.Close()
	p := New(slog.New(slog.NewTextHandler(t.Output(), nil)), Params{User: "flat1", Listen: at, Realm: "building"})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("phone: %v", err)
		}
	})
	knock(t, at)
	return p, at
}

// knock waits until the phone answers an OPTIONS.
func knock(t *testing.T, at netip.AddrPort) {
	t.Helper()
	c := newCaller(t, at)
	buf := make([]byte, 2048)
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		c.request("OPTIONS", 1, "knock", "")
		if err := c.sip.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.sip.ReadFromUDPAddrPort(buf); err == nil {
			return
		}
	}
	t.Fatal("the phone does not come up")
}

// until waits for a state of the phone.
func until(t *testing.T, p *Phone, what string, good func(Status) bool) Status {
	t.Helper()
	changed, end := p.changed.Listen()
	defer end()
	limit := time.After(patience)
	for {
		s := p.Status()
		if good(s) {
			return s
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("never %s: %+v", what, s)
		}
	}
}

func ended(reason string) func(Status) bool {
	return func(s Status) bool { return s.State == Idle && s.Ended == reason }
}

// show sends one key frame from the caller's picture port.
func (c *caller) show(to uint16, seq uint16, stamp uint32) {
	c.t.Helper()
	nals := [][]byte{{0x67, 0x42, 0xc0, 0x16}, {0x68, 0xce}, {0x65, 1, 2, 3}}
	for i, nal := range nals {
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 98, SequenceNumber: seq + uint16(i), Timestamp: stamp, SSRC: 7, Marker: i == len(nals)-1}, Payload: nal}
		raw, err := p.Marshal()
		if err != nil {
			c.t.Fatal(err)
		}
		if _, err := c.pic.WriteToUDPAddrPort(raw, netip.AddrPortFrom(c.to.Addr(), to)); err != nil {
			c.t.Fatal(err)
		}
	}
}

func TestCall(t *testing.T) {
	p, at := startPhone(t)
	c := newCaller(t, at)
	units, end := p.units.Listen()
	defer end()

	c.request("INVITE", 1, "invite", c.offer())
	progress := c.await("SIP/2.0 183")
	for _, want := range []string{"a=inactive", "a=recvonly", "packetization-mode=1", " RTP/AVP 0 101", " RTP/AVP 98"} {
		if !strings.Contains(progress, want) {
			t.Errorf("183 has no %q:\n%s", want, progress)
		}
	}
	c.show(port(t, progress, "video"), 100, 9000)
	unit := <-units
	if !unit.Key || len(h264.SplitAnnexB(nil, unit.Stream)) != 3 {
		t.Errorf("unit %+v, want a key frame of three NAL units", unit)
	}

	if err := p.Answer(); err != nil {
		t.Fatal(err)
	}
	answer := c.await("SIP/2.0 200")
	if body(answer) != body(progress) {
		t.Errorf("the 200 changes the answer of the 183:\n%s\n%s", progress, answer)
	}
	c.request("ACK", 1, "ack", "")
	again := c.await("INVITE")
	if !strings.Contains(again, "a=sendrecv") || !strings.Contains(again, "o=- "+session(answer)+" 2 ") {
		t.Errorf("the INVITE for sound does not offer it as version 2 of the session:\n%s", again)
	}
	c.reply(again, "200 OK", c.offer())
	c.await("ACK")
	s := until(t, p, "agreed to sound", func(s Status) bool { return s.Talk })
	if s.State != Talking || s.Early.Keys != 1 {
		t.Errorf("status %+v, want talking with one early key frame", s)
	}

	if err := p.Key('5'); err != nil {
		t.Fatal(err)
	}
	c.expectKey('5')
	if err := p.HangUp(); err != nil {
		t.Fatal(err)
	}
	c.reply(c.await("BYE"), "200 OK", "")
	until(t, p, "idle", ended("the resident hung up"))
}

func body(message string) string {
	_, after, _ := strings.Cut(message, "\n\n")
	return after
}

func session(message string) string {
	_, after, _ := strings.Cut(message, "o=- ")
	id, _, _ := strings.Cut(after, " ")
	return id
}

// expectKey waits for a telephone-event in the phone's sound.
func (c *caller) expectKey(want byte) {
	c.t.Helper()
	buf := make([]byte, 2048)
	if err := c.rtp.SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
	for {
		n, _, err := c.rtp.ReadFromUDPAddrPort(buf)
		if err != nil {
			c.t.Fatalf("no key came: %v", err)
		}
		var p rtp.Packet
		if p.Unmarshal(buf[:n]) != nil || p.PayloadType != 101 {
			continue
		}
		event, err := dtmf.ParseEvent(p.Payload)
		if err != nil {
			c.t.Fatal(err)
		}
		if key, _ := event.Key(); key != want || !p.Marker {
			c.t.Errorf("key %q marker %t, want %q with the marker", key, p.Marker, want)
		}
		return
	}
}

func TestCancel(t *testing.T) {
	p, at := startPhone(t)
	c := newCaller(t, at)
	c.request("INVITE", 1, "invite", c.offer())
	c.await("SIP/2.0 183")
	c.tag = ""
	c.request("CANCEL", 1, "invite", "")
	c.await("SIP/2.0 487")
	until(t, p, "idle", ended("the panel gave up"))
	if err := p.Answer(); err == nil {
		t.Error("a call that was given up can be answered")
	}
}

func TestDecline(t *testing.T) {
	for status, line := range map[int]string{603: "SIP/2.0 603", 486: "SIP/2.0 486"} {
		p, at := startPhone(t)
		c := newCaller(t, at)
		c.request("INVITE", 1, "invite", c.offer())
		c.await("SIP/2.0 183")
		if err := p.Decline(status); err != nil {
			t.Fatal(err)
		}
		c.await(line)
		until(t, p, "idle", ended("the resident declined"))
	}
}

func TestPanelHangsUp(t *testing.T) {
	p, at := startPhone(t)
	c := newCaller(t, at)
	c.request("INVITE", 1, "invite", c.offer())
	c.await("SIP/2.0 183")
	if err := p.Answer(); err != nil {
		t.Fatal(err)
	}
	c.await("SIP/2.0 200")
	c.request("ACK", 1, "ack", "")
	c.reply(c.await("INVITE"), "200 OK", c.offer())
	c.await("ACK")
	c.request("BYE", 2, "bye", "")
	c.await("SIP/2.0 200")
	until(t, p, "idle", ended("the panel hung up"))
}

func TestRefusals(t *testing.T) {
	_, at := startPhone(t)
	t.Run("required extension", func(t *testing.T) {
		c := newCaller(t, at)
		c.request("INVITE", 1, "required", c.offer(), "Require: 100rel\n")
		if got := c.await("SIP/2.0 420"); !strings.Contains(got, "Unsupported: 100rel") {
			t.Errorf("420 does not name the extension:\n%s", got)
		}
	})
	t.Run("no sound", func(t *testing.T) {
		c := newCaller(t, at)
		c.request("INVITE", 1, "silent", "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 9\n")
		c.await("SIP/2.0 488")
	})
	t.Run("bye of no call", func(t *testing.T) {
		c := newCaller(t, at)
		c.tag = "nobody"
		c.request("BYE", 1, "lost", "")
		c.await("SIP/2.0 481")
	})
}

func TestBusy(t *testing.T) {
	p, at := startPhone(t)
	first, second := newCaller(t, at), newCaller(t, at)
	first.request("INVITE", 1, "first", first.offer())
	first.await("SIP/2.0 183")
	second.request("INVITE", 1, "second", second.offer())
	second.await("SIP/2.0 486")
	if s := p.Status(); s.State != Ringing || s.Calls != 1 {
		t.Errorf("the second caller disturbed the first: %+v", s)
	}
}
