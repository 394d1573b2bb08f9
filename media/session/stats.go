package session

import "time"

// Stats is a copy of a leg's counters.
type Stats struct {
	Audio, Video StreamStats
	FramesOut    uint64        // video frames sent whole
	FramesMissed uint64        // video frames dropped whole, or waited past
	Late         uint64        // audio packets that came after their turn
	Concealed    uint64        // audio frames invented for the speaker
	Delay        time.Duration // what the jitter buffer adds now
}

// StreamStats counts one stream.
type StreamStats struct {
	PacketsOut, BytesOut uint64
	PacketsIn, BytesIn   uint64
	LostIn               uint64        // by sequence number (RFC 3550 appendix A.3)
	JitterIn             time.Duration // interarrival jitter (RFC 3550 section 6.4.1)
	LostOut              uint64        // as the far end reports
	RoundTrip            time.Duration // zero until the far end has reported
	Strangers            uint64        // datagrams from a source that is not the far end
	Refused              uint64        // from the far end, but malformed, of a wrong SSRC or type, or too many
	Ended                bool          // the far end sent an RTCP BYE
}
