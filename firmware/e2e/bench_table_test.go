package e2e

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// A sample is what was measured of one thing, in the unit of its figure.
type sample []float64

func (s sample) sorted() sample { return slices.Sorted(slices.Values(s)) }

// at is the value below which a share of the sample lies (nearest rank).
func (s sample) at(share float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(share*float64(len(s)))) - 1
	return s.sorted()[max(0, rank)]
}

func median(s sample) float64 { return s.at(0.5) }
func p99(s sample) float64    { return s.at(0.99) }
func worst(s sample) float64  { return s.at(1) }

// ms adds a time to the sample.
func (s *sample) ms(d time.Duration) { *s = append(*s, d.Seconds()*1e3) }

// String is one value, or the median with the far end: the 99th percentile
// where the sample is large enough to have one.
func (s sample) String() string {
	switch {
	case len(s) == 0:
		return "—"
	case len(s) == 1:
		return short(s[0])
	case len(s) < 200:
		return fmt.Sprintf("%s (max %s, n %d)", short(median(s)), short(worst(s)), len(s))
	}
	return fmt.Sprintf("%s (p99 %s, n %d)", short(median(s)), short(p99(s)), len(s))
}

// short writes three digits that count, whole numbers whole.
func short(v float64) string {
	switch size := math.Abs(v); {
	case v == math.Trunc(v) || size >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case size >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// A figure is one line of the table. Its target is about one number of our
// sample: by says which; without by there is no target.
type figure struct {
	what  string // with its unit
	ours  sample
	peer  sample
	note  string // said in the peer's column when the peer has no sample
	by    func(sample) float64
	reach float64 // the most that is allowed; with least: the fewest
	least bool
}

func (f figure) target() string {
	switch {
	case f.by == nil:
		return ""
	case f.least:
		return "≥ " + short(f.reach)
	}
	return "≤ " + short(f.reach)
}

func (f figure) verdict() string {
	switch {
	case f.by == nil:
		return ""
	case len(f.ours) == 0:
		return "not measured"
	case f.least && f.by(f.ours) >= f.reach, !f.least && f.by(f.ours) <= f.reach:
		return "ok"
	}
	return "missed"
}

func (f figure) cells() []string {
	peer := f.peer.String()
	if len(f.peer) == 0 && f.note != "" {
		peer = f.note
	}
	return []string{f.what, f.ours.String(), peer, f.target(), f.verdict()}
}

// A table collects the figures of a run.
type table struct {
	mu      sync.Mutex
	figures []figure
}

func (t *table) add(figures ...figure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.figures = append(t.figures, figures...)
}

// print writes the table in columns.
func (t *table) print(w io.Writer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := [][]string{{"what", "ours", "baresip, same run", "reach", "verdict"}}
	for _, f := range t.figures {
		rows = append(rows, f.cells())
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	rule := make([]string, len(widths))
	for i, n := range widths {
		rule[i] = strings.Repeat("-", n)
	}
	for _, row := range slices.Insert(rows, 1, rule) {
		for i, cell := range row {
			row[i] = cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(row, " | "), " ")); err != nil {
			return err
		}
	}
	return nil
}

// tally says how many targets were reached.
func (t *table) tally() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := map[string]int{}
	for _, f := range t.figures {
		counts[f.verdict()]++
	}
	return fmt.Sprintf("%d targets reached, %d missed, %d not measured", counts["ok"], counts["missed"], counts["not measured"])
}
