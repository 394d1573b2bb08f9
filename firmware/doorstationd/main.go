// Doorstationd is the panel's daemon: the call, the picture, the sound and the
// configuration. It holds no relay line; doorguard does.
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
	"strings"
	"syscall"
	"time"

	"doorstation/board"
	"doorstation/firmware/station"
	"doorstation/provisioning"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "doorstationd:", err)
			os.Exit(1)
		}
	}
}

// run reads the command line and runs the panel until a signal ends it.
func run(args []string, stderr io.Writer) error {
	opt, err := options(args, stderr)
	if errors.Is(err, errTold) {
		tell(os.Stdout, version, missing)
		return nil
	}
	if err != nil {
		return err
	}
	if err := raisePriority(); err != nil {
		opt.Log.Info("ordinary priority: sound may falter while something else is busy", "err", err)
	}
	for _, lack := range opt.Missing {
		opt.Log.Warn("this build lacks something", "missing", lack)
	}
	panel, err := station.New(opt)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := panel.Run(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// options turns the command line into what the panel is built from.
func options(args []string, stderr io.Writer) (station.Options, error) {
	opt := station.Options{Version: version, Built: builtAt(built), Missing: missing}
	var src provisioning.Source
	set := flag.NewFlagSet("doorstationd", flag.ContinueOnError)
	set.SetOutput(stderr)
	boardFile := set.String("board", "", "board `file`, as JSON (doorctl makes it from YAML)")
	set.StringVar(&opt.Run, "run", "", "`folder` of the sockets")
	set.StringVar(&opt.Data, "data", "", "`folder` of what outlives a restart")
	set.StringVar(&opt.File, "config", "", "configuration `file`, read at the start")
	set.StringVar(&src.URL, "server", "", "`URL` of the configuration, with {mac}, {serial} and {model} in its path")
	set.StringVar(&src.User, "server-user", "", "user `name` for the configuration server")
	passwordFile := set.String("server-password-file", "", "`file` with the password for it")
	set.StringVar(&src.CAFile, "server-ca", "", "`file` with the certificates that vouch for it")
	set.StringVar(&src.CertFile, "server-cert", "", "`file` with the panel's certificate for it")
	set.StringVar(&src.KeyFile, "server-key", "", "`file` with the key of that certificate")
	set.BoolVar(&src.AllowHTTP, "allow-http", false, "let the configuration come over plain HTTP, which anyone on the way can change")
	set.DurationVar(&src.Every, "server-every", time.Hour, "`time` between two looks at it")
	set.IntVar(&opt.Group, "control-group", 0, "members of this `gid` may use doorctl too")
	set.BoolVar(&opt.SetClock, "set-clock", false, "set the system's clock too when a time server has told the time (needs CAP_SYS_TIME)")
	verbose := set.Bool("verbose", false, "log every message")
	told := set.Bool("version", false, "tell the version and what this build lacks, and end")
	if err := set.Parse(args); err != nil {
		return opt, err
	}
	if *told {
		return opt, errTold
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	opt.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	switch {
	case *boardFile == "" || opt.Run == "" || opt.Data == "":
		return opt, errors.New("-board, -run and -data are needed; -help tells more")
	case opt.File != "" && src.URL != "":
		return opt, errors.New("-config and -server exclude each other")
	}
	raw, err := os.ReadFile(*boardFile)
	if err != nil {
		return opt, err
	}
	if opt.Board, err = board.Parse(raw); err != nil {
		return opt, fmt.Errorf("%s: %w", *boardFile, err)
	}
	if src.URL != "" {
		opt.Server, err = identify(src, opt.Board, *passwordFile)
	}
	return opt, err
}

// identify tells the configuration source which panel this is.
func identify(src provisioning.Source, b *board.Board, passwordFile string) (*provisioning.Source, error) {
	var err error
	if src.Serial, src.MAC, err = b.Identity.Read(); err != nil {
		return nil, err
	}
	src.Model = b.Model
	if passwordFile != "" {
		raw, err := os.ReadFile(passwordFile)
		if err != nil {
			return nil, err
		}
		src.Password = strings.TrimRight(string(raw), "\r\n")
	}
	return &src, nil
}
