package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// kind is the kind of a response. RFC 9051 section 9.
type kind int

const (
	untagged     kind = iota // "* …"
	tagged                   // "A1 OK …"
	continuation             // "+ …"
)

// response is a response while it is being read: the rest of a line, and
// after a literal the rest of the next one.
type response struct {
	c    *Client
	kind kind
	tag  string

	line    []byte // without its end; valid until the next line is loaded
	pos     int
	literal int64 // octets of the literal that the line ends with, -1 for none
	text    bool  // the line ends in text for a person: no literal follows
	octets  int64 // read so far
}

// errSyntax: the response does not have the form that it should have. The
// session can go on with the next one.
var errSyntax = errors.New("imap: malformed response")

// maxJunk is how many lines in a row may be no responses.
const maxJunk = 100

// read reads the beginning of the next response, which is valid until the one
// after it is read.
//
// QUIRK: some servers (Exchange) send lines that are no responses, such as
// "Server Unavailable. 15", or the end of another line again, or (Xeams) the
// last items of a FETCH response behind its end. They are passed over.
func (c *Client) read() (*response, error) {
	limit := c.lineLimit()
	if !c.greeted {
		limit = maxGreeting
	}
	for range maxJunk {
		r := &c.next
		*r = response{c: c}
		line, err := r.loadQuietly(limit)
		if err != nil {
			return nil, c.afterJunk(err)
		}
		// QUIRK: a server that ends an IDLE of its own accord takes a DONE that
		// was on the way for a command of that tag. RFC 2177 has no such end.
		is := r.begin()
		r.note(line, is)
		if is && r.kind == tagged && r.tag == "DONE" {
			continue
		}
		if is {
			c.junk = ""
			return r, nil
		}
		if !c.greeted {
			return nil, c.conn.ProtocolError("imap: this is no IMAP server: its greeting is %q", clip(r.line))
		}
		if c.junk = fmt.Sprintf("%q", clip(c.scrub(r.line))); c.mail {
			c.junk = fmt.Sprintf("%d octets that are no response, perhaps of a message", len(line))
		}
		if len(r.line) > 0 && r.line[0] == ' ' { // what is behind a row may go on in literals
			if err := r.finish(); err != nil {
				return nil, err
			}
		}
	}
	return nil, c.conn.ProtocolError("imap: what the server sends is no IMAP: %s", c.junk)
}

// lineLimit is how many octets a line may have in this command.
func (c *Client) lineLimit() int { return max(maxLine, c.longest) }

// afterJunk adds to the error that a connection ended with what the server
// said before it, if that was no IMAP.
func (c *Client) afterJunk(err error) error {
	if c.junk == "" {
		return err
	}
	return fmt.Errorf("%w, after it had said %s", err, c.junk)
}

// begin finds out what kind of response the line begins, or returns false if
// none.
func (r *response) begin() bool {
	// QUIRK: NULs in front of a line.
	r.line = bytes.TrimLeft(r.line, "\x00")
	switch {
	case len(r.line) > 0 && r.line[0] == '+':
		r.kind, r.pos = continuation, min(2, len(r.line))
		r.textOnly()
	case bytes.HasPrefix(r.line, []byte("* ")):
		r.kind, r.pos = untagged, 2
		if word, _, _ := bytes.Cut(r.line[2:], []byte(" ")); hasText(word) {
			r.textOnly()
		}
	default:
		tag, rest, _ := bytes.Cut(r.line, []byte(" "))
		status, _, _ := bytes.Cut(rest, []byte(" "))
		const longest = 32
		if isAtom(tag) && string(status) == "+" {
			// QUIRK: gromox: a continuation with a tag in front.
			r.kind, r.pos = continuation, len(tag)+1+min(2, len(rest))
			r.textOnly()
			return true
		}
		if len(tag) > longest || !isAtom(tag) || !isStatus(status) {
			return false
		}
		r.kind, r.tag, r.pos = tagged, string(tag), len(tag)+1
		r.textOnly()
	}
	return true
}

func isStatus(b []byte) bool { return fold(b, "OK") || fold(b, "NO") || fold(b, "BAD") }

// hasText tells whether text follows a word.
func hasText(b []byte) bool { return isStatus(b) || fold(b, "BYE") || fold(b, "PREAUTH") }

// load reads the next line of the response.
func (r *response) load(limit int) error {
	line, err := r.loadQuietly(limit)
	if err == nil {
		r.note(line, true)
	}
	return err
}

// note tells a line to the transcript, unless it may be of a message: one that
// makes no sense, when messages have been sent.
func (r *response) note(line []byte, sense bool) {
	switch t := r.c.conn.Transcript(); {
	case t == nil:
	case sense || !r.c.mail:
		t.Server(r.c.scrub(line))
	default:
		t.Omitted(int64(len(line)))
	}
}

// loadQuietly is load, and returns the line with its end.
func (r *response) loadQuietly(limit int) ([]byte, error) {
	line, err := r.c.conn.Line(limit)
	if err != nil {
		return nil, err
	}
	if r.octets += int64(len(line)); r.octets > maxUnasked { // besides messages
		return nil, r.c.conn.ProtocolError("imap: a response of more than %d octets", maxUnasked)
	}
	whole := line
	// QUIRK: GNU Mailutils ends some lines in a bare LF; RFC 9051 section 2.2
	// says CRLF.
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	r.line, r.pos = line, 0
	r.literal = trailingLiteral(line)
	return whole, nil
}

// textOnly says that the line ends in text, in which braces mean nothing.
func (r *response) textOnly() { r.text, r.literal = true, -1 }

// trailingLiteral returns the n of a "{n}", "{n+}" or "~{n}" at the end of a
// line, or -1.
func trailingLiteral(line []byte) int64 {
	if len(line) < 3 || line[len(line)-1] != '}' {
		return -1
	}
	const longest = len("{9223372036854775807+}")
	open := bytes.LastIndexByte(line[max(0, len(line)-longest):], '{')
	if open < 0 {
		return -1
	}
	open += max(0, len(line)-longest)
	digits := bytes.TrimSuffix(line[open+1:len(line)-1], []byte("+"))
	n, err := strconv.ParseUint(string(digits), 10, 63)
	if err != nil {
		return -1
	}
	return int64(n)
}

// smallLiteral reads a literal into memory and loads the line after it. The
// result is a copy.
func (r *response) smallLiteral() ([]byte, error) {
	n := r.literal
	if n > maxLiteral {
		return nil, r.c.conn.ProtocolError("imap: a literal of %d octets that is no message", n)
	}
	s := make([]byte, n)
	for read := 0; read < len(s); {
		k, err := r.c.conn.Read(s[read:])
		if read += k; err != nil {
			return nil, err
		}
	}
	r.c.conn.Transcript().Omitted(n)
	r.octets += n
	return s, r.load(r.c.lineLimit())
}

// finish passes over what is left of the response, literals included.
func (r *response) finish() error {
	for !r.text && r.literal >= 0 {
		if err := r.discard(r.literal); err != nil {
			return err
		}
		if err := r.load(r.c.lineLimit()); err != nil {
			return err
		}
	}
	return nil
}

// discard reads n octets and throws them away.
func (r *response) discard(n int64) error {
	for n > 0 {
		if _, err := r.c.conn.Peek(1); err != nil {
			return err
		}
		k, err := r.c.conn.Discard(int(min(n, int64(r.c.conn.Buffered()))))
		n -= int64(k)
		r.octets += int64(k)
		if err != nil {
			return err
		}
		if r.octets > maxUnasked {
			if err := r.c.spend(r); err != nil {
				return err
			}
		}
	}
	return nil
}
