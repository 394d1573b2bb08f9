package guard

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"doorstation/drivers/seqpacket"
)

const (
	// BeatEvery is how often a client says that it lives: twice within StaleAfter,
	// and no more often, since each beat wakes two processes.
	BeatEvery = 100 * time.Millisecond
	// answerWithin bounds the wait for the guard's word. A pulse that was asked for
	// longer ago is refused: nobody waits for it any more.
	answerWithin = time.Second
)

var (
	// ErrGone means that the guard is not there, has ended, or does not answer.
	// The relays are then safe, or will be once a guard has started again.
	ErrGone = errors.New("guard is gone")
	// ErrRefused is matched by every *RefusedError.
	ErrRefused = errors.New("guard refused")
	// ErrBusy means that the guard serves another client.
	ErrBusy = errors.New("guard serves another client")
	// ErrDenied means that the guard does not serve this user.
	ErrDenied = errors.New("guard does not serve this user")
)

// A RefusedError is the guard's refusal of a pulse. Nothing has moved.
type RefusedError struct {
	Relay  string
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("guard refused a pulse of %s: %s", e.Relay, e.Reason)
}

// Is makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// An Edge is one change of a relay, reported after the guard has driven it.
type Edge struct {
	Relay  string
	Active bool
	Seq    uint32        // of the pulse that it belongs to
	Cause  string        // "pulse: " and its reason, at its end "pulse over", "hard limit" and so on
	At     time.Duration // CLOCK_MONOTONIC of the driving
}

// An InputEdge is the level of an input that the guard owns: once for each when
// the client has come, then at every change, and when a block of pulses begins
// or ends.
type InputEdge struct {
	Name    string
	Active  bool
	Blocked time.Duration // for how long no relay opens from now on, in whole milliseconds
	At      time.Duration // CLOCK_MONOTONIC of the change
}

// A Handler is what Run calls, from goroutines of its own. None may block. Any
// may be nil.
type Handler struct {
	Edge  func(Edge)
	Input func(InputEdge)
	// Sick is asked at every beat: "" says that every loop of the process has
	// ticked within its time, else it is the name of the one that hangs. A client
	// that is sick or silent for 8 s is aborted, and killed a second later.
	Sick func() string
}

// A Client asks the guard for pulses. The guard keeps the relays safe unless
// Run is running; when Run ends, it drives them safe again.
type Client struct {
	conn    *seqpacket.Conn
	reboots int

	mu      sync.Mutex
	seq     uint32
	waiting map[uint32]chan message
	ended   chan struct{} // closed when Run has ended
	once    sync.Once
}

// Dial connects to the guard at path and waits for its word, at most a second.
// The error is ErrGone if no guard is there, ErrBusy or ErrDenied if it will
// not serve us. The guard drops a client that does not Run within two seconds.
func Dial(path string) (*Client, error) {
	conn, err := seqpacket.Dial(path)
	if errors.Is(err, seqpacket.ErrNobody) {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	welcome, err := greeting(conn)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("guard %s: %w", path, err)
	}
	return &Client{
		conn: conn, reboots: int(welcome.count), seq: welcome.seq,
		waiting: map[uint32]chan message{}, ended: make(chan struct{}),
	}, nil
}

// Reboots is how many resets of the board in a row the guard has forced because
// its clients were sick or kept dying. Five healthy minutes make it 0.
func (c *Client) Reboots() int { return c.reboots }

// greeting reads the guard's first message.
func greeting(conn *seqpacket.Conn) (message, error) {
	ctx, stop := context.WithTimeout(context.Background(), answerWithin)
	defer stop()
	buf := make([]byte, maxMessage+1)
	n, err := conn.Recv(ctx, buf)
	if err != nil {
		return message{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	m, err := parse(buf[:n])
	switch {
	case err != nil:
		return message{}, err
	case m.kind == kindWelcome:
		return m, nil
	case m.kind == kindBusy:
		return message{}, fmt.Errorf("%w: %s", ErrBusy, m.text)
	case m.kind == kindDenied:
		return message{}, fmt.Errorf("%w: %s", ErrDenied, m.text)
	}
	return message{}, fmt.Errorf("%w: %s instead of a greeting", errMessage, m.kind)
}

// Run tells the guard every 100 ms that this process lives and how it is, and
// calls h for what the guard tells. It returns when ctx ends (with its cause;
// the guard then knows that the end was meant) or the guard is gone (ErrGone),
// and has then closed the connection: a Client runs once.
func (c *Client) Run(ctx context.Context, h Handler) error {
	defer c.end()
	life, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var beating sync.WaitGroup
	beating.Go(func() { stop(c.beat(life, h.Sick)) })
	err := c.listen(life, h)
	stop(err)
	beating.Wait()
	if ctx.Err() != nil {
		c.bye()
	}
	return err
}

// beat sends heart-beats until ctx ends.
func (c *Client) beat(ctx context.Context, sick func() string) error {
	every := time.NewTicker(BeatEvery)
	defer every.Stop()
	var raw []byte
	for {
		m := message{kind: kindBeat}
		if sick != nil {
			m.text = ailment(sick())
		}
		raw = m.append(raw[:0])
		if err := c.conn.Send(ctx, raw); err != nil {
			return fmt.Errorf("%w: %w", ErrGone, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-every.C:
		}
	}
}

// ailment makes what Sick says fit for a beat.
func ailment(s string) string {
	if s == "" {
		return ""
	}
	return printable(s)
}

func (c *Client) listen(ctx context.Context, h Handler) error {
	buf := make([]byte, maxMessage+1)
	for {
		n, err := c.conn.Recv(ctx, buf)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrGone, err)
		}
		m, err := parse(buf[:n])
		if err != nil {
			return fmt.Errorf("%w: %w", ErrGone, err)
		}
		c.take(m, h)
	}
}

func (c *Client) take(m message, h Handler) {
	switch m.kind {
	case kindEdge:
		if h.Edge == nil {
			return
		}
		h.Edge(Edge{Relay: m.name, Active: m.active, Seq: m.seq, Cause: m.text, At: m.at})
	case kindInput:
		if h.Input != nil {
			h.Input(InputEdge{Name: m.name, Active: m.active, Blocked: m.d, At: m.at})
		}
	case kindAccept, kindRefuse:
		c.mu.Lock()
		answer := c.waiting[m.seq]
		delete(c.waiting, m.seq)
		c.mu.Unlock()
		if answer != nil {
			answer <- m // has room for its only message
		}
	}
}

// bye says that the end is meant.
func (c *Client) bye() { _ = c.conn.TrySend(message{kind: kindBye}.append(nil)) }

// end closes the connection, and lets whoever waits for an answer go.
func (c *Client) end() {
	c.once.Do(func() {
		_ = c.conn.Close()
		close(c.ended)
	})
}

// Close ends the connection, and says that this is meant. A relay that is
// active is driven safe.
func (c *Client) Close() error {
	c.bye()
	c.end()
	return nil
}

// Pulse asks for relay to be active for d, in whole milliseconds, and returns
// once the guard has accepted it: the line has then been driven. A pulse that
// comes while the relay is active makes it last longer, up to the board's
// limit from its first rise. A refusal is a *RefusedError; ErrGone means that
// no answer came within a second, or none can come. Reason is for the guard's
// log; 96 bytes of it are kept.
func (c *Client) Pulse(relay string, d time.Duration, reason string) error {
	if !validName(relay) {
		return &RefusedError{Relay: relay, Reason: "no relay can have this name"}
	}
	if d < time.Millisecond || d > maxDuration {
		return &RefusedError{Relay: relay, Reason: fmt.Sprintf("%v is outside 1ms to %v", d, maxDuration)}
	}
	ask := message{kind: kindPulse, name: relay, d: d, at: monotonic(), text: printable(reason)}
	answer, err := c.ask(ask)
	if err != nil {
		return fmt.Errorf("pulse of %s: %w", relay, err)
	}
	if answer.kind == kindRefuse {
		return &RefusedError{Relay: relay, Reason: answer.text}
	}
	return nil
}

// ask sends m under the next sequence number and waits for the answer to it.
func (c *Client) ask(m message) (message, error) {
	seq, answer, err := c.send(m)
	if err != nil {
		return message{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	select {
	case got := <-answer:
		return got, nil
	case <-c.ended:
		err = ErrGone
	case <-late.C:
		err = fmt.Errorf("%w: no answer within %v", ErrGone, answerWithin)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, seq)
	return message{}, err
}

// send numbers and sends under one lock, so that numbers arrive in order.
func (c *Client) send(m message) (uint32, chan message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seq == math.MaxUint32 {
		return 0, nil, errors.New("sequence numbers used up")
	}
	c.seq++
	m.seq = c.seq
	answer := make(chan message, 1)
	c.waiting[m.seq] = answer
	if err := c.conn.TrySend(m.append(nil)); err != nil {
		delete(c.waiting, m.seq)
		return 0, nil, err
	}
	return m.seq, answer, nil
}
