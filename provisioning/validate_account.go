package provisioning

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
)

// Used reports whether an account is configured at all.
func (a *Account) Used() bool {
	return a.User != "" || a.Domain != "" || a.Registrar != "" || a.Proxy != "" || a.Password != "" || len(a.Servers) > 0
}

func (v *validator) accounts() {
	if v.doc.Account.Used() || !v.allDirect() {
		v.account("account", &v.doc.Account)
	}
	if v.doc.Standby.Used() {
		v.account("standby", &v.doc.Standby)
		if !v.doc.Account.Used() {
			v.add("standby.user", v.doc.Standby.User, "there is no account that it could stand by for; call it account")
		}
	}
}

func (v *validator) account(at string, a *Account) {
	v.required(at+".user", a.User)
	v.user(at+".user", a.User)
	v.required(at+".domain", a.Domain)
	v.host(at+".domain", a.Domain, false)
	v.host(at+".registrar", a.Registrar, true)
	v.host(at+".proxy", a.Proxy, true)
	for i, server := range a.Servers {
		v.required(fmt.Sprintf("%s.servers[%d]", at, i), server)
		v.host(fmt.Sprintf("%s.servers[%d]", at, i), server, true)
	}
	v.unique(at+".servers", a.Servers)
	v.oneOf(at+".transport", a.Transport, lineWays)
	v.oneOf(at+".digest", a.Digest, digests)
	v.lasting(at+".expires", a.Expires)
	v.lasting(at+".keepalive", a.Keepalive)
	v.lasting(at+".spread", a.Spread)
	v.file(at+".ca_file", a.CAFile)
	v.file(at+".cert_file", a.CertFile)
	v.file(at+".key_file", a.KeyFile)
	if (a.CertFile == "") != (a.KeyFile == "") {
		v.add(at+".cert_file", a.CertFile, "cert_file and key_file go together; one of them is missing")
	}
	if sum, err := base64.StdEncoding.DecodeString(a.Pin); a.Pin != "" && (err != nil || len(sum) != sha256.Size) {
		v.add(at+".pin", a.Pin, fmt.Sprintf("must be the base64 of a SHA-256, which has %d bytes", sha256.Size))
	}
}

// allDirect reports whether every phone can be rung without a registrar. A
// document without flats has nobody to ring, and an account to be called by.
func (v *validator) allDirect() bool {
	if len(v.doc.Flats) == 0 {
		return false
	}
	for i := range v.doc.Flats {
		for _, st := range v.doc.Flats[i].Stages {
			for _, t := range st.Targets {
				if !isDirect(t.URI) {
					return false
				}
			}
		}
	}
	return true
}

// isDirect reports whether a URI names a phone by its IP address.
func isDirect(uri string) bool {
	scheme, rest, _ := strings.Cut(uri, ":")
	if scheme = strings.ToLower(scheme); scheme != "sip" && scheme != "sips" {
		return false
	}
	rest, _, _ = strings.Cut(rest, ";")
	host, _, ok := cutPort(rest[strings.LastIndexByte(rest, '@')+1:])
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return ok && err == nil
}

// direct checks the phones of the last resort.
func (v *validator) direct(path string, uris []string) {
	for i, uri := range uris {
		at := fmt.Sprintf("%s[%d]", path, i)
		v.uri(at, uri)
		if uriFault(uri) == "" && !isDirect(uri) {
			v.add(at, uri, "must have an IP address behind the @: it is rung when no server and no DNS answers, such as sip:monitor@192.0.2.40")
		}
	}
	v.unique(path, uris)
}
