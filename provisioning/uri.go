package provisioning

import (
	"net/netip"
	"strconv"
	"strings"
)

const (
	alphanum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	marks    = "-_.!~*'()" // RFC 3261 section 25.1
	// userChars are unreserved and user-unreserved; escapes are checked apart.
	userChars = alphanum + marks + "&=+$,;?/%"
	// paramChars are unreserved and param-unreserved, with the signs between parameters.
	paramChars = alphanum + marks + "[]/:&+$%=;"
	// telChars are phonedigit and local dialling signs (RFC 3966 section 3).
	telChars = "0123456789-.()*#ABCDabcd"
)

// uri checks an address that the panel calls or is called from.
func (v *validator) uri(path, s string) {
	reason := uriFault(s)
	if reason == "" {
		return
	}
	if reason == passwordInURI {
		s = ""
	}
	v.add(path, s, reason)
}

const (
	passwordInURI = "a password in an address is not allowed, because addresses are shown and sent"
	noURI         = `must be an address such as "sip:101@pbx.example", "sips:..." or "tel:+49301234567"`
)

// uriFault says what is wrong with a sip, sips (RFC 3261 section 19.1) or tel
// (RFC 3966) URI; empty: nothing.
func uriFault(s string) string {
	if strings.ContainsAny(s, " \t\r\n<>\"") {
		return noURI + ", without spaces, quotes and angle brackets"
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok {
		return noURI
	}
	switch strings.ToLower(scheme) {
	case "sip", "sips":
		return sipFault(rest)
	case "tel":
		return telFault(rest)
	}
	return noURI
}

func sipFault(rest string) string {
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user := rest[:at]
		rest = rest[at+1:]
		if strings.Contains(user, ":") {
			return passwordInURI
		}
		if user == "" || !allOf(user, userChars) || !escapesHold(user) {
			return noURI + "; the part before the @ has a sign that must be escaped"
		}
	}
	if strings.Contains(rest, "?") {
		return "header fields (?...) are not allowed in the address of a call"
	}
	hostport, params, _ := strings.Cut(rest, ";")
	host, port, ok := cutPort(hostport)
	if !ok || !validHost(host) {
		return noURI + "; the host is missing or no host name"
	}
	if port != "" && (!validPort(port) || port == "0") {
		return "the port of an address must be 1 to 65535"
	}
	if !allOf(params, paramChars) || !escapesHold(params) {
		return noURI + "; its parameters have a sign that must be escaped"
	}
	return ""
}

func telFault(rest string) string {
	number, params, _ := strings.Cut(rest, ";")
	digits := strings.TrimPrefix(number, "+")
	if !strings.ContainsAny(digits, "0123456789*#") || !allOf(digits, telChars) {
		return noURI + "; a number has digits, and may have + in front and - . ( ) between"
	}
	if !allOf(params, paramChars) || !escapesHold(params) {
		return noURI + "; its parameters have a sign that must be escaped"
	}
	return ""
}

// allOf says whether s has only characters of set.
func allOf(s, set string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(set, r) })
}

// escapesHold says whether every % begins an escape of two hex digits.
func escapesHold(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if i+2 >= len(s) {
			return false
		}
		if _, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err != nil {
			return false
		}
	}
	return true
}

// cutPort splits "host:port" and "[v6]:port"; the brackets stay with the host.
func cutPort(s string) (host, port string, ok bool) {
	rest := s
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", false
		}
		host, rest = s[:end+1], s[end+1:]
		if rest == "" {
			return host, "", true
		}
		if rest[0] != ':' {
			return "", "", false
		}
		return host, rest[1:], rest != ":"
	}
	host, port, found := strings.Cut(rest, ":")
	return host, port, !found || port != "" && !strings.Contains(port, ":")
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == s
}

// validHost takes IPv4, "[IPv6]" and host names (RFC 1123 section 2.1), which
// may have underscores as many local networks do.
func validHost(s string) bool {
	if inside, ok := strings.CutPrefix(s, "["); ok {
		a, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		return err == nil && a.Is6() && a.Zone() == "" && strings.HasSuffix(s, "]")
	}
	if s == "" || len(s) > 253 {
		return false
	}
	if allOf(s, "0123456789.") {
		_, err := netip.ParseAddr(s)
		return err == nil
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || !allOf(label, alphanum+"-_") {
			return false
		}
	}
	return true
}
