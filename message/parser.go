package message

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// parser goes through a message once, part by part.
type parser struct {
	scanner
	shared *shared
	frames []frame // the containers that the current part is in
	cur    *Part
	inner  *parser // of a message that is itself encoded
	nested bool    // this is the parser of such a one
	done   bool

	undo   transfer // of the current part's encoding, or nil
	buf    []byte   // decoded octets of the current part, not yet read
	room   *room    // what comes of the current part is here
	base   int64    // the offset of what undo decodes
	report func(i int, kind Kind)
}

// shared is what a parser has in common with those of encoded messages in it.
type shared struct {
	o        Options
	defects  *defects
	fallback string // the charset of the message's text
	segments []Segment
	parts    int
	found    int // in the contents of parts
	decoded  int64
}

// frame is a container whose parts are being read.
type frame struct {
	part   *Part
	prefix string // of its parts' paths
	level  int    // of its boundary; -1 if it has none
	parts  int    // so far
	outer  bool   // it belongs to another parser
}

func newParser(r io.Reader, shared *shared) *parser {
	return &parser{scanner: scanner{source: newSource(r), lineStart: true}, shared: shared, room: rooms.Get().(*room)}
}

// next finishes the current part and returns the next one, or nil at the end.
func (p *parser) next() (*Part, error) {
	if p.inner != nil {
		part, err := p.inner.next()
		if part != nil || err != nil {
			return part, err
		}
		p.inner.free()
		p.inner = nil
	}
	p.buf = nil
	switch cur := p.cur; {
	case p.done:
		return nil, p.failure()
	case cur == nil:
		return p.open(nil)
	case cur.Container() && !cur.read && !cur.whole && !cur.finished:
		if part, err := p.descend(cur); part != nil || err != nil {
			return part, err
		}
	default:
		p.drain(cur)
	}
	return p.advance()
}

// drain passes over what is left of the current part.
func (p *parser) drain(cur *Part) {
	for !cur.finished {
		p.body(cur)
	}
}

// body takes octets of the body of the current part, none at its end.
func (p *parser) body(part *Part) []byte {
	b := p.chunk()
	part.finished = len(b) == 0
	part.rawSize += int64(len(b))
	p.record(part, Body, p.off-int64(len(b)), len(b))
	return b
}

// between passes over what is in no part, and tells whether there was text.
func (p *parser) between(part *Part, kind SegmentKind) (text bool) {
	for {
		b := p.chunk()
		if len(b) == 0 {
			return text
		}
		p.record(part, kind, p.off-int64(len(b)), len(b))
		text = text || len(bytes.TrimSpace(b)) > 0
	}
}

// advance goes to the next part behind the current one.
func (p *parser) advance() (*Part, error) {
	for {
		d, ok := p.delimiter()
		if err := p.failure(); err != nil {
			return nil, err
		}
		if !ok {
			p.close(0)
			p.done, p.cur = true, nil
			return nil, nil
		}
		for p.frames[len(p.frames)-1].level != d.level {
			p.close(len(p.frames) - 1)
		}
		part := p.frames[len(p.frames)-1].part
		at := p.off
		p.pass(d)
		p.record(part, Boundary, at, int(p.off-at))
		if d.loose {
			p.defect(part, at, TextOnBoundary)
		}
		if !d.last {
			return p.open(part)
		}
		p.frames = p.frames[:len(p.frames)-1]
		p.pop(d.level)
		at = p.off
		if p.between(part, Epilogue) {
			p.defect(part, at, TextAfterParts)
		}
		part.rawSize = p.off - part.start
	}
}

// close leaves all but n frames, whose last boundaries are missing.
func (p *parser) close(n int) {
	for _, f := range p.frames[n:] {
		if f.level >= 0 {
			p.defect(f.part, p.off, Unclosed)
			p.pop(min(f.level, len(p.levels)))
		}
		if !f.outer {
			f.part.rawSize = p.off - f.part.start
		}
	}
	p.frames = p.frames[:n]
}

// open reads a header section and returns the part that it begins.
func (p *parser) open(parent *Part) (*Part, error) {
	part := &Part{Offset: p.off, parent: parent}
	top := parent == nil || parent.isMessage()
	if p.shared.parts++; p.shared.parts >= p.shared.o.MaxParts && parent != nil {
		p.defect(parent, p.off, TooManyParts)
		p.pop(0)
		for i := range p.frames {
			p.frames[i].level = -1
		}
	}
	var found []Defect // of the part, which has no path yet
	defect := func(at int64, kind Kind) {
		for _, d := range found {
			if d.Kind == kind {
				return
			}
		}
		found = append(found, Defect{Offset: at, Kind: kind})
	}
	h, blank := p.header(&p.shared.o, top, defect)
	if err := p.failure(); err != nil {
		return nil, err
	}
	part.Header = h
	part.BodyOffset = p.off
	if parent == nil {
		p.shared.fallback = h.charset()
	}
	h.d.fallback = p.shared.fallback
	part.describe(&p.shared.o, defect)
	p.begin(part, top)
	for _, d := range found {
		p.defect(part, d.Offset, d.Kind)
	}
	p.record(part, HeaderSection, part.Offset, int(p.off-part.Offset)-blank)
	p.record(part, BlankLine, p.off-int64(blank), blank)
	return part, nil
}

// begin gives a part its place in the tree, and makes it the current one.
func (p *parser) begin(part *Part, top bool) {
	prefix := ""
	if n := len(p.frames); n > 0 {
		f := &p.frames[n-1]
		part.index = f.parts
		f.parts++
		prefix = f.prefix
		part.depth = f.part.depth + 1
	}
	if part.Path = prefix + strconv.Itoa(part.index+1); top && part.isMultipart() {
		part.Path = prefix + "TEXT"
	}
	part.p, part.start = p, p.off
	p.cur, p.buf, p.undo = part, nil, nil
	switch {
	case part.isMultipart():
	case !p.encodedAhead(part.Encoding):
		p.defect(part, p.off, BadEncoding)
	default:
		p.undo = newTransfer(part.Encoding)
	}
	if p.undo != nil {
		p.report = func(i int, kind Kind) { p.defect(part, p.base+int64(i), kind) }
	}
	if p.nested {
		part.Offset, part.BodyOffset = -1, -1
	}
}

func (p *parser) push(part *Part, boundary string) {
	f := frame{part: part, level: -1, prefix: part.Path + "."}
	if s, ok := strings.CutSuffix(part.Path, "TEXT"); ok {
		f.prefix = s
	}
	if boundary != "" {
		f.level = len(p.levels)
		p.scanner.push(boundary)
	}
	p.frames = append(p.frames, f)
}

func (p *parser) defect(part *Part, at int64, kind Kind) {
	if p.nested {
		at = -1
	}
	p.shared.defects.add(part.Path, at, kind)
}

// read returns octets of the current part, decoded or raw, or none.
func (p *parser) read(part *Part, raw bool) ([]byte, error) {
	if p.cur != part {
		return nil, ErrPast
	}
	part.read = true
	at := p.off
	src := p.body(part)
	out := src
	switch {
	case p.failure() != nil && len(src) == 0:
		return nil, p.failure()
	case raw && part.tee == nil:
		return src, nil
	case p.undo != nil:
		p.base = at
		if len(src) > 0 {
			out = p.undo.decode(p.room.decoded[:0], src, p.report)
		} else {
			out = p.undo.end(p.room.decoded[:0], p.report)
		}
		p.room.decoded = out
	case part.Encoding == "7bit" && strings.HasPrefix(part.Type, "text/"):
		if i := eightBit(src); i >= 0 {
			p.defect(part, at+int64(i), EightBit)
		}
	}
	if room := p.shared.o.MaxDecoded - p.shared.decoded; int64(len(out)) > room {
		p.defect(part, at, TooMuchDecoded)
		out = out[:room]
	}
	p.shared.decoded += int64(len(out))
	part.size += int64(len(out))
	if part.tee != nil {
		part.tee.Write(out)
	}
	if raw {
		return src, nil
	}
	return out, nil
}
