package devicetree

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Chip is one GPIO controller.
type Chip struct {
	Node  *Node
	Label string   // what the kernel's driver calls it; empty: not known from the tree
	Lines int      // how many it has
	Names []string // gpio-line-names, by number; shorter than Lines on many boards

	kind   kind
	ranges []pinRange
}

// pinRange joins lines of a chip with pins of a controller (gpio-ranges).
type pinRange struct {
	controller       *Node
	line, pin, count uint32
}

// kind is what a driver of the kernel makes of a controller.
type kind struct {
	lines int                  // of a controller that does not say it itself
	label func(n *Node) string // nil: numbered in the order in which the kernel finds them
	banks []uint32             // pins of each bank of sunxiBank lines, where a reference names bank and pin
}

// kinds are the controllers of the boards that we know, by compatible string.
var kinds = map[string]kind{
	"brcm,bcm2835-gpio":            {lines: 54, label: fixed("pinctrl-bcm2835")},
	"brcm,bcm2711-gpio":            {lines: 58, label: fixed("pinctrl-bcm2711")},
	"raspberrypi,firmware-gpio":    {lines: 8, label: fixed("raspberrypi-exp-gpio")},
	"ti,omap4-gpio":                {lines: 32},
	"allwinner,sun8i-h3-pinctrl":   {lines: 7 * sunxiBank, label: device, banks: []uint32{22, 0, 19, 18, 16, 7, 14}}, // PA to PG
	"allwinner,sun8i-h3-r-pinctrl": {lines: sunxiBank, label: device, banks: []uint32{12}},                           // PL
	"fsl,imx35-gpio":               {lines: 32, label: device},
	"arm,pl061":                    {lines: 8, label: device},
}

func fixed(label string) func(*Node) string { return func(*Node) string { return label } }

// device is the name that Linux gives to a device of the tree: its address,
// which on these controllers is that of the bus above, and its name.
func device(n *Node) string { return n.unitAddress() + "." + n.baseName() }

// kindOf knows a controller. The STM32's banks have no compatible string; the
// tree says what they are called.
func kindOf(n *Node) (kind, bool) {
	for _, c := range n.Compatible() {
		if k, ok := kinds[c]; ok {
			return k, true
		}
	}
	if bank := n.Strings("st,bank-name"); len(bank) == 1 {
		return kind{lines: stm32Bank, label: fixed(bank[0])}, true
	}
	return kind{}, false
}

// Chips are the enabled GPIO controllers, in the order of the tree. Those of
// an unknown kind have the lines that the tree gives them, and no label.
func (t *Tree) Chips() []*Chip {
	var chips []*Chip
	t.Root.walk(func(n *Node) {
		if !n.Has("gpio-controller") || !n.Enabled() {
			return
		}
		c := &Chip{Node: n, Names: n.Strings("gpio-line-names")}
		c.kind, _ = kindOf(n)
		c.Lines = max(c.kind.lines, len(c.Names))
		if lines, ok := n.Cell("ngpios"); ok {
			c.Lines = int(min(lines, maxLines))
		}
		if c.kind.label != nil {
			c.Label = c.kind.label(n)
		}
		c.ranges = t.ranges(n)
		chips = append(chips, c)
	})
	return chips
}

// ranges reads gpio-ranges: controller, first line, first pin, number of both.
func (t *Tree) ranges(n *Node) []pinRange {
	const each = 4
	var all []pinRange
	for list := n.Cells("gpio-ranges"); len(list) >= each; list = list[each:] {
		all = append(all, pinRange{t.byHandle[list[0]], list[1], list[2], list[3]})
	}
	return all
}

// has says whether a line leads to a pin: chips have numbers without one.
func (c *Chip) has(number int) bool {
	if number < 0 || number >= c.Lines {
		return false
	}
	if bank := number / sunxiBank; len(c.kind.banks) > 0 {
		return bank < len(c.kind.banks) && uint32(number%sunxiBank) < c.kind.banks[bank]
	}
	for _, r := range c.ranges {
		if n := uint32(number); n >= r.line && n-r.line < r.count {
			return true
		}
	}
	return len(c.ranges) == 0
}

// maxLines bounds a number of lines that a tree may give a chip.
const maxLines = 1024

// String is the chip as a person finds it: its label, or its place.
func (c *Chip) String() string {
	if c.Label != "" {
		return c.Label
	}
	return c.Node.Path()
}

// A Line is one line of a chip.
type Line struct {
	Chip   *Chip
	Number int
}

// String is chip and number, and the name where there is one.
func (l Line) String() string {
	s := l.Chip.String() + ":" + strconv.Itoa(l.Number)
	if name := l.Name(); name != "" {
		s += " (" + name + ")"
	}
	return s
}

// Name is the line's name, empty where it has none.
func (l Line) Name() string {
	if l.Number < len(l.Chip.Names) {
		return l.Chip.Names[l.Number]
	}
	return ""
}

// Find looks a line up as board files name it: by its name, or by the chip's
// label and the number. A name that two lines have is refused.
func (t *Tree) Find(line string) (Line, error) {
	var found []Line
	label, digits, _ := cutLast(line, ':')
	number, err := strconv.Atoi(digits)
	for _, c := range t.Chips() {
		for i, name := range c.Names {
			if name == line && line != "" && c.has(i) {
				found = append(found, Line{c, i})
			}
		}
		if err == nil && c.Label == label && label != "" && c.has(number) {
			found = append(found, Line{c, number})
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return Line{}, fmt.Errorf("devicetree: %d lines are called %q, want 1 on these chips: %s", len(found), line, t.chipNames())
}

func (t *Tree) chipNames() string {
	var names []string
	for _, c := range t.Chips() {
		names = append(names, c.String())
	}
	return strings.Join(slices.Compact(names), ", ")
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
