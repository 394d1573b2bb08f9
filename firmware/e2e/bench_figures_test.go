package e2e

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// often is how many times each short thing is measured.
const often = 40

// BenchmarkFigures measures the panel beside baresip and prints one table. A
// target that is missed is a word in the table; only a measurement that does
// not come about fails.
func BenchmarkFigures(b *testing.B) {
	began := time.Now()
	t := new(table)
	for _, chapter := range []struct {
		name    string
		measure func(*testing.B, *table)
	}{
		{"setup", measureSetup},
		{"early", measureEarly},
		{"door", measureDoor},
		{"start", measureStart},
		{"talk", measureTalk},
		{"guard", measureGuard},
		{"size", measureSizes},
		{"flood", measureFloods},
		{"strangers", measureStrangers},
		{"loss", measureLoss},
	} {
		b.Run(chapter.name, func(b *testing.B) {
			chapter.measure(b, t)
			b.ReportMetric(0, "ns/op") // its time says nothing
		})
	}
	fmt.Printf("\n%s, %d cores, load %s before; long calls %v; %v in all\n\n",
		runtime.GOARCH, runtime.NumCPU(), os.Getenv("BENCH_LOAD"), seconds(b), time.Since(began).Round(time.Second))
	var text strings.Builder
	if err := t.print(&text); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("%s\n%s\n", text.String(), t.tally())
}
