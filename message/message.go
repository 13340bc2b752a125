package message

import (
	"errors"
	"io"
	"iter"
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
	m.shared.segments, m.shared.parts, m.shared.found, m.shared.decoded = nil, 0, 0, 0
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
// read of a part is passed over. The error is one of reading, ErrRead, or
// ErrPast if the message was gone through anew in the meantime; it is the last.
func (m *Message) Parts() iter.Seq2[*Part, error] {
	return func(yield func(*Part, error) bool) {
		part, err := m.begin()
		if err != nil {
			yield(nil, err)
			return
		}
		p := m.p
		for part != nil && err == nil {
			if !yield(part, nil) {
				return
			}
			if part, err = nil, ErrPast; p == m.p {
				part, err = p.next()
			}
		}
		if err != nil {
			yield(nil, err)
		}
		p.free()
	}
}

// Defects returns what was wrong with what was read so far, in the order of
// their offsets.
func (m *Message) Defects() []Defect { return m.defects.sorted() }

// Segments returns the pieces that the message was divided into, as far as it
// was read: together, they are the message to the octet.
func (m *Message) Segments() []Segment { return m.shared.segments }
