package devicetree

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Use is one thing in the tree that takes a line.
type Use struct {
	By  string // path of the node
	How string // the property, or the group of pins
}

func (u Use) String() string { return u.By + ": " + u.How }

// Uses says who takes which line of a tree.
type Uses struct {
	taken map[string]map[int][]Use // by the chip's path and the number

	// Unchecked are the parts of the tree that could not be read, in words:
	// a line may be taken there without our knowing.
	Unchecked []string
}

// Of are the uses of a line; none: the tree leaves it free.
func (u *Uses) Of(l Line) []Use { return u.taken[l.Chip.Node.Path()][l.Number] }

// Free are the lines of a chip that nothing takes, in order.
func (u *Uses) Free(c *Chip) []Line {
	var free []Line
	for i := range c.Lines {
		if l := (Line{c, i}); c.has(i) && len(u.Of(l)) == 0 {
			free = append(free, l)
		}
	}
	return free
}

// Uses reads who takes lines:
//
//   - references (gpios, *-gpio, *-gpios), also of devices that are switched
//     off, since whoever switches one on expects its lines;
//   - hogs, which the controller itself drives;
//   - interrupts of enabled devices that come in over a line;
//   - pins of the groups (pinctrl-0, -1 …) of enabled devices.
func (t *Tree) Uses() *Uses {
	s := &search{tree: t, chips: t.Chips(), uses: &Uses{taken: make(map[string]map[int][]Use)}, unread: make(map[string]bool)}
	t.Root.walk(s.node)
	s.uses.Unchecked = slices.Sorted(maps.Keys(s.unread))
	return s.uses
}

// A search collects uses.
type search struct {
	tree   *Tree
	chips  []*Chip
	uses   *Uses
	unread map[string]bool
}

func (s *search) node(n *Node) {
	if n.above == s.tree.Root && (n.Name == "__symbols__" || n.Name == "aliases") {
		return // names of nodes, and no devices
	}
	for name, raw := range n.Properties() {
		switch {
		case n.Has("gpio-hog") && name == "gpios":
			s.hog(n, cells(raw))
		case name == "gpios" || name == "gpio" || strings.HasSuffix(name, "-gpios") || strings.HasSuffix(name, "-gpio"):
			if name != "nr-gpios" {
				s.references(n, name, cells(raw))
			}
		case !n.Enabled():
		case isState(name):
			s.groups(n, name, cells(raw))
		case name == "interrupts-extended":
			s.extended(n, cells(raw))
		case name == "interrupts":
			s.interrupts(n, cells(raw))
		}
	}
}

// isState says whether a property lists the pin groups of a state: pinctrl-0.
func isState(name string) bool {
	digits, ok := strings.CutPrefix(name, "pinctrl-")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

func (s *search) chipOf(n *Node) *Chip {
	for _, c := range s.chips {
		if c.Node == n {
			return c
		}
	}
	return nil
}

func (s *search) take(l Line, by *Node, how string) {
	path := l.Chip.Node.Path()
	if s.uses.taken[path] == nil {
		s.uses.taken[path] = make(map[int][]Use)
	}
	s.uses.taken[path][l.Number] = append(s.uses.taken[path][l.Number], Use{By: by.Path(), How: how})
}

// specified takes the line that the numbers behind a reference mean.
func (s *search) specified(c *Chip, spec []uint32, by *Node, how string) {
	number := spec[0]
	if len(c.kind.banks) > 0 && len(spec) > 1 {
		number = spec[0]*sunxiBank + spec[1]
	}
	if number < uint32(c.Lines) {
		s.take(Line{c, int(number)}, by, how)
	}
}

// references reads phandle and specifier, again and again. Zero stands for no
// line.
func (s *search) references(n *Node, name string, list []uint32) {
	s.each(n, name, list, "#gpio-cells", func(at *Node, spec []uint32) {
		if c := s.chipOf(at); c != nil {
			s.specified(c, spec, n, name)
		}
	})
}

// extended reads interrupts that name their controller.
func (s *search) extended(n *Node, list []uint32) {
	s.each(n, "interrupts-extended", list, "#interrupt-cells", func(at *Node, spec []uint32) {
		if c := s.chipOf(at); c != nil {
			s.specified(c, spec, n, "interrupt")
		}
	})
}

func (s *search) each(n *Node, name string, list []uint32, sizeIn string, found func(at *Node, spec []uint32)) {
	for len(list) > 0 {
		handle := list[0]
		list = list[1:]
		if handle == 0 {
			continue
		}
		at := s.tree.byHandle[handle]
		if at == nil {
			s.unread[fmt.Sprintf("%s: %s names a node that is not there", n.Path(), name)] = true
			return
		}
		size, ok := at.Cell(sizeIn)
		if !ok || size == 0 || int(size) > len(list) {
			s.unread[fmt.Sprintf("%s: %s cannot be read", n.Path(), name)] = true
			return
		}
		found(at, list[:size])
		list = list[size:]
	}
}

// interrupts reads those of the controller that is the parent of all interrupts
// here.
func (s *search) interrupts(n *Node, list []uint32) {
	parent := s.interruptParent(n)
	if parent == nil {
		return
	}
	c := s.chipOf(parent)
	size, ok := parent.Cell("#interrupt-cells")
	if c == nil || !ok || size == 0 {
		return
	}
	for ; len(list) >= int(size); list = list[size:] {
		s.specified(c, list[:size], n, "interrupt")
	}
}

func (s *search) interruptParent(n *Node) *Node {
	for ; n != nil; n = n.above {
		if handle, ok := n.Cell("interrupt-parent"); ok {
			return s.tree.byHandle[handle]
		}
	}
	return nil
}

func (s *search) hog(n *Node, list []uint32) {
	c := s.chipOf(n.above)
	if c == nil {
		return
	}
	size, ok := c.Node.Cell("#gpio-cells")
	if !ok || size == 0 {
		return
	}
	for ; len(list) >= int(size); list = list[size:] {
		s.specified(c, list[:size], n, "hog")
	}
}

// groups takes the pins of pin groups, which may have groups in them.
func (s *search) groups(n *Node, name string, handles []uint32) {
	for _, handle := range handles {
		group := s.tree.byHandle[handle]
		if group == nil {
			s.unread[fmt.Sprintf("%s: %s names a node that is not there", n.Path(), name)] = true
			continue
		}
		group.walk(func(part *Node) { s.group(n, group, part) })
	}
}

func (s *search) group(n, group, part *Node) {
	controller, decode := decoderOf(part)
	if decode == nil {
		s.unread[fmt.Sprintf("%s: pins %s are those of a controller that this does not know", n.Path(), group.Name)] = true
		return
	}
	for _, pin := range decode(controller, part) {
		l, ok := lineOf(s.chips, controller, pin)
		if !ok {
			s.unread[fmt.Sprintf("%s: pin %d of %s is no GPIO line by the tree", n.Path(), pin, controller.Path())] = true
			continue
		}
		s.take(l, n, "pins "+group.Name)
	}
}
