package main

import (
	"errors"
	"slices"
	"strings"
)

// errUnknownLicence means that a person has to read it, and add its mark below.
var errUnknownLicence = errors.New("no licence that is known here")

// A mark is words that a licence has and no other known here, and words that it
// has not.
type mark struct {
	id      string
	has     []string
	without string
}

// Words as they stand after plain has been at them.
var marks = []mark{
	{id: "MIT", has: []string{"permission is hereby granted, free of charge, to any person obtaining a copy", "the above copyright notice and this permission notice shall be included in all"}},
	{id: "ISC", has: []string{"permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"}},
	{id: "Apache-2.0", has: []string{"apache license, version 2.0"}},
	{id: "Apache-2.0", has: []string{"apache license version 2.0, january 2004"}},
	{id: "BSD-3-Clause", has: []string{bsdSource, bsdBinary, bsdName}},
	{id: "BSD-2-Clause", has: []string{bsdSource, bsdBinary}, without: bsdName},
	{id: "Unlicense", has: []string{"this is free and unencumbered software released into the public domain"}},
	{id: "MPL-2.0", has: []string{"mozilla public license version 2.0"}},
}

const (
	bsdSource = "redistributions of source code must retain the above copyright notice"
	bsdBinary = "redistributions in binary form must reproduce the above copyright notice"
	bsdName   = "to endorse or promote products derived from this software without specific prior written permission"
)

// recognise names the licences in texts, as an SPDX expression. Where there are
// several, all of them hold: which part each covers is for the texts to say.
func recognise(texts map[string]string) (string, error) {
	var ids []string
	for _, text := range texts {
		words := plain(text)
		for _, m := range marks {
			if m.in(words) && !slices.Contains(ids, m.id) {
				ids = append(ids, m.id)
			}
		}
	}
	if len(ids) == 0 {
		return "", errUnknownLicence
	}
	slices.Sort(ids)
	return strings.Join(ids, " AND "), nil
}

func (m mark) in(words string) bool {
	for _, h := range m.has {
		if !strings.Contains(words, h) {
			return false
		}
	}
	return m.without == "" || !strings.Contains(words, m.without)
}

// plain is text in lower case with one space between words, so that neither
// line ends nor decoration matter.
func plain(text string) string {
	keep := func(r rune) rune {
		if r == '*' || r == '#' || r == '>' {
			return ' '
		}
		return r
	}
	return strings.ToLower(strings.Join(strings.Fields(strings.Map(keep, text)), " "))
}
