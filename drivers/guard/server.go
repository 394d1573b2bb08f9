package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"doorstation/drivers/seqpacket"
)

// Serve is the guard: it drives every relay to its safe level, then takes
// pulses over the socket at path until ctx ends or a line cannot be driven. At
// its end, also by a panic, it drives them all safe again. It writes a line per
// event to log, and never waits for it.
func Serve(ctx context.Context, path string, outs []Output, log io.Writer) (err error) {
	lines := outputs(outs)
	s := &server{
		lines:    lines,
		guard:    New(lines.relays()),
		journal:  newJournal(log),
		conns:    map[ClientID]*seqpacket.Conn{},
		events:   make(chan Event),
		accepted: make(chan *seqpacket.Conn),
		failed:   make(chan error, 1),
	}
	defer s.journal.close() // may wait for log: after the lines are safe
	defer func() { err = errors.Join(err, lines.safe()) }()
	if err := s.step(Started{}); err != nil {
		return err
	}
	if err := lines.check(); err != nil {
		return err
	}
	return s.serve(ctx, path)
}

// server performs what the Guard decides. Only the goroutine of loop touches
// the guard, the lines and the connections.
type server struct {
	lines   outputs
	guard   *Guard
	journal *journal
	conns   map[ClientID]*seqpacket.Conn
	last    ClientID
	actions []Action

	events   chan Event
	accepted chan *seqpacket.Conn
	failed   chan error
}

func (s *server) serve(ctx context.Context, path string) error {
	l, err := seqpacket.Listen(path)
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer func() { // nothing here waits: the lines are made safe after it
		stop()
		_ = l.Close()
		for _, c := range s.conns {
			_ = c.Close()
		}
	}()
	s.spawn(func() error { return s.accept(ctx, l) })
	s.journal.say("serves " + path)
	return s.loop(ctx)
}

// loop is the guard's one goroutine that decides and drives.
func (s *server) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			s.journal.say("ends: " + context.Cause(ctx).Error())
			return nil
		case err = <-s.failed:
		case conn := <-s.accepted:
			err = s.admit(ctx, conn)
		case ev := <-s.events:
			err = s.step(ev)
		case <-timer.C:
			err = s.step(Tick{})
		}
		if err != nil {
			return err
		}
		if at, ok := s.guard.Deadline(); ok {
			timer.Reset(at - monotonic())
		} else {
			timer.Stop()
		}
	}
}

// step decides about one event and performs the actions.
func (s *server) step(ev Event) error {
	s.actions = s.guard.Step(monotonic(), ev, s.actions[:0])
	for _, act := range s.actions {
		switch act := act.(type) {
		case Drive:
			if err := s.drive(act); err != nil {
				return err
			}
		case Reply:
			s.send(act.Client, act.Raw)
		case Drop:
			s.drop(act)
		}
	}
	return nil
}

// drive moves the line first; everything else about it comes after.
func (s *server) drive(act Drive) error {
	if err := s.lines.drive(act.Relay, act.Active); err != nil {
		return err
	}
	at := monotonic()
	if !act.Changed {
		return nil
	}
	name := s.lines[act.Relay].Name
	edge := message{kind: kindEdge, seq: act.Seq, name: name, active: act.Active, at: at, text: printable(act.Cause)}
	s.send(act.Tell, edge.append(nil))
	s.journal.say(fmt.Sprintf("%s %s seq %d: %s", name, onOff(act.Active), act.Seq, edge.text))
	return nil
}

// send never waits. A client that does not read is closed, and its end comes
// back as an event.
func (s *server) send(to ClientID, raw []byte) {
	if c := s.conns[to]; c != nil && c.TrySend(raw) != nil {
		_ = c.Close()
	}
}

func (s *server) drop(act Drop) {
	if c := s.conns[act.Client]; c != nil {
		s.journal.say(fmt.Sprintf("client %d (pid %d) dropped: %s", act.Client, c.Peer().PID, printable(act.Why)))
		_ = c.Close()
		delete(s.conns, act.Client)
	}
}

// admit takes a new connection to the Guard, and reads from it if it stays.
func (s *server) admit(ctx context.Context, conn *seqpacket.Conn) error {
	s.last++
	id := s.last
	s.conns[id] = conn
	ev := Connected{Client: id}
	if uid := conn.Peer().UID; uid != 0 && uid != os.Geteuid() {
		ev.Denied = fmt.Sprintf("user %d is not served", uid)
	}
	if err := s.step(ev); err != nil {
		return err
	}
	if s.conns[id] != nil {
		s.journal.say(fmt.Sprintf("client %d (pid %d) served", id, conn.Peer().PID))
		s.spawn(func() error { return s.read(ctx, id, conn) })
	}
	return nil
}

func (s *server) accept(ctx context.Context, l *seqpacket.Listener) error {
	for {
		conn, err := l.Accept(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("guard: accept: %w", err)
		}
		select {
		case s.accepted <- conn:
		case <-ctx.Done():
			return conn.Close()
		}
	}
}

// read hands messages of one connection to the loop, and at last its end.
func (s *server) read(ctx context.Context, id ClientID, conn *seqpacket.Conn) error {
	buf := make([]byte, maxMessage+1)
	for {
		n, err := conn.Recv(ctx, buf)
		var ev Event = Left{Client: id}
		switch {
		case err == nil:
			ev = Received{Client: id, Raw: append([]byte(nil), buf[:n]...)}
		case errors.Is(err, seqpacket.ErrTooLong):
			ev = Received{Client: id, Raw: buf} // too long for parse as well
		}
		select {
		case s.events <- ev:
		case <-ctx.Done():
			return nil
		}
		if err != nil {
			return nil
		}
	}
}

// spawn runs work beside the loop. Its failure, also a panic, ends the loop in
// the orderly way, which makes the relays safe.
func (s *server) spawn(work func() error) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				s.fail(fmt.Errorf("guard: panic: %v", p))
			}
		}()
		if err := work(); err != nil {
			s.fail(err)
		}
	}()
}

func (s *server) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}
