package fakemail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"slices"
	"strconv"
	"strings"
)

// section is a piece of a message that FETCH asks for. RFC 9051 section
// 6.4.5.1.
type section struct {
	name   string // as the answer has it: "BODY[1.MIME]<0>"
	path   []int
	spec   string // HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, MIME or nothing
	fields []string
	peek   bool
	binary bool // decoded. RFC 3516
	size   bool // only its size

	partial     bool
	offset, max uint64
}

// section reads what follows the name of an item, from its bracket on.
func (a *args) section(item string) *section {
	sec := new(section)
	base, peek := strings.CutSuffix(item, ".PEEK")
	sec.peek = peek
	switch base {
	case "BODY":
	case "BINARY":
		sec.binary = true
	case "BINARY.SIZE":
		sec.binary, sec.size, sec.peek = true, true, true
	default:
		a.fail("no item %q here", item)
	}
	a.expect('[')
	start := a.i
	for c := a.peek(); c >= '0' && c <= '9'; c = a.peek() {
		n, err := strconv.Atoi(a.word(" .]"))
		if err != nil || n < 1 {
			a.fail("no part of that number")
		}
		if sec.path = append(sec.path, n); !a.take('.') {
			break
		}
	}
	if a.peek() != ']' {
		a.spec(sec)
	}
	sec.name = base + "[" + a.s[start:a.i] + "]"
	a.expect(']')
	if !sec.size && a.take('<') {
		sec.partial = true
		sec.offset = a.number()
		a.expect('.')
		sec.max = a.number()
		a.expect('>')
		sec.name += fmt.Sprintf("<%d>", sec.offset)
	}
	return sec
}

func (a *args) spec(sec *section) {
	sec.spec = a.atom()
	known := []string{"HEADER", "HEADER.FIELDS", "HEADER.FIELDS.NOT", "TEXT"}
	if len(sec.path) > 0 {
		known = append(known, "MIME")
	}
	if sec.binary || !slices.Contains(known, sec.spec) {
		a.fail("no section %q here", sec.spec)
	}
	if strings.HasPrefix(sec.spec, "HEADER.") {
		a.space()
		a.list(func() { sec.fields = append(sec.fields, a.astring()) })
	}
}

// of returns the octets of a section, or false if the message has no such
// part, or one that cannot be decoded.
func (sec *section) of(c *content) ([]byte, bool) {
	data, ok := sec.whole(c)
	if ok && sec.partial {
		n := uint64(len(data))
		from := min(sec.offset, n)
		data = data[from : min(n-from, sec.max)+from]
	}
	return data, ok
}

func (sec *section) whole(c *content) ([]byte, bool) {
	if len(sec.path) == 0 {
		// Without a look at the structure: mail is large.
		end := 0
		if sec.spec != "" {
			end = headerEnd(c.data)
		}
		return sec.cut(c.data[:end], c.data[end:], c.data)
	}
	p := c.tree().find(sec.path)
	switch {
	case p == nil:
		return nil, false
	case sec.binary:
		return p.decode()
	case sec.spec == "MIME":
		return p.header, true
	case sec.spec == "":
		return p.body, true
	case p.message == nil:
		return nil, false // only a message has these
	}
	return sec.cut(p.message.header, p.message.body, p.body)
}

func (sec *section) cut(header, body, all []byte) ([]byte, bool) {
	switch sec.spec {
	case "HEADER":
		return header, true
	case "HEADER.FIELDS":
		return selectFields(header, sec.fields, false), true
	case "HEADER.FIELDS.NOT":
		return selectFields(header, sec.fields, true), true
	case "TEXT":
		return body, true
	}
	return all, true
}

// decode undoes the transfer encoding. RFC 2045 section 6.
func (p *part) decode() ([]byte, bool) {
	switch strings.ToLower(field(p.header, "Content-Transfer-Encoding")) {
	case "base64":
		data, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(p.body)))
		return data, err == nil
	case "quoted-printable":
		data, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(p.body)))
		return data, err == nil
	}
	return p.body, true
}
