package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// bench is the folder in which scripts/bench leaves what it has built and run.
func bench(b *testing.B, path string) string {
	b.Helper()
	dir := os.Getenv("BENCH_DIR")
	if dir == "" {
		b.Fatal("BENCH_DIR is not set: this chapter needs scripts/bench")
	}
	return filepath.Join(dir, path)
}

// measureGuard takes the figures of doorguard's own benchmarks.
func measureGuard(b *testing.B, t *table) {
	raw, err := os.ReadFile(bench(b, "guard.txt"))
	if err != nil {
		b.Fatal(err)
	}
	const nobody = "has none"
	killed, restarted := metrics(b, string(raw), "ClientKilled"), metrics(b, string(raw), "GuardKilled")
	n := func(m map[string]float64) string { return fmt.Sprintf(" (n %.0f)", m["n"]) }
	t.add(
		figure{what: "guard: client killed → line safe, median, ms" + n(killed), ours: sample{killed["median_ms"]}, note: nobody, by: median, reach: 20},
		figure{what: "  worst, ms", ours: sample{killed["max_ms"]}, note: nobody, by: median, reach: 100},
		figure{what: "guard killed → restarted, line safe, worst, ms" + n(restarted), ours: sample{restarted["max_ms"]}, note: nobody, by: median, reach: 300},
	)
}

// metrics reads the line of one benchmark: its name, its count, then values
// with their units.
func metrics(b *testing.B, text, name string) map[string]float64 {
	b.Helper()
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "Benchmark"+name) {
			continue
		}
		found := map[string]float64{}
		fields := strings.Fields(line)
		for i, field := range fields[1:] {
			v, err := strconv.ParseFloat(field, 64)
			switch {
			case err != nil:
			case i == 0:
				found["n"] = v
			case i+2 < len(fields):
				found[fields[i+2]] = v
			}
		}
		return found
	}
	b.Fatalf("no Benchmark%s in the guard's figures:\n%s", name, text)
	return nil
}

// measureSizes weighs the stripped programs.
func measureSizes(b *testing.B, t *table) {
	megabytes := func(path string) sample {
		info, err := os.Stat(bench(b, path))
		if err != nil {
			b.Fatal(err)
		}
		return sample{float64(info.Size()) / 1e6}
	}
	t.add(
		figure{what: "stripped doorstationd, amd64 with cgo, MB", ours: megabytes("native/doorstationd")},
		figure{what: "stripped doorstationd, armv7 without cgo, MB", ours: megabytes("armv7/doorstationd"), by: median, reach: 14},
		figure{what: "stripped doorguard, armv7, MB", ours: megabytes("armv7/doorguard"), by: median, reach: 2.5},
	)
}
