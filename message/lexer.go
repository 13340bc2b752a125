package message

import "strings"

// token is a piece of an address list. Its kind is one of
//
//	'a'          a word, encoded or not, which may hold an @
//	'"'          a quoted string; text is what is quoted
//	'('          a comment; text is what is in it
//	'<'          angle brackets; text is what is between them
//	',' ';' ':'  themselves
//	0            the end
type token struct {
	kind  byte
	text  string
	space bool // white space or a comment is before it
}

// lexer takes tokens off the front of s. A bracket or quote without an end is
// passed over. Each octet is looked at a bounded number of times: once a kind
// of end has not been found, it is not looked for again.
type lexer struct {
	s       string
	inAngle bool // what s is is between angle brackets
	peeked  *token

	noQuote, noParen bool
}

// peek returns the kind of the next token.
func (l *lexer) peek() byte {
	if l.peeked == nil {
		t := l.next()
		l.peeked = &t
	}
	return l.peeked.kind
}

func (l *lexer) next() token {
	if t := l.peeked; t != nil {
		l.peeked = nil
		return *t
	}
	space := false
	for l.s != "" {
		c := l.s[0]
		t := token{kind: c, space: space}
		switch c {
		case ' ', '\t', '\r', '\n':
			l.s = l.s[1:]
			space = true
			continue
		case ',', ';', ':':
			l.s = l.s[1:]
			return t
		case '"':
			if text, n, ok := l.quoted(); ok {
				t.text, l.s = text, l.s[n:]
				return t
			}
			l.noQuote = true
		case '(':
			if text, n, ok := l.comment(); ok {
				t.text, l.s = text, l.s[n:]
				return t
			}
			l.noParen = true
		case '<':
			if !l.inAngle {
				t.text = l.angle()
				return t
			}
		}
		if word := l.word(); word != "" {
			return token{kind: 'a', text: word, space: space}
		}
		l.s = l.s[1:] // a special character where it does not belong
	}
	return token{}
}

// quoted returns what is between quotes, and the length with them.
func (l *lexer) quoted() (text string, n int, ok bool) {
	if l.noQuote {
		return "", 0, false
	}
	var b strings.Builder
	for i := 1; i < len(l.s); i++ {
		switch c := l.s[i]; {
		case c == '"':
			return b.String(), i + 1, true
		case c == '\\' && i+1 < len(l.s):
			i++
			b.WriteByte(l.s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, false
}

// comment returns what is between parentheses, which nest.
func (l *lexer) comment() (text string, n int, ok bool) {
	if l.noParen {
		return "", 0, false
	}
	var b strings.Builder
	depth := 0
	for i := 0; i < len(l.s); i++ {
		c := l.s[i]
		switch c {
		case '(':
			if depth++; depth == 1 {
				continue
			}
		case ')':
			if depth--; depth == 0 {
				return b.String(), i + 1, true
			}
		case '\\':
			if i+1 < len(l.s) {
				i++
				c = l.s[i]
			}
		}
		b.WriteByte(c)
	}
	return "", 0, false
}

// angle takes what is between angle brackets. Where the second is missing, it
// ends at the next that opens or at a separator.
func (l *lexer) angle() string {
	quoted, sep := false, 0
	for i := 1; i < len(l.s); i++ {
		switch c := l.s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"' && !l.noQuote:
			quoted = !quoted
		case quoted:
		case c == '>':
			text := l.s[1:i]
			l.s = l.s[i+1:]
			return text
		case c == '<':
			return l.cut(i, sep)
		case (c == ',' || c == ';') && sep == 0:
			sep = i
		}
	}
	return l.cut(len(l.s), sep)
}

// cut takes what is before the separator, or before end if there is none.
func (l *lexer) cut(end, sep int) string {
	if sep > 0 {
		end = sep
	}
	text := l.s[1:end]
	l.s = l.s[end:]
	return text
}

const maxLiteral = 100 // octets; the longest address of IPv6 takes half

// word takes a word. An encoded word is one, whatever is in it.
func (l *lexer) word() string {
	i := 0
	for i < len(l.s) {
		c := l.s[i]
		if c == '=' && strings.HasPrefix(l.s[i:], "=?") {
			if w, ok := parseWord(l.s[i:]); ok {
				i += w.length
				continue
			}
		}
		if c == '[' && i > 0 && l.s[i-1] == '@' {
			if n := strings.IndexAny(l.s[i:min(len(l.s), i+maxLiteral)], "] ,;<>"); n > 0 && l.s[i+n] == ']' {
				i += n + 1 // a domain literal
				continue
			}
		}
		if strings.IndexByte(" \t\r\n,;:\"()<>", c) >= 0 {
			break
		}
		i++
	}
	word := l.s[:i]
	l.s = l.s[i:]
	return word
}
