// Package station is the wiring of the panel: it builds the parts, joins them
// to the call, and keeps them running. It is the only package that knows
// everybody.
package station

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/callflow/keypad"
	"doorstation/callflow/sipua"
	"doorstation/callflow/timeline"
	"doorstation/drivers/guard"
	"doorstation/firmware/control"
	"doorstation/media/audio"
	"doorstation/provisioning"
)

// Options are what a panel is built from.
type Options struct {
	Board    *board.Board
	Run      string               // folder of the sockets
	Data     string               // folder of what outlives a restart
	File     string               // configuration file; or
	Server   *provisioning.Source // configuration server
	Group    int                  // its members may use the control socket; 0: none
	Version  string
	Built    time.Time // this program: no earlier time is believed
	SetClock bool      // set the system's clock too, once a time server has told the time
	Missing  []string  // what this build lacks, in words
	Log      *slog.Logger
}

// A Station is one panel.
type Station struct {
	opt     Options
	log     *slog.Logger
	started time.Time
	buttons []string

	owner *owner
	line  *line
	doors *doors
	video *videoHub
	diary *diary
	trial *trial
	kept  *keeping
	store *provisioning.Store // of kept
	parts *supervisor
	hw    *hardware
	watch watchers

	health   *health
	clock    *clock
	resets   atomic.Int64 // that the guard has forced in a row
	verified atomic.Bool  // a registrar's certificate
	seen     atomic.Pointer[view]
}

// New builds a panel. Nothing runs before Run, but the panel's data are read,
// and a second daemon on the same data is refused with an *InUseError.
func New(opt Options) (*Station, error) {
	s := &Station{opt: opt, log: opt.Log, started: time.Now(), parts: &supervisor{log: opt.Log}}
	s.seen.Store(&view{call: control.Call{State: control.CallIdle}})
	var err error
	if s.kept, err = openKeeping(opt); err != nil {
		return nil, err
	}
	s.store = s.kept.store
	s.clock = openClock(filepath.Join(s.kept.dir, clockFile), opt.Built, opt.Log)
	s.judgeMachine()
	s.hw = openHardware(opt)
	s.hw.fitted = s.fitted
	s.buttons = buttons(opt.Board)
	s.diary = newDiary(s.kept.records, opt.Log)
	s.diary.wall, s.diary.kept = s.clock.wall, s.kept.faults.of("records")
	s.line = newLine(opt.Version, opt.Log)
	for _, l := range []*line{s.line, s.line.spare} {
		l.certTime, l.instance = s.clock.forTLS, instanceURN(s.kept.key)
	}
	s.doors = newDoors(filepath.Join(opt.Run, "guard.sock"), opt.Log)
	s.video = s.hw.video
	s.owner = s.newOwner(s.kept.locked)
	s.trial = &trial{log: opt.Log, store: s.store, key: s.kept.key, owner: s.owner}
	s.health = s.watchLoops()
	s.join()
	return s, nil
}

func (s *Station) newOwner(locked *lockout) *owner {
	engine := audio.New()
	return &owner{
		log: s.log, box: newMailbox(), tell: s.publish, turns: make(chan func(), 1),
		wall: func(time.Time) (time.Time, bool) { return s.clock.now() },
		line: s.line, doors: s.doors, video: s.video, engine: engine, diary: s.diary, locked: locked,
		phones: openLadder(s.kept.dir, s.log),
		lamps:  s.hw.lamps, around: newSurroundings(s.opt.Board, s.hw.outputs.change),
		legs: make(map[callflow.LegID]*leg), pads: make(map[callflow.LegID]*keypad.Pad), asked: make(map[string][]chan error), open: make(map[string]bool),
		sound: sounder{engine: engine},
		fetch: func() {
			s.log.Warn("the registrar wants the configuration fetched, and this panel has no server for it")
		},
	}
}

// join lets the parts tell the owner what happens.
func (s *Station) join() {
	o := s.owner
	s.line.on = func(of lineRule, ev sipua.Event) {
		if _, ok := ev.(sipua.Registered); ok && of.account.Transport == "tls" {
			s.verified.Store(true)
		}
		o.box.post(func() {
			if s.line.obeys(of) { // what a former registration tells judges no configuration
				s.trial.event(ev)
			}
			o.sipEvent(ev)
		})
	}
	s.doors.moved = func(relay, door string, open bool, at time.Duration) {
		o.box.post(func() { o.relayMoved(relay, door, open, at) })
	}
	o.stills.asked = func(leg callflow.LegID) { o.box.post(func() { o.polled(leg) }) }
	s.doors.input = func(e guard.InputEdge) { o.box.post(func() { o.guarded(e) }) }
	s.doors.sick, s.doors.resets = s.health.Sick, s.wasReset
	s.doors.lost = func(relay, door string) {
		o.box.post(func() {
			o.diary.mark(monotonic(), timeline.DoorFailed, 0, "the guard went away while the door was open")
			o.relayMoved(relay, door, false, monotonic())
		})
	}
}

// Run runs the panel until ctx ends or a part that it cannot do without fails.
func (s *Station) Run(ctx context.Context) error {
	if err := s.load(); err != nil {
		s.log.Error("configuration refused", "err", err)
	}
	s.doors.meant = func() bool { return ctx.Err() != nil }
	attendant := s.attendant()
	defer context.AfterFunc(ctx, attendant.stopping)()
	parts := []part{
		// The call hears of the end before all others, and then is their end.
		{name: "call", run: func(context.Context) error { return s.owner.run(ctx) }, need: true},
		{name: "line", run: func(ctx context.Context) error {
			s.hw.inputs.wait(ctx)
			return s.line.run(ctx)
		}},
		{name: "standby line", run: s.line.spare.run},
		{name: "guard", run: s.doors.run},
		{name: "configuration", run: s.trial.run},
		{name: "control", run: s.control},
		{name: "records", run: s.diary.keep},
		{name: "camera", run: s.video.run},
		{name: "page", run: s.page},
		{name: "probe", run: s.probe},
		{name: "health", run: attendant.run},
		{name: "time", run: s.timekeeper().run},
	}
	parts = append(parts, s.hw.parts(s)...)
	if s.opt.Server != nil {
		fetcher, err := s.fetcher()
		if err != nil {
			return err
		}
		s.owner.fetch = fetcher.Now // nothing runs yet
		parts = append(parts, part{name: "fetch", run: fetcher.Run})
	}
	err := s.parts.run(context.WithoutCancel(ctx), parts...)
	s.diary.close() // what the call left, now that nobody else writes
	s.diary.flush()
	return err
}

// load offers the configuration file, if there is one.
func (s *Station) load() error {
	if s.opt.File == "" {
		return nil
	}
	raw, err := os.ReadFile(s.opt.File)
	if err != nil {
		return err
	}
	_, err = s.store.Offer(raw, s.opt.File)
	return err
}

func (s *Station) control(ctx context.Context) error {
	srv := control.Server{Panel: s, Log: s.log, Group: s.opt.Group}
	return srv.Serve(ctx, filepath.Join(s.opt.Run, control.SocketName))
}

// limits are what this board allows a configuration.
func limits(b *board.Board) provisioning.Limits {
	lim := provisioning.Limits{Board: b.Name, Relays: make(map[string]time.Duration), MaxWidth: 1920, MaxHeight: 1080, MaxFPS: 30}
	lim.Buttons = buttons(b)
	for _, r := range b.Relays {
		lim.Relays[r.Name] = time.Duration(r.MaxPulse)
	}
	return lim
}

// buttons are the inputs that ring somebody: all but the contacts and what the
// guard owns.
func buttons(b *board.Board) []string {
	var names []string
	for _, in := range b.Inputs {
		if !in.Guarded() && in.Contact == "" {
			names = append(names, in.Name)
		}
	}
	return names
}

// An InUseError says that another daemon runs this panel.
type InUseError struct{ Path string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("another doorstationd runs this panel (it holds %s); this one stops", e.Path)
}
