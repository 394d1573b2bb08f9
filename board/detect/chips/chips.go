// Package chips lists the GPIO chips of this machine as periph finds them. It is
// for a person's tools: nothing here requests or drives a line.
package chips

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/driver/driverreg"
	"periph.io/x/host/v3/gpioioctl"
)

// A Chip is one GPIO chip.
type Chip struct {
	Name  string `json:"name"`  // gpiochip0
	Label string `json:"label"` // what its driver calls it
	Lines []Line `json:"lines"`
}

// A Line is one line of a chip.
type Line struct {
	Number int    `json:"number"`
	Name   string `json:"name,omitempty"`
	User   string `json:"user,omitempty"` // who has it; empty: nobody
}

const devices = "/dev/gpiochip*"

// List gives the chips. An error comes with those that could be read.
func List() ([]Chip, error) {
	if err := initialise(); err != nil {
		return nil, err
	}
	var list []Chip
	for _, chip := range gpioioctl.Chips {
		c := Chip{Name: chip.Name(), Label: chip.Label()}
		for _, l := range chip.Lines() {
			c.Lines = append(c.Lines, Line{Number: l.Number(), Name: l.Name(), User: l.Consumer()})
		}
		list = append(list, c)
	}
	there, _ := filepath.Glob(devices) // the pattern is a good one
	if len(list) == 0 && len(there) > 0 {
		return nil, fmt.Errorf("chips: none of %d GPIO chips could be read: ask as root or as a member of the group of %s", len(there), there[0])
	}
	return list, nil
}

// initialise runs periph's drivers, once. Its driver of the character devices
// closes file 0 with every second name of a chip; the file is kept.
var initialise = sync.OnceValue(func() error {
	if kept, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3); err == nil {
		defer unix.Close(kept)
		defer func() { _ = unix.Dup3(kept, 0, 0) }()
	}
	_, err := driverreg.Init()
	return err
})

// Find looks a line up as board files name it: by its name, or by chip and
// number. It gives nothing where no line or more than one is meant.
func Find(list []Chip, want string) (Chip, Line, bool) {
	var found []Line
	var on Chip
	at := strings.LastIndexByte(want, ':')
	for _, c := range list {
		for _, l := range c.Lines {
			byNumber := at > 0 && want[at+1:] == strconv.Itoa(l.Number) && (want[:at] == c.Name || want[:at] == c.Label)
			if want != "" && l.Name == want || byNumber {
				found, on = append(found, l), c
			}
		}
	}
	if len(found) != 1 {
		return Chip{}, Line{}, false
	}
	return on, found[0], true
}
