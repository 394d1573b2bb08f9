package provisioning

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	// expansionLimit bounds what a document may grow to when its aliases are
	// followed: bytes of values, and one for each value.
	expansionLimit = 4 * MaxSize
	// longestString is in bytes.
	longestString = 255
)

// A walker fills Go values from YAML nodes. It takes scalars as they are
// written, so that 012 in a string field stays "012".
type walker struct {
	*faults
	left int  // of expansionLimit
	kept bool // the panel's own copy: keys of a newer firmware are passed over
}

// document fills doc, with the defaults of every struct it meets.
func (w *walker) document(root *yaml.Node, doc *Document) {
	if root.Kind != yaml.MappingNode {
		w.addAt(root.Line, "", "", "the document must be a list of settings (key: value), not "+kind(root))
		setDefaults(reflect.ValueOf(doc).Elem())
		return
	}
	w.value("", root, reflect.ValueOf(doc).Elem())
}

func (w *walker) value(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	w.left -= 1 + len(n.Value)
	if w.left < 0 {
		w.addAt(n.Line, "", "", fmt.Sprintf("the document grows beyond %d bytes when its aliases are followed", expansionLimit))
	}
	if w.left < 0 || w.full() {
		return
	}
	w.lines[path] = n.Line
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		w.add(path, n.Value, "YAML tags (!...) are not used here; write the plain value")
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		w.add(path, "", "has no value; write one or leave the key out (a value that begins with # or * must be in quotes)")
	case v.Type() == reflect.TypeFor[Duration]():
		w.duration(path, n, v)
	default:
		w.byKind(path, n, v)
	}
}

func (w *walker) byKind(path string, n *yaml.Node, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if s, ok := v.Addr().Interface().(shortener); ok && n.Kind == yaml.ScalarNode {
			setDefaults(v)
			w.text(path, n, reflect.ValueOf(s.short()).Elem())
			return
		}
		w.mapping(path, n, v)
	case reflect.Slice:
		w.sequence(path, n, v)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		w.byKind(path, n, v.Elem())
	case reflect.String:
		w.text(path, n, v)
	case reflect.Int:
		w.integer(path, n, v)
	case reflect.Bool:
		w.boolean(path, n, v)
	default:
		panic("provisioning: no way to read " + v.Type().String() + " at " + path)
	}
}

func (w *walker) mapping(path string, n *yaml.Node, v reflect.Value) {
	setDefaults(v)
	if n.Kind != yaml.MappingNode {
		w.wrongType(path, n, "settings (key: value)")
		return
	}
	fields := fieldsOf(v.Type())
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := join(path, key.Value)
		if key.Kind != yaml.ScalarNode {
			w.addAt(key.Line, join(path, "?"), "", "a key must be a plain word, not "+kind(key))
			continue
		}
		if first, again := seen[key.Value]; again {
			w.addAt(key.Line, at, "", fmt.Sprintf("the key stands here again; it is on line %d already", first))
			continue
		}
		seen[key.Value] = key.Line
		index, known := fields[key.Value]
		if !known && w.kept {
			continue
		}
		if !known {
			w.addAt(key.Line, join(path, shorten(key.Value)), "", "unknown key; known here: "+strings.Join(keysOf(v.Type()), ", "))
			continue
		}
		w.value(at, n.Content[i+1], v.Field(index))
	}
}

func (w *walker) sequence(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		w.wrongType(path, n, "a list")
		return
	}
	if most := mostEntries(path); len(n.Content) > most {
		w.add(path, "", fmt.Sprintf("has %d entries, at most %d are allowed", len(n.Content), most))
		return
	}
	list := reflect.MakeSlice(v.Type(), 0, len(n.Content))
	for i, item := range n.Content {
		if w.left < 0 || w.full() {
			break
		}
		one := reflect.New(v.Type().Elem()).Elem()
		w.value(fmt.Sprintf("%s[%d]", path, i), item, one)
		list = reflect.Append(list, one)
	}
	v.Set(list)
}

func (w *walker) text(path string, n *yaml.Node, v reflect.Value) {
	switch {
	case n.Kind != yaml.ScalarNode:
		w.wrongType(path, n, "a text")
	case len(n.Value) > longestString:
		w.add(path, n.Value, fmt.Sprintf("has %d bytes, at most %d are allowed", len(n.Value), longestString))
	case !utf8.ValidString(n.Value) || strings.ContainsFunc(n.Value, unicode.IsControl):
		w.add(path, n.Value, "line breaks and other control characters are not allowed")
	default:
		v.SetString(n.Value)
	}
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,8})$`)

func (w *walker) integer(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || !decimal.MatchString(n.Value) {
		w.wrongType(path, n, "a whole number in decimal digits, without quotes and leading zeros")
		return
	}
	i, _ := strconv.Atoi(n.Value)
	v.SetInt(int64(i))
}

func (w *walker) boolean(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode || n.Style != 0 || n.Value != "true" && n.Value != "false" {
		w.wrongType(path, n, "true or false")
		return
	}
	v.SetBool(n.Value == "true")
}

func (w *walker) duration(path string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		w.wrongType(path, n, "a duration such as 30s")
		return
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil {
		w.add(path, n.Value, "must be a duration with its unit, such as 500ms, 30s or 2m")
		return
	}
	if d < 0 {
		w.add(path, n.Value, "a duration cannot be negative")
		return
	}
	v.SetInt(int64(d))
}

func (w *walker) wrongType(path string, n *yaml.Node, want string) {
	w.add(path, n.Value, "must be "+want+", not "+kind(n))
}

// kind names what stands in a node, for people.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "settings (key: value)"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return "this number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	}
	return "a text"
}

// fieldsOf maps the keys of a struct to its field numbers.
func fieldsOf(t reflect.Type) map[string]int {
	m := make(map[string]int, t.NumField())
	for i, key := range keysOf(t) {
		m[key] = i
	}
	return m
}

// keysOf lists the keys of a struct in the order of its fields.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i], _, _ = strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
	}
	return keys
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
