package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
		if err := r.load(limit); err != nil {
			return nil, c.afterJunk(err)
		}
		if r.begin() {
			c.junk = ""
			return r, nil
		}
		if !c.greeted {
			return nil, c.conn.ProtocolError("imap: this is no IMAP server: its greeting is %q", clip(r.line))
		}
		c.junk = string(clip(r.line))
		if len(r.line) > 0 && r.line[0] == ' ' { // what is behind a row may go on in literals
			if err := r.finish(); err != nil {
				return nil, err
			}
		}
	}
	return nil, c.conn.ProtocolError("imap: what the server sends is no IMAP: %q", c.junk)
}

// lineLimit is how many octets a line may have in this command.
func (c *Client) lineLimit() int { return max(maxLine, c.longest) }

// afterJunk adds to the error that a connection ended with what the server
// said before it, if that was no IMAP.
func (c *Client) afterJunk(err error) error {
	if c.junk == "" {
		return err
	}
	return fmt.Errorf("%w, after it had said %q", err, c.scrub([]byte(c.junk)))
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
		for _, status := range [...]string{"OK", "NO", "BAD", "BYE", "PREAUTH"} {
			if r.isWord(status) {
				r.pos = 2
				r.textOnly()
				break
			}
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

func isStatus(b []byte) bool {
	switch strings.ToUpper(string(b)) {
	case "OK", "NO", "BAD":
		return true
	}
	return false
}

// load reads the next line of the response.
func (r *response) load(limit int) error {
	line, err := r.c.conn.Line(limit)
	if err != nil {
		return err
	}
	r.c.conn.Transcript().Server(r.c.scrub(line))
	r.octets += int64(len(line))
	// QUIRK: GNU Mailutils ends some lines in a bare LF; RFC 9051 section 2.2
	// says CRLF.
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	r.line, r.pos = line, 0
	r.literal = trailingLiteral(line)
	return nil
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

// rest returns what is left of the line.
func (r *response) rest() []byte { return r.line[r.pos:] }

// peek returns the next octet of the line, or 0 at its end.
func (r *response) peek() byte {
	if r.pos < len(r.line) {
		return r.line[r.pos]
	}
	return 0
}

// space passes over spaces, of which some servers send more than one.
func (r *response) space() {
	for r.peek() == ' ' {
		r.pos++
	}
}

// take passes over ch, if it is next.
func (r *response) take(ch byte) bool {
	if r.peek() != ch {
		return false
	}
	r.pos++
	return true
}

// token returns the octets up to a space or a parenthesis, possibly none,
// valid until the next line is loaded.
func (r *response) token() []byte {
	start := r.pos
	for r.pos < len(r.line) {
		switch r.line[r.pos] {
		case ' ', '(', ')':
			return r.line[start:r.pos]
		}
		r.pos++
	}
	return r.line[start:]
}

// word returns the next token in upper case, and passes over spaces around it.
func (r *response) word() string {
	r.space()
	t := r.token()
	r.space()
	const longest = 64
	if len(t) > longest {
		return ""
	}
	return strings.ToUpper(string(t))
}

// isWord passes over the next token, and spaces around it, if it is s in some
// case.
func (r *response) isWord(s string) bool {
	at := r.pos
	r.space()
	if !fold(r.token(), s) {
		r.pos = at
		return false
	}
	r.space()
	return true
}

// number returns the next token as a number.
func (r *response) number(bits int) (uint64, error) {
	r.space()
	n, err := parseUint(r.token(), bits)
	if err != nil {
		return 0, errSyntax
	}
	return n, nil
}

func parseUint(b []byte, bits int) (uint64, error) {
	if len(b) == 0 || len(b) > 20 {
		return 0, errSyntax
	}
	var n uint64
	for _, ch := range b {
		d := uint64(ch - '0')
		if ch < '0' || ch > '9' || n > (1<<64-1-d)/10 {
			return 0, errSyntax
		}
		n = n*10 + d
	}
	if bits < 64 && n >= 1<<bits {
		return 0, errSyntax
	}
	return n, nil
}

// atLiteral tells whether a literal is next.
func (r *response) atLiteral() bool {
	return r.literal >= 0 && (r.peek() == '{' || r.peek() == '~' && r.pos+1 < len(r.line) && r.line[r.pos+1] == '{') &&
		bytes.LastIndexByte(r.line, '{') <= r.pos+1 // found near the end
}

// str reads a string: quoted, literal, or an atom where a server forgot the
// quotes. isNil tells NIL from "NIL". The result is valid until the next line
// is loaded.
func (r *response) str() (s []byte, isNil bool, err error) {
	switch {
	case r.peek() == '"':
		s, err = r.quoted()
		return s, false, err
	case r.atLiteral():
		s, err = r.smallLiteral()
		return s, false, err
	}
	s = r.token()
	if len(s) == 0 {
		return nil, false, errSyntax
	}
	return s, len(s) == 3 && strings.EqualFold(string(s), "NIL"), nil
}

// quoted reads a quoted string. RFC 9051 section 9: only \ and " are escaped.
func (r *response) quoted() ([]byte, error) {
	start := r.pos + 1
	var unescaped []byte
	for i := start; i < len(r.line); i++ {
		switch r.line[i] {
		case '"':
			s := r.line[start:i]
			if unescaped != nil {
				s = append(unescaped, s...)
			}
			r.pos = i + 1
			return s, nil
		case '\\':
			unescaped = append(unescaped, r.line[start:i]...)
			i++
			start = i // the octet after the backslash stands for itself
		}
	}
	return nil, errSyntax
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
	return s, r.load(maxLine)
}

// skip passes over one value: an atom, a string, or a list of any nesting.
func (r *response) skip() error {
	for depth := 0; ; {
		r.space()
		switch ch := r.peek(); {
		case ch == '(':
			r.pos++
			if depth++; depth > maxDepth {
				return errSyntax
			}
			continue
		case ch == ')':
			if depth == 0 {
				return errSyntax
			}
			r.pos++
			depth--
		default:
			if _, _, err := r.str(); err != nil {
				return err
			}
		}
		if depth == 0 {
			return nil
		}
	}
}

// finish passes over what is left of the response, literals included.
func (r *response) finish() error {
	for !r.text && r.literal >= 0 {
		if err := r.discard(r.literal); err != nil {
			return err
		}
		if err := r.load(maxLine); err != nil {
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
