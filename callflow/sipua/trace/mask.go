package trace

import (
	"bytes"
	"slices"
	"strings"
)

// Mask gives a copy of a message whose secrets are made unreadable, letter by
// letter, so that lengths stay: what proves a password, the keys of SRTP and
// ICE, and the digits of codes.
func Mask(text []byte) []byte {
	text = bytes.Clone(text)
	end := bytes.Index(text, []byte("\r\n\r\n"))
	if end < 0 {
		end = len(text)
	}
	head, body := text[:end], text[end:]
	digits := maskHead(head)
	maskBody(body, digits)
	return text
}

// maskHead masks the fields, and says whether the body has digits.
func maskHead(head []byte) (digits bool) {
	for len(head) > 0 {
		n := fieldLength(head)
		name, value, _ := bytes.Cut(head[:n], []byte(":"))
		switch strings.ToLower(string(bytes.TrimSpace(name))) {
		case "authorization", "proxy-authorization":
			maskCredentials(afterDigest(value))
		case "authentication-info", "proxy-authentication-info":
			maskCredentials(value)
		case "content-type", "c":
			digits = digits || bytes.Contains(bytes.ToLower(value), []byte("dtmf"))
		}
		head = head[n:]
	}
	return digits
}

// fieldLength is the length of the first line with those that go on from it.
func fieldLength(head []byte) int {
	for i, c := range head {
		if c == '\n' && (i+1 == len(head) || head[i+1] != ' ' && head[i+1] != '\t') {
			return i + 1
		}
	}
	return len(head)
}

// afterDigest gives the parameters of Digest credentials; of all other schemes
// it masks what follows, and gives nothing.
func afterDigest(value []byte) []byte {
	rest := bytes.TrimLeft(value, " \t\r\n")
	n := bytes.IndexAny(rest, " \t\r\n")
	if n < 0 {
		return nil
	}
	if strings.EqualFold(string(rest[:n]), "Digest") {
		return rest[n:]
	}
	overwrite(rest[n:])
	return nil
}

// open are the parameters of credentials that prove nothing.
var open = []string{"username", "realm", "nonce", "uri", "algorithm", "opaque", "qop", "nc", "cnonce", "nextnonce"}

// maskCredentials leaves the parameters that prove nothing, and no others.
func maskCredentials(value []byte) {
	for len(value) > 0 {
		n := nextComma(value)
		name, secret, _ := bytes.Cut(value[:n], []byte("="))
		if !slices.Contains(open, strings.ToLower(string(bytes.TrimSpace(name)))) {
			overwrite(secret)
		}
		value = value[min(len(value), n+1):]
	}
}

// nextComma is the length of the first parameter; commas in quotes do not count.
func nextComma(value []byte) int {
	quoted := false
	for i, c := range value {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return i
		}
	}
	return len(value)
}

// keyLines begin the lines of a description that hold keys (RFC 4568, RFC 8839,
// RFC 8866 section 5.12, RFC 4567).
var keyLines = [][]byte{[]byte("a=crypto:"), []byte("a=ice-pwd:"), []byte("k="), []byte("a=key-mgmt:")}

func maskBody(body []byte, digits bool) {
	for line := range bytes.SplitAfterSeq(body, []byte("\n")) {
		for _, key := range keyLines {
			if len(line) > len(key) && bytes.EqualFold(line[:len(key)], key) {
				overwrite(line[secretOf(lowered(line), len(key)):])
			}
		}
		if !digits {
			continue
		}
		name, value, found := bytes.Cut(line, []byte("="))
		switch {
		case !found:
			overwrite(line)
		case !strings.EqualFold(string(bytes.TrimSpace(name)), "duration"):
			overwrite(value)
		}
	}
}

// lowered is ASCII in lower case, of the same length whatever b holds.
func lowered(b []byte) string {
	low := bytes.Clone(b)
	for i, c := range low {
		if c >= 'A' && c <= 'Z' {
			low[i] = c + 'a' - 'A'
		}
	}
	return string(low)
}

// secretOf is where the secret of a key line begins: after "inline:" where it
// has that, so that the suite stays readable.
func secretOf(lower string, from int) int {
	if i := strings.Index(lower, "inline:"); i >= 0 {
		return i + len("inline:")
	}
	return from
}

// overwrite leaves line ends, spaces and quotes, so that the message stays one.
func overwrite(b []byte) {
	for i, c := range b {
		switch c {
		case '\r', '\n', ' ', '\t', '"':
		default:
			b[i] = 'x'
		}
	}
}
