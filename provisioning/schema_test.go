package provisioning

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write config.schema.json anew")

const schemaFile = "config.schema.json"

// requiredKeys are the keys without a default, by path without indices.
var requiredKeys = map[string][]string{
	"":                     {},
	"account":              {"user", "domain"},
	"standby":              {"user", "domain"},
	"flats":                {"name", "button"},
	"flats.stages":         {"targets"},
	"flats.stages.targets": {"uri"},
	"inbound.allow":        {"uri"},
	"call.dial_plan":       {},
	"doors":                {"name", "relay"},
	"doors.codes":          {"name", "digits"},
	"network":              {},
	"panel":                {},
	"keypad":               {},
	"call":                 {},
	"inbound":              {},
	"audio":                {},
	"video":                {},
	"stun":                 {},
	"time":                 {},
	"web":                  {},
	"doors.codes.when":     {},
}

// panelOnly are the keys that the panel writes and no operator.
var panelOnly = []string{"doors.codes.sealed", "keypad.longest_code"}

var wordLists = map[string][]string{
	"account.transport":              lineWays,
	"account.digest":                 digests,
	"standby.transport":              lineWays,
	"standby.digest":                 digests,
	"keypad.end_key":                 endKeys,
	"call.second_press":              secondPresses,
	"call.refusal":                   refusals,
	"flats.stages.targets.transport": append([]string{""}, transports...),
	"inbound.allow.may":              rights,
	"video.camera_power":             cameraPowers,
	"audio.codecs":                   codecs,
	"doors.codes.when.days":          weekdays,
}

const (
	uriPattern    = `^([sS][iI][pP][sS]?|[tT][eE][lL]):[^\s<>"]+$`
	numberPattern = `^\+?[0-9*#]*$`
	pinPattern    = `^([A-Za-z0-9+/]{43}=)?$`
	timePattern   = `^([01][0-9]|2[0-3]):[0-5][0-9]$`
)

var patterns = map[string]string{
	"flats.stages.targets.uri": uriPattern,
	"call.transfer_to":         uriPattern,
	"inbound.allow.uri":        uriPattern,
	"call.dial_plan.begins":    numberPattern,
	"call.dial_plan.becomes":   numberPattern,
	"doors.codes.digits":       fmt.Sprintf("^[0-9*]{1,%d}$", longestCode),
	"doors.codes.when.from":    timePattern,
	"doors.codes.when.to":      strings.TrimSuffix(timePattern, "$") + "$|^24:00$",
	"account.user":             `^[^\s@:]*$`,
	"standby.user":             `^[^\s@:]*$`,
	"account.pin":              pinPattern,
	"standby.pin":              pinPattern,
	"flats.direct":             uriPattern,
	"web.listen":               `^$|:[0-9]{1,5}$`,
}

// notEmpty are texts and lists that must have something in them.
var notEmpty = []string{
	"account.user", "account.domain", "standby.user", "standby.domain", "flats.name", "flats.button", "flats.stages", "flats.stages.targets", "inbound.allow.may",
	"doors.name", "doors.relay", "doors.codes.name", "audio.codecs", "doors.codes.when.days",
}

// distinct are lists without equal entries.
var distinct = []string{
	"account.servers", "standby.servers", "flats.direct", "flats.stages.targets", "flats.doors", "inbound.allow", "inbound.allow.may",
	"call.transfer_to", "audio.codecs", "doors.codes.when.days",
}

// shortForms are lists of settings for whose entries one text may stand alone.
var shortForms = map[string]string{"flats.stages.targets": "uri", "inbound.allow": "uri"}

var evens = []string{"network.rtp_min", "video.width", "video.height"}

// TestSchema keeps config.schema.json true to the Go structs and their comments.
func TestSchema(t *testing.T) {
	want := schemaJSON(t)
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the structs; run: go test ./provisioning -run TestSchema -update", schemaFile)
	}
}

func TestSchemaTakesTheExample(t *testing.T) {
	schema := resolved(t)
	if err := schema.Validate(generic(t, example(t))); err != nil {
		t.Error(err)
	}
	for _, text := range []string{
		"account: {user: a, domain: b}",
		"account: {user: a, domain: b}\ncall: {hang_up_after_open: '0', ring_for: 1m30s, warn_before: 1.5s}",
	} {
		decode(t, text)
		if err := schema.Validate(generic(t, text)); err != nil {
			t.Error(err)
		}
	}
}

// The schema refuses what it can see, so that an editor shows it while typing.
func TestSchemaRefuses(t *testing.T) {
	schema, base := resolved(t), example(t)
	for name, c := range badEdits {
		err := schema.Validate(generic(t, c.apply(t, base)))
		if (err != nil) != c.schema {
			t.Errorf("%s: the schema says %v, want refused: %t", name, err, c.schema)
		}
	}
}

// What the schema calls required, Decode does too.
func TestRequiredKeys(t *testing.T) {
	for path, keys := range requiredKeys {
		for _, key := range keys {
			doc := generic(t, example(t)).(map[string]any)
			if !drop(doc, path, key) {
				t.Fatalf("the example has no %s in %q", key, path)
			}
			text, err := yaml.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Decode(text, "f", board(), testSeal); err == nil {
				t.Errorf("Decode takes a document without %s in %q", key, path)
			}
		}
	}
}

// drop removes a key from the first object under path.
func drop(v any, path, key string) bool {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return slices.ContainsFunc(list, func(e any) bool { return drop(e, path, key) })
	}
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	if path == "" {
		_, there := object[key]
		delete(object, key)
		return there
	}
	first, rest, _ := strings.Cut(path, ".")
	return drop(object[first], rest, key)
}

func resolved(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(schemaJSON(t), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// generic reads YAML as an editor does that knows only the schema.
func generic(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		// Repeated keys are the one fault that never reaches a schema.
		if strings.Contains(err.Error(), "already defined") {
			return generic(t, example(t))
		}
		t.Fatal(err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// schemaJSON makes the schema: shapes from the structs, descriptions from
// their comments, limits from the tables that the validation uses.
func schemaJSON(t *testing.T) []byte {
	t.Helper()
	duration := &jsonschema.Schema{Type: "string", Pattern: `^(0|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$`}
	mirror := mirrorOf(reflect.TypeFor[Document](), comments(t))
	s, err := jsonschema.ForType(mirror, &jsonschema.ForOptions{
		TypeSchemas: map[reflect.Type]*jsonschema.Schema{reflect.TypeFor[Duration](): duration},
	})
	if err != nil {
		t.Fatal(err)
	}
	limit(s, "")
	web := s.Properties["web"]
	least := 1
	web.If = &jsonschema.Schema{Required: []string{"listen"}, Properties: map[string]*jsonschema.Schema{"listen": {MinLength: &least}}}
	secret := shortestSecret
	web.Then = &jsonschema.Schema{Required: []string{"user", "password"}, Properties: map[string]*jsonschema.Schema{"password": {MinLength: &secret}}}
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "Door station configuration"
	s.Description = "What an operator provisions on one panel."
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// mirrorOf is the same struct with the tags that the generator reads.
func mirrorOf(t reflect.Type, comments map[string]string) reflect.Type {
	switch {
	case t == reflect.TypeFor[Duration]():
		return t
	case t.Kind() == reflect.Slice:
		return reflect.SliceOf(mirrorOf(t.Elem(), comments))
	case t.Kind() == reflect.Pointer:
		return t.Elem()
	case t.Kind() != reflect.Struct:
		return t
	}
	fields := make([]reflect.StructField, t.NumField())
	for i, key := range keysOf(t) {
		f := t.Field(i)
		tag := "json:" + strconv.Quote(key)
		if text := comments[t.Name()+"."+f.Name]; text != "" {
			tag += " jsonschema:" + strconv.Quote(text)
		}
		fields[i] = reflect.StructField{Name: f.Name, Type: mirrorOf(f.Type, comments), Tag: reflect.StructTag(tag)}
	}
	return reflect.StructOf(fields)
}

// comments are the line comments of the fields in document.go, by Type.Field.
// A field of struct type has the comment of its type.
func comments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "document.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	types, fields := map[string]string{}, map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		decl, ok := n.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			return true
		}
		spec := decl.Specs[0].(*ast.TypeSpec)
		types[spec.Name.Name] = firstSentence(decl.Doc.Text())
		if body, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range body.Fields.List {
				fields[spec.Name.Name+"."+f.Names[0].Name] = strings.TrimSpace(f.Comment.Text())
			}
		}
		return true
	})
	document := reflect.TypeFor[Document]()
	for i := range document.NumField() {
		f := document.Field(i)
		if key := "Document." + f.Name; fields[key] == "" {
			name := f.Type.Name()
			if f.Type.Kind() == reflect.Slice {
				name = f.Type.Elem().Name()
			}
			fields[key] = types[name]
		}
	}
	return fields
}

func firstSentence(doc string) string {
	text := strings.Join(strings.Fields(doc), " ")
	if end := strings.Index(text, ". "); end >= 0 {
		text = text[:end+1]
	}
	return text
}

// limit adds to a schema what its type does not say.
func limit(s *jsonschema.Schema, path string) {
	if len(s.Types) > 0 { // lists are never null here
		s.Type, s.Types = s.Types[len(s.Types)-1], nil
	}
	if s.Properties != nil {
		limitObject(s, path)
	}
	item := s
	if s.Items != nil {
		item = s.Items
		limit(item, path)
		if key, ok := shortForms[path]; ok {
			s.Items = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{item.Properties[key], item}}
		}
	}
	most := longestString
	if item.Type == "string" && s.Items == nil && item.Pattern == "" {
		item.MaxLength = &most
	}
	if span, ok := spans[path]; ok {
		low, high := float64(span.Min), float64(span.Max)
		s.Minimum, s.Maximum = &low, &high
	}
	for _, word := range wordLists[path] {
		if item.Type == "string" && !slices.Contains(item.Enum, any(word)) {
			item.Enum = append(item.Enum, word)
		}
	}
	if pattern, ok := patterns[path]; ok && item.Type == "string" {
		item.Pattern = pattern
	}
	limitSize(s, path)
}

func limitSize(s *jsonschema.Schema, path string) {
	one, two := 1, 2.0
	if slices.Contains(notEmpty, path) {
		if s.Items != nil {
			s.MinItems = &one
		} else if s.Type == "string" {
			s.MinLength = &one
		}
	}
	if most := mostEntries(path); s.Items != nil {
		s.MaxItems = &most
	}
	if slices.Contains(distinct, path) {
		s.UniqueItems = s.Items != nil
	}
	if slices.Contains(evens, path) {
		s.MultipleOf = &two
	}
}

func limitObject(s *jsonschema.Schema, path string) {
	s.Required = requiredKeys[path]
	for key, sub := range s.Properties {
		at := join(path, key)
		if slices.Contains(panelOnly, at) {
			delete(s.Properties, key)
			s.PropertyOrder = slices.DeleteFunc(s.PropertyOrder, func(k string) bool { return k == key })
			continue
		}
		limit(sub, at)
	}
}
