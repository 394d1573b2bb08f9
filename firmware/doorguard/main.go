// Command doorguard alone drives the relays of a panel. It takes pulses from
// one client over DIR/guard.sock, and makes every relay safe when it starts,
// when its client ends, and when it ends itself. It also owns the exit buttons,
// the switch below the cover and the board's watchdog. It contains no network
// code and reads no configuration but the board.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"doorstation/board"
	"doorstation/drivers"
	"doorstation/drivers/guard"
)

// version is the release, set by the linker.
var version = "dev"

// stateFile is what survives a restart, in the directory -state.
const stateFile = "guard.state"

// options are the command line.
type options struct {
	board, run, state string
	clientUID         int
	version           bool
}

func main() {
	var o options
	flag.StringVar(&o.board, "board", "", "board description, the JSON `file` that the build made of the board's YAML")
	flag.StringVar(&o.run, "run", "", "`directory` of the sockets: guard.sock, and those of the drivers")
	flag.StringVar(&o.state, "state", "", "`directory` of what survives a restart: resets, and the rest of a block after tampering (default: that of -run)")
	flag.IntVar(&o.clientUID, "client-uid", 0, "`user` that is served besides root and the guard's own")
	flag.BoolVar(&o.version, "version", false, "print the version and end")
	flag.Usage = usage
	flag.Parse()
	if o.version {
		fmt.Println("doorguard", version)
		return
	}
	if o.board == "" || o.run == "" || flag.NArg() != 0 || o.clientUID < 0 {
		usage()
		os.Exit(2)
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "doorguard:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprint(os.Stderr, `doorguard drives the relays of a door station and keeps them safe.

usage: doorguard -board board.json -run DIR [-state DIR] [-client-uid N]

`)
	flag.PrintDefaults()
	fmt.Fprint(os.Stderr, `
It writes a line per event to standard error. SIGTERM makes the relays safe,
stops the watchdog and ends it with status 0; a fault ends it with status 1, and
whoever started it starts it again.
`)
}

func run(o options) error {
	raw, err := os.ReadFile(o.board)
	if err != nil {
		return err
	}
	b, err := board.Parse(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", o.board, err)
	}
	outs, err := openRelays(b.Relays, o.run) // which are safe then; nothing else comes before
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	// Standard error may be a pipe that nobody reads any more. Writing to it
	// must not end the guard in the middle of a pulse.
	signal.Ignore(syscall.SIGPIPE)
	hurry()
	return guard.Serve(ctx, service(o, b, outs))
}

// service is what the guard of this board serves.
func service(o options, b *board.Board, outs []guard.Output) guard.Options {
	return guard.Options{
		Socket:      filepath.Join(o.run, "guard.sock"),
		Outputs:     outs,
		Inputs:      inputsOf(b),
		Watch:       func(say func(string)) []drivers.Inputs { return watchers(b, o.run, say) },
		TamperBlock: b.TamperBlock.Time(),
		Watchdog:    watchdogOf(b.Watchdog),
		Unfed:       b.Watchdog.Timeout.Time() / 4, // it was fed less than so long before a crash
		ClientUID:   o.clientUID,
		StateFile:   filepath.Join(cmp.Or(o.state, o.run), stateFile),
		Log:         os.Stderr,
	}
}
