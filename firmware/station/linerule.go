package station

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/provisioning"
)

// newLineRule is the SIP line that a document wants, with its standby account.
func newLineRule(doc *provisioning.Document) lineRule {
	rule := accountRule(doc, doc.Account)
	if doc.Standby.Used() {
		spare := accountRule(doc, doc.Standby)
		if spare.port != 0 {
			spare.port = 0 // the first account has it
		}
		spare.listenTCP = false // nobody knows where
		spare.account.Impatient = len(directs(doc)) > 0
		rule.standby = &spare
	}
	return rule
}

func accountRule(doc *provisioning.Document, a provisioning.Account) lineRule {
	direct := directs(doc)
	return lineRule{
		account: sipua.Account{
			User: a.User, AuthUser: a.AuthUser, Password: a.Password,
			Domain: a.Domain, Registrar: a.Registrar, Proxy: a.Proxy, Servers: a.Servers, Transport: a.Transport,
			Expires: time.Duration(a.Expires), DisplayName: doc.Panel.Name,
			Digest: a.Digest, Keepalive: time.Duration(a.Keepalive), Spread: time.Duration(a.Spread),
			GRUU:      a.GRUU,
			Impatient: doc.Standby.Used() || len(direct) > 0,
		},
		ca: a.CAFile, cert: a.CertFile, key: a.KeyFile, pin: a.Pin,
		address: doc.Network.Address, port: doc.Network.SIPPort, listenTCP: doc.Network.SIPTCP,
		allow: strings.Join(callers(doc), " "),
		stun:  doc.STUN.Server, stunTime: time.Duration(doc.STUN.Keepalive),
		calls:  newCallRule(doc),
		direct: strings.Join(direct, " "),
	}
}

// directs are the phones that are rung without a server.
func directs(doc *provisioning.Document) []string {
	var all []string
	for _, f := range doc.Flats {
		all = append(all, f.Direct...)
	}
	return all
}

// lastResort is the stage of a flat's direct phones.
func lastResort(f provisioning.Flat) []callflow.Stage {
	if len(f.Direct) == 0 {
		return nil
	}
	st := callflow.Stage{LastResort: true}
	for _, uri := range f.Direct {
		st.Targets = append(st.Targets, callflow.Target{URI: uri})
	}
	return []callflow.Stage{st}
}

// isDirect reports whether a phone is one of the last resort.
func (r lineRule) isDirect(uri string) bool { return slices.Contains(strings.Fields(r.direct), uri) }

// peers are the hosts, with a port or without, that the line talks to: the
// panel's own address is the one that leads there.
func (r lineRule) peers() []string {
	a := r.account
	all := append([]string{a.Proxy, a.Registrar, a.Domain}, a.Servers...)
	for _, uri := range strings.Fields(r.direct) {
		_, host, _ := strings.Cut(uri, "@")
		host, _, _ = strings.Cut(host, ";")
		all = append(all, host)
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// anywhere is an address of the Internet that nobody has (RFC 5737): the way to
// it is the default route.
const anywhere = "192.0.2.1"

// localAddress is the panel's own address: the one written down, or the one that
// the kernel would use towards the first of the peers that it knows a way to
// (nothing is sent). Where no name is found, it is the one of the default route.
func localAddress(written string, peers []string) (netip.Addr, error) {
	if written != "" {
		return netip.ParseAddr(written)
	}
	var first error
	for _, peer := range append(peers, anywhere) {
		conn, err := net.Dial("udp", hostPort(peer, 5060))
		if err == nil {
			defer conn.Close()
			return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
		}
		if first == nil {
			first = fmt.Errorf("no way to %s: %w", peer, err)
		}
	}
	return netip.Addr{}, first
}

// uptime is how long the board has run; very long where that cannot be read.
func uptime() time.Duration {
	text, err := os.ReadFile("/proc/uptime")
	first, _, _ := strings.Cut(string(text), " ")
	seconds, bad := strconv.ParseFloat(first, 64)
	if err != nil || bad != nil {
		return 24 * time.Hour
	}
	return time.Duration(seconds * float64(time.Second))
}

// instanceURN names this panel for ever, and tells nobody its key (RFC 5626
// section 4.1 wants a UUID; RFC 9562 section 5.8 lets its bits be our own).
func instanceURN(key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("sip instance"))
	id := mac.Sum(nil)[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
