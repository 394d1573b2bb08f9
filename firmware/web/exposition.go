package web

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// A Kind says how the values of a Family move.
type Kind string

// The kinds.
const (
	Gauge   Kind = "gauge"   // goes up and down
	Counter Kind = "counter" // goes up, and begins at 0 with the process
)

// A Label tells one sample of a family from the others. Its name is letters,
// digits and underscores, no digit first; its value is any text.
type Label struct{ Name, Value string }

// A Sample is one value, in the base unit that the family's name ends with.
type Sample struct {
	Labels []Label
	Value  float64
}

// A Family is all samples of one name. The name is as a label's.
type Family struct {
	Name, Help string
	Kind       Kind
	Samples    []Sample
}

// expositionType is the media type of the Prometheus text format.
const expositionType = "text/plain; version=0.0.4; charset=utf-8"

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// exposition writes families in the Prometheus text format, version 0.0.4. A
// family without samples is left out, and so is the second of two samples with
// equal labels, for which a reader would refuse all of it.
func exposition(families []Family) []byte {
	var b bytes.Buffer
	for _, f := range families {
		if len(f.Samples) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.Name, helpEscapes.Replace(f.Help), f.Name, f.Kind)
		written := make(map[string]bool, len(f.Samples))
		for _, s := range f.Samples {
			series := f.Name + labels(s.Labels)
			if written[series] {
				continue
			}
			written[series] = true
			fmt.Fprintf(&b, "%s %s\n", series, strconv.FormatFloat(s.Value, 'g', -1, 64))
		}
	}
	return b.Bytes()
}

func labels(all []Label) string {
	if len(all) == 0 {
		return ""
	}
	pairs := make([]string, 0, len(all))
	for _, l := range all {
		value := strings.ToValidUTF8(l.Value, "\uFFFD") // other bytes would spoil the whole answer
		pairs = append(pairs, l.Name+`="`+labelEscapes.Replace(value)+`"`)
	}
	return "{" + strings.Join(pairs, ",") + "}"
}
