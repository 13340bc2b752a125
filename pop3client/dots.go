package pop3client

import (
	"bytes"
	"io"

	"example.com/postbag/internal/transport"
)

// dotReader reads the data of a multi-line reply: it undoes dot-stuffing and
// keeps every other octet, whatever it is. Only CRLF ends a line, and only
// CRLF, dot, CRLF the data (RFC 1939 section 3): a reader that also takes
// bare LF lets a message end itself and speak for the server.
//
// QUIRK: small home-made servers end all their lines in bare LF. One is known
// by its status line, and for its reply alone, lf, bare LF ends a line too.
type dotReader struct {
	conn *transport.Conn
	lf   bool
	bol  bool // at the beginning of a line
	cr   bool // the last octet was CR
	held int  // octets of the last chunk, still in the buffer
	end  bool
}

// next returns the data that comes next, valid until the next call, or io.EOF
// after the last.
func (d *dotReader) next() ([]byte, error) {
	if d.end {
		return nil, io.EOF
	}
	d.conn.Discard(d.held)
	d.held = 0
	if d.bol {
		if err := d.dot(); err != nil {
			return nil, err
		}
	}
	if _, err := d.conn.Peek(1); err != nil {
		return nil, err
	}
	p, err := d.conn.Peek(d.conn.Buffered())
	if err != nil { // the session was closed just now
		return nil, err
	}
	p = d.run(p)
	d.held = len(p)
	return p, nil
}

// dot looks for a dot at the beginning of a line, and takes it away. Waiting
// for what follows is safe: a line never ends after its dot.
func (d *dotReader) dot() error {
	p, err := d.conn.Peek(1)
	if err != nil || p[0] != '.' {
		return err
	}
	if p, err = d.conn.Peek(2); err != nil {
		return err
	}
	if p[1] == '\r' {
		if p, err = d.conn.Peek(3); err != nil {
			return err
		}
	}
	switch string(p[1:]) {
	case "\n":
		d.end = d.lf
	case "\r\n":
		d.end = true
	}
	if d.end {
		d.conn.Discard(len(p))
		return io.EOF
	}
	d.conn.Discard(1)
	d.bol = false
	return nil
}

// run returns the start of p, as far as it holds no beginning of a line with
// a dot.
func (d *dotReader) run(p []byte) []byte {
	last := p[len(p)-1]
	switch {
	case d.lf:
		if i := bytes.Index(p, lfDot); i >= 0 {
			p, last = p[:i+1], '\n'
		}
		d.bol = last == '\n'
	case d.cr && p[0] == '\n': // a line's end that came in two pieces
		p, d.bol, d.cr = p[:1], true, false
	default:
		if i := bytes.Index(p, crlfDot); i >= 0 {
			p, last = p[:i+2], '\n'
		}
		d.bol, d.cr = bytes.HasSuffix(p, crlf), last == '\r'
	}
	return p
}

var (
	crlf    = []byte("\r\n")
	crlfDot = []byte("\r\n.")
	lfDot   = []byte("\n.")
)
