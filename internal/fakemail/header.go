package fakemail

import (
	"bytes"
	"mime"
	"strings"
)

// headerEnd returns where the body begins: after the first empty line, or at
// the end. Lines end in LF, mostly after CR.
func headerEnd(data []byte) int {
	for start := 0; start < len(data); {
		n := bytes.IndexByte(data[start:], '\n')
		if n < 0 {
			break
		}
		end := start + n + 1
		if n == 0 || n == 1 && data[start] == '\r' {
			return end
		}
		start = end
	}
	return len(data)
}

// eachField calls f with the name of each header field and the whole of it,
// folded lines and line ends included, until f returns false.
func eachField(header []byte, f func(name string, raw []byte) bool) {
	for len(header) > 0 {
		end := 0
		for {
			n := bytes.IndexByte(header[end:], '\n')
			if n < 0 {
				end = len(header)
				break
			}
			if end += n + 1; end == len(header) || header[end] != ' ' && header[end] != '\t' {
				break
			}
		}
		raw := header[:end]
		header = header[end:]
		if len(bytes.TrimRight(raw, "\r\n")) == 0 {
			return
		}
		name, _, found := bytes.Cut(raw, []byte(":"))
		if !found {
			name = nil
		}
		if !f(string(bytes.TrimRight(name, " \t")), raw) {
			return
		}
	}
}

// field returns the value of the first field of that name, unfolded.
func field(header []byte, name string) string {
	value := ""
	eachField(header, func(n string, raw []byte) bool {
		if !strings.EqualFold(n, name) {
			return true
		}
		value = unfold(raw[bytes.IndexByte(raw, ':')+1:])
		return false
	})
	return value
}

func (c *content) field(name string) string { return field(c.header(), name) }
func (c *content) header() []byte           { return c.data[:headerEnd(c.data)] }

var unfolder = strings.NewReplacer("\r\n", "", "\n", "")

func unfold(value []byte) string {
	return strings.TrimSpace(unfolder.Replace(string(value)))
}

// selectFields returns the fields of the names, or all others, and the empty
// line. RFC 9051 section 6.4.5.
func selectFields(header []byte, names []string, not bool) []byte {
	var out []byte
	eachField(header, func(n string, raw []byte) bool {
		listed := false
		for _, name := range names {
			listed = listed || strings.EqualFold(n, name)
		}
		if listed != not {
			out = append(out, raw...)
		}
		return true
	})
	return append(out, "\r\n"...)
}

// decoded returns a field's value with encoded words decoded, as far as the
// standard library knows their charsets. RFC 2047.
func decoded(value string) string {
	if text, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		return text
	}
	return value
}

// parameter is one of those after a media type or a disposition.
type parameter struct{ name, value string }

// parseParameters reads "value; name=value …", without decoding anything.
func parseParameters(s string) (value string, params []parameter) {
	parts := splitOutside(s, ';')
	for _, p := range parts[1:] {
		name, v, found := strings.Cut(p, "=")
		if name = strings.TrimSpace(stripComments(name)); found && name != "" {
			params = append(params, parameter{name, unquote(stripComments(v))})
		}
	}
	return strings.TrimSpace(stripComments(parts[0])), params
}

// splitOutside splits s at sep where that is in no quoted string, comment or
// angle brackets.
func splitOutside(s string, sep byte) []string {
	var parts []string
	start, depth, quoted, angle := 0, 0, false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == sep && !angle:
			parts = append(parts, s[start:i])
			start = i + 1
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		}
	}
	return append(parts, s[start:])
}

func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				b.WriteString(s[i : i+2])
			}
			i++
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			depth++
			continue
		case c == ')' && !quoted && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// unquote returns what a quoted string says; anything else as it is, trimmed.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
