package wire

import (
	"net/netip"
	"strconv"
	"strings"
)

// IsToken reports whether s is a token (RFC 3261 section 25.1).
func IsToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !isTokenRune(r) }) < 0
}

func isTokenRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r < 0x80 && strings.ContainsRune("-.!%*_+`'~", r)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// number reads digits of any length, up to most.
func number(s string, most uint64) (uint64, bool) {
	if !isDigits(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= most
}

// quoted gives the length of the quoted string that s begins with, 0 if its
// closing quote is missing.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// cutTop cuts s at the first sep that is in no quotes and no angle brackets.
func cutTop(s string, sep byte) (before, after string, found bool) {
	angle := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			n := quoted(s[i:])
			if n == 0 {
				return s, "", false
			}
			i += n - 1
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == sep && !angle:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// list cuts s at all such separators. An empty s has no value.
func list(s string, sep byte) []string {
	var all []string
	for more := true; more; {
		var one string
		one, s, more = cutTop(s, sep)
		all = append(all, trim(one))
	}
	return all
}

// plainParams reads ";name=value" parameters, and writes them without spaces.
func plainParams(s string) (string, string) {
	if trim(s) == "" {
		return "", ""
	}
	var b strings.Builder
	for _, p := range list(s, ';') {
		name, value, found := cutTop(p, '=')
		name, value = trim(name), trim(value)
		if !IsToken(name) || found && !isParamValue(value) {
			return "", "Malformed Parameter"
		}
		b.WriteString(";" + name)
		if found {
			b.WriteString("=" + value)
		}
	}
	return b.String(), ""
}

// isParamValue reports whether s is a token, a host or a quoted string.
func isParamValue(s string) bool {
	if strings.HasPrefix(s, `"`) {
		return quoted(s) == len(s)
	}
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !isTokenRune(r) && !strings.ContainsRune("[]:/@", r) }) < 0
}

// hasParam reports whether a field value has a parameter of its own.
func hasParam(value, name string) bool {
	_, params, _ := cutTop(value, ';')
	for _, p := range list(params, ';') {
		n, _, _ := cutTop(p, '=')
		if strings.EqualFold(trim(n), name) {
			return true
		}
	}
	return false
}

func dropParam(value, name string) string {
	first, params, _ := cutTop(value, ';')
	for _, p := range list(params, ';') {
		if n, _, _ := cutTop(p, '='); !strings.EqualFold(trim(n), name) && p != "" {
			first += ";" + p
		}
	}
	return first
}

// checkURI says what is wrong with a URI: white space or delimiters in any, the
// authority of those that are ours to understand (RFC 3261 section 19.1).
func checkURI(uri string) (why string) {
	scheme, _, found := strings.Cut(uri, ":")
	switch {
	case !found || !isScheme(scheme):
		return "Malformed URI"
	case strings.IndexFunc(uri, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("<>\"", r) }) >= 0:
		return "Malformed URI"
	}
	if hostPort, ok := sipHost(uri); ok && !isHostPort(uptoAny(hostPort, ";?")) {
		return "Malformed Host in URI"
	}
	return ""
}

func isScheme(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !isTokenRune(r) || strings.ContainsRune("!%*_`'~", r) }) < 0
}

// sipHost gives what follows the user of a SIP or SIPS URI.
func sipHost(uri string) (string, bool) {
	scheme, rest, _ := strings.Cut(uri, ":")
	if !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
		return "", false
	}
	return rest[strings.LastIndexByte(rest, '@')+1:], true
}

func uptoAny(s, stops string) string {
	if i := strings.IndexAny(s, stops); i >= 0 {
		return s[:i]
	}
	return s
}

// isHostPort reports whether s is a host name, an IPv4 address or an IPv6
// reference, with a port or without.
func isHostPort(s string) bool {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		a, err := netip.ParseAddr(bearThirdColon(s[1:end]))
		if err != nil || !a.Is6() || a.Zone() != "" {
			return false
		}
		host, port = "x", s[end+1:]
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i:]
	}
	if port != "" {
		if _, ok := number(port[1:], 65535); port[0] != ':' || !ok {
			return false
		}
	}
	return isHostName(host)
}

// bearThirdColon takes out the colon that the grammar of RFC 3261 allows too many
// before an IPv4 address (RFC 5118 section 4.10).
func bearThirdColon(s string) string {
	if before, v4, found := strings.Cut(s, ":::"); found && strings.Contains(v4, ".") {
		return before + "::" + v4
	}
	return s
}

func isHostName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) < 0
}
