// Command emulate runs one emulated board for a person: keys press its
// buttons, and the terminal shows its outputs and its console. The guest sits
// at 10.0.0.10 on a bridge that is 10.0.0.1, in a network namespace of its own,
// with a Kamailio at 10.0.0.5 where it registers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"doorstation/board/emulator"
)

func main() {
	set := options()
	if err := run(set); err != nil {
		fmt.Fprintln(os.Stderr, "emulate:", err)
		os.Exit(1)
	}
}

// settings are the command line.
type settings struct {
	board, compiled, programs, data string
	inside                          bool
}

func options() settings {
	var s settings
	flag.StringVar(&s.board, "board", "qemu-virt-armhf", "`name` of the board: "+strings.Join(emulator.Boards(), ", "))
	flag.StringVar(&s.compiled, "compiled", "", "board description, the JSON `file` that doorctl makes of the board's YAML")
	flag.StringVar(&s.programs, "programs", "dist/cross", "`folder` of the programs that make cross has built")
	flag.StringVar(&s.data, "data", "dist/emulate", "`folder` of the boards' data disks, which are kept")
	flag.BoolVar(&s.inside, "inside", false, "is set when it starts itself in its network namespace")
	flag.Parse()
	return s
}

func run(set settings) error {
	if !set.inside {
		return again()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	street, err := newStreet(ctx)
	if err != nil {
		return err
	}
	defer street.close()
	opt, err := set.boot(street)
	if err != nil {
		return err
	}
	fmt.Printf("%s is booting …\r\n", set.board)
	m, err := emulator.Boot(ctx, opt)
	if err != nil {
		return err
	}
	defer m.Close()
	return attend(ctx, m)
}

// again starts this program in network and process namespaces of its
// own, which all it starts leaves when it ends.
func again() error {
	if os.Getuid() != 0 {
		return errors.New("a tap interface needs root; as an ordinary user run: sudo make emulate")
	}
	cmd := exec.Command("/proc/self/exe", append([]string{"-inside"}, os.Args[1:]...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	signal.Ignore(os.Interrupt)
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode()) // it has said why
	}
	return err
}

// boot says what the machine is made of.
func (set settings) boot(s *street) (emulator.Options, error) {
	folder := map[string]string{"armhf": "linux-armv7", "arm64": "linux-arm64"}[emulator.Arch(set.board)]
	if err := os.MkdirAll(set.data, 0o755); err != nil {
		return emulator.Options{}, err
	}
	disk, err := filepath.Abs(filepath.Join(set.data, set.board+".img"))
	if err != nil {
		return emulator.Options{}, err
	}
	files := []emulator.File{
		{Path: "etc/doorstation/board.json", From: set.compiled},
		{Path: "etc/doorstation/panel.yaml", Content: []byte(s.panelConfig())},
		emulator.Services("-config /etc/doorstation/panel.yaml"),
	}
	for _, name := range []string{"doorguard", "doorstationd", "doorctl"} {
		path := filepath.Join(set.programs, folder, name)
		if _, err := os.Stat(path); err != nil {
			return emulator.Options{}, fmt.Errorf("%w: run make cross", err)
		}
		files = append(files, emulator.File{Path: "bin/" + name, From: path})
	}
	return emulator.Options{
		Board: set.board, Data: disk, Files: files, Console: rawTerminal{os.Stdout},
		Network: emulator.Network{Tap: tap, Address: guestAddress, Gateway: gateway},
	}, nil
}
