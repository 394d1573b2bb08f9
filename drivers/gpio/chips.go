package gpio

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"doorstation/drivers"
)

// devices is where the kernel's character devices are.
const devices = "/dev"

// A chip is one GPIO controller.
type chip struct {
	path  string   // of its device
	name  string   // gpiochip0
	label string   // what its driver calls it
	lines []string // names by number, most of them empty on many boards
}

// A place is where a line is.
type place struct {
	path   string // of the chip's device
	number uint32 // on the chip
}

// chips lists the GPIO controllers below dir, in no order. One that cannot be read is left
// out and its error joined to err, so that it does not hide the others.
func chips(dir string) (list []chip, err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := folder.Readdirnames(-1)
	faults := []error{err, folder.Close()}
	for _, name := range names {
		if !strings.HasPrefix(name, "gpiochip") {
			continue
		}
		c, err := readChip(dir + "/" + name)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s/%s: %w", dir, name, err))
			continue
		}
		list = append(list, c)
	}
	return list, errors.Join(faults...)
}

// readChip asks a chip for its names. It requests no line.
func readChip(path string) (chip, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return chip{}, err
	}
	defer unix.Close(fd)
	var info chipInfo
	if err := ioctl(fd, ioctlChipInfo, unsafe.Pointer(&info)); err != nil {
		return chip{}, err
	}
	c := chip{path: path, name: text(info.name), label: text(info.label), lines: make([]string, info.lines)}
	for i := range c.lines {
		line := lineInfo{offset: uint32(i)}
		if err := ioctl(fd, ioctlLineInfo, unsafe.Pointer(&line)); err != nil {
			return chip{}, err
		}
		c.lines[i] = text(line.name)
	}
	return c, nil
}

// text is what stands before the first zero byte.
func text(raw [nameLength]byte) string {
	s, _, _ := strings.Cut(string(raw[:]), "\x00")
	return s
}

// locate finds a line on the chips of this machine.
func locate(want string) (place, error) {
	list, err := chips(devices)
	at, missing := find(list, want)
	if missing != nil && err != nil { // perhaps it is on a chip that could not be read
		return place{}, fmt.Errorf("gpio: line %s: %w", want, err)
	}
	return at, missing
}

// find looks a line up by its name, or by chip and number. A name that two
// lines have is refused: driving the wrong one could open a door.
func find(list []chip, want string) (place, error) {
	var found []place
	on, number, byNumber := split(want)
	for _, c := range list {
		for i, name := range c.lines {
			if name == want || byNumber && uint64(i) == number && (c.name == on || c.label == on) {
				found = append(found, place{path: c.path, number: uint32(i)})
			}
		}
	}
	switch len(found) {
	case 0:
		return place{}, fmt.Errorf("gpio: no line %q on the %d GPIO chips of this machine: %w", want, len(list), drivers.ErrAbsent)
	case 1:
		return found[0], nil
	}
	return place{}, fmt.Errorf("gpio: line %q is ambiguous: %s line %d and %s line %d; name it by chip and number, such as gpiochip0:17",
		want, found[0].path, found[0].number, found[1].path, found[1].number)
}

// split takes "chip:number" apart.
func split(want string) (on string, number uint64, ok bool) {
	i := strings.LastIndexByte(want, ':')
	if i <= 0 {
		return "", 0, false
	}
	number, err := strconv.ParseUint(want[i+1:], 10, 32)
	return want[:i], number, err == nil
}
