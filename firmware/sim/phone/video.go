package phone

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"doorstation/media/h264"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// keyAskInterval is the shortest time between two requests for a key frame.
const keyAskInterval = 500 * time.Millisecond

// reportInterval is the time between two receiver reports.
const reportInterval = 5 * time.Second

// A Unit is one access unit of the picture, as the phone received it.
type Unit struct {
	Key       bool   // an IDR picture with its parameter sets
	Timestamp uint32 // of RTP, at 90 kHz
	Stream    []byte // Annex B byte stream; the receiver must not change it
}

// VideoCount is what came in on the picture's port.
type VideoCount struct {
	Port    int `json:"port"`    // where RTP is received; 0: no picture agreed
	Packets int `json:"packets"` // RTP packets taken
	Units   int `json:"units"`   // whole access units
	Keys    int `json:"keys"`    // of them, with an IDR picture
	Lost    int `json:"lost"`    // access units dropped
}

// video receives the picture of one call.
type video struct {
	log     *slog.Logger
	sockets pair
	ssrc    uint32 // our own, in RTCP
	show    func(Unit)

	mu      sync.Mutex
	terms   videoTerms
	count   VideoCount
	source  uint32 // SSRC of the panel, once seen
	known   bool
	highest uint16
	asked   time.Time
	parts   h264.Depacketizer
}

// newVideo receives on the sockets, which it owns, and hands every access unit
// to show, one at a time.
func newVideo(log *slog.Logger, sockets pair, terms videoTerms, show func(Unit)) *video {
	v := &video{log: log, sockets: sockets, ssrc: rand.Uint32(), show: show, terms: terms}
	v.count.Port = int(sockets.address().Port())
	return v
}

// run receives until the sockets are closed.
func (v *video) run() {
	buf := make([]byte, 2048)
	for {
		n, from, err := v.sockets.rtp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || !isRTP(buf[:n]) {
			continue
		}
		v.take(buf[:n], from)
	}
}

// take handles one RTP packet.
func (v *video) take(b []byte, from netip.AddrPort) {
	var p rtp.Packet
	if p.Unmarshal(b) != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.PayloadType != v.terms.payload || from.Addr().Unmap() != v.terms.rtp.Addr() {
		return
	}
	if !v.known || p.SSRC != v.source {
		v.known, v.source = true, p.SSRC
		v.parts.Reset()
	}
	v.highest = p.SequenceNumber
	v.count.Packets++
	err := v.parts.Packet(p.SequenceNumber, p.Timestamp, p.Marker, p.Payload, v.deliver)
	if err != nil {
		v.count.Lost++
		v.log.Debug("picture damaged", "err", err)
		v.askKey(time.Now())
	}
}

// deliver copies an access unit and hands it on.
func (v *video) deliver(au h264.AccessUnit) {
	unit := Unit{Timestamp: au.Timestamp, Stream: h264.AppendAnnexB(nil, au.NALs)}
	for _, nal := range au.NALs {
		unit.Key = unit.Key || h264.Type(nal) == h264.TypeIDR
	}
	v.count.Units++
	if unit.Key {
		v.count.Keys++
	}
	v.show(unit)
}

// wantKey asks the panel for a key frame, because somebody begins to look.
func (v *video) wantKey() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.askKey(time.Now())
}

// askKey sends a picture loss indication (RFC 4585 section 6.3.1), not too often.
func (v *video) askKey(now time.Time) {
	if !v.known || now.Sub(v.asked) < keyAskInterval {
		return
	}
	v.asked = now
	v.send(v.report(), &rtcp.PictureLossIndication{SenderSSRC: v.ssrc, MediaSSRC: v.source})
}

// report says how much came in (RFC 3550 section 6.4.2), with our name.
func (v *video) report() rtcp.Packet {
	r := &rtcp.ReceiverReport{SSRC: v.ssrc}
	if v.known {
		r.Reports = []rtcp.ReceptionReport{{SSRC: v.source, LastSequenceNumber: uint32(v.highest)}}
	}
	return r
}

// tick sends the regular report.
func (v *video) tick() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.send(v.report())
}

// send writes a compound RTCP packet.
func (v *video) send(first rtcp.Packet, more ...rtcp.Packet) {
	writeRTCP(v.sockets, v.terms.mux, v.terms.rtcp, v.ssrc, append([]rtcp.Packet{first}, more...))
}

// counted returns the figures so far.
func (v *video) counted() VideoCount {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.count
}

// writeRTCP sends reports and our name from the port that was agreed.
func writeRTCP(from pair, mux bool, to netip.AddrPort, ssrc uint32, packets []rtcp.Packet) {
	name := rtcp.NewCNAMESourceDescription(ssrc, "phone@"+from.address().Addr().String())
	all := append(packets[:1:1], name)
	raw, err := rtcp.Marshal(append(all, packets[1:]...))
	if err != nil || to.Port() == 0 {
		return
	}
	socket := from.rtcp
	if mux {
		socket = from.rtp
	}
	_, _ = socket.WriteToUDPAddrPort(raw, to) // a lost report does no harm
}
