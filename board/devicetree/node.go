package devicetree

import (
	"encoding/binary"
	"iter"
	"strings"
)

// A Node is one node of a tree.
type Node struct {
	Name     string // with its unit address, such as gpio@7e200000
	Children []*Node

	above *Node
	props map[string][]byte
	order []string // names of the properties, as they stand
}

// Path is the node's place in the tree, such as /soc/gpio@7e200000.
func (n *Node) Path() string {
	if n.above == nil {
		return "/"
	}
	return strings.TrimSuffix(n.above.Path(), "/") + "/" + n.Name
}

// Properties gives names and values as they stand in the tree.
func (n *Node) Properties() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, name := range n.order {
			if !yield(name, n.props[name]) {
				return
			}
		}
	}
}

// Has says whether the node has a property.
func (n *Node) Has(name string) bool {
	_, ok := n.props[name]
	return ok
}

// Strings are the strings of a property, none when it is not there.
func (n *Node) Strings(name string) []string {
	raw := strings.TrimSuffix(string(n.props[name]), "\x00")
	if raw == "" {
		return nil
	}
	return strings.Split(raw, "\x00")
}

// Cells are the 32-bit numbers of a property; bytes that make no whole number
// are left out.
func (n *Node) Cells(name string) []uint32 { return cells(n.props[name]) }

func cells(raw []byte) []uint32 {
	all := make([]uint32, 0, len(raw)/4)
	for ; len(raw) >= 4; raw = raw[4:] {
		all = append(all, binary.BigEndian.Uint32(raw))
	}
	return all
}

// Cell is the one number of a property.
func (n *Node) Cell(name string) (uint32, bool) {
	all := n.Cells(name)
	if len(all) != 1 {
		return 0, false
	}
	return all[0], true
}

// Enabled says whether the kernel makes a device of the node: neither it nor a
// node above it has another status than okay.
func (n *Node) Enabled() bool {
	for ; n != nil; n = n.above {
		if status := n.Strings("status"); len(status) > 0 && status[0] != "okay" && status[0] != "ok" {
			return false
		}
	}
	return true
}

// Compatible are the node's compatible strings, the most special one first.
func (n *Node) Compatible() []string { return n.Strings("compatible") }

// walk visits the node and all below it.
func (n *Node) walk(visit func(*Node)) {
	visit(n)
	for _, child := range n.Children {
		child.walk(visit)
	}
}

// unitAddress is what stands behind the @ of a node's name.
func (n *Node) unitAddress() string {
	_, address, _ := strings.Cut(n.Name, "@")
	return address
}

// baseName is what stands before it.
func (n *Node) baseName() string {
	name, _, _ := strings.Cut(n.Name, "@")
	return name
}
