package main

import (
	"errors"
	"testing"
)

const mitText = `Permission is hereby granted, free of charge, to any person obtaining
a copy of this software ... The above copyright notice and this permission notice
shall be included in all copies`

func TestRecognise(t *testing.T) {
	source := "* Redistributions of source code must retain the above\n  copyright notice.\n"
	binary := "* Redistributions in binary form must reproduce the above copyright notice.\n"
	name := "* Neither the name nor its contributors' may be used to endorse or promote products\n" +
		"  derived from this software without specific prior written permission.\n"
	for _, c := range []struct {
		name  string
		texts map[string]string
		want  string
	}{
		{"MIT over line ends", map[string]string{"LICENSE": mitText}, "MIT"},
		{"BSD with two clauses", map[string]string{"LICENSE": source + binary}, "BSD-2-Clause"},
		{"BSD with three", map[string]string{"LICENSE": source + binary + name}, "BSD-3-Clause"},
		{"BSD quoted and starred", map[string]string{"COPYING": "// " + source + "> " + binary + "## " + name}, "BSD-3-Clause"},
		{"two in one file", map[string]string{"LICENSE": mitText + "\nApache License, Version 2.0"}, "Apache-2.0 AND MIT"},
		{"two files", map[string]string{"LICENSE": mitText, "NOTICE": "Licensed under the Apache License, Version 2.0"}, "Apache-2.0 AND MIT"},
		{"public domain", map[string]string{"LICENSE": "This is free and unencumbered software\nreleased into the public domain."}, "Unlicense"},
		{"Apache's title", map[string]string{"LICENSE": "   Apache License\n  Version 2.0, January 2004"}, "Apache-2.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := recognise(c.texts); err != nil || got != c.want {
				t.Errorf("recognised %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestUnknownLicenceIsRefused(t *testing.T) {
	for name, texts := range map[string]map[string]string{
		"no file":        nil,
		"unknown words":  {"LICENSE": "All rights reserved."},
		"half of a BSD":  {"LICENSE": "Redistributions of source code must retain the above copyright notice"},
		"half of an MIT": {"LICENSE": "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := recognise(texts); !errors.Is(err, errUnknownLicence) {
				t.Errorf("recognised %q, %v", got, err)
			}
		})
	}
}
