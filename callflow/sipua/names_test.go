package sipua

import (
	"context"
	"net/netip"
	"time"

	"doorstation/callflow/sipua/locate"
)

// dnsFunc is a DNS that knows addresses, and nothing else, for a minute.
type dnsFunc func(host string) []netip.Addr

func (f dnsFunc) Addrs(_ context.Context, name string) ([]netip.Addr, time.Duration, error) {
	return f(name), time.Minute, nil
}

func (dnsFunc) SRV(context.Context, string) ([]locate.SRV, time.Duration, error) {
	return nil, 0, nil
}

func (dnsFunc) NAPTR(context.Context, string) ([]locate.NAPTR, time.Duration, error) {
	return nil, 0, nil
}

func (dnsFunc) Local(context.Context, string) bool { return false }

// noDNS finds nothing.
var noDNS = dnsFunc(func(string) []netip.Addr { return nil })
