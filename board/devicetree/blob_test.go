package devicetree

import (
	"bytes"
	"encoding/binary"
)

// A prop is a property of a tree that a test writes.
type prop struct {
	name  string
	value []byte
}

// A spec is a node of a tree that a test writes.
type spec struct {
	name  string
	props []prop
	below []spec
}

func words(all ...uint32) []byte {
	var b []byte
	for _, w := range all {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}

func texts(all ...string) []byte {
	var b []byte
	for _, s := range all {
		b = append(append(b, s...), 0)
	}
	return b
}

// blob writes a tree as a compiler of device trees does, version 17.
func blob(root spec) []byte {
	w := &writer{offsets: make(map[string]uint32)}
	w.node(root)
	w.word(tokenFinish)
	const reserved = 16 // an empty memory reservation block
	structAt := uint32(headerSize + reserved)
	stringsAt := structAt + uint32(w.structure.Len())
	head := words(magic, stringsAt+uint32(w.text.Len()), structAt, stringsAt, headerSize, 17, lastVersion, 0,
		uint32(w.text.Len()), uint32(w.structure.Len()))
	return bytes.Join([][]byte{head, make([]byte, reserved), w.structure.Bytes(), w.text.Bytes()}, nil)
}

type writer struct {
	structure, text bytes.Buffer
	offsets         map[string]uint32
}

func (w *writer) word(v uint32) { w.structure.Write(words(v)) }

func (w *writer) padded(b []byte) {
	w.structure.Write(b)
	w.structure.Write(make([]byte, (4-len(b)%4)%4))
}

func (w *writer) node(n spec) {
	w.word(tokenBegin)
	w.padded(texts(n.name))
	for _, p := range n.props {
		at, ok := w.offsets[p.name]
		if !ok {
			at = uint32(w.text.Len())
			w.offsets[p.name] = at
			w.text.Write(texts(p.name))
		}
		w.word(tokenProperty)
		w.word(uint32(len(p.value)))
		w.word(at)
		w.padded(p.value)
	}
	for _, child := range n.below {
		w.node(child)
	}
	w.word(tokenEnd)
}
