package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"doorstation/board"
	"doorstation/drivers/sim"
	"doorstation/firmware/sim/building"
	"doorstation/firmware/sim/configserver"
	"doorstation/firmware/sim/loopback"
	"doorstation/firmware/sim/page"
	"doorstation/firmware/sim/phone"
)

// runLines holds the panel's lines, and logs their edges.
func runLines(ctx context.Context, log *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("sim lines", flag.ContinueOnError)
	boardFile := flags.String("board", "", "checked board description (`JSON file`)")
	run := flags.String("run", "", "`folder` of the sockets")
	noise := flags.Int("noise", 8, "peak of the room's noise in the microphone, 0 to 32767")
	if err := parse(flags, args, "board", "run"); err != nil {
		return err
	}
	raw, err := os.ReadFile(*boardFile)
	if err != nil {
		return err
	}
	b, err := board.Parse(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", *boardFile, err)
	}
	path := filepath.Join(*run, building.LinesSocket)
	lines := building.Lines(b)
	log.Info("holding the panel's lines", "board", b.Name, "lines", len(lines), "socket", path)
	return sim.Serve(ctx, path, lines, sim.Options{
		RoomNoise: int16(min(max(*noise, 0), 32767)),
		Log:       func(what string) { log.Debug("line process", "what", what) },
	})
}

// runPhone is one phone with its registrar and its API.
func runPhone(ctx context.Context, log *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("sim phone", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:5070", "SIP over UDP, `address:port` on loopback")
	api := flags.String("api", "127.0.0.1:5071", "HTTP, `address:port` on loopback")
	user := flags.String("user", "flat1", "rings for sip:`user`@…")
	realm := flags.String("realm", "building", "the registrar's `realm`")
	accounts := flags.String("accounts", "", "`file` of the registrar's accounts, user:password a line")
	both := flags.Bool("both", false, "agree to sound both ways already before the answer")
	if err := parse(flags, args); err != nil {
		return err
	}
	sip, err := loopback.Address(*listen)
	if err != nil {
		return err
	}
	known, err := building.ReadAccounts(*accounts)
	if err != nil {
		return err
	}
	p := phone.New(log, phone.Params{User: *user, Listen: sip, Accounts: known, Realm: *realm, Both: *both})
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() { stop(p.Run(ctx)) }()
	log.Info("phone is plugged in", "user", *user, "sip", *listen, "api", *api)
	return serveHTTP(ctx, *api, p.Handler())
}

// runConfig serves a folder.
func runConfig(ctx context.Context, log *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("sim config", flag.ContinueOnError)
	dir := flags.String("dir", "", "`folder` of the configurations")
	listen := flags.String("listen", "127.0.0.1:5072", "HTTP, `address:port` on loopback")
	accountFile := flags.String("account", "", "`file` with user:password; without it everybody may read")
	if err := parse(flags, args, "dir"); err != nil {
		return err
	}
	var account configserver.Account
	if *accountFile != "" {
		known, err := building.ReadAccounts(*accountFile)
		if err != nil {
			return err
		}
		if len(known) != 1 {
			return fmt.Errorf("%s has %d accounts, and the configuration server takes one", *accountFile, len(known))
		}
		for user, password := range known {
			account = configserver.Account{User: user, Password: password}
		}
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		return err
	}
	defer root.Close()
	log.Info("serving configurations", "dir", *dir, "listen", *listen)
	return serveHTTP(ctx, *listen, configserver.Handler(log, root.FS(), account))
}

// runPage serves the page.
func runPage(ctx context.Context, log *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("sim page", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8080", "HTTP, `address:port` on loopback")
	boardFile := flags.String("board", "", "checked board description (`JSON file`)")
	run := flags.String("run", "", "`folder` of the panel's and the line process's sockets")
	phones := flags.String("phones", "", "the flats: `name=address:port` of each phone's API, with commas between")
	name := flags.String("name", "", "what the panel's name plate says")
	hint := flags.String("hint", "", "`words` beside the phone, such as the code to try")
	if err := parse(flags, args, "board", "run", "phones"); err != nil {
		return err
	}
	flats, err := page.ReadFlats(*phones)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(*boardFile)
	if err != nil {
		return err
	}
	b, err := board.Parse(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", *boardFile, err)
	}
	p := page.New(log, page.Params{Board: b, Run: *run, Flats: flats, Name: *name, Hint: *hint})
	go p.Run(ctx)
	log.Info("page is served", "address", "http://"+*listen+"/")
	return serveHTTP(ctx, *listen, p.Handler())
}

// parse reads the flags and checks that the needed ones are given.
func parse(flags *flag.FlagSet, args []string, needed ...string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s takes no argument %q", flags.Name(), flags.Arg(0))
	}
	for _, name := range needed {
		if flags.Lookup(name).Value.String() == "" {
			return fmt.Errorf("%s needs -%s", flags.Name(), name)
		}
	}
	return nil
}

// stopTime bounds the orderly end of a server.
const stopTime = time.Second

// serveHTTP serves h on a loopback address until ctx ends, to whom it is meant for.
func serveHTTP(ctx context.Context, address string, h http.Handler) error {
	if _, err := loopback.Address(address); err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := loopback.Server(loopback.Guard(address, h))
	go func() {
		<-ctx.Done()
		end, stop := context.WithTimeout(context.Background(), stopTime)
		defer stop()
		if server.Shutdown(end) != nil {
			_ = server.Close() // what is still open are long-lived streams
		}
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return context.Cause(ctx)
}
