package provisioning

import (
	"fmt"
	"slices"
	"strings"
)

// A shortener is a struct for which one of its texts may stand alone.
type shortener interface{ short() *string }

func (t *Target) short() *string { return &t.URI }
func (c *Caller) short() *string { return &c.URI }

// at gives the place of a setting that may stand for its parent: its own where
// the document names it.
func (v *validator) at(parent, key string) string {
	if path := join(parent, key); v.lines[path] != 0 {
		return path
	}
	return parent
}

// targets checks the phones of a stage.
func (v *validator) targets(path string, stage Stage) {
	uris := make([]string, len(stage.Targets))
	for i, t := range stage.Targets {
		at := fmt.Sprintf("%s[%d]", path, i)
		uris[i] = t.URI
		v.address(at, t.URI)
		v.lasting(at+".after", t.After)
		if t.After > 0 && t.After >= stage.For && stage.For > 0 {
			v.add(at+".after", t.After.String(), fmt.Sprintf("the stage is over by then: it lasts %v", stage.For))
		}
		v.oneOf(at+".transport", t.Transport, append([]string{""}, transports...))
		if t.Transport != "" && strings.HasPrefix(strings.ToLower(t.URI), "tel:") {
			v.add(at+".transport", t.Transport, "a tel: address is rung by way of the registrar, over account.transport")
		}
	}
	v.unique(path, uris)
}

// address checks the URI of an entry that it may stand for.
func (v *validator) address(at, uri string) {
	if uri == "" {
		v.required(join(at, "uri"), uri)
		return
	}
	v.uri(v.at(at, "uri"), uri)
}

func (v *validator) inbound() {
	uris := make([]string, len(v.doc.Inbound.Allow))
	for i, c := range v.doc.Inbound.Allow {
		at := fmt.Sprintf("inbound.allow[%d]", i)
		uris[i] = c.URI
		v.address(at, c.URI)
		for k, right := range c.May {
			v.oneOf(fmt.Sprintf("%s.may[%d]", at, k), right, rights)
		}
		v.unique(at+".may", c.May)
		if !slices.Contains(c.May, "talk") && !slices.Contains(c.May, "listen") && !slices.Contains(c.May, "see") {
			v.add(at+".may", "", "names nothing that the caller may do; known: "+words(rights))
		}
	}
	v.unique("inbound.allow", uris)
}

// transfers checks where a visitor may be passed on to.
func (v *validator) transfers() {
	for i, uri := range v.doc.Call.TransferTo {
		v.uri(fmt.Sprintf("call.transfer_to[%d]", i), uri)
	}
	v.unique("call.transfer_to", v.doc.Call.TransferTo)
}

// numberChars are what a dial plan is written in.
const numberChars = "0123456789*#"

func (v *validator) dialPlan() {
	for i, r := range v.doc.Call.DialPlan {
		at := fmt.Sprintf("call.dial_plan[%d]", i)
		for key, number := range map[string]string{"begins": r.Begins, "becomes": r.Becomes} {
			if !allOf(strings.TrimPrefix(number, "+"), numberChars) {
				v.add(join(at, key), number, "must be digits, * and #, with + in front or without")
			}
		}
	}
}
