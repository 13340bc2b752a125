package message

import (
	"bytes"
	"iter"
	"strings"
)

// Header is a header section: the fields of a message or a part, in order.
type Header struct {
	raw    []byte
	fields []field
	d      decoder
}

// field is where in raw a field is: its name, a colon, its value with the
// line breaks in it and behind it.
type field struct{ start, colon, end int }

// Raw returns the header section as it came, with lines that are no fields,
// without the empty line after it. What is beyond [Options].MaxHeader or
// MaxFields is not in it. The caller must not change it.
func (h *Header) Raw() []byte { return h.raw }

// Len returns how many fields there are.
func (h *Header) Len() int { return len(h.fields) }

// Get returns the value of the first field of a name that is not blank,
// unfolded but not decoded: its octets may be in any charset. Case does not
// matter in the name.
func (h *Header) Get(name string) string {
	for _, f := range h.fields {
		if h.named(f, name) {
			if v := unfold(h.raw[f.colon+1 : f.end]); v != "" {
				return v
			}
		}
	}
	return ""
}

// Text returns what Get returns, decoded as unstructured text (RFC 2047): one
// line of UTF-8 without control characters.
func (h *Header) Text(name string) string { return h.d.text(h.Get(name)) }

// All returns the fields in order, the values as Get returns them.
func (h *Header) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range h.fields {
			if !yield(h.name(f), unfold(h.raw[f.colon+1:f.end])) {
				return
			}
		}
	}
}

func (h *Header) name(f field) string {
	return string(bytes.TrimSpace(h.raw[f.start:f.colon]))
}

func (h *Header) named(f field, name string) bool {
	n := h.raw[f.start:f.colon]
	return len(n) >= len(name) && strings.EqualFold(string(n[:len(name)]), name) && (len(n) == len(name) || len(bytes.TrimSpace(n)) == len(name))
}

const longestName = 200 // octets of the name of a field

// fieldName returns where the colon is after the name of a field, or -1.
func fieldName(line []byte) int {
	line = line[:min(len(line), longestName)]
	for i, c := range line {
		switch {
		case c == ':':
			if i == 0 {
				return -1
			}
			return i
		case c == ' ' || c == '\t':
			rest := bytes.TrimLeft(line[i:], " \t")
			if i > 0 && len(rest) > 0 && rest[0] == ':' {
				return len(line) - len(rest)
			}
			return -1
		case c < ' ' || c == 0x7f:
			return -1
		}
	}
	return -1
}

// unfold removes line breaks. RFC 5322 section 2.2.3.
func unfold(v []byte) string {
	v = bytes.Trim(v, " \t\r\n")
	if bytes.IndexByte(v, '\n') < 0 {
		return string(v)
	}
	var b strings.Builder
	b.Grow(len(v))
	for line := range bytes.Lines(v) {
		b.Write(bytes.TrimRight(line, "\r\n"))
	}
	return b.String()
}

// charset returns the charset that the header section says that the text is in,
// if it does, whatever else is wrong with the field.
func (h *Header) charset() string {
	const param = "charset="
	v := strings.ToLower(h.Get("Content-Type"))
	i := strings.Index(v, param)
	if i < 0 {
		return ""
	}
	v = strings.TrimLeft(v[i+len(param):], " \t\"'")
	if i = strings.IndexAny(v, " \t\"';"); i >= 0 {
		v = v[:i]
	}
	return v
}
