// Command tally reads the output of go test -json, prints what a person wants
// to see of it, and counts: every test and subtest once. A skipped test counts
// as failed, because a suite that skips says nothing.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	count := flag.String("count", "", "file that gets \"passed failed\"")
	kept := flag.String("json", "", "file that gets the input as it came")
	flag.Parse()
	ok, err := run(os.Stdin, os.Stdout, *count, *kept)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run copies in to kept, reports it on out, and writes the counts. It says
// whether everything passed.
func run(in io.Reader, out io.Writer, count, kept string) (bool, error) {
	if kept != "" {
		file, err := os.Create(kept)
		if err != nil {
			return false, err
		}
		defer file.Close()
		in = io.TeeReader(in, file)
	}
	t := newTally(out)
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			t.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	fmt.Fprintf(out, "%d tests passed, %d failed\n", t.passed, t.failed)
	if count != "" {
		text := fmt.Sprintf("%d %d\n", t.passed, t.failed)
		if err := os.WriteFile(count, []byte(text), 0o666); err != nil {
			return false, err
		}
	}
	return t.failed == 0, nil
}
