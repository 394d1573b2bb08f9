package board_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"doorstation/board"
	"doorstation/board/compile"
	"doorstation/board/wiring"
)

// drawn are the boards whose wiring README.md shows.
var drawn = []string{"raspberry-pi-zero-2-w", "raspberry-pi-cm4", "beaglebone-black", "nanopi-neo", "stm32mp157c-dk2", "imx6ull-evk"}

// readBoard compiles and reads a board file.
func readBoard(t *testing.T, file string) *board.Board {
	t.Helper()
	yaml, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := compile.Compile(file, yaml)
	if err != nil {
		t.Fatal(err)
	}
	b, err := board.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDrawings keeps the drawings true to the board files. "go test ./board
// -update" makes them anew.
func TestDrawings(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range drawn {
		file := name + ".svg"
		b := readBoard(t, name+".yaml")
		want := wiring.SVG(b)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the board file says; draw it anew with: go test ./board -update", file)
		}
		if !strings.Contains(string(readme), "("+file+")") {
			t.Errorf("README.md does not show %s", file)
		}
		complete(t, b, got)
	}
}

// complete sees every line and every terminal of a board in its drawing, which
// is well-formed.
func complete(t *testing.T, b *board.Board, svg []byte) {
	t.Helper()
	var words []string
	dec := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", b.Name, err)
		}
		if text, ok := token.(xml.CharData); ok {
			words = append(words, string(text))
		}
	}
	said := strings.Join(words, "\n")
	need := func(word string) {
		if !strings.Contains(said, word) {
			t.Errorf("the drawing of %s does not say %q", b.Name, word)
		}
	}
	for _, in := range b.Inputs {
		need(in.Name)
		need(in.Line)
		need(in.Terminal)
	}
	for _, r := range b.Relays {
		need(r.Name)
		need(r.Line)
		need(r.Terminal)
		need("10s at most")
	}
	for _, l := range b.Lamps {
		need(l.Name)
		need(l.Terminal)
	}
	for _, o := range b.Outputs {
		need(o.Name)
		need(o.Terminal)
	}
}
