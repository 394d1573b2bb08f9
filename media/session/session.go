// Package session owns the sockets of one leg and runs the pure parts of the
// media on them: RTP and RTCP (RFC 3550, RFC 3551), offer and answer.
//
// What comes in passes, in this order: the source gate, which the other side's
// description sets and no packet moves to another address; a look at the first
// two octets; the SSRC gate; telephone-events at once; audio through the jitter
// buffer. What goes out goes where the description says, and nowhere else.
package session

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"doorstation/media/sdp"
)

// Params is what a leg needs to know.
type Params struct {
	Address          netip.Addr     // local address, exact
	PortMin, PortMax int            // RTP takes an even port in here, RTCP the next one
	Video            bool           // a picture is offered
	Codecs           []sdp.Codec    // in order of preference; at least one
	ProfileLevelID   string         // of the picture, such as "42c016"
	Kbps             int            // of the picture
	NoMediaFor       time.Duration  // silence of the far end that ends a conversation; 0: any
	STUN             netip.AddrPort // server; zero: none
	Keepalive        time.Duration  // between keepalives (RFC 6263 section 7: 15 s); 0: none
	CNAME            string         // RFC 3550 section 6.5.1
	Log              *slog.Logger   // nil: none

	// Notify is told what happens, from the session's goroutines and from
	// within Apply, Answer and SendVideo. It must not block, and must not
	// call Close.
	Notify func(Event)
}

// A Session is the media of one leg. Its methods may be called from any
// goroutine; after Close they do nothing.
type Session struct {
	params  Params
	epoch   time.Time
	audio   *stream
	video   *stream // nil: no picture
	streams []*stream
	ear     *ear
	mouth   *mouth
	screen  *screen // nil: no picture

	mu     sync.Mutex // one description at a time
	local  sdp.Local
	said   []byte // our last description
	asking bool   // the keepers run

	talked atomic.Bool // the microphone has been open
	closed atomic.Bool
	wake   chan struct{}
	done   chan struct{}

	housekeeping turns
	ctx          context.Context // of the keepers
	cancel       context.CancelFunc
	running      sync.WaitGroup
}

// Open binds the ports of a leg and listens; nothing is sent before Apply or
// Answer. The error is a *PortError when no port is free.
func Open(p Params) (*Session, error) {
	p.Address = p.Address.Unmap()
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Notify == nil {
		p.Notify = func(Event) {}
	}
	s := &Session{params: p, epoch: time.Now(), wake: make(chan struct{}, 1), done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.bind(); err != nil {
		s.release()
		return nil, err
	}
	s.start()
	return s, nil
}

// bind takes the sockets and the audio clock.
func (s *Session) bind() (err error) {
	if s.audio, err = s.newStream(Audio, audioClock, audioKbps); err != nil {
		return err
	}
	s.ear = newEar(s.audio)
	s.audio.accept = s.ear.accept
	pacer, err := newPacer()
	if err != nil {
		return err
	}
	s.mouth = &mouth{stream: s.audio, pacer: pacer}
	if s.mouth.out, err = newWriter(s.audio.rtp); err != nil {
		return err
	}
	if !s.params.Video {
		return nil
	}
	if s.video, err = s.newStream(Video, videoClock, s.params.Kbps); err != nil {
		return err
	}
	s.screen = newScreen(s.video)
	s.video.picture = s.screen.request
	return s.video.rtp.SetWriteBuffer(sendBuffer)
}

func (s *Session) newStream(kind Stream, clock int64, kbps int) (*stream, error) {
	rtp, rtcp, err := openPair(s.params.Address, s.params.PortMin, s.params.PortMax)
	if err != nil {
		return nil, err
	}
	st := &stream{
		kind: kind, clock: clock, rtp: rtp, rtcp: rtcp, epoch: s.epoch,
		local: rtp.LocalAddr().(*net.UDPAddr).AddrPort(),
		log:   s.params.Log, notify: s.params.Notify,
	}
	st.out.begin()
	st.out.cadence = newCadence(kbps)
	st.in.fir = -1
	st.in.reception.clock = clock
	st.in.reports = bucket{size: rtcpBurst, every: rtcpEvery}
	s.streams = append(s.streams, st)
	s.listenForServer(st)
	return st, nil
}

// start runs the leg's goroutines.
func (s *Session) start() {
	s.local = s.describe()
	for _, st := range s.streams {
		s.running.Go(func() { st.read(st.rtp) })
		s.running.Go(func() { st.read(st.rtcp) })
	}
	s.running.Go(s.mouth.run)
	s.running.Go(s.keepHouse)
}

func (s *Session) now() time.Duration { return time.Since(s.epoch) }

// nudge makes the housekeeping look at what has changed.
func (s *Session) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// WantsVideo reports whether the far end takes a picture now.
func (s *Session) WantsVideo() bool {
	return s.video != nil && !s.closed.Load() && s.video.peer.Load().sends()
}

// SendVideo sends one access unit, whose NAL units come without start codes
// and are not kept. pts is the presentation time on any steady clock, key
// marks a frame that needs no other. At the start, and after a frame had to be
// dropped, frames are left out up to the next key frame.
func (s *Session) SendVideo(nals [][]byte, pts time.Duration, key bool) {
	if s.WantsVideo() {
		s.screen.send(nals, pts, key)
	}
}

// Speak opens the microphone: src is called every 20 ms for 160 samples at
// 8000 Hz, and must not block. nil closes it: once Speak returns, no audio
// leaves.
func (s *Session) Speak(src func(frame []int16)) {
	if s.closed.Load() {
		return
	}
	if src != nil && !s.talked.Swap(true) {
		defer s.nudge()
	}
	s.audible(s.mouth.speak(s.now(), src))
}

// audible logs a microphone that cannot be opened or closed.
func (s *Session) audible(err error) {
	if err != nil && !errors.Is(err, os.ErrClosed) {
		s.params.Log.Error("microphone_failed", "err", err)
	}
}

// Hear fills frame with the far end's next samples at 8000 Hz, at the pace of
// the speaker. It reports false, and gives silence, when there are none.
func (s *Session) Hear(frame []int16) bool {
	return s.ear.hear(s.now(), frame)
}

// Stats copies the counters.
func (s *Session) Stats() Stats {
	st := Stats{Audio: s.audio.stats()}
	s.ear.fill(&st)
	if s.video != nil {
		st.Video = s.video.stats()
		st.FramesOut, st.FramesMissed = s.screen.counts()
	}
	return st
}

// Close ends the leg: the microphone first, then a BYE to who has heard of us
// (RFC 3550 section 6.6), then the sockets. The leg's goroutines have ended
// when it returns.
func (s *Session) Close() {
	if !s.end() {
		s.running.Wait()
		return
	}
	s.audible(s.mouth.speak(s.now(), nil))
	for _, st := range s.streams {
		if st.goodbyeDue() {
			st.sendReport(s.now(), s.params.CNAME, true)
		}
	}
	close(s.done)
	s.release()
	s.housekeeping.end()
	s.mouth.turns.end()
	s.running.Wait()
}

// end marks the leg as closed, and reports whether it was not before.
func (s *Session) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed.Swap(true)
}

// release gives the sockets and the clock back.
func (s *Session) release() {
	s.cancel()
	if s.mouth != nil {
		s.mouth.pacer.close()
	}
	for _, st := range s.streams {
		st.rtp.Close()
		st.rtcp.Close()
	}
}
