package sipua

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// targetURI reads what a leg is to ring: a SIP or SIPS URI, or a tel URI, which
// our registrar's domain stands for (RFC 3261 section 19.1.6).
func (u *UA) targetURI(target string) (sip.Uri, error) {
	var uri sip.Uri
	if hasControl(target) || strings.ContainsAny(target, " <>\"") {
		return uri, fmt.Errorf("target %q contains a character that a SIP URI does not allow", target)
	}
	if number, ok := cutPrefixFold(target, "tel:"); ok {
		return u.telURI(number)
	}
	if err := sip.ParseUri(target, &uri); err != nil {
		return uri, fmt.Errorf("target %q is no SIP URI: %w", target, err)
	}
	if uri.Scheme != "sip" && uri.Scheme != "sips" || uri.Host == "" || uri.Port > 65535 {
		return uri, fmt.Errorf("target %q is no SIP URI", target)
	}
	uri.Headers = nil // they would become header fields (RFC 3261 section 19.1.5)
	return uri, nil
}

// telURI is a telephone number at our registrar (RFC 3261 section 19.1.6). Of the
// number's own parameters those stay that tell it from others.
func (u *UA) telURI(tel string) (sip.Uri, error) {
	number, params, _ := strings.Cut(tel, ";")
	number = strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(number) // visual separators, RFC 3966 section 5.1.1
	if number == "" || strings.Trim(number, "+0123456789*#ABCDabcd") != "" {
		return sip.Uri{}, fmt.Errorf("target %q is no telephone number", "tel:"+tel)
	}
	if u.cfg.Account.Domain == "" {
		return sip.Uri{}, fmt.Errorf("target tel:%s needs an account with a domain", number)
	}
	user := strings.ReplaceAll(number, "#", "%23") + telParams(params)
	return sip.Uri{Scheme: "sip", User: user, Host: u.cfg.Account.Domain,
		UriParams: sip.HeaderParams{{K: "user", V: "phone"}}}, nil
}

// telParams gives the parameters that belong to a number, in the order that makes
// equal numbers equal: extension or subaddress, then the context (RFC 3966
// section 3, RFC 3261 section 19.1.6).
func telParams(params string) string {
	var own [3]string
	for p := range strings.SplitSeq(params, ";") {
		name, _, _ := strings.Cut(p, "=")
		if i := slices.Index([]string{"ext", "isub", "phone-context"}, strings.ToLower(name)); i >= 0 && strings.Trim(p, telParamChars) == "" {
			own[i] = ";" + strings.ToLower(p)
		}
	}
	return strings.Join(own[:], "")
}

// telParamChars may stand in the user part of a SIP URI as they are.
const telParamChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()=+"

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// way finds how a new request to uri goes: by the outbound proxy if there is
// one, by the registrar if the URI is of our domain, else straight there.
func (u *UA) way(uri sip.Uri, f func(hop, []sip.Uri, error)) {
	a := u.cfg.Account
	own := a.Domain != "" && strings.EqualFold(bareHost(uri.Host), bareHost(a.Domain)) && u.serverPort(uri)
	if a.Proxy != "" || own {
		u.atServer(func(h hop, err error) {
			if err == nil && uri.IsEncrypted() && h.network != "tls" {
				u.securely(uri, f)
				return
			}
			f(h, u.routes(h), err)
		})
		return
	}
	u.straight(uri, f)
}

// straight is the way to uri itself.
func (u *UA) straight(uri sip.Uri, f func(hop, []sip.Uri, error)) {
	u.locate(uri, func(h hop, err error) { f(h, nil, err) })
}

// serverPort reports whether a URI of our domain's host means the server there,
// and not a phone beside it on another port.
func (u *UA) serverPort(uri sip.Uri) bool {
	_, port := splitHostPort(u.cfg.Account.Registrar)
	if port == 0 {
		port = uint16(sip.DefaultPort(u.cfg.Account.Transport))
	}
	return uri.Port == 0 || uri.Port == int(port)
}

// routes are the Route of a new request by our server: the outbound proxy, and
// the way that the registrar gave us (RFC 3608 section 6.1).
func (u *UA) routes(h hop) []sip.Uri {
	var routes []sip.Uri
	for _, r := range u.reg.service {
		routes = append(routes, *r.Clone())
	}
	if u.cfg.Account.Proxy == "" {
		return routes
	}
	first := proxyRoute(h)
	if len(routes) > 0 && strings.EqualFold(bareHost(routes[0].Host), bareHost(first.Host)) {
		return routes
	}
	return append([]sip.Uri{first}, routes...)
}

// proxyRoute is the outbound proxy as its Route names it.
func proxyRoute(h hop) sip.Uri {
	route := h.route
	route.UriParams = sip.HeaderParams{{K: "lr"}}
	if h.network != "udp" {
		route.UriParams.Add("transport", h.network)
	}
	return route
}

// self is how we stand in From: our address of record, or our address.
func (u *UA) self() party {
	host := u.cfg.Account.Domain
	if host == "" {
		host = u.local.Addr().String()
	}
	display := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(u.cfg.Account.DisplayName)
	return party{display: display, uri: sip.Uri{Scheme: "sip", User: u.user(), Host: bareHost(host)}}
}
