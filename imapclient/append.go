package imapclient

import (
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
// After [Client.Enable] of "UTF8=ACCEPT", header fields may be UTF-8, and a
// message that has such is sent as RFC 6855 section 4 wants it; a server that
// does not know that form gets it as any other (RFC 9755). Of a header section
// the first MiB is looked at, before anything is sent.
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
	var utf8 bool
	c.safely(func() { src, utf8, err = c.hasUTF8(src, size) })
	if err != nil {
		return Appended{}, err
	}
	up := upload{c: c, args: o.args(c.mailbox(mailbox)), src: src, size: size, utf8: utf8}
	err = up.announce()
	if e := (*Error)(nil); utf8 && errors.As(err, &e) && e.Code == "" && c.conn.Err() == nil {
		// RFC 9755 has no such form any more.
		// QUIRK: Courier offers UTF8=ACCEPT, and says NO to it; RFC 9051 section
		// 7.1.3 says that what is not understood is BAD.
		up.utf8 = false
		err = up.announce()
	}
	if err == nil {
		c.safely(func() { err = up.send() })
	}
	if err == nil {
		err = c.await(up.tag, "APPEND")
	}
	if err != nil {
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
