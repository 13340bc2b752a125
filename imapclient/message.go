package imapclient

import (
	"cmp"
	"errors"
	"io"

	"example.com/postbag/internal/transport"
)

// Message is a message, or its header section, that is being retrieved: what
// the server says of it, and a reader of its exact octets. Of the Summary only
// what the server sent before the octets is known. Reading ends with io.EOF
// only if every octet arrived, else with [ErrTruncated].
type Message struct {
	Summary

	r      *response // nil: nothing is on the wire
	left   int64     // octets of it that are
	inline []byte    // what is not
	isNil  bool
	octets int64 // in all
	origin int64 // see row
	err    error

	// proof, if not nil, reads on behind the octets, and must find nothing
	// wrong before the message may end.
	proof func() error
}

// newMessage makes the message of a row whose body begins here.
func newMessage(r *response, w *row) *Message {
	m := &Message{Summary: w.sum, isNil: w.body == nilBody, origin: w.origin}
	if w.body == literalBody {
		m.r, m.left = r, r.literal
	} else if !m.isNil {
		m.inline = w.inline
	}
	m.octets = m.left + int64(len(m.inline))
	return m
}

// Octets returns how long the body is, as the server announced it to come.
func (m *Message) Octets() int64 { return m.octets }

// Read reads the next octets.
func (m *Message) Read(p []byte) (int, error) {
	switch {
	case m.err != nil:
		return 0, m.err
	case len(m.inline) > 0:
		n := copy(p, m.inline)
		m.inline = m.inline[n:]
		return n, nil
	case m.left == 0:
		if err := m.prove(); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	n, err := m.r.c.conn.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, m.fail(err)
}

// WriteTo writes what is left of the message to w.
func (m *Message) WriteTo(w io.Writer) (int64, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := w.Write(m.inline)
	written := int64(n)
	m.inline = m.inline[n:]
	for err == nil && m.left > 0 {
		conn := m.r.c.conn
		if _, err = conn.Peek(1); err != nil {
			return written, m.fail(err)
		}
		var buf []byte
		buf, err = conn.Peek(int(min(int64(conn.Buffered()), m.left)))
		if err != nil {
			return written, m.fail(err)
		}
		n, err = w.Write(buf)
		written += int64(n)
		m.left -= int64(n)
		conn.Discard(n)
	}
	if err == nil {
		err = m.prove()
	}
	return written, err
}

func (m *Message) prove() error {
	if m.proof == nil {
		return nil
	}
	proof := m.proof
	m.proof = nil
	if err := m.next(); err != nil {
		return m.fail(err)
	}
	return m.fail(proof())
}

// fail keeps an error of the connection.
func (m *Message) fail(err error) error {
	if err != nil {
		m.err = transport.Mark(ErrTruncated, err)
	}
	return m.err
}

// hold reads the message into memory.
func (m *Message) hold() error {
	if m.r == nil {
		return nil
	}
	buf := make([]byte, m.left)
	if _, err := io.ReadFull(m, buf); err != nil {
		return err
	}
	if err := m.finish(); err != nil {
		return err
	}
	m.inline = buf
	return nil
}

// errOver is for who reads a message that is not valid any more: what he has
// not read is gone, and that must not look like the end.
var errOver = transport.Mark(ErrTruncated, errors.New("imap: the message was read after the iteration that it belongs to"))

// finish reads what is left of the message and loads the line after it. From
// then on the message is not to be read.
func (m *Message) finish() error {
	if m.left > 0 || len(m.inline) > 0 {
		defer func() { m.err = cmp.Or(m.err, errOver) }()
	}
	if m.left > 0 || m.proof != nil || m.err != nil {
		if _, err := m.WriteTo(io.Discard); err != nil {
			return err
		}
	}
	return m.next()
}

// next loads the line after the message's octets.
func (m *Message) next() error {
	if m.r == nil {
		return nil
	}
	r := m.r
	m.r = nil
	r.c.conn.Transcript().Omitted(m.octets)
	line, err := r.loadQuietly(r.c.lineLimit())
	if err != nil {
		return err
	}
	// If the server has counted wrong, this is the rest of the message.
	r.note(line, len(r.line) == 0 || r.line[0] == ')' || r.line[0] == ' ')
	return r.stray()
}
