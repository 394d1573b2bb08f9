package station

import (
	"strings"
	"time"

	"doorstation/callflow"
	"doorstation/provisioning"
)

// targets are the phones of a stage.
func targets(list []provisioning.Target, plan []provisioning.DialRule) []callflow.Target {
	out := make([]callflow.Target, len(list))
	for i, t := range list {
		out[i] = callflow.Target{URI: overTransport(dialled(t.URI, plan), t.Transport), After: time.Duration(t.After)}
	}
	return out
}

// visual are the signs that make a number readable (RFC 3966 section 5.1.1).
var visual = strings.NewReplacer("-", "", ".", "", "(", "", ")", "")

// dialled puts a tel: number through the dial plan; what follows the number
// stays. Other addresses stay as they are.
func dialled(uri string, plan []provisioning.DialRule) string {
	const scheme = "tel:"
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return uri
	}
	number, params, found := strings.Cut(uri[len(scheme):], ";")
	number = visual.Replace(number)
	for _, rule := range plan {
		if rest, fits := strings.CutPrefix(number, rule.Begins); fits && rule.Becomes+rest != "" {
			number = rule.Becomes + rest
			break
		}
	}
	if found {
		return scheme + number + ";" + params
	}
	return scheme + number
}

// overTransport names the transport in a URI, in place of the one that it may
// name itself (RFC 3261 section 19.1.1).
func overTransport(uri, transport string) string {
	if transport == "" {
		return uri
	}
	parts := strings.Split(uri, ";")
	kept := parts[:1]
	for _, p := range parts[1:] {
		if name, _, _ := strings.Cut(p, "="); !strings.EqualFold(name, "transport") {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ";") + ";transport=" + transport
}

// callers are the URIs of those who may call.
func callers(doc *provisioning.Document) []string {
	var uris []string
	for _, c := range doc.Inbound.Allow {
		uris = append(uris, c.URI)
	}
	return uris
}
