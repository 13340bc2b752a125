package imapclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"example.com/postbag/internal/transport"
)

// AppendOptions are what a message gets besides its octets.
type AppendOptions struct {
	Flags    []string
	Received time.Time // INTERNALDATE; zero: the time at which it is appended
}

// Appended is where a message is. Servers without UIDPLUS do not tell, and both
// numbers are 0.
type Appended struct {
	UIDValidity uint32
	UID         uint32
}

// Append adds to a mailbox a message of size octets, which are read from src
// and passed on in pieces of 32 KiB. The message has lines that end in CRLF.
// nil options are the zero value. RFC 9051 section 6.3.12.
//
// A message that the server says is too large for it (APPENDLIMIT, RFC 7889)
// is [ErrTooLarge]: one that is larger than all mailboxes' limit is not sent at
// all, and no large one before the server has agreed. A mailbox that does not
// exist is [ErrNoMailbox].
//
// A source that fails, or does not end after size octets, ends the session:
// only so does the server not take what it has for the message.
func (c *Client) Append(ctx context.Context, mailbox string, src io.Reader, size int64, o *AppendOptions) (Appended, error) {
	if o == nil {
		o = new(AppendOptions)
	}
	if err := o.check(mailbox, size); err != nil {
		return Appended{}, err
	}
	end, err := c.beginIn(ctx)
	if err != nil {
		return Appended{}, err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return Appended{}, err
	}
	if limit := c.appendLimit(); size > limit {
		return Appended{}, transport.Mark(ErrTooLarge, fmt.Errorf("imap: APPEND: %d octets, and the server takes at most %d", size, limit))
	}
	var tag string
	c.safely(func() { tag, err = c.upload(o.args(c.mailbox(mailbox)), src, size) })
	if err != nil {
		return Appended{}, err
	}
	if err := c.await(tag, "APPEND"); err != nil {
		return Appended{}, err
	}
	return c.appended(), nil
}

func (o *AppendOptions) check(mailbox string, size int64) error {
	err := checkName("the mailbox name", mailbox)
	if size <= 0 { // RFC 3502 section 6.3.11: no octets take the command back
		err = errors.Join(err, fmt.Errorf("imap: APPEND: a message of %d octets", size))
	}
	for _, f := range o.Flags {
		if !isFlag([]byte(f)) || f == `\*` {
			err = errors.Join(err, fmt.Errorf("imap: %q is not a flag", f))
		}
	}
	if y := o.Received.Year(); y < 1 || y > 9999 {
		err = errors.Join(err, fmt.Errorf("imap: APPEND: the year %d", y))
	}
	return err
}

// args returns what comes before the message.
func (o *AppendOptions) args(mailbox string) string {
	args := mailbox + " "
	if len(o.Flags) > 0 {
		args += "(" + strings.Join(o.Flags, " ") + ") "
	}
	if !o.Received.IsZero() {
		args += o.Received.Format(`"_2-Jan-2006 15:04:05 -0700" `)
	}
	return args
}

// appendLimit returns how many octets a message may have in any mailbox, as
// far as is known without asking. A mailbox may have a lower limit.
func (c *Client) appendLimit() int64 {
	limit := int64(1<<63 - 1)
	if !c.caps.Has("IMAP4REV2") {
		limit = 1<<32 - 1 // RFC 3501 section 9, number
	}
	for _, name := range c.caps {
		if value, ok := strings.CutPrefix(name, "APPENDLIMIT="); ok {
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
				limit = min(limit, n)
			}
		}
	}
	return limit
}

// upload sends an APPEND with its message.
func (c *Client) upload(args string, src io.Reader, size int64) (tag string, err error) {
	c.tags++
	tag = "A" + strconv.Itoa(c.tags)
	if err := c.sendLine(c.announce([]byte(tag+" APPEND "+args), size)); err != nil {
		return "", err
	}
	if !c.atOnce(size) {
		if err := c.goAhead(tag, "APPEND"); err != nil {
			return "", err
		}
	}
	out := &sender{c: c}
	w := bufio.NewWriterSize(out, 32<<10)
	n, err := io.CopyN(w, src, size)
	if broken := c.conn.Err(); broken != nil {
		return "", broken
	}
	if out.err != nil {
		return tag, nil // why, the server may have said
	}
	if err == nil {
		err = atEnd(src)
	} else if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", c.fail(fmt.Errorf("imap: APPEND: the message's source, after %d of %d octets: %w", n, size, err))
	}
	c.conn.Transcript().Note("a message of %d octets", size)
	c.conn.Transcript().Client([]byte("\r\n"))
	w.WriteString("\r\n")
	w.Flush()
	return tag, c.conn.Err()
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

// atEnd makes sure that a source has no more.
func atEnd(src io.Reader) error {
	var more [1]byte
	switch n, err := io.ReadFull(src, more[:]); {
	case n > 0:
		return errors.New("it holds more")
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// appended reads the response code APPENDUID. RFC 4315 section 3.
func (c *Client) appended() Appended {
	validity, uid, _ := strings.Cut(string(c.codeArgs), " ")
	v, err := parseUint([]byte(validity), 32)
	u, err2 := parseUint([]byte(strings.TrimSpace(uid)), 32)
	if c.code != "APPENDUID" || err != nil || err2 != nil || v == 0 || u == 0 {
		return Appended{}
	}
	return Appended{UIDValidity: uint32(v), UID: uint32(u)}
}
