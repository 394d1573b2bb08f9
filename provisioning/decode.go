package provisioning

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the longest document that is read, in bytes.
const MaxSize = 256 << 10

// Limits are what the board allows. They come from the board file, so that no
// document can loosen them.
type Limits struct {
	Board   string                   // the board's name, for messages
	Buttons []string                 // nil: not known, any name passes
	Relays  map[string]time.Duration // name to longest pulse; nil: not known, any name passes
	// The largest picture of the board's camera, in pixels and frames a second.
	// 0: only the general limits.
	MaxWidth, MaxHeight, MaxFPS int
}

// A Seal turns the digits of a code into what the panel keeps of them: the hex
// HMAC-SHA-256 under the panel's own key. Equal digits give equal seals.
type Seal func(digits string) string

// Decode reads one YAML document (JSON is YAML too), fills in the defaults and
// checks it as a whole against lim. It is strict: unknown and repeated keys,
// nulls, tags and a second document are refused. The codes of the returned
// document are sealed and their digits gone; only with a nil seal, for checking
// a document away from its panel, do they stay. name is the document's name in
// messages. The error is of type Errors and holds no secret.
func Decode(raw []byte, name string, lim Limits, seal Seal) (*Document, error) {
	f := newFaults(name)
	root := parse(raw, f)
	if root == nil {
		return nil, f.err()
	}
	doc := decodeNode(root, f, lim, false)
	if err := f.err(); err != nil {
		return nil, err
	}
	if doc.Revision == "" {
		doc.Revision = hashOf(raw)[:8]
	}
	if seal != nil {
		doc.seal(seal)
	}
	return doc, nil
}

// decodeNode fills a document from root and validates it. kept tells the
// panel's own sealed copy from an operator's document.
func decodeNode(root *yaml.Node, f *faults, lim Limits, kept bool) *Document {
	doc := new(Document)
	(&walker{faults: f, left: expansionLimit, kept: kept}).document(root, doc)
	doc.fit(f.lines, lim)
	doc.complete()
	(&validator{faults: f, doc: doc, lim: lim, kept: kept}).all()
	return doc
}

// parse returns the root of the only document in raw, or nil after noting why not.
func parse(raw []byte, f *faults) *yaml.Node {
	if len(raw) > MaxSize {
		f.add("", "", fmt.Sprintf("the document has %d bytes, at most %d are read", len(raw), MaxSize))
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		f.add("", "", "the document is empty")
		return nil
	} else if err != nil {
		syntax(err, f)
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			syntax(err, f)
			return nil
		}
		line := second.Line
		if len(second.Content) > 0 {
			line = second.Content[0].Line
		}
		f.addAt(line, "", "", "a second document begins here; a panel has exactly one")
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		f.add("", "", "the document is empty")
		return nil
	}
	return doc.Content[0]
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntax notes an error of the YAML parser. What the parser quotes from the
// document is left out, because an unquoted code or password may be in it.
func syntax(err error, f *faults) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	if strings.Contains(text, "anchor") {
		text = `a value that begins with * or & is not in quotes, or an alias names no anchor; write "*12"`
	}
	f.addAt(line, "", "", "no YAML: "+text)
}

// hashOf is how documents are told apart: SHA-256 in hex.
func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// seal replaces the digits of all codes by their seals.
func (d *Document) seal(seal Seal) {
	for i := range d.Doors {
		for k := range d.Doors[i].Codes {
			c := &d.Doors[i].Codes[k]
			c.Sealed, c.Digits = seal(c.Digits), ""
		}
	}
}
