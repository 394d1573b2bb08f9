// Package devicetree reads a flattened device tree and says which GPIO lines a
// board has and who takes them. It holds no file and no socket: bytes in,
// answers out.
//
// The format is that of the Devicetree Specification, release 0.4, chapter 5;
// bindings of properties are those of the Linux kernel.
package devicetree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Bounds of a blob that is read.
const (
	MaxSize  = 4 << 20 // bytes; the kernel's own trees have 20 to 200 kB
	maxDepth = 32      // nodes below nodes
)

// The words of the header and the tokens of the structure block.
const (
	magic       = 0xd00dfeed
	headerSize  = 40 // bytes of version 17
	lastVersion = 16 // of the format that we read, and that version 17 is compatible with

	tokenBegin    = 1
	tokenEnd      = 2
	tokenProperty = 3
	tokenNop      = 4
	tokenFinish   = 9
)

// ErrNoTree means that the bytes are no flattened device tree.
var ErrNoTree = errors.New("no flattened device tree")

// A Tree is a device tree. It never changes after Parse.
type Tree struct {
	Root     *Node
	byHandle map[uint32]*Node
}

// Parse reads a flattened device tree. The tree keeps blob's memory.
func Parse(blob []byte) (*Tree, error) {
	structure, text, err := blocks(blob)
	if err != nil {
		return nil, err
	}
	r := reader{structure: structure, text: text}
	root, err := r.tree()
	if err != nil {
		return nil, fmt.Errorf("devicetree: at byte %d of the structure: %w", r.at, err)
	}
	t := &Tree{Root: root, byHandle: make(map[uint32]*Node)}
	root.walk(func(n *Node) {
		if handle, ok := n.Cell("phandle"); ok {
			t.byHandle[handle] = n
		}
	})
	return t, nil
}

// blocks finds the structure block and the strings block.
func blocks(blob []byte) (structure, text []byte, err error) {
	if len(blob) < headerSize || binary.BigEndian.Uint32(blob) != magic {
		return nil, nil, fmt.Errorf("devicetree: %w", ErrNoTree)
	}
	if len(blob) > MaxSize {
		return nil, nil, fmt.Errorf("devicetree: %d bytes, limit %d", len(blob), MaxSize)
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(blob[4*i:]) }
	if word(6) > lastVersion {
		return nil, nil, fmt.Errorf("devicetree: needs version %d of the format, this reads %d", word(6), lastVersion)
	}
	if structure, err = part(blob, word(2), word(9)); err != nil {
		return nil, nil, fmt.Errorf("devicetree: structure block: %w", err)
	}
	if text, err = part(blob, word(3), word(8)); err != nil {
		return nil, nil, fmt.Errorf("devicetree: strings block: %w", err)
	}
	return structure, text, nil
}

func part(blob []byte, from, size uint32) ([]byte, error) {
	if uint64(from)+uint64(size) > uint64(len(blob)) {
		return nil, fmt.Errorf("%d bytes at %d, the blob has %d", size, from, len(blob))
	}
	return blob[from : from+size], nil
}

// A reader takes the structure block apart.
type reader struct {
	structure, text []byte
	at              int
}

var errShort = errors.New("cut off")

// tree reads the one root node and the end token.
func (r *reader) tree() (*Node, error) {
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	if token != tokenBegin {
		return nil, fmt.Errorf("token %d, want the root node", token)
	}
	root, err := r.node(nil, 0)
	if err != nil {
		return nil, err
	}
	if token, err = r.token(); err != nil || token != tokenFinish {
		return nil, errors.Join(errors.New("no end after the root node"), err)
	}
	return root, nil
}

// node reads a node whose begin token has been read.
func (r *reader) node(above *Node, depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nodes in nodes, limit %d", maxDepth)
	}
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	n := &Node{Name: name, above: above, props: make(map[string][]byte)}
	for {
		token, err := r.token()
		if err != nil {
			return nil, err
		}
		switch token {
		case tokenBegin:
			child, err := r.node(n, depth+1)
			if err != nil {
				return nil, err
			}
			n.Children = append(n.Children, child)
		case tokenProperty:
			if err := r.property(n); err != nil {
				return nil, err
			}
		case tokenEnd:
			return n, nil
		default:
			return nil, fmt.Errorf("token %d in node %q", token, name)
		}
	}
}

// token reads the next token that means something.
func (r *reader) token() (uint32, error) {
	for {
		word, err := r.word()
		if err != nil || word != tokenNop {
			return word, err
		}
	}
}

func (r *reader) word() (uint32, error) {
	if len(r.structure)-r.at < 4 {
		return 0, errShort
	}
	word := binary.BigEndian.Uint32(r.structure[r.at:])
	r.at += 4
	return word, nil
}

// name reads a node's name and the padding after it.
func (r *reader) name() (string, error) {
	name, ok := untilZero(r.structure[r.at:])
	if !ok {
		return "", errShort
	}
	r.skip(len(name) + 1)
	return name, nil
}

func (r *reader) property(n *Node) error {
	size, err := r.word()
	if err != nil {
		return err
	}
	offset, err := r.word()
	if err != nil {
		return err
	}
	if uint64(size) > uint64(len(r.structure)-r.at) || uint64(offset) >= uint64(len(r.text)) {
		return errShort
	}
	name, ok := untilZero(r.text[offset:])
	if !ok {
		return errShort
	}
	if _, twice := n.props[name]; !twice {
		n.order = append(n.order, name)
	}
	n.props[name] = r.structure[r.at : r.at+int(size) : r.at+int(size)]
	r.skip(int(size))
	return nil
}

// skip goes on behind n bytes and their padding to a multiple of four.
func (r *reader) skip(n int) { r.at = min(len(r.structure), (r.at+n+3)&^3) }

func untilZero(b []byte) (string, bool) {
	s, _, found := strings.Cut(string(b[:min(len(b), maxName)]), "\x00")
	return s, found
}

// maxName bounds the length of a name, in bytes.
const maxName = 256
