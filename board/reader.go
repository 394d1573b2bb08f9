package board

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A reader takes JSON (RFC 8259) apart whose shape it knows. After the first
// error it stays where it is.
type reader struct {
	raw []byte
	at  int
	err error
}

// A value reads one value to where it belongs.
type value func(r *reader)

// A field is one key of an object, and its value.
type field struct {
	name string
	to   value
}

// object reads an object: each of these fields once or not at all, and nothing
// else.
func object(fields func() []field) value {
	return func(r *reader) {
		todo := fields()
		r.items('{', '}', func() {
			key := r.text()
			r.take(':')
			if r.err != nil {
				return
			}
			for i := range todo {
				f := todo[i]
				if f.name != key {
					continue
				}
				if todo[i].to = nil; f.to == nil {
					r.fail("field %q is given twice", key)
					return
				}
				r.within(key, f.to)
				return
			}
			r.fail("unknown field %q", key)
		})
	}
}

// list reads a list, each of whose items one reads.
func list[T any](to *[]T, one func(*T) value) value {
	return func(r *reader) {
		r.items('[', ']', func() {
			var item T
			one(&item)(r)
			*to = append(*to, item)
		})
	}
}

func text[T ~string](to *T) value { return func(r *reader) { *to = T(r.text()) } }

func duration(to *Duration) value {
	return func(r *reader) {
		s := r.text()
		if r.err == nil {
			r.err = to.UnmarshalText([]byte(s))
		}
	}
}

func number(to *int) value {
	return func(r *reader) {
		word := r.word()
		n, err := strconv.Atoi(word)
		if err != nil || strconv.Itoa(n) != word {
			r.fail("%q is no whole number", word)
		}
		*to = n
	}
}

func truth(to *bool) value {
	return func(r *reader) {
		switch word := r.word(); word {
		case "true", "false":
			*to = word == "true"
		default:
			r.fail("%q is neither true nor false", word)
		}
	}
}

// within names the field in which an error was.
func (r *reader) within(name string, v value) {
	if v(r); r.err != nil {
		r.err = fmt.Errorf("%s: %w", name, r.err)
	}
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// items reads what stands between two brackets, parted by commas.
func (r *reader) items(begin, end byte, item func()) {
	if r.take(begin); r.err != nil {
		return
	}
	if r.peek() == end {
		r.at++
		return
	}
	for r.err == nil {
		item()
		if r.err == nil && r.peek() == end {
			r.at++
			return
		}
		r.take(',')
	}
}

// peek is the next byte that is no white space; 0 at the end, or for a byte
// that cannot stand there.
func (r *reader) peek() byte {
	for r.at < len(r.raw) {
		switch c := r.raw[r.at]; c {
		case ' ', '\t', '\r', '\n':
			r.at++
		case 0:
			r.fail("a zero byte")
			return 0
		default:
			return c
		}
	}
	return 0
}

func (r *reader) take(c byte) {
	if got := r.peek(); got != c {
		r.fail("want %q, found %q", c, got)
		return
	}
	r.at++
}

// word reads a number, true or false.
func (r *reader) word() string {
	r.peek()
	from := r.at
	for r.at < len(r.raw) && bytes.IndexByte([]byte(" \t\r\n,]}:[{\""), r.raw[r.at]) < 0 {
		r.at++
	}
	return string(r.raw[from:r.at])
}

// text reads a string.
func (r *reader) text() string {
	if r.take('"'); r.err != nil {
		return ""
	}
	var b []byte
	for r.at < len(r.raw) {
		c := r.raw[r.at]
		r.at++
		switch {
		case c == '"':
			if !utf8.Valid(b) {
				r.fail("text that is not UTF-8")
			}
			return string(b)
		case c < ' ':
			r.fail("a control character in text")
			return ""
		case c == '\\':
			b = r.escape(b)
		default:
			b = append(b, c)
		}
	}
	r.fail("text without an end")
	return ""
}

// escapes are those of one character.
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

var errEscape = errors.New("malformed escape in text")

// escape reads what follows a backslash.
func (r *reader) escape(b []byte) []byte {
	if r.at >= len(r.raw) {
		return b
	}
	c := r.raw[r.at]
	r.at++
	if plain, ok := escapes[c]; ok {
		return append(b, plain)
	}
	if c != 'u' {
		r.fail("%w", errEscape)
		return b
	}
	char := r.hex()
	if utf16.IsSurrogate(char) && bytes.HasPrefix(r.raw[r.at:], []byte(`\u`)) {
		r.at += 2
		char = utf16.DecodeRune(char, r.hex())
	}
	if utf16.IsSurrogate(char) || char == utf8.RuneError {
		r.fail("%w", errEscape)
	}
	return utf8.AppendRune(b, char)
}

// hex reads four hexadecimal digits.
func (r *reader) hex() rune {
	end := min(r.at+4, len(r.raw))
	n, err := strconv.ParseUint(string(r.raw[r.at:end]), 16, 16)
	if err != nil || end-r.at != 4 {
		r.fail("%w", errEscape)
	}
	r.at = end
	return rune(n)
}

// line is the line of the file in which the reader is.
func (r *reader) line() int { return 1 + bytes.Count(r.raw[:r.at], []byte("\n")) }
