package compile

import (
	"os"
	"testing"

	"doorstation/board"
)

func simFile(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile("../sim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSimBoard(t *testing.T) {
	out, err := Compile("sim.yaml", simFile(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := board.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := b.Relay("door2")
	if !ok || r.Active != board.Low || r.MaxPulse.String() != "10s" {
		t.Errorf("door2 is %+v", r)
	}
	if len(b.Inputs) != 3 || len(b.Lamps) != 3 || b.Identity.MAC != "02:00:00:00:00:01" {
		t.Errorf("board is %+v", b)
	}
}
