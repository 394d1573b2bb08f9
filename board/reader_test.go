package board_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"doorstation/board"
)

// reference reads a board with Go's own reader, which knows the struct tags.
func reference(raw []byte) (board.Board, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var b board.Board
	if err := dec.Decode(&b); err != nil {
		return b, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return b, errors.New("something follows")
	}
	return b, b.Validate()
}

// TestEveryFieldIsRead fills every field that there is, and reads it back.
func TestEveryFieldIsRead(t *testing.T) {
	var full board.Board
	fill(reflect.ValueOf(&full).Elem())
	raw, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	// A board with all of this is no good one. But what the reader does not know
	// it would say first.
	var fault *board.FieldError
	if _, err := board.Parse(raw); !errors.As(err, &fault) {
		t.Errorf("%v, want faults of values", err)
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetInt(7)
	}
}

func TestReadsWhatIsThere(t *testing.T) {
	for _, raw := range []string{
		good,
		strings.Join(strings.Fields(good), ""),
		strings.Replace(good, "T-1", `\u0054\u002d1 \"\\\/\ud83d\ude00 ü`, 1),
		strings.Replace(good, `"compatible": ["acme,panel-1", "acme,soc"],`, `"compatible": [ ],`, 1),
		strings.Replace(good, `"tamper": true`, `"tamper": false`, 1),
	} {
		want, err := reference([]byte(raw))
		got, ours := board.Parse([]byte(raw))
		if (err == nil) != (ours == nil) {
			t.Errorf("%s: %v, want %v", raw, ours, err)
			continue
		}
		if len(want.Compatible) == 0 {
			want.Compatible = nil // empty or absent is the same
		}
		if ours == nil && !reflect.DeepEqual(*got, want) {
			t.Errorf("read\n%+v, want\n%+v", *got, want)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, says string }{
		{`"model": "t1"`, `"model": "t1", "model": "t1"`, `line 2: field "model" is given twice`},
		{`"model": "t1"`, `"Model": "t1"`, `unknown field "Model"`},
		{`"model": "t1"`, `"model": null`, "line 2: model: want"},
		{`"model": "t1"`, "\"model\": \"t\t1\"", "control character"},
		{`"model": "t1"`, "\"model\": \"t\xff\"", "not UTF-8"},
		{`"model": "t1"`, `"model": "\x"`, "escape"},
		{`"model": "t1"`, `"model": "\u12"`, "escape"},
		{`"model": "t1"`, `"model": "\ud83d"`, "escape"},
		{`"model": "t1"`, `"model": "\ud83d\u0041"`, "escape"},
		{`"model": "t1"`, `"model" "t1"`, `want ':'`},
		{`"model": "t1",`, `"model": "t1"`, `want ','`},
		{`"max_fps": 15`, `"max_fps": 015`, "no whole number"},
		{`"max_fps": 15`, `"max_fps": 1.5`, "no whole number"},
		{`"max_fps": 15`, `"max_fps": "15"`, "no whole number"},
		{`"max_fps": 15`, `"max_fps": 99999999999999999999`, "no whole number"},
		{`"tamper": true`, `"tamper": 1`, "line 7: inputs: tamper: \"1\" is neither true nor false"},
		{`"acme,soc"]`, `"acme,soc",]`, `want '"'`},
		{`"acme,soc"]`, `"acme,soc"`, "compatible: want"},
		{good, good[:len(good)/2], ""},
		{good, "", `want '{'`},
		{good, "null", `want '{'`},
		{good, "[]", `want '{'`},
		{good, good + "\x00", "zero byte"},
		{good, good + "x", "something follows"},
	} {
		_, err := board.Parse([]byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60q: error %v, want %q", c.new, err, c.says)
		}
	}
}

// FuzzReader: what our reader takes, Go's takes too, and both read the same.
func FuzzReader(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"name":"x","model":"y","identity":{"serial":"1","mac":"02:00:00:00:00:01"}}`))
	f.Add([]byte(`{"name":"\u0078","model":"\ud83d\ude00","identity":{"serial":"1","mac":"02:00:00:00:00:01"},"camera":{"driver":"x","max_fps":3}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := board.Parse(raw)
		if err != nil {
			return
		}
		want, err := reference(raw)
		if err != nil {
			t.Fatalf("taken, but %v", err)
		}
		for _, list := range []any{&want.Inputs, &want.Relays, &want.Lamps, &want.Outputs, &want.Compatible} {
			if v := reflect.ValueOf(list).Elem(); v.Len() == 0 {
				v.SetZero()
			}
		}
		if !reflect.DeepEqual(*got, want) {
			t.Fatalf("read\n%+v, want\n%+v", *got, want)
		}
	})
}
