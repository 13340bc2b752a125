package message

import "strings"

// paramLexer takes parameters off the front of s, in one pass.
type paramLexer struct {
	s      string
	bad    bool
	known  bool // behind is: a semicolon is looked for once
	behind int  // octets from the next semicolon on
}

// semicolon returns where the next one is, or the end.
func (l *paramLexer) semicolon() int {
	if !l.known || len(l.s) < l.behind {
		l.known, l.behind = true, 0
		if i := strings.IndexByte(l.s, ';'); i >= 0 {
			l.behind = len(l.s) - i
		}
	}
	return len(l.s) - l.behind
}

// space passes over white space and comments.
func (l *paramLexer) space() {
	for l.s != "" {
		switch l.s[0] {
		case ' ', '\t', '\r', '\n':
			l.s = l.s[1:]
		case '(':
			lex := lexer{s: l.s}
			_, n, ok := lex.comment()
			if !ok {
				n = len(l.s)
				l.bad = true
			}
			l.s = l.s[n:]
		default:
			return
		}
	}
}

// word takes what is before the parameters: text/plain.
func (l *paramLexer) word() string {
	l.space()
	l.s = strings.TrimLeft(l.s, "\"'")
	i := strings.IndexAny(l.s, "; \t\r\n(\"'=")
	if i < 0 {
		i = len(l.s)
	}
	if i < len(l.s) && l.s[i] == '=' { // a parameter already
		return ""
	}
	w := l.s[:i]
	l.s = l.s[i:]
	// text / plain
	for rest := strings.TrimLeft(l.s, " \t"); rest != "" && (rest[0] == '/' || strings.HasSuffix(w, "/")) && rest[0] != ';'; rest = strings.TrimLeft(l.s, " \t") {
		i := strings.IndexAny(rest, "; \t(\"=")
		if i < 0 {
			i = len(rest)
		}
		if i == 0 {
			break
		}
		w += rest[:i]
		l.s = rest[i:]
		l.bad = true
	}
	l.s = strings.TrimLeft(l.s, "\"'")
	return strings.ToLower(w)
}

// next takes the next parameter.
func (l *paramLexer) next() (parameter, bool) {
	for {
		l.space()
		if l.s == "" {
			return parameter{}, false
		}
		if l.s[0] == ';' || l.s[0] == ',' {
			l.s = l.s[1:]
			continue
		}
		i := strings.IndexAny(l.s, "=;")
		if i < 0 {
			l.bad, l.s = true, ""
			return parameter{}, false
		}
		name := strings.TrimSpace(l.s[:i])
		sep := l.s[i]
		l.s = l.s[i+1:]
		if j := strings.LastIndexAny(name, " \t"); j >= 0 {
			l.bad, name = true, name[j+1:] // words before it mean nothing
		}
		if sep == ';' || name == "" {
			l.bad = true
			continue
		}
		return newParameter(name, l.value()), true
	}
}

func (l *paramLexer) value() string {
	l.s = strings.TrimLeft(l.s, " \t\r\n")
	if l.s != "" && l.s[0] == '"' {
		return l.quoted()
	}
	i := l.semicolon()
	v := l.s[:i]
	if space := strings.IndexAny(v, " \t("); space >= 0 {
		if !strings.HasPrefix(v, "=?") {
			if eq := nextParameter(v[space:]); eq >= 0 {
				i = space + eq
				v = v[:i]
			}
		}
		if trimmed := strings.TrimRight(v, " \t\r\n"); strings.ContainsAny(trimmed, " \t") {
			l.bad = true
			v = trimmed
		}
		if c := strings.IndexByte(v, '('); c > 0 && strings.HasSuffix(strings.TrimSpace(v), ")") && (v[c-1] == ' ' || v[c-1] == '\t') {
			v = v[:c] // a comment
		}
	}
	l.s = l.s[i:]
	return strings.TrimSpace(v)
}

// nextParameter returns where in v another parameter begins: white space, a
// name, an equals sign. The semicolon before it is missing.
func nextParameter(v string) int {
	eq := strings.IndexByte(v, '=')
	if eq < 0 {
		return -1
	}
	head := strings.TrimRight(v[:eq], " \t")
	start := strings.LastIndexAny(head, " \t")
	if start < 0 || head[start+1:] == "" || strings.ContainsAny(head[start+1:], `"?()<>@,\/[]`) || eq+1 < len(v) && v[eq+1] == '?' {
		return -1
	}
	return start
}

// quoted takes a quoted string. In one without an end, the value ends at a
// semicolon. A backslash is itself before what needs none: C:\temp.
func (l *paramLexer) quoted() string {
	if i := strings.IndexAny(l.s[1:], `"\\`); i >= 0 && l.s[1+i] == '"' {
		v := l.s[1 : 1+i]
		l.s = l.s[2+i:]
		return v
	}
	var b strings.Builder
	for i := 1; i < len(l.s); i++ {
		switch c := l.s[i]; {
		case c == '"':
			l.s = l.s[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(l.s) && (l.s[i+1] == '"' || l.s[i+1] == '\\'):
			i++
			b.WriteByte(l.s[i])
		default:
			b.WriteByte(c)
		}
	}
	l.bad = true
	v, rest, _ := strings.Cut(l.s[1:], ";")
	l.s = rest
	return strings.TrimSpace(v)
}
