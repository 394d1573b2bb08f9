package sipua

import (
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// callContact is our Contact in a message of call c that goes by h: our public
// GRUU, if the account wants that and the call goes by our server (RFC 5627
// section 4.4), else our address. secure asks for a SIPS URI.
//
// A GRUU is no SIPS URI unless the registrar gave it as one: made into one, it
// would lead to a contact that was never registered as secure.
func (u *UA) callContact(c *call, h hop, secure bool) *sip.ContactHeader {
	if c != nil && c.byServer {
		if name, ok := u.ownName(); ok && name.IsEncrypted() == secure {
			return &sip.ContactHeader{Address: name}
		}
	}
	return secured(u.contact(h), secure)
}

// ownName is our public GRUU, as long as the registration that it came with
// lives at the server in use.
func (u *UA) ownName() (sip.Uri, bool) {
	r := &u.reg
	if !u.cfg.Account.GRUU || !r.granted || u.server == nil || u.server.flow() != r.at {
		return sip.Uri{}, false
	}
	return readName(r.gruu)
}

// givenName is the public GRUU that the registrar gave our contact (RFC 5627
// section 4.2), "" if it gave none that can be used.
func (u *UA) givenName(res *sip.Response) string {
	c := u.ownContact(res)
	if c == nil {
		return ""
	}
	name := quotedParam(c.Params, "pub-gruu")
	if _, ok := readName(name); !ok {
		return ""
	}
	return name
}

// readName reads a public GRUU. Without gr it would be our address of record,
// which leads to all panels of the account.
func readName(name string) (sip.Uri, bool) {
	var uri sip.Uri
	if hasControl(name) || strings.ContainsAny(name, " <>\"\\") || sip.ParseUri(name, &uri) != nil {
		return sip.Uri{}, false
	}
	gr, _ := uri.UriParams.Get("gr")
	return uri, gr != "" && uri.Host != "" && len(uri.Headers) == 0 && (uri.Scheme == "sip" || uri.Scheme == "sips")
}

// quotedParam puts a value in quotes together again, which the parser takes apart
// at its semicolons.
func quotedParam(params sip.HeaderParams, name string) string {
	value, inside := "", false
	for _, p := range params {
		switch {
		case p.K == name:
			value, inside = p.V, true
		case inside && p.V == "":
			value += ";" + p.K
		case inside:
			value += ";" + p.K + "=" + p.V
		}
		if inside && (!strings.HasPrefix(value, `"`) || len(value) > 1 && strings.HasSuffix(value, `"`)) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// hears reports whether requests inside the call are taken from a host: one that
// the call's messages went to or came from, or any server of ours where our
// Contact is a name that they all know.
func (c *call) hears(from netip.AddrPort) bool {
	return c.peers[from.Addr()] || c.byServer && c.u.cfg.Account.GRUU && c.u.fromServer(from)
}
