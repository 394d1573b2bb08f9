// Command sbom writes, beside each program it is given, what the program is
// made of: PROGRAM.cdx.json, a bill of materials in CycloneDX 1.5, and one
// licences.txt for all of them in the folder of the first. It reads the build's
// settings from the program itself, so that the list is of that build, and it
// fails on a licence that it does not know and on a known fault that was linked.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	version := flag.String("version", "", "`version` of the programs")
	flag.Parse()
	if *version == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: sbom -version VERSION program...")
		os.Exit(2)
	}
	if err := run(*version, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(version string, programs []string) error {
	var notices notices
	for _, file := range programs {
		bin, err := readBinary(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		parts, err := partsOf(bin)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		findings, err := judge(advisories, parts, bin.functions)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		bill := newBill(filepath.Base(file), version, bin, parts, findings)
		if err := bill.write(file + ".cdx.json"); err != nil {
			return err
		}
		notices.add(parts)
	}
	return notices.write(filepath.Join(filepath.Dir(programs[0]), "licences.txt"))
}
