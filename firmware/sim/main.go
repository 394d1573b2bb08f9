// Sim is a simulated building around a simulated panel: the panel's hardware
// lines, a flat's phone with a registrar, a configuration server, and a page to
// use them all. Each role is a process of its own; they share no memory and
// meet over SIP, RTP, HTTP and the line process's socket.
//
//	sim run     starts the whole building and prints one address
//	sim demo    starts it and goes through one call without a person
//	sim lines   the panel's lines and sound card
//	sim phone   a flat's phone, with a small registrar
//	sim config  the configuration server
//	sim page    the page
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"
)

// A role is one thing that this program can be.
type role struct {
	does string
	run  func(ctx context.Context, log *slog.Logger, args []string) error
}

func roles() map[string]role {
	return map[string]role{
		"run":    {"starts the whole building and prints one address", runBuilding},
		"demo":   {"goes through one call without a person", runDemo},
		"lines":  {"is the panel's lines and sound card", runLines},
		"phone":  {"is a flat's phone, with a small registrar", runPhone},
		"config": {"is the configuration server", runConfig},
		"page":   {"serves the page", runPage},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := start(ctx, os.Stderr, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		os.Exit(1)
	}
}

// start runs the role that args name.
func start(ctx context.Context, out io.Writer, args []string) error {
	all := roles()
	if len(args) == 0 || all[args[0]].run == nil {
		return errors.New(usage(all))
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	err := all[args[0]].run(ctx, log, args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return nil // asked to end
	}
	return err
}

// withoutTime leaves out the time, which whoever collects the lines adds.
func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func usage(all map[string]role) string {
	var lines []string
	for name, r := range all {
		lines = append(lines, fmt.Sprintf("  sim %-7s %s", name, r.does))
	}
	sort.Strings(lines)
	return "name a role (with -h for its flags):\n" + strings.Join(lines, "\n")
}
