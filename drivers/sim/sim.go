// Package sim is the hardware of a simulated panel. A process of its own, the
// line process, holds the levels of the lines and the sound card's clock
// (Serve). The panel reaches it through Dial and OpenOutput, which give the
// parts of package drivers; the world around the panel (a page, a test, a
// demonstration) through Visit.
//
// Lines are electrical levels. A line that is driven keeps its last level when
// its writer dies, as the pins of real GPIO controllers do.
package sim

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// MaxLines is the most lines that one line process holds.
const MaxLines = 128

var (
	// ErrBusy means that another connection drives this line, or has the sound
	// card.
	ErrBusy = errors.New("in use by another process")
	// ErrNoLine means that there is no line of this name.
	ErrNoLine = errors.New("no such line")
	// ErrRefused means that this cannot be done with this line: an input cannot
	// be driven, an output cannot be pressed.
	ErrRefused = errors.New("refused")
	// ErrGone means that the line process has ended or does not answer.
	ErrGone = errors.New("line process is gone")
)

// A LineSpec is one line of the simulated panel, and how it is wired.
type LineSpec struct {
	Name        string // 1 to 32 printable ASCII characters
	Output      bool   // the panel drives it; else the world does
	ActiveLow   bool   // active means the low level
	StartActive bool   // level at the start of the line process
}

// Options are what Serve may be given besides the lines.
type Options struct {
	RoomNoise int16        // peak of the noise when nobody speaks; 0: silence
	Log       func(string) // told who comes, goes and is refused, by several goroutines; may be nil
	Ready     func()       // called once connections are taken; may be nil
}

// A Change is one change of a line.
type Change struct {
	Line   string
	Level  bool          // electrical level: true is high
	Active bool          // what the level means on this line
	At     time.Duration // CLOCK_MONOTONIC, in the line process
}

// monotonic is the time of CLOCK_MONOTONIC, which all processes of the machine
// share.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("sim: no CLOCK_MONOTONIC: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
