package sim

import (
	"context"
	"fmt"
	"time"

	"doorstation/drivers"

	"periph.io/x/conn/v3/gpio"
)

// A Panel gives the parts of the simulated panel to the panel's firmware.
type Panel struct{ path string }

// Dial looks whether a line process serves path. Each part that is then taken
// has a connection of its own.
func Dial(path string) (*Panel, error) {
	l, err := connect(path, roleWatch, "")
	if err != nil {
		return nil, fmt.Errorf("sim: panel: %w", err)
	}
	_ = l.conn.Close()
	return &Panel{path: path}, nil
}

// An InputLine is one input as the board describes it.
type InputLine struct {
	Name      string // the board's name, which is reported
	Line      string // the line's name
	ActiveLow bool
	Debounce  time.Duration // a level counts once it has been stable for so long
	Present   bool          // report the level that is found when Watch begins, too
}

// Inputs gives these lines, debounced. What is active when Watch begins is not
// reported, so that a button which is held at a restart presses nothing; of
// lines that are Present the level at the beginning is reported.
func (p *Panel) Inputs(lines []InputLine) drivers.Inputs {
	return &inputs{path: p.path, lines: lines}
}

// Lamp takes the line of a lamp.
func (p *Panel) Lamp(line string, activeLow bool) (drivers.Lamp, error) {
	out, err := OpenOutput(p.path, line)
	if err != nil {
		return nil, err
	}
	return &lamp{out: out, activeLow: activeLow}, nil
}

type lamp struct {
	out       *Output
	activeLow bool
}

func (l *lamp) Set(on bool) error { return l.out.Out(gpio.Level(on != l.activeLow)) }

// Close gives the line back; the lamp stays as it is.
func (l *lamp) Close() error { return l.out.Close() }

// Sound gives the sound card. One at a time can run it.
func (p *Panel) Sound() drivers.Sound { return sound{path: p.path} }

type sound struct{ path string }

func (s sound) Run(ctx context.Context, exchange func(mic, speaker []int16)) error {
	l, err := claim(s.path, roleSound, "")
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	defer l.conn.Close()
	var mic, speaker [drivers.FrameSamples]int16
	msg := make([]byte, 0, maxMessage)
	for {
		p, err := l.next(ctx)
		if err != nil {
			return fmt.Errorf("sim: sound: %w", err)
		}
		if p.kind != kindFrame {
			continue
		}
		unpack(mic[:], p.frame)
		clear(speaker[:])
		exchange(mic[:], speaker[:])
		msg = pack(append(msg[:0], version, byte(kindFrame)), speaker[:])
		if err := l.conn.TrySend(msg); err != nil {
			return fmt.Errorf("sim: sound: %w: %w", ErrGone, err)
		}
	}
}
