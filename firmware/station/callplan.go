package station

import (
	"strings"
	"time"

	"doorstation/callflow"
	"doorstation/provisioning"
)

// targets are the phones of a stage.
func targets(list []provisioning.Target) []callflow.Target {
	out := make([]callflow.Target, len(list))
	for i, t := range list {
		out[i] = callflow.Target{URI: overTransport(t.URI, t.Transport), After: time.Duration(t.After)}
	}
	return out
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
