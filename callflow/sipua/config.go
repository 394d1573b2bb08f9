package sipua

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua/locate"
	"doorstation/callflow/sipua/trace"
)

// An Account is one line at one registrar. Without User, or without both
// Registrar and Domain, nothing is registered and only direct calls are made.
type Account struct {
	User        string
	AuthUser    string        // user name in credentials; default User
	Password    string        // never logged, never sent in the clear
	Domain      string        // host of our address of record; default the host of Registrar
	Registrar   string        // host or host:port; default Domain
	Proxy       string        // outbound proxy, host or host:port; default none
	Servers     []string      // further servers, host or host:port, tried in this order after Proxy or Registrar
	Transport   string        // "udp" (default), "tcp", "tls", or "auto": what the DNS says of the server
	Expires     time.Duration // asked for, 1 s or more; default 1 h
	DisplayName string        // what phones show
	TLS         *tls.Config   // nil: the system's roots, the server's name verified

	Digest    string        // the weakest algorithm that is answered: "md5" (default), "sha-256" or "sha-512-256"
	Keepalive time.Duration // between two questions whether the server lives; default 0: none
	Spread    time.Duration // the first registration waits any time up to this; a call does not
	Instance  string        // URN of this panel for ever, for +sip.instance (RFC 5626 section 4.1); default none
	GRUU      bool          // our Contact in calls by the server is the public GRUU that it gives (RFC 5627); default our address
	Impatient bool          // a call that gets no answer at all for 2 s fails: there is another way to ring
}

// Config is what a UA needs. It is read once, by New.
type Config struct {
	Account Account

	// Local is the exact address to bind and to name in Via and Contact. Port
	// 0 takes a free one.
	Local netip.AddrPort

	// Allow lists the URIs of callers who are let in: user and host of the
	// From URI have to match. Their requests have to come from the registrar,
	// the proxy, or the host of an entry.
	Allow []string

	// Grants says more of entries of Allow.
	Grants map[string]Grant

	// TransferTo lists the URIs to which a phone in a call may transfer the
	// visitor by REFER; default none.
	TransferTo []string

	// CheckSync takes NOTIFY check-sync of the server, which has to know the
	// account's password.
	CheckSync bool

	// NewLeg hands out the leg of an incoming call. It is called on the UA's
	// goroutine. Without it nobody is let in.
	NewLeg func() callflow.LegID

	// SessionExpires is how long a session of ours may last without a refresh
	// (RFC 4028), 90 s to 24 h; default 30 min.
	SessionExpires time.Duration

	UserAgent string // default "doorstation"
	Log       *slog.Logger

	// OnPacket is the side door for STUN: it sees every datagram whose first
	// two bits are 0, and says whether it swallowed it. It runs on the reader's
	// goroutine; b is only lent.
	OnPacket func(b []byte, from netip.AddrPort) bool

	// Trace remembers the messages that go over the wire; nil: nobody does.
	Trace *trace.Ring

	// ListenTCP takes TCP connections on the address and port of the UDP
	// socket, of those sources alone whose datagrams are taken: at most 16, at
	// most 4 of one address, the longest idle one giving way to a new one. One
	// that brings no whole message for 10 s, or nothing for 3 min while no call
	// lives on it, is closed. Default: no connection is taken.
	ListenTCP bool

	// Listener gives those connections in place of an own one. The UA closes it.
	Listener net.Listener

	// Conn is a UDP socket to use in place of an own one. The UA closes it.
	Conn net.PacketConn

	// DNS finds servers; default the DNS as this machine is set up for it.
	DNS locate.Records

	// Dial makes the TCP connections; default a dialer from Local's address.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// STUN makes a binding request, and what reads its response (RFC 5389).
	// With it UDP flows are kept alive by STUN where the server answers it;
	// without, by OPTIONS. response is called on the reader's goroutine.
	STUN func() (request []byte, response func(b []byte) (mapped netip.AddrPort, ok bool), err error)
}

// A Grant is what an allowed caller needs, and may, beside calling.
type Grant struct {
	Password string // his requests outside of calls are challenged for it; empty: they are not
	Message  bool   // his MESSAGEs are told
}

// A ConfigError says that a value cannot be used, before anything is bound.
type ConfigError struct {
	Field, Value, Problem string
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("sip: %s %q %s", e.Field, e.Value, e.Problem)
}

// An InUseError says that another process, often a second daemon, has the port.
type InUseError struct {
	Addr netip.AddrPort
	Err  error
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("sip: udp %v is in use by another process; no SIP until it is free: %v", e.Addr, e.Err)
}

func (e *InUseError) Unwrap() error { return e.Err }

// defaultExpires is what we ask of a registrar.
const defaultExpires = time.Hour

// defaultSession is the session time that RFC 4028 section 4 recommends.
const defaultSession = 30 * time.Minute

// withDefaults fills what may be left out, and refuses what must not reach the wire.
func (c Config) withDefaults() (Config, error) {
	a := &c.Account
	a.Transport = strings.ToLower(a.Transport)
	if a.Transport == "" {
		a.Transport = "udp"
	}
	if a.AuthUser == "" {
		a.AuthUser = a.User
	}
	if a.Registrar == "" {
		a.Registrar = a.Domain
	}
	if a.Domain == "" {
		a.Domain = a.Registrar
	}
	a.Domain = hostOf(a.Domain)
	if a.Expires == 0 {
		a.Expires = defaultExpires
	}
	if c.SessionExpires == 0 {
		c.SessionExpires = defaultSession
	}
	if c.UserAgent == "" {
		c.UserAgent = "doorstation"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: c.Local.Addr().AsSlice()}, KeepAliveConfig: aliveProbes}
		c.Dial = d.DialContext
	}
	if c.DNS == nil {
		c.DNS = locate.NewSystem(locate.ResolvConf)
	}
	return c, c.check()
}

func (c Config) check() error {
	a := c.Account
	for _, f := range []struct{ name, value string }{
		{"account user", a.User}, {"account auth user", a.AuthUser}, {"account domain", a.Domain},
		{"registrar", a.Registrar}, {"proxy", a.Proxy}, {"display name", a.DisplayName},
		{"instance", a.Instance}, {"user agent", c.UserAgent},
	} {
		if hasControl(f.value) {
			return &ConfigError{f.name, f.value, "contains a control character"}
		}
	}
	for _, name := range a.Servers {
		if hasControl(name) || strings.ContainsAny(name, " <>\"@;?,") || name == "" {
			return &ConfigError{"server", name, "is no host or host:port"}
		}
	}
	for _, f := range []struct{ name, value string }{
		{"account user", a.User}, {"account domain", a.Domain}, {"registrar", a.Registrar}, {"proxy", a.Proxy},
	} {
		if strings.ContainsAny(f.value, " <>\"@;?,") {
			return &ConfigError{f.name, f.value, "contains a character that a SIP URI does not allow there"}
		}
	}
	switch a.Transport {
	case "udp", "tcp", "tls", locate.Auto:
	default:
		return &ConfigError{"transport", a.Transport, "is none of udp, tcp, tls, auto"}
	}
	if _, session, ok := algorithmOf(a.Digest); !ok || session {
		return &ConfigError{"digest", a.Digest, "is none of md5, sha-256, sha-512-256"}
	}
	if a.Expires < time.Second {
		return &ConfigError{"registration time", a.Expires.String(), "is under 1s"}
	}
	if c.SessionExpires < leastSession || c.SessionExpires > longestGrant {
		return &ConfigError{"session time", c.SessionExpires.String(), fmt.Sprintf("is not %v to %v", leastSession, longestGrant)}
	}
	if !c.Local.IsValid() || c.Local.Addr().IsUnspecified() {
		return &ConfigError{"local address", c.Local.String(), "is not one exact address"}
	}
	return nil
}

// hasControl reports whether s could end a header line or hide text in a log.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
