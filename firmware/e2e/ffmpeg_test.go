package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/drivers/testcard"
)

// decode lets ffmpeg receive the H.264 of captured RTP packets through the SDP
// that announced them, and returns the luma planes it decoded. Any line that
// ffmpeg writes at level error fails the test.
func decode(h *host, offer string, packets []packet, width, height int) [][]byte {
	h.t.Helper()
	const port = 7400
	if len(packets) == 0 {
		h.t.Fatal("no video packets to decode")
	}
	dir := scratch(h.t, h.name+"-decoder")
	description := write(h.t, dir, "leg.sdp", receiverSDP(offer, h.addr, port)...)
	raw := filepath.Join(dir, "frames.yuv")
	p := h.start(h.name+"-decoder", "ffmpeg", "-nostdin", "-loglevel", "error",
		"-protocol_whitelist", "file,udp,rtp", "-i", description,
		"-an", "-vsync", "passthrough", "-enc_time_base", "-1", // two pictures may come close to each other
		"-pix_fmt", "yuv420p", "-f", "rawvideo", "-y", raw)
	p.until("ffmpeg listens", func() error { return p.listens("udp", port) })
	replay(h, h.at(port), packets)
	if code := p.wait(patience); code != 0 || p.output() != "" {
		h.t.Errorf("ffmpeg ends with %d and says %q, want no word", code, p.output())
	}
	return planes(h.t, raw, width, height)
}

// receiverSDP is the video section of an offer as its receiver sees it.
func receiverSDP(offer string, at netip.Addr, port int) []string {
	lines := []string{"v=0", "o=- 1 1 IN IP4 " + at.String(), "s=-", "c=IN IP4 " + at.String(), "t=0 0"}
	video := false
	for line := range strings.Lines(offer) {
		line = strings.TrimRight(line, "\r\n")
		if rest, found := strings.CutPrefix(line, "m="); found {
			video = strings.HasPrefix(rest, "video ")
			if fields := strings.Fields(rest); video && len(fields) > 3 {
				line = fmt.Sprintf("m=video %d %s", port, strings.Join(fields[2:], " "))
			}
		}
		if video && (strings.HasPrefix(line, "m=") || strings.HasPrefix(line, "a=rtpmap:") || strings.HasPrefix(line, "a=fmtp:")) {
			lines = append(lines, line)
		}
	}
	return lines
}

// replay sends RTP packets again, and an RTCP BYE behind an empty report
// (RFC 3550 sections 6.1, 6.6) after the last, by which ffmpeg knows the end.
func replay(h *host, to netip.AddrPort, packets []packet) {
	h.t.Helper()
	conn := h.udp(0)
	defer conn.Close()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for _, p := range packets {
		<-pace.C
		if _, err := conn.WriteToUDPAddrPort(p.payload, to); err != nil {
			h.t.Fatal(err)
		}
	}
	ssrc := packets[0].payload[8:12]
	bye := slices.Concat([]byte{0x80, 201, 0, 1}, ssrc, []byte{0x81, 203, 0, 1}, ssrc)
	rtcp := netip.AddrPortFrom(to.Addr(), to.Port()+1)
	for range 3 {
		<-pace.C
		if _, err := conn.WriteToUDPAddrPort(bye, rtcp); err != nil && !errors.Is(err, net.ErrClosed) {
			h.t.Log("RTCP BYE:", err) // ffmpeg may have ended after the first
		}
	}
}

// planes cuts raw I420 frames out of a file and returns their luma.
func planes(t testing.TB, path string, width, height int) [][]byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := width * height * 3 / 2
	if len(raw)%size != 0 {
		t.Fatalf("ffmpeg wrote %d bytes, no whole number of %dx%d frames", len(raw), width, height)
	}
	var frames [][]byte
	for at := 0; at < len(raw); at += size {
		frames = append(frames, raw[at:at+width*height])
	}
	return frames
}

// wantMovingClock fails unless the frames show the test card with its clock
// going on from frame to frame, no frame like the one before.
func wantMovingClock(t testing.TB, what string, frames [][]byte, width, height, least int) {
	t.Helper()
	if len(frames) < least {
		t.Errorf("%s: %d frames decoded, want %d or more", what, len(frames), least)
	}
	var last uint32
	for i, frame := range frames {
		now, ok := testcard.ReadClock(frame, width, width, height)
		switch {
		case !ok:
			t.Errorf("%s: frame %d shows no readable clock", what, i)
		case i > 0 && now <= last:
			t.Errorf("%s: frame %d shows %d ms, the one before %d ms", what, i, now, last)
		}
		last = now
	}
}

// An encoder and a decoder of the same kind prove the receiving side.
func TestFFmpegDecodesFFmpeg(t *testing.T) {
	s := newStreet(t)
	camera, viewer := s.host("camera", 41), s.host("viewer", 42)
	sink := viewer.udp(7000)
	go drain(sink)
	wire := camera.capture()
	dir := scratch(t, "camera")
	p := camera.start("camera", "ffmpeg", "-nostdin", "-loglevel", "error", "-re",
		"-f", "lavfi", "-i", "testsrc=size=320x240:rate=15:duration=2", "-pix_fmt", "yuv420p",
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15", "-bsf:v", "dump_extra",
		"-f", "rtp", "-payload_type", "97", "-sdp_file", filepath.Join(dir, "offer.sdp"),
		fmt.Sprintf("rtp://%s", viewer.at(7000)))
	if code := p.wait(patience); code != 0 {
		t.Fatalf("the camera's ffmpeg ends with %d\n%s", code, p.tail())
	}
	offer, err := os.ReadFile(filepath.Join(dir, "offer.sdp"))
	if err != nil {
		t.Fatal(err)
	}
	packets := wire.all(rtp(true, viewer.at(7000)))
	frames := decode(viewer, string(offer), packets, 320, 240)
	// ffmpeg may keep the last one back, for what could still belong to it.
	if sent := pictures(packets); sent < 25 || len(frames) < sent-1 {
		t.Errorf("%d frames decoded of %d sent", len(frames), sent)
	}
}

// pictures counts RTP timestamps.
func pictures(packets []packet) int {
	seen := map[uint32]bool{}
	for _, p := range packets {
		seen[binary.BigEndian.Uint32(p.payload[4:])] = true
	}
	return len(seen)
}

// drain reads a socket until it is closed, so that its sender gets no ICMP.
func drain(conn *net.UDPConn) {
	b := make([]byte, 2048)
	for {
		if _, _, err := conn.ReadFromUDPAddrPort(b); err != nil {
			return
		}
	}
}

// startsIDR says whether a packet begins an IDR picture: a NAL unit of type 5
// alone, in an aggregate, or the first part of one (RFC 6184 sections 5.6 to 5.8).
func startsIDR(payload []byte) bool {
	if len(payload) < 14 {
		return false
	}
	nal := payload[12:]
	switch nal[0] & 31 {
	case 5:
		return true
	case 28:
		return nal[1]&128 != 0 && nal[1]&31 == 5
	case 24: // STAP-A: a two-byte size before each unit
		for nal = nal[1:]; len(nal) > 2; {
			size := int(binary.BigEndian.Uint16(nal))
			if nal[2]&31 == 5 {
				return true
			}
			nal = nal[min(len(nal), 2+size):]
		}
	}
	return false
}
