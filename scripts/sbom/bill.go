package main

import (
	"encoding/json"
	"os"
	"strings"
)

// A bill is a CycloneDX 1.5 document, as much of it as is used here. It has no
// date: the same program has the same bill.
type bill struct {
	Schema          string          `json:"$schema"`
	Format          string          `json:"bomFormat"`
	Spec            string          `json:"specVersion"`
	Serial          string          `json:"serialNumber"`
	Version         int             `json:"version"`
	Metadata        metadata        `json:"metadata"`
	Components      []component     `json:"components"`
	Dependencies    []dependency    `json:"dependencies"`
	Vulnerabilities []vulnerability `json:"vulnerabilities,omitempty"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licences   []licence  `json:"licenses,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type licence struct {
	Expression string `json:"expression"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn,omitempty"`
}

type vulnerability struct {
	ID          string   `json:"id"`
	Source      source   `json:"source"`
	Description string   `json:"description"`
	Analysis    analysis `json:"analysis"`
	Affects     []target `json:"affects"`
}

type source struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type analysis struct {
	State         string `json:"state"`
	Justification string `json:"justification"`
	Detail        string `json:"detail"`
}

type target struct {
	Ref string `json:"ref"`
}

func newBill(name, version string, bin *binary, parts []part, findings []finding) *bill {
	b := &bill{
		Schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", Format: "CycloneDX", Spec: "1.5",
		Serial: serial(bin.sha256), Version: 1,
		Metadata: metadata{component{
			Type: "application", Ref: name, Name: name, Version: version,
			Hashes:     []hash{{"SHA-256", bin.sha256}},
			Properties: properties(bin),
		}},
	}
	refs := map[string]string{}
	for _, p := range parts {
		refs[p.name] = p.purl
	}
	var all []string
	for _, p := range parts {
		all = append(all, p.purl)
		b.Components = append(b.Components, component{
			Type: "library", Ref: p.purl, Name: p.name, Version: p.version, PURL: p.purl,
			Licences: []licence{{p.licence}},
		})
	}
	b.Dependencies = append(b.Dependencies, dependency{name, all})
	for _, p := range parts {
		var on []string
		for _, need := range p.needs {
			on = append(on, refs[need])
		}
		b.Dependencies = append(b.Dependencies, dependency{p.purl, on})
	}
	for _, f := range findings {
		b.Vulnerabilities = append(b.Vulnerabilities, vulnerability{
			ID: f.advisory.id, Source: source{"GitHub Advisories", f.advisory.url}, Description: f.advisory.title,
			Analysis: analysis{"not_affected", "code_not_reachable", f.detail},
			Affects:  []target{{f.part.purl}},
		})
	}
	return b
}

// properties tell how it was built, and what it finds on the board.
func properties(bin *binary) []property {
	var all []property
	for _, key := range []string{"GOOS", "GOARCH", "GOARM", "GOARM64", "CGO_ENABLED"} {
		if value := bin.settings[key]; value != "" {
			all = append(all, property{"build:" + key, value})
		}
	}
	for _, library := range bin.shared {
		all = append(all, property{"needs:shared-library", library})
	}
	return all
}

// serial makes a UUID (RFC 9562 section 5.8) of the program's hash.
func serial(sha string) string {
	s := []byte(sha[:32])
	s[12] = '8'             // version: made by a method of one's own
	s[16] = "89ab"[s[16]&3] // variant
	return "urn:uuid:" + strings.Join([]string{
		string(s[:8]), string(s[8:12]), string(s[12:16]), string(s[16:20]), string(s[20:]),
	}, "-")
}

func (b *bill) write(file string) error {
	raw, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o666)
}
