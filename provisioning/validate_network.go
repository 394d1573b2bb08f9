package provisioning

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
)

func (v *validator) network() {
	n := &v.doc.Network
	if n.Address != "" {
		if a, err := netip.ParseAddr(n.Address); err != nil || a.Zone() != "" || a.IsUnspecified() {
			v.add("network.address", n.Address, "must be one of the panel's IP addresses, or left out")
		}
	}
	v.number("network.sip_port", n.SIPPort)
	v.number("network.rtp_min", n.RTPMin)
	v.number("network.rtp_max", n.RTPMax)
	v.even("network.rtp_min", n.RTPMin)
	if n.RTPMax-n.RTPMin+1 < fewestPorts {
		v.add("network.rtp_max", strconv.Itoa(n.RTPMax),
			fmt.Sprintf("rtp_min (%d) to rtp_max must be at least %d ports", n.RTPMin, fewestPorts))
	}
	if n.RTPMin <= n.SIPPort && n.SIPPort <= n.RTPMax {
		v.add("network.sip_port", strconv.Itoa(n.SIPPort),
			fmt.Sprintf("lies between rtp_min (%d) and rtp_max (%d), which are for media", n.RTPMin, n.RTPMax))
	}
}

// user checks the user part of the panel's own address (RFC 3261 section 25.1).
func (v *validator) user(path, s string) {
	if s != "" && !allOf(s, userChars) {
		v.add(path, s, "must be the part before the @ alone, without spaces, @ and colon")
	}
}

func (v *validator) stun() {
	v.host("stun.server", v.doc.STUN.Server, true)
	v.lasting("stun.keepalive", v.doc.STUN.Keepalive)
}

func (v *validator) time() {
	for i, server := range v.doc.Time.Servers {
		v.required(fmt.Sprintf("time.servers[%d]", i), server)
		v.host(fmt.Sprintf("time.servers[%d]", i), server, true)
	}
	v.unique("time.servers", v.doc.Time.Servers)
}

func (v *validator) web() {
	w := &v.doc.Web
	if w.Listen == "" {
		return
	}
	if !validListen(w.Listen) {
		v.add("web.listen", w.Listen, "must be address:port with an IP address of the panel, such as 192.0.2.10:8080 or :8080")
	}
	if w.User == "" || strings.Contains(w.User, ":") {
		v.add("web.user", w.User, "web.listen needs a user, without a colon")
	}
	if n := len([]rune(w.Password)); n < shortestSecret {
		v.add("web.password", "", fmt.Sprintf("web.listen needs a password of at least %d characters; this one has %d", shortestSecret, n))
	}
}

// validListen takes "192.0.2.10:8080", "[2001:db8::1]:8080", "localhost:8080" and ":8080".
func validListen(s string) bool {
	host, port, ok := cutPort(s)
	if !ok || port == "" || !validPort(port) {
		return false
	}
	if host == "" || host == "localhost" {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// host checks a host name or IP address, and the port after it if it may have one.
func (v *validator) host(path, s string, port bool) {
	if s == "" {
		return
	}
	name, p, ok := cutPort(s)
	switch {
	case !ok || !validHost(name) || !allOf(p, "0123456789"):
		v.add(path, s, "must be a host name or an IP address (IPv6 in square brackets)"+map[bool]string{true: ", and may have :port", false: ""}[port])
	case p != "" && !port:
		v.add(path, s, "must be without a port")
	case p != "" && (!validPort(p) || p == "0"):
		v.add(path, s, "the port must be 1 to 65535")
	}
}

// plainCause says why a file cannot be opened, without repeating its name.
func plainCause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
