package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"doorstation/drivers"
	"doorstation/drivers/seqpacket"
)

// Options are what a guard serves.
type Options struct {
	Socket      string // path
	Outputs     []Output
	Inputs      []Input
	Watch       func(say func(line string)) []drivers.Inputs // they report Inputs by their names, and may write to the log; nil: none
	TamperBlock time.Duration                                // see Panel
	Watchdog    func() (Watchdog, error)                     // opens it, which feeds it; nil: the board has none
	// Unfed is how long after the start the watchdog is opened: a guard that
	// crashes again and again does not feed it.
	Unfed     time.Duration
	StateFile string    // what has to survive a restart; "" keeps nothing
	ClientUID int       // user that is served besides root and the guard's own
	Log       io.Writer // a line per event; never waited for
}

// Serve is the guard: it drives every relay to its safe level, then takes
// pulses over the socket until ctx ends or a line cannot be driven. At its end,
// also by a panic, it drives them all safe again. At an end that was meant it
// stops the watchdog; after any other one the watchdog goes on.
func Serve(ctx context.Context, opt Options) (err error) {
	lines := outputs(opt.Outputs)
	faults := lines.safe() // before anything that may take time
	s := &server{
		opt:       opt,
		lines:     lines,
		journal:   newJournal(opt.Log),
		conns:     map[ClientID]*seqpacket.Conn{},
		processes: map[ProcessID]*process{},
		events:    make(chan Event),
		accepted:  make(chan *seqpacket.Conn),
		failed:    make(chan error, 1),
	}
	defer s.journal.close() // may wait for the log: after the lines are safe
	defer func() { err = errors.Join(err, lines.safe()) }()
	if faults != nil {
		return faults
	}
	if err := lines.check(); err != nil {
		return err
	}
	s.keeper = newKeeper(opt.StateFile, s.journal.say)
	s.guard = New(Panel{Relays: lines.relays(), Inputs: opt.Inputs, TamperBlock: opt.TamperBlock, State: s.keeper.read()})
	if err := s.step(Started{}); err != nil {
		return err
	}
	return s.serve(ctx)
}

// server performs what the Guard decides. Only the goroutine of loop touches
// the guard, the lines, the connections and the processes.
type server struct {
	opt       Options
	lines     outputs
	guard     *Guard
	journal   *journal
	conns     map[ClientID]*seqpacket.Conn
	processes map[ProcessID]*process
	last      ClientID
	actions   []Action
	keeper    *keeper
	feeder    feeder
	doubts    doubt

	events   chan Event
	accepted chan *seqpacket.Conn
	failed   chan error
}

func (s *server) serve(ctx context.Context) (err error) {
	l, err := seqpacket.Listen(s.opt.Socket)
	if err != nil {
		return fmt.Errorf("guard: %w", err)
	}
	life, stop := context.WithCancel(ctx)
	meant := false
	defer func() {
		err = errors.Join(err, s.lines.safe())
		stop()
		_ = l.Close()
		s.letGo()
		s.keeper.close()
		s.feeder.end(meant && err == nil)
	}()
	if uid := s.opt.ClientUID; uid != 0 && os.Geteuid() == 0 {
		if err := os.Lchown(s.opt.Socket, uid, -1); err != nil {
			return fmt.Errorf("guard: socket for user %d: %w", uid, err)
		}
	}
	s.spawn(func() error { return s.accept(life, l) })
	s.spawn(func() error { return s.keeper.run(life) })
	s.watch(life)
	s.watchdog(life)
	s.journal.say("serves " + s.opt.Socket)
	err = s.loop(life)
	meant = err == nil // and not a panic
	return err
}

// letGo closes the connections, and looks at no process any more.
func (s *server) letGo() {
	for _, c := range s.conns {
		_ = c.Close()
	}
	for id := range s.processes {
		s.gone(id)
	}
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
	if ev, ok := ev.(Exited); ok {
		defer s.gone(ev.Process)
	}
	now := monotonic()
	s.doubt(now)
	s.actions = s.guard.Step(now, ev, s.actions[:0])
	for _, act := range s.actions {
		switch act := act.(type) {
		case Drive:
			if err := s.drive(act); err != nil {
				return err
			}
		case Extend:
			if _, err := s.lines.pulse(act.Relay, act.For); err != nil {
				return err
			}
		case Reply:
			s.send(act.Client, act.Raw)
		case Drop:
			s.drop(act)
		case Signal:
			s.signal(act)
		case Feed:
			s.feeder.feed()
		case Keep:
			s.keeper.keep(act.State)
		case Note:
			s.journal.say(act.Text)
		}
	}
	return nil
}

// drive moves the line first; everything else about it comes after.
func (s *server) drive(act Drive) error {
	if err := s.lines.drive(act.Relay, act.Active, act.For); err != nil {
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
	if uid := conn.Peer().UID; !served(uid, os.Geteuid(), s.opt.ClientUID) {
		ev.Denied = fmt.Sprintf("user %d is not served", uid)
	} else {
		ev.Process = s.know(ctx, conn)
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

// served says whether the guard of user own serves a user; extra is one more.
func served(uid, own, extra int) bool { return uid == 0 || uid == own || uid == extra }

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
		if !s.post(ctx, ev) || err != nil {
			return nil
		}
	}
}

// post hands an event to the loop; false if that has ended.
func (s *server) post(ctx context.Context, ev Event) bool {
	select {
	case s.events <- ev:
		return true
	case <-ctx.Done():
		return false
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
