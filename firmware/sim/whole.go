package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"doorstation/firmware/sim/building"
	"doorstation/firmware/sim/loopback"
)

// runBuilding starts everything and prints one address.
func runBuilding(ctx context.Context, _ *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("sim run", flag.ContinueOnError)
	p, page := common(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := complete(p, *page, os.Stderr); err != nil {
		return err
	}
	b, err := building.Start(ctx, *p)
	if err != nil {
		return err
	}
	fmt.Printf("\n    The building is open:  %s\n\n    Press a button there. The code of the main door is %s. Ctrl-C ends everything.\n\n", b.Page(), building.RightCode)
	err = b.Wait(ctx)
	return errors.Join(err, b.Close())
}

// runDemo starts everything on free ports and goes through one call.
func runDemo(ctx context.Context, _ *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("sim demo", flag.ContinueOnError)
	p, _ := common(flags)
	flags.BoolVar(&p.WithoutGuard, "without-guard", false, "leave out doorguard: the demonstration must then fail at the door")
	verbose := flags.Bool("verbose", false, "show the lines of all processes as they come")
	if err := parse(flags, args); err != nil {
		return err
	}
	var kept bytes.Buffer
	log := io.Writer(&kept)
	if *verbose {
		log = os.Stderr
	}
	if err := complete(p, "127.0.0.1:0", log); err != nil {
		return err
	}
	b, err := building.Start(ctx, *p)
	if err == nil {
		err = b.Demo(ctx, os.Stdout)
		err = errors.Join(err, b.Close())
	}
	if err != nil && !*verbose {
		fmt.Fprintf(os.Stderr, "\nThe latest lines of the building's processes:\n%s\n", latest(kept.Bytes()))
	}
	return err
}

// shownBytes bounds what a failed demonstration shows of the processes' lines.
const shownBytes = 8 << 10

func latest(b []byte) []byte {
	if len(b) > shownBytes {
		b = b[len(b)-shownBytes:]
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	return b
}

// common are the flags of run and demo.
func common(flags *flag.FlagSet) (*building.Params, *string) {
	p := new(building.Params)
	flags.StringVar(&p.Board, "board", "", "the board's `YAML`; default: board/sim.yaml of the source tree")
	flags.StringVar(&p.Programs, "programs", "", "`folder` of doorguard and doorstationd; default: this program's")
	page := flags.String("listen", "127.0.0.1:8080", "the page's `address:port`; a busy port is replaced by a free one")
	return p, page
}

// complete fills in what the flags left out.
func complete(p *building.Params, page string, log io.Writer) error {
	at, err := loopback.Address(page)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p.Sim, p.Page, p.Log = self, at, log
	if p.Board == "" {
		p.Board, err = findBoard(filepath.Dir(self))
	}
	return err
}

// findBoard looks for the simulated board: beside the folder of the programs,
// then here.
func findBoard(programs string) (string, error) {
	tried := []string{filepath.Join(programs, "..", "board", "sim.yaml"), filepath.Join("board", "sim.yaml")}
	for _, name := range tried {
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("no board file at %q; name one with -board", tried)
}
