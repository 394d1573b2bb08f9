package sipua

import "testing"

// rfc5118 are all messages of RFC 5118.
var rfc5118 = []torture{
	{"ipv6-good", 405, "", "section 4.1: an IPv6 reference; we are no registrar"},
	{"ipv6-bad", 400, "", "section 4.2: an IPv6 address without brackets"},
	{"port-ambiguous", 405, "", "section 4.3: what looks like a port is of the address"},
	{"port-unambiguous", 405, "", "section 4.4: a port after the bracket"},
	{"via-received-param-with-delim", 481, "", "section 4.5: received in brackets"},
	{"via-received-param-no-delim", 200, "", "section 4.5: received without brackets"},
	{"ipv6-in-sdp", 180, "", "section 4.6: IPv6 in the description"},
	{"mult-ip-in-header", 481, "", "section 4.7: addresses of both families in Via"},
	{"mult-ip-in-sdp", 180, "", "section 4.8: addresses of both families in the description"},
	{"ipv4-mapped-ipv6", 180, "", "section 4.9: IPv4-mapped addresses"},
	{"ipv6-bug-abnf-3-colons", 200, "", "section 4.10: the third colon of the old grammar is borne"},
	{"ipv6-correct-abnf-2-colons", 200, "", "section 4.10: as it should be"},
}

func TestRFC5118(t *testing.T) {
	tortureAll(t, "rfc5118", rfc5118, []string{"sip:user@example.com", "sip:user@east.example.com"})
}
