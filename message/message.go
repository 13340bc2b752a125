package message

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrRead is the error of going through a message a second time when it came
// from a reader that cannot seek.
var ErrRead = errors.New("message: it was read already, and its reader cannot seek")

// Message is a message whose header section was read; the rest is read as it
// is asked for. It is not safe for concurrent use.
type Message struct {
	Header *Header

	src     io.Reader
	seeker  io.Seeker // nil if src cannot seek
	start   int64     // where the message begins in it
	p       *parser
	first   *Part // the message itself
	root    *Part // the same, opened, and not yet given away; nil if p was used
	shared  shared
	body    *body // the text, once it was read
	defects defects
}

// Read reads the header section of the message that r holds. Where r is an
// [io.Seeker] too, like a file, the message begins where r is, and may be gone
// through as often as one likes; otherwise once, by the first of Parts,
// Attachments, Text, HTML and Preview that is called. The
// error is one of reading from r, and nothing else. opts may be nil.
func Read(r io.Reader, opts *Options) (*Message, error) {
	m := &Message{src: r}
	m.shared = shared{o: opts.withDefaults(), defects: &m.defects}
	if s, ok := r.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			m.seeker, m.start = s, at
		}
	}
	return m, m.open()
}

// Envelope returns the envelope. It is read out of the header section when it
// is first asked for.
func (m *Message) Envelope() *Envelope { return m.first.Envelope() }

// open begins a reading.
func (m *Message) open() error {
	m.shared.segments, m.shared.parts, m.shared.decoded = nil, 0, 0
	m.p = newParser(m.src, &m.shared)
	m.readable()
	root, err := m.p.next()
	if err != nil {
		m.p.free()
		return err
	}
	m.root, m.first = root, root
	m.Header = root.Header
	return nil
}

// readable puts readers before messages in UTF-16, and those whose lines end
// in CR.
func (m *Message) readable() {
	const enough = 512
	b := m.p.fill(enough)
	b = b[:min(len(b), enough)]
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")),
		len(b) >= 4 && (b[0] == 0) != (b[1] == 0) && (b[2] == 0) == (b[0] == 0) && (b[3] == 0) == (b[1] == 0):
		m.defects.add("", 0, UTF16)
		rest := m.p.source
		m.p.source = newSource(&utf16Reader{src: rest, big: b[0] == 0xfe || b[0] == 0})
	case bytes.IndexByte(b, '\n') < 0 && bytes.Count(b, []byte("\r")) > 1:
		m.defects.add("", int64(bytes.IndexByte(b, '\r')), BareCR)
		rest := m.p.source
		m.p.source = newSource(&crReader{src: rest})
	}
}

// begin makes sure that the message can be gone through from its beginning.
func (m *Message) begin() (*Part, error) {
	if m.root == nil {
		if m.seeker == nil {
			return nil, ErrRead
		}
		m.p.free()
		if _, err := m.seeker.Seek(m.start, io.SeekStart); err != nil {
			return nil, err
		}
		if err := m.open(); err != nil {
			return nil, err
		}
	}
	root := m.root
	m.root = nil
	return root, nil
}

// Parts goes through the message part by part, depth first, in the order in
// which they are written, the containers before what is in them. What is not
// read of a part is passed over. The error is one of reading, or ErrRead; it
// is the last.
func (m *Message) Parts() iter.Seq2[*Part, error] {
	return func(yield func(*Part, error) bool) {
		part, err := m.begin()
		for p := m.p; part != nil && err == nil && p == m.p; part, err = p.next() {
			if !yield(part, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
		m.p.free()
	}
}

// Defects returns what was wrong with what was read so far, in the order of
// their offsets.
func (m *Message) Defects() []Defect { return m.defects.sorted() }

// Segments returns the pieces that the message was divided into, as far as it
// was read: together, they are the message to the octet.
func (m *Message) Segments() []Segment { return m.shared.segments }

// crReader makes LF of CR.
type crReader struct{ src source }

func (r *crReader) Read(p []byte) (int, error) {
	b := r.src.fill(1)
	if len(b) == 0 {
		return 0, r.src.err
	}
	n := copy(p, r.src.take(min(len(b), len(p))))
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, nil
}

// utf16Reader makes UTF-8 of UTF-16.
type utf16Reader struct {
	src  source
	big  bool
	rest []byte
	buf  []byte
}

func (r *utf16Reader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		b := r.src.fill(4)
		if len(b) == 0 {
			return 0, r.src.err
		}
		n := min(len(b)&^1, 4096)
		if n == 0 {
			r.src.take(1) // half a character at the end
			r.rest = append(r.buf[:0], "\ufffd"...)
			break
		}
		if n > 2 && !r.src.ended() && utf16.IsSurrogate(r.unit(b[n-2:])) {
			n -= 2 // with its other half
		}
		r.rest = r.decode(r.src.take(n))
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *utf16Reader) unit(b []byte) rune {
	if r.big {
		return rune(b[0])<<8 | rune(b[1])
	}
	return rune(b[1])<<8 | rune(b[0])
}

func (r *utf16Reader) decode(b []byte) []byte {
	out := r.buf[:0]
	for i := 0; i+1 < len(b); i += 2 {
		c := r.unit(b[i:])
		if utf16.IsSurrogate(c) && i+3 < len(b) {
			if pair := utf16.DecodeRune(c, r.unit(b[i+2:])); pair != utf8.RuneError {
				c = pair
				i += 2
			}
		}
		out = utf8.AppendRune(out, c)
	}
	r.buf = out
	return out
}
