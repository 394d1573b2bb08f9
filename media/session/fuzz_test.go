package session

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// FuzzIntake throws whatever a far end could send at a leg in a call.
func FuzzIntake(f *testing.F) {
	p := &phone{ssrc: 7}
	f.Add(p.rtp(0, make([]byte, 160)), byte(0))
	f.Add(p.rtp(8, make([]byte, 240)), byte(0))
	f.Add(p.rtp(13, []byte{70}), byte(1))
	f.Add(p.event(101, 4000, 5, false, 160), byte(0))
	f.Add(p.event(96, 4000, 11, true, 960), byte(0))
	f.Add([]byte{0xB1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 9, 0xBE, 0xDE, 0, 1, 0x10, 0xAA, 0, 0, 1, 2, 3, 4}, byte(0)) // padding, extension, CSRC
	f.Add([]byte{0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0x10, 0, 0xFF, 0xFF, 0}, byte(0))                                     // an extension longer than the packet
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, byte(0))                         // STUN
	f.Add([]byte{0x80, 0xC9}, byte(1))
	for _, packet := range []rtcp.Packet{
		&rtcp.SenderReport{SSRC: 7, NTPTime: 1 << 40, Reports: []rtcp.ReceptionReport{{SSRC: 1, LastSenderReport: 9, Delay: 1 << 31}}},
		&rtcp.ReceiverReport{SSRC: 7, Reports: []rtcp.ReceptionReport{{SSRC: 1}}},
		&rtcp.PictureLossIndication{SenderSSRC: 7},
		&rtcp.FullIntraRequest{SenderSSRC: 7, FIR: []rtcp.FIREntry{{SequenceNumber: 3}}},
		&rtcp.Goodbye{Sources: []uint32{7}, Reason: "over"},
		rtcp.NewCNAMESourceDescription(7, "phone"),
		&rtcp.TransportLayerNack{SenderSSRC: 7, Nacks: []rtcp.NackPair{{PacketID: 1}}},
		&rtcp.ExtendedReport{SenderSSRC: 7},
		&rtcp.TransportLayerCC{SenderSSRC: 7},
		&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 7, Bitrate: 1e6, SSRCs: []uint32{1}},
	} {
		if raw, err := rtcp.Marshal([]rtcp.Packet{packet}); err == nil {
			f.Add(raw, byte(2))
		}
	}
	s := connected(f, "192.0.2.1:4000")
	from := s.audio.peer.Load().rtp
	frame := make([]int16, 160)
	now := time.Minute
	f.Fuzz(func(t *testing.T, pkt []byte, which byte) {
		if len(pkt) < 2 || len(pkt) > maxDatagram {
			return
		}
		now += 20 * time.Millisecond
		stream := s.streams[int(which)%len(s.streams)]
		before := stream.stats()
		stream.take(now, pkt, from)
		s.ear.hear(now, frame)
		after := stream.stats()
		if after.PacketsIn > before.PacketsIn && len(pkt) < headerSize {
			t.Errorf("%d bytes counted as RTP", len(pkt))
		}
		if raw, err := stream.report(now, "panel").Marshal(); err != nil {
			t.Errorf("no report can be made: %v", err)
		} else if _, err := rtcp.Unmarshal(raw); err != nil {
			t.Errorf("our report cannot be read: %v", err)
		}
	})
}
