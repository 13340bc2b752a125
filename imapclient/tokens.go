package imapclient

import (
	"bytes"
	"strings"
)

// rest returns what is left of the line.
func (r *response) rest() []byte { return r.line[r.pos:] }

// peek returns the next octet of the line, or 0 at its end.
func (r *response) peek() byte {
	if r.pos < len(r.line) {
		return r.line[r.pos]
	}
	return 0
}

// space passes over spaces, of which some servers send more than one.
func (r *response) space() {
	for r.peek() == ' ' {
		r.pos++
	}
}

// take passes over ch, if it is next.
func (r *response) take(ch byte) bool {
	if r.peek() != ch {
		return false
	}
	r.pos++
	return true
}

// token returns the octets up to a space or a parenthesis, possibly none,
// valid until the next line is loaded.
func (r *response) token() []byte {
	start := r.pos
	for r.pos < len(r.line) {
		switch r.line[r.pos] {
		case ' ', '(', ')':
			return r.line[start:r.pos]
		}
		r.pos++
	}
	return r.line[start:]
}

// word returns the next token in upper case, and passes over spaces around it.
func (r *response) word() string {
	r.space()
	t := r.token()
	r.space()
	const longest = 64
	if len(t) > longest {
		return ""
	}
	return strings.ToUpper(string(t))
}

// isWord passes over the next token, and spaces around it, if it is s in some
// case.
func (r *response) isWord(s string) bool {
	at := r.pos
	r.space()
	if !fold(r.token(), s) {
		r.pos = at
		return false
	}
	r.space()
	return true
}

// number returns the next token as a number.
func (r *response) number(bits int) (uint64, error) {
	r.space()
	n, err := parseUint(r.token(), bits)
	if err != nil {
		return 0, errSyntax
	}
	return n, nil
}

func parseUint(b []byte, bits int) (uint64, error) {
	if len(b) == 0 || len(b) > 20 {
		return 0, errSyntax
	}
	var n uint64
	for _, ch := range b {
		d := uint64(ch - '0')
		if ch < '0' || ch > '9' || n > (1<<64-1-d)/10 {
			return 0, errSyntax
		}
		n = n*10 + d
	}
	if bits < 64 && n >= 1<<bits {
		return 0, errSyntax
	}
	return n, nil
}

// atLiteral tells whether a literal is next.
func (r *response) atLiteral() bool {
	return r.literal >= 0 && (r.peek() == '{' || r.peek() == '~' && r.pos+1 < len(r.line) && r.line[r.pos+1] == '{') &&
		bytes.LastIndexByte(r.line, '{') <= r.pos+1 // found near the end
}

// str reads a string: quoted, literal, or an atom where a server forgot the
// quotes. isNil tells NIL from "NIL". The result is valid until the next line
// is loaded.
func (r *response) str() (s []byte, isNil bool, err error) {
	switch {
	case r.peek() == '"':
		s, err = r.quoted()
		return s, false, err
	case r.atLiteral():
		s, err = r.smallLiteral()
		return s, false, err
	}
	s = r.token()
	if len(s) == 0 {
		return nil, false, errSyntax
	}
	return s, len(s) == 3 && strings.EqualFold(string(s), "NIL"), nil
}

// quoted reads a quoted string. RFC 9051 section 9: only \ and " are escaped.
func (r *response) quoted() ([]byte, error) {
	start := r.pos + 1
	var unescaped []byte
	for i := start; i < len(r.line); i++ {
		switch r.line[i] {
		case '"':
			s := r.line[start:i]
			if unescaped != nil {
				s = append(unescaped, s...)
			}
			r.pos = i + 1
			return s, nil
		case '\\':
			unescaped = append(unescaped, r.line[start:i]...)
			i++
			start = i // the octet after the backslash stands for itself
		}
	}
	return nil, errSyntax
}

// skip passes over one value: an atom, a string, or a list of any nesting.
func (r *response) skip() error {
	for depth := 0; ; {
		r.space()
		switch ch := r.peek(); {
		case ch == '(':
			r.pos++
			if depth++; depth > maxDepth {
				return errSyntax
			}
			continue
		case ch == ')':
			if depth == 0 {
				return errSyntax
			}
			r.pos++
			depth--
		default:
			if _, _, err := r.str(); err != nil {
				return err
			}
		}
		if depth == 0 {
			return nil
		}
	}
}
