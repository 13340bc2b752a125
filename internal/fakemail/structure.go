package fakemail

import (
	"bytes"
	"slices"
	"strings"
)

// part is a part of a message, or the message itself: where it is in the
// octets, and what it says of itself.
type part struct {
	header, body []byte // the header with its empty line
	kind, sub    string // of the media type, in lower case
	params       []parameter
	children     []*part // of a multipart
	message      *part   // in a message/rfc822
}

const maxNesting = 50

// tree returns the structure of a message, which is parsed once.
func (c *content) tree() *part {
	c.parse.Do(func() { c.structure = parsePart(c.data, "text/plain", 0) })
	return c.structure
}

// parsePart never fails: what cannot be understood is text. RFC 2045, RFC 2046.
func parsePart(data []byte, fallback string, depth int) *part {
	end := headerEnd(data)
	p := &part{header: data[:end], body: data[end:]}
	typ := field(p.header, "Content-Type")
	value, params := parseParameters(typ)
	kind, sub, found := strings.Cut(strings.ToLower(value), "/")
	kind, sub = strings.TrimSpace(kind), strings.TrimSpace(sub)
	if !found || kind == "" || sub == "" || strings.ContainsAny(kind+sub, " \t\"") {
		kind, sub, _ = strings.Cut(fallback, "/")
		params = nil
	}
	p.kind, p.sub, p.params = kind, sub, params
	switch {
	case depth == maxNesting:
	case kind == "multipart":
		next := "text/plain"
		if sub == "digest" { // RFC 2046 section 5.1.5
			next = "message/rfc822"
		}
		for _, piece := range pieces(p.body, parameterOf(params, "boundary")) {
			p.children = append(p.children, parsePart(piece, next, depth+1))
		}
	case kind == "message" && (sub == "rfc822" || sub == "global"):
		p.message = parsePart(p.body, "text/plain", depth+1)
	}
	return p
}

func parameterOf(params []parameter, name string) string {
	for _, p := range params {
		if strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	return ""
}

// pieces cuts the body of a multipart at its boundary. The line end before a
// boundary belongs to that. RFC 2046 section 5.1.1.
func pieces(body []byte, boundary string) [][]byte {
	if boundary == "" {
		return nil
	}
	delim := []byte("--" + boundary)
	var out [][]byte
	start := -1 // of a piece
	for pos := 0; ; {
		i := bytes.Index(body[pos:], delim)
		if i < 0 {
			break
		}
		at := pos + i
		pos = at + len(delim)
		if at > 0 && body[at-1] != '\n' {
			continue
		}
		lineEnd := bytes.IndexByte(body[pos:], '\n')
		line := body[pos:]
		if lineEnd >= 0 {
			line = body[pos : pos+lineEnd]
		}
		tail := bytes.TrimRight(line, " \t\r")
		last := bytes.Equal(tail, []byte("--"))
		if len(tail) > 0 && !last {
			continue // a longer boundary
		}
		if start >= 0 {
			out = append(out, body[start:max(start, beforeLineEnd(body, at))])
		}
		if last || lineEnd < 0 {
			return out
		}
		pos += lineEnd + 1
		start = pos
	}
	if start >= 0 { // the end was cut off
		out = append(out, body[start:])
	}
	return out
}

func beforeLineEnd(body []byte, at int) int {
	if at > 0 && body[at-1] == '\n' {
		at--
	}
	if at > 0 && body[at-1] == '\r' {
		at--
	}
	return at
}

// find returns a part of a message by its numbers. A message that is no
// multipart has one part, itself. RFC 9051 section 6.4.5.1.
func (p *part) find(path []int) *part {
	for i, n := range path {
		switch {
		case i == 0:
		case p.message != nil:
			p = p.message
		case len(p.children) == 0:
			return nil
		}
		switch {
		case n <= len(p.children):
			p = p.children[n-1]
		case n > 1 || len(p.children) > 0:
			return nil
		}
	}
	return p
}

// bodyStructure describes a part. RFC 9051 section 7.5.2.
func (p *part) bodyStructure(extended bool) string {
	var b strings.Builder
	p.writeStructure(&b, extended)
	return b.String()
}

func (p *part) writeStructure(b *strings.Builder, extended bool) {
	b.WriteByte('(')
	if len(p.children) > 0 {
		for _, c := range p.children {
			c.writeStructure(b, extended)
		}
		b.WriteString(" " + quote(p.sub))
		if extended {
			b.WriteString(" " + parameterList(p.params))
			p.writeExtension(b)
		}
		b.WriteByte(')')
		return
	}
	kind, sub := p.kind, p.sub
	if kind == "multipart" {
		kind, sub = "text", "plain" // one without parts is none
	}
	params := p.params
	if kind == "text" && parameterOf(params, "charset") == "" {
		params = append(slices.Clip(params), parameter{"charset", "us-ascii"}) // RFC 2046 section 4.1.2
	}
	encoding := strings.ToLower(field(p.header, "Content-Transfer-Encoding"))
	if encoding == "" {
		encoding = "7bit"
	}
	b.WriteString(strings.Join([]string{
		quote(kind), quote(sub), parameterList(params), nstring(field(p.header, "Content-ID")),
		nstring(field(p.header, "Content-Description")), quote(encoding), number(len(p.body)),
	}, " "))
	if p.message != nil {
		b.WriteString(" " + envelope(p.message.header) + " ")
		p.message.writeStructure(b, extended)
	}
	if kind == "text" || p.message != nil {
		b.WriteString(" " + number(bytes.Count(p.body, []byte("\n"))))
	}
	if extended {
		b.WriteString(" " + nstring(field(p.header, "Content-MD5")))
		p.writeExtension(b)
	}
	b.WriteByte(')')
}

// writeExtension writes disposition, language and location.
func (p *part) writeExtension(b *strings.Builder) {
	disposition := "NIL"
	if value, params := parseParameters(field(p.header, "Content-Disposition")); value != "" {
		disposition = "(" + quote(value) + " " + parameterList(params) + ")"
	}
	language := "NIL"
	if tags := strings.FieldsFunc(field(p.header, "Content-Language"), func(r rune) bool { return r == ',' || r == ' ' }); len(tags) > 0 {
		for i, tag := range tags {
			tags[i] = quote(tag)
		}
		language = "(" + strings.Join(tags, " ") + ")"
	}
	b.WriteString(" " + disposition + " " + language + " " + nstring(field(p.header, "Content-Location")))
}

func parameterList(params []parameter) string {
	if len(params) == 0 {
		return "NIL"
	}
	var list []string
	for _, p := range params {
		list = append(list, quote(p.name), quote(p.value))
	}
	return "(" + strings.Join(list, " ") + ")"
}
