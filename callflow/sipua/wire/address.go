package wire

import "strings"

// plainAddress reads one value of From, To, Contact, Route or Record-Route, a
// name-addr or an addr-spec with its parameters (RFC 3261 section 20.10), and
// writes it without needless spaces.
func plainAddress(s string) (plain, why string) {
	display, rest := "", s
	if strings.HasPrefix(s, `"`) {
		n := quoted(s)
		if n == 0 {
			return "", "Unbalanced Quotes"
		}
		display, rest = s[:n], trim(s[n:])
		if !strings.HasPrefix(rest, "<") {
			return "", "Malformed Address"
		}
	}
	open := strings.IndexByte(rest, '<')
	if open < 0 {
		return plainSpec(rest)
	}
	if display == "" {
		words := strings.Fields(rest[:open])
		for _, w := range words {
			if !IsToken(w) {
				return "", "Malformed Display Name"
			}
		}
		display = strings.Join(words, " ")
	}
	uri, tail, found := strings.Cut(rest[open+1:], ">")
	if !found {
		return "", "Malformed Address"
	}
	return plainNamed(display, uri, trim(tail))
}

func plainNamed(display, uri, tail string) (plain, why string) {
	if why = checkURI(uri); why != "" {
		return "", why
	}
	if tail != "" && tail[0] != ';' {
		return "", "Malformed Address"
	}
	params, why := plainParams(strings.TrimPrefix(tail, ";"))
	if why == "" && tail == ";" {
		why = "Malformed Parameter"
	}
	if display != "" {
		display += " "
	}
	return display + "<" + uri + ">" + params, why
}

// plainSpec reads an address without angle brackets: parameters are the field's,
// and a comma or a question mark must not be in it. It is written with brackets.
func plainSpec(s string) (plain, why string) {
	uri, tail, found := strings.Cut(s, ";")
	uri = trim(uri)
	if strings.ContainsAny(uri, ",?") {
		return "", "Address Without Angle Brackets"
	}
	if found {
		tail = ";" + tail
	}
	return plainNamed("", uri, tail)
}

// plainAddresses reads a list of addresses; "*" stands for itself.
func plainAddresses(line string) (plain, why string) {
	if line == "*" {
		return line, ""
	}
	var all []string
	for _, one := range list(line, ',') {
		p, why := plainAddress(one)
		if why != "" {
			return "", why
		}
		all = append(all, p)
	}
	return strings.Join(all, ", "), ""
}

// cookie begins the branch of every element of RFC 3261 (section 8.1.1.7).
const cookie = "z9hG4bK"

// plainVias reads a Via line (RFC 3261 section 20.42).
func plainVias(line string) (plain, why string) {
	var all []string
	for _, one := range list(line, ',') {
		p, why := plainVia(one)
		if why != "" {
			return "", why
		}
		all = append(all, p)
	}
	return strings.Join(all, ", "), ""
}

func plainVia(s string) (plain, why string) {
	sent, tail, found := strings.Cut(s, ";")
	parts := strings.SplitN(sent, "/", 3)
	if len(parts) != 3 {
		return "", "Malformed Via"
	}
	transport, by, _ := strings.Cut(strings.ReplaceAll(trim(parts[2]), "\t", " "), " ")
	by = plainSentBy(by)
	if !strings.EqualFold(trim(parts[0]), "SIP") || trim(parts[1]) != "2.0" || !IsToken(transport) || !isHostPort(by) {
		return "", "Malformed Via"
	}
	params, why := plainParams(tail)
	if why != "" || found && params == "" {
		return "", "Malformed Via"
	}
	if branch := paramOf(params, "branch"); strings.EqualFold(branch, cookie) {
		return "", "Empty Branch"
	}
	return "SIP/2.0/" + strings.ToUpper(transport) + " " + by + params, ""
}

// plainSentBy takes the spaces around the colon out of "host : port".
func plainSentBy(s string) string {
	s = trim(s)
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		return trim(s[:i]) + ":" + trim(s[i+1:])
	}
	return s
}

// paramOf gives the value of a parameter of plain ones.
func paramOf(params, name string) string {
	for _, p := range list(params, ';') {
		if n, v, _ := cutTop(p, '='); strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}
