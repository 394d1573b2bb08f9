package provisioning

import (
	"strings"
	"time"
)

// String writes d in its shortest form: "5m", not "5m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes d as an operator would, in YAML and in JSON.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
