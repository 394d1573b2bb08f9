package sim

import (
	"context"
	"fmt"
	"sync"

	"doorstation/drivers"
)

// A World is what is around the panel: fingers, contacts, voices, eyes and
// ears. Its methods may be called from several goroutines.
type World struct {
	path string
	mu   sync.Mutex
	link *link
	msg  []byte
}

// Visit connects to the line process at path.
func Visit(path string) (*World, error) {
	l, err := connect(path, roleWorld, "")
	if err != nil {
		return nil, fmt.Errorf("sim: visit: %w", err)
	}
	return &World{path: path, link: l}, nil
}

// Close ends the visit. Inputs stay as they are.
func (w *World) Close() error { return w.link.conn.Close() }

// Press moves an input to active (pressed, closed) or back, whatever its
// polarity, and returns once the line has that level. The error is ErrNoLine,
// ErrRefused for an output, or ErrGone.
func (w *World) Press(line string, active bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if line == "" || !printable(line, maxName) {
		return fmt.Errorf("sim: press %q: %w", line, ErrNoLine)
	}
	if err := w.link.request(packet{kind: kindPress, active: active, name: line}); err != nil {
		return fmt.Errorf("sim: press: %w", err)
	}
	return nil
}

// Say speaks 160 samples into the microphone. It does not wait: the caller
// keeps the pace of one frame every 20 ms. The card keeps one second; of more
// the oldest is lost.
func (w *World) Say(frame []int16) error {
	if len(frame) != drivers.FrameSamples {
		return fmt.Errorf("sim: say: frame has %d samples, want %d", len(frame), drivers.FrameSamples)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.msg = pack(append(w.msg[:0], version, byte(kindFrame)), frame)
	if err := w.link.conn.TrySend(w.msg); err != nil {
		return fmt.Errorf("sim: say: %w: %w", ErrGone, err)
	}
	return nil
}

// Watch calls tell with the current level of every line, then with every
// change, until ctx ends or the line process does. A caller that is too slow
// loses changes of its own, and is then told all levels again.
func (w *World) Watch(ctx context.Context, tell func(Change)) error {
	l, err := connect(w.path, roleWatch, "")
	if err != nil {
		return fmt.Errorf("sim: watch: %w", err)
	}
	defer l.conn.Close()
	for {
		p, err := l.next(ctx)
		if err != nil {
			return fmt.Errorf("sim: watch: %w", err)
		}
		if p.kind == kindChange {
			tell(Change{Line: p.name, Level: p.level, Active: p.active, At: p.at})
		}
	}
}

// Listen calls hear with every frame that the panel's speaker plays, until ctx
// ends or the line process does. The frame is valid during the call.
func (w *World) Listen(ctx context.Context, hear func(frame []int16)) error {
	l, err := connect(w.path, roleListen, "")
	if err != nil {
		return fmt.Errorf("sim: listen: %w", err)
	}
	defer l.conn.Close()
	var frame [drivers.FrameSamples]int16
	for {
		p, err := l.next(ctx)
		if err != nil {
			return fmt.Errorf("sim: listen: %w", err)
		}
		if p.kind == kindFrame {
			unpack(frame[:], p.frame)
			hear(frame[:])
		}
	}
}
