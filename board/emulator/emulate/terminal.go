package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"doorstation/board/emulator"
)

const keys = "\r\nkeys: 1, 2 press a button · s shows all lines · c asks doorctl for the last call · i for its status · r resets · x cuts the power and ends\r\n\r\n"

// attend shows what the machine does and obeys the keys until x, Ctrl-C or the
// end of ctx.
func attend(ctx context.Context, m *emulator.Machine) error {
	restore, err := rawMode(os.Stdin)
	if err != nil {
		return err
	}
	defer restore()
	m.Watch(func(e emulator.Edge) { fmt.Printf("\r\n%8.3f ── %v ──\r\n", e.At.Sub(m.Started).Seconds(), e) })
	if _, err := m.Mark(ctx, "ready", 0); err != nil {
		return err
	}
	fmt.Print(keys)
	typed := make(chan byte)
	go func() {
		defer close(typed)
		one := make([]byte, 1)
		for {
			if n, err := os.Stdin.Read(one); n == 0 || err != nil {
				return
			}
			typed <- one[0]
		}
	}()
	for {
		select {
		case key, open := <-typed:
			if !open || key == 'x' || key == 3 {
				return nil
			}
			if err := obey(m, key); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// obey does what a key means.
func obey(m *emulator.Machine, key byte) error {
	switch key {
	case '1', '2':
		button := "BUTTON" + string(key)
		if err := m.Press(button); err != nil {
			return err
		}
		fmt.Printf("\r\n%8.3f ── %s pressed ──\r\n", time.Since(m.Started).Seconds(), button)
		time.AfterFunc(200*time.Millisecond, func() { _ = m.Release(button) })
	case 's':
		for _, line := range emulator.Lines(m.Board()) {
			fmt.Printf("%s\r\n", emulator.Edge{Line: line, High: m.Level(line)})
		}
	case 'i', 'c':
		// What it prints comes over the console.
		return m.Tell(map[byte]string{'i': "doorctl status", 'c': "doorctl timeline"}[key])
	case 'r':
		return m.Reset()
	default:
		fmt.Print(keys)
	}
	return nil
}

// rawMode gives every key at once, until restore. Without a terminal it does
// nothing.
func rawMode(f *os.File) (restore func(), err error) {
	old, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return func() {}, nil
	}
	raw := *old
	raw.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	raw.Iflag &^= unix.ICRNL | unix.IXON
	return func() { _ = unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, old) },
		unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, &raw)
}

// A rawTerminal shows the guest's console without its carriage returns doubled.
type rawTerminal struct{ w io.Writer }

func (r rawTerminal) Write(b []byte) (int, error) {
	if _, err := r.w.Write(bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r"), nil), []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(b), nil
}
