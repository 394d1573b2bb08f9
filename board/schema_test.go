package board_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"doorstation/board"
	"doorstation/board/compile"

	"github.com/google/jsonschema-go/jsonschema"
)

const schemaFile = "board.schema.json"

var update = flag.Bool("update", false, "write "+schemaFile+" anew from the Go types")

// schema makes the schema from the Go types.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	var roles []any
	for _, r := range board.Roles {
		roles = append(roles, string(r))
	}
	s, err := jsonschema.For[board.Board](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[board.Duration](): {Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ms|s|m))+$`},
		reflect.TypeFor[board.Level]():    {Type: "string", Enum: []any{string(board.High), string(board.Low)}},
		reflect.TypeFor[board.Pull]():     {Type: "string", Enum: []any{string(board.PullUp), string(board.PullDown), string(board.PullNone)}},
		reflect.TypeFor[board.Drive]():    {Type: "string", Enum: []any{string(board.PushPull), string(board.OpenDrain), string(board.OpenSource)}},
		reflect.TypeFor[board.Role]():     {Type: "string", Enum: roles},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "Board of a door station"
	for _, list := range s.Properties {
		if list.Items != nil {
			most := board.MaxLines
			if list == s.Properties["compatible"] {
				most = board.MaxCompatible
			}
			list.Types, list.Type, list.MaxItems = nil, "array", &most
		}
	}
	return s
}

// TestSchemaFile keeps the file true. "go test ./board -update" writes it.
func TestSchemaFile(t *testing.T) {
	want, err := json.MarshalIndent(schema(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not what the Go types say; write it anew with: go test ./board -update", schemaFile)
	}
}

func TestBoardsObeyTheSchema(t *testing.T) {
	resolved, err := schema(t).Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(raw []byte) error {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			t.Fatal(err)
		}
		return resolved.Validate(value)
	}
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no boards:", err)
	}
	for _, file := range files {
		yaml, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := compile.Compile(file, yaml)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := check(raw); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if b, err := board.Parse(raw); err != nil || b.Name+".yaml" != file {
			t.Errorf("%s: %v, named %q", file, err, b.Name)
		}
	}
	for _, bad := range []string{
		`{}`, `{"name":"x","model":"y","identity":{},"horn":1}`,
		`{"name":"x","model":"y","identity":{},"relays":[{"name":"a","driver":"sim","line":"A","active":"up","max_pulse":"1s"}]}`,
		`{"name":"x","model":"y","identity":{},"relays":[{"name":"a","driver":"sim","line":"A","active":"low","max_pulse":"1"}]}`,
	} {
		if check([]byte(bad)) == nil {
			t.Errorf("%s obeys the schema", bad)
		}
	}
}
