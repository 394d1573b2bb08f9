package main

import (
	"strings"
	"testing"
)

var testAdvisory = []advisory{{
	id: "GHSA-test", title: "a fault",
	affected: []affected{
		{module: "example.org/old", code: "example.org/old/gcm.Seal"},
		{module: "example.org/new", code: "example.org/new/gcm.Seal", fixed: []string{"v3.0.11", "v3.1.1"}},
	},
}}

func TestFaultyCodeLeftOutIsRecorded(t *testing.T) {
	parts := []part{{name: "example.org/old", version: "v2.0.0", module: true}}
	functions := []string{"example.org/old.Parse", "example.org/old/ccm.Seal", "example.org/older.Parse"}
	findings, err := judge(testAdvisory, parts, functions)
	if err != nil || len(findings) != 1 {
		t.Fatalf("findings %v, %v, want one", findings, err)
	}
	if !strings.Contains(findings[0].detail, "Of the 2 functions") {
		t.Errorf("detail %q counts other modules' functions", findings[0].detail)
	}
}

func TestFaultyCodeLinkedIsAnError(t *testing.T) {
	parts := []part{{name: "example.org/new", version: "v3.0.8", module: true}}
	_, err := judge(testAdvisory, parts, []string{"example.org/new/gcm.Seal.func1"})
	if err == nil || !strings.Contains(err.Error(), "GHSA-test") {
		t.Errorf("error %v, want one that names the advisory", err)
	}
}

func TestMended(t *testing.T) {
	lines := affected{fixed: []string{"v3.0.11", "v3.1.1"}}
	for version, want := range map[string]bool{
		"v3.0.8": false, "v3.0.10": false, "v3.0.11": true, "v3.0.12": true,
		"v3.1.0": false, "v3.1.1": true, "v3.2.0": true, "v4.0.0": true, "v2.9.9": false,
	} {
		if got := lines.mended(version); got != want {
			t.Errorf("%s mended: %v, want %v", version, got, want)
		}
	}
	if (affected{}).mended("v99.0.0") {
		t.Error("mended without a mend")
	}
}
