package compile

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"doorstation/board"

	"go.yaml.in/yaml/v3"
)

// walker turns YAML nodes into values for JSON, guided by the Go type that
// will read them. Text stays as it was written: 012 in a text field is "012".
type walker struct {
	file   string
	faults []error
	lines  map[string]int // field to line
}

func (w *walker) fault(n *yaml.Node, path, format string, args ...any) {
	w.faults = append(w.faults, &Error{File: w.file, Line: n.Line, Field: path, Fault: fmt.Sprintf(format, args...)})
}

// value returns nil where it has found a fault.
func (w *walker) value(n *yaml.Node, t reflect.Type, path string) json.RawMessage {
	w.lines[path] = n.Line
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		w.fault(n, path, "anchors and aliases are not taken")
		return nil
	}
	switch {
	case t == reflect.TypeFor[board.Duration]():
		return w.duration(n, path)
	case t.Kind() == reflect.Struct:
		return w.object(n, t, path)
	case t.Kind() == reflect.Slice:
		return w.list(n, t, path)
	case t.Kind() == reflect.Int:
		return w.number(n, path)
	case t.Kind() == reflect.Bool:
		return w.boolean(n, path)
	}
	return w.text(n, path)
}

func (w *walker) object(n *yaml.Node, t reflect.Type, path string) json.RawMessage {
	if n.Kind != yaml.MappingNode {
		w.fault(n, path, "%s, want fields and their values", show(n))
		return nil
	}
	known := fields(t)
	seen := map[string]int{}
	var parts []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		field := strings.TrimPrefix(path+"."+key.Value, ".")
		ft, ok := known[key.Value]
		switch {
		case !ok:
			w.fault(key, field, "unknown field, want one of %s", strings.Join(names(t), ", "))
			continue
		case seen[key.Value] != 0:
			w.fault(key, field, "given twice, first in line %d", seen[key.Value])
			continue
		}
		seen[key.Value] = key.Line
		parts = append(parts, strconv.Quote(key.Value)+":"+string(w.value(val, ft, field)))
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}

func (w *walker) list(n *yaml.Node, t reflect.Type, path string) json.RawMessage {
	if n.Kind != yaml.SequenceNode {
		w.fault(n, path, "%s, want a list", show(n))
		return nil
	}
	parts := make([]string, len(n.Content))
	for i, item := range n.Content {
		parts[i] = string(w.value(item, t.Elem(), path+"["+strconv.Itoa(i)+"]"))
	}
	return json.RawMessage("[" + strings.Join(parts, ",") + "]")
}

// text takes text, and numbers as they are written.
func (w *walker) text(n *yaml.Node, path string) json.RawMessage {
	switch n.Tag {
	case "!!str", "!!int", "!!float":
		quoted, err := json.Marshal(n.Value)
		if err == nil {
			return quoted
		}
	}
	w.fault(n, path, "%s, want text", show(n))
	return nil
}

// number takes decimal digits.
func (w *walker) number(n *yaml.Node, path string) json.RawMessage {
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || strconv.Itoa(i) != n.Value {
		w.fault(n, path, "%s, want a whole number", show(n))
		return nil
	}
	return json.RawMessage(n.Value)
}

// boolean takes true and false.
func (w *walker) boolean(n *yaml.Node, path string) json.RawMessage {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Value != "true" && n.Value != "false" {
		w.fault(n, path, "%s, want true or false", show(n))
		return nil
	}
	return json.RawMessage(n.Value)
}

func (w *walker) duration(n *yaml.Node, path string) json.RawMessage {
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		w.fault(n, path, "%s, want a number with its unit, such as 250ms or 10s", show(n))
		return nil
	}
	return json.RawMessage(strconv.Quote(d.String()))
}

// show names what was found.
func show(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of fields"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Value == "" {
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

// fields are the fields of a struct by the names they have in files.
func fields(t reflect.Type) map[string]reflect.Type {
	known := make(map[string]reflect.Type, t.NumField())
	for i, name := range names(t) {
		known[name] = t.Field(i).Type
	}
	return known
}

func names(t reflect.Type) []string {
	list := make([]string, t.NumField())
	for i := range list {
		list[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return list
}
