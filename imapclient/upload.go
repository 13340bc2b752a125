package imapclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// upload is an APPEND with its message.
type upload struct {
	c    *Client
	tag  string
	args string // what comes before the message
	src  io.Reader
	size int64
	utf8 bool // as RFC 6855 section 4 has it: UTF8 (literal8)
}

// announce sends the command up to its message, and waits for the server to
// agree if that is to be. A form that the server may not know waits.
func (u *upload) announce() error {
	c := u.c
	c.tags++
	u.tag = "A" + strconv.Itoa(c.tags)
	line := []byte(u.tag + " APPEND " + u.args)
	if u.utf8 {
		line = fmt.Appendf(line, "UTF8 (~{%d}\r\n", u.size)
	} else {
		line = c.announce(line, u.size)
	}
	err := c.sendLine(line)
	if err == nil && (u.utf8 || !c.atOnce(u.size)) {
		err = c.goAhead(u.tag, "APPEND")
	}
	return err
}

// send sends the message, and what is left of the command.
func (u *upload) send() error {
	c := u.c
	out := &sender{c: c}
	w := bufio.NewWriterSize(out, 32<<10)
	n, err := io.CopyN(w, u.src, u.size)
	if broken := c.conn.Err(); broken != nil {
		return broken
	}
	if out.err != nil {
		return nil // why, the server may have said
	}
	if err == nil {
		err = atEnd(u.src)
	} else if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return c.fail(fmt.Errorf("imap: APPEND: the message's source, after %d of %d octets: %w", n, u.size, err))
	}
	end := "\r\n"
	if u.utf8 {
		end = ")\r\n"
	}
	c.conn.Transcript().Sent(u.size)
	c.conn.Transcript().Client([]byte(end))
	w.WriteString(end)
	w.Flush()
	return c.conn.Err()
}

// sender sends what something is to be read after.
type sender struct {
	c   *Client
	err error
}

// Write implements io.Writer.
func (s *sender) Write(p []byte) (n int, err error) {
	n, s.err = s.c.conn.Send(p)
	return n, s.err
}

// hasUTF8 looks for UTF-8 in the header section of a message, if the server
// wants to know, and returns the message.
func (c *Client) hasUTF8(src io.Reader, size int64) (io.Reader, bool, error) {
	if !c.utf8() {
		return src, false, nil
	}
	var head bytes.Buffer
	for looked := 0; ; {
		n, err := io.CopyN(&head, src, min(4<<10, size-int64(head.Len())))
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, fmt.Errorf("imap: APPEND: the message's source, before anything was sent: %w", err)
		}
		end := bytes.Index(head.Bytes()[max(looked-3, 0):], []byte("\r\n\r\n"))
		section := head.Bytes()
		if end >= 0 {
			section = section[:max(looked-3, 0)+end]
		}
		looked = head.Len()
		if end >= 0 || n == 0 || looked >= maxHeader || bytes.HasPrefix(section, []byte("\r\n")) {
			if bytes.HasPrefix(section, []byte("\r\n")) {
				section = nil // there is none
			}
			return io.MultiReader(&head, src), utf8.Valid(section) && !isASCII(string(section)), nil
		}
	}
}
