package message

import (
	"bytes"
	"strings"
)

// descend goes into a container, and returns its first part if that is not
// behind a delimiter.
func (p *parser) descend(part *Part) (*Part, error) {
	switch {
	case part.depth >= p.shared.o.MaxDepth:
		p.defect(part, p.off, TooDeep)
		p.drain(part)
		return nil, nil
	case part.isMessage():
		return p.descendMessage(part)
	}
	boundary, way := p.divide(part)
	if way == asParts {
		p.push(part, boundary)
		p.between(part, Preamble)
		part.finished = true
		return nil, p.failure()
	}
	// No part was found, or none soon: the text is not to be lost.
	text := &Part{Header: new(Header), Type: "text/plain", Encoding: part.Encoding, Offset: p.off, BodyOffset: p.off, parent: part}
	p.shared.parts++
	p.push(part, boundary)
	p.begin(text, false)
	return text, nil
}

func (p *parser) descendMessage(part *Part) (*Part, error) {
	if newTransfer(part.Encoding) == nil {
		p.push(part, "")
		return p.open(part)
	}
	p.defect(part, part.BodyOffset, EncodedMessage)
	part.within = true
	p.inner = newParser(encodedMessage{part}, p.shared)
	p.inner.nested = true
	p.inner.push(part, "")
	p.inner.frames[0].outer = true
	return p.inner.open(part)
}

type way int

const (
	asParts way = iota
	asText
)

const longestBoundary = 2000 // octets; RFC 2046 section 5.1.1 says 70

// divide decides how to read a multipart, by its boundary and by what is
// ahead, as far as the buffer goes.
func (p *parser) divide(part *Part) (boundary string, w way) {
	if e := part.Encoding; newTransfer(e) != nil {
		p.defect(part, part.BodyOffset, EncodedMultipart)
	}
	declared := strings.TrimRight(part.Params["boundary"], " \t")
	if declared == "" || len(declared) > longestBoundary {
		p.defect(part, part.BodyOffset, NoBoundary)
		declared = ""
	}
	own := len(p.levels)
	var b []byte
	n, found := 0, false
	for _, want := range []int{1, bufferSize} { // what is there already, then more
		b = p.fill(want)
		if declared != "" {
			p.scanner.push(declared)
		}
		n, found = p.ahead(b)
		var d delimiter
		if found {
			d, _ = p.match(b[n:])
		}
		p.pop(own)
		if found && d.level == own {
			return declared, asParts
		}
		if found {
			break
		}
	}
	if !found && p.scanner.ended() {
		n = len(b)
	}
	body := b[:n]
	switch sniffed := sniffBoundary(body); {
	case sniffed != "":
		if declared != "" {
			p.defect(part, part.BodyOffset, WrongBoundary)
		}
		return sniffed, asParts
	case len(bytes.TrimSpace(body)) == 0 && (found || p.scanner.ended()):
		return "", asParts // it has none
	case found || p.scanner.ended() || declared == "":
		if declared != "" {
			p.defect(part, part.BodyOffset, BoundaryNotFound)
		}
		return "", asText
	}
	p.defect(part, part.BodyOffset, TextBeforeParts)
	return declared, asText
}

// sniffBoundary finds a line that seems to be a delimiter, because a field
// like Content-Type comes after it.
func sniffBoundary(body []byte) string {
	for at := 0; ; {
		i := bytes.Index(body[at:], []byte("--"))
		if i < 0 {
			return ""
		}
		at += i
		line, rest, ok := bytes.Cut(body[at:], []byte("\n"))
		if !ok {
			return ""
		}
		if at == 0 || body[at-1] == '\n' {
			boundary := strings.TrimRight(string(line[2:]), " \t\r")
			if len(rest) > 8 && bytes.EqualFold(rest[:8], []byte("content-")) && fieldName(rest) > 0 && boundary != "" && len(boundary) <= longestBoundary {
				return boundary
			}
		}
		at += len(line) + 1
	}
}
