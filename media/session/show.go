package session

import (
	"errors"
	"net"
	"sync"
	"time"

	"doorstation/media/h264"

	"github.com/pion/rtp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const (
	videoClock = 90000
	// sendBuffer is what the kernel is asked to hold for the picture, in bytes:
	// some key frames, so that a frame is not cut in the middle.
	sendBuffer = 512 << 10
	// patience is how long a full buffer is waited for before the rest of a
	// frame is given up. A process may be held up between setting the limit and
	// writing, so it is far longer than a buffer takes to drain.
	patience = 200 * time.Millisecond
	// askAgain is how often a key frame is asked for until it comes, and how
	// close together requests of the far end are passed on.
	askAgain = time.Second
	askClose = 250 * time.Millisecond
)

// A batch is several packets in one system call.
type batch interface {
	WriteBatch(ms []ipv4.Message, flags int) (int, error)
}

func newBatch(conn *net.UDPConn, local net.Addr) batch {
	if addr, ok := local.(*net.UDPAddr); ok && addr.IP.To4() == nil {
		return ipv6.NewPacketConn(conn)
	}
	return ipv4.NewPacketConn(conn)
}

// A screen sends the picture: whole frames, beginning with a key frame.
type screen struct {
	stream *stream
	batch  batch

	mu        sync.Mutex
	peer      *peer // the far end that the picture began for
	address   net.UDPAddr
	packetize h264.Packetizer
	packets   [][]byte
	messages  []ipv4.Message
	needKey   bool
	wanted    bool // a key frame was asked for and has not left
	askedAt   time.Duration
	pending   bool // a request came too close to the last
	base      uint32
	offset    time.Duration // added to pts
	lastPTS   time.Duration
	frames    uint64
	missed    uint64
}

func newScreen(s *stream) *screen {
	return &screen{stream: s, batch: newBatch(s.rtp, s.rtp.LocalAddr()), base: s.out.stamp, askedAt: -askAgain, lastPTS: -1}
}

// begin asks for the key frame that the picture starts with.
func (v *screen) begin(now time.Duration) {
	v.mu.Lock()
	v.wanted, v.pending, v.askedAt = true, false, now
	v.mu.Unlock()
	v.ask(now)
}

// request passes the far end's wish for a key frame on, at once or, when the
// last one is too young, with a frame soon after.
func (v *screen) request(now time.Duration) {
	v.mu.Lock()
	close := now-v.askedAt < askClose
	if close {
		v.pending = true
	} else {
		v.askedAt, v.wanted = now, true
	}
	v.mu.Unlock()
	if !close {
		v.ask(now)
	}
}

func (v *screen) ask(now time.Duration) {
	v.stream.notify(PictureWanted{At: v.stream.epoch.Add(now)})
}

// An outcome tells what is to be said of a frame once the lock is given back.
type outcome struct {
	ask, first, key bool
}

// send sends one access unit, or drops it whole.
func (v *screen) send(nals [][]byte, pts time.Duration, key bool) {
	now := v.stream.now()
	v.mu.Lock()
	did := v.frame(now, nals, pts, key)
	if v.due(now) {
		did.ask = true
	}
	v.mu.Unlock()
	at := v.stream.epoch.Add(now)
	if did.first {
		v.stream.notify(FirstOut{Stream: Video, At: at})
	}
	if did.key {
		v.stream.notify(KeyFrameOut{At: at})
	}
	if did.ask {
		v.ask(now)
	}
}

// due reports that a key frame must be asked for, again or late.
func (v *screen) due(now time.Duration) bool {
	since := now - v.askedAt
	if v.pending && since >= askClose || v.needKey && since >= askAgain {
		v.pending, v.askedAt, v.wanted = false, now, true
		return true
	}
	return false
}

// frame sends a frame. The caller holds v.mu.
func (v *screen) frame(now time.Duration, nals [][]byte, pts time.Duration, key bool) (did outcome) {
	p := v.stream.peer.Load()
	if !p.sends() {
		return did
	}
	if p != v.peer {
		v.needKey = v.needKey || v.peer.moved(p) || !v.peer.sends()
		v.peer = p
		v.address = *net.UDPAddrFromAddrPort(p.rtp)
	}
	if v.needKey && !key {
		v.missed++
		return did
	}
	stamp := v.stamp(pts)
	octets, err := v.write(p, nals, stamp)
	if err != nil {
		v.missed++
		v.needKey = true
		var big *h264.TooBigError
		if !errors.As(err, &big) { // a key frame would be too big as well
			did.ask, v.wanted, v.askedAt = true, true, now
		}
		v.stream.log.Debug("frame_dropped", "stream", "video", "err", err)
		return did
	}
	v.frames++
	did.key = key && v.wanted
	if key {
		v.needKey, v.wanted = false, false
	}
	did.first = v.stream.out.sent(now, stamp, len(v.packets), octets)
	return did
}

// stamp is the RTP timestamp of a presentation time. A camera that begins anew
// does not turn the picture's time back.
func (v *screen) stamp(pts time.Duration) uint32 {
	if pts+v.offset <= v.lastPTS {
		v.offset = v.lastPTS + time.Second/30 - pts
	}
	v.lastPTS = pts + v.offset
	return v.base + uint32(int64(v.lastPTS)*(videoClock/1000)/int64(time.Millisecond))
}

// write splits a frame and sends its packets together.
func (v *screen) write(p *peer, nals [][]byte, stamp uint32) (octets int, err error) {
	v.packets, err = v.packetize.Packets(v.packets[:0], nals, p.mode)
	if err != nil {
		return 0, err
	}
	for len(v.messages) < len(v.packets) {
		v.messages = append(v.messages, ipv4.Message{Addr: &v.address, Buffers: make([][]byte, 1)})
	}
	h := rtp.Header{Version: version2, PayloadType: p.pt, Timestamp: stamp, SSRC: v.stream.out.ssrc}
	for i, packet := range v.packets {
		h.Marker = i == len(v.packets)-1 // RFC 6184 section 5.1
		h.SequenceNumber = v.stream.out.seq
		v.stream.out.seq++
		if _, err := h.MarshalTo(packet); err != nil {
			return 0, err
		}
		v.messages[i].Buffers[0] = packet
		octets += len(packet) - headerSize
	}
	return octets, v.flush(v.messages[:len(v.packets)])
}

// flush writes packets, and waits a little where the kernel's buffer is full.
func (v *screen) flush(messages []ipv4.Message) error {
	if err := v.stream.rtp.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	defer v.stream.rtp.SetWriteDeadline(time.Time{}) // RTCP shares the socket
	for len(messages) > 0 {
		n, err := v.batch.WriteBatch(messages, 0)
		if err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

// counts gives the frames sent and missed.
func (v *screen) counts() (sent, missed uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.frames, v.missed
}
