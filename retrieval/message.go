package retrieval

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// UID is the lasting name of a message in its mailbox, opaque and given by
// the server: POP3 the UIDL (RFC 1939 section 7), IMAP the UIDVALIDITY, a dot
// and the UID (RFC 9051 section 2.3.1.1), "3857529045.42". It may hold any
// octet but white space: never use it as a file's name.
type UID string

// Flag is a mark on a message that the server keeps for every client
// (RFC 9051 section 2.3.2). System flags begin with a backslash; the case of
// a flag does not matter.
type Flag string

// The system flags. \Recent is never reported: it belongs to one session.
const (
	FlagSeen      Flag = `\Seen`
	FlagAnswered  Flag = `\Answered`
	FlagFlagged   Flag = `\Flagged`
	FlagDeleted   Flag = `\Deleted`
	FlagDraft     Flag = `\Draft`
	FlagForwarded Flag = `$Forwarded`
)

// SameFlags tells whether a and b hold the same flags, in whatever order and
// case.
func SameFlags(a, b []Flag) bool { return slices.Equal(flagSet(a), flagSet(b)) }

func flagSet(flags []Flag) []string {
	set := make([]string, 0, len(flags))
	for _, f := range flags {
		set = append(set, strings.ToLower(string(f)))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// Summary is what a server says of a message without sending it.
type Summary struct {
	UID UID

	// Size in octets, as the server announces it: a hint, which POP3 servers
	// get wrong by a few octets. -1 if it was not announced.
	Size int64

	// Flags in no order; always empty with POP3.
	Flags []Flag

	// Received is when the message arrived on the server; zero with POP3.
	Received time.Time

	// Email names the message over all mailboxes of the account, if the server
	// has such names (EMAILID, RFC 8474; Gmail's X-GM-MSGID). It is asked for
	// only where it matters.
	Email string
}

// Message is a message that is being retrieved: what is known of it, and a
// reader of its exact octets, lines ending as the server sent them. Reading
// ends with io.EOF only if every octet arrived, else with [ErrTruncated]. A
// message that came from an iterator is valid until the next iteration.
type Message struct {
	Summary

	// Box is the mailbox that the message comes from.
	Box Box

	// Redelivery says that an earlier, interrupted run may have delivered
	// the message already.
	Redelivery bool

	// HeaderOnly says that this is the header section of a message that is too
	// large: see [Limits].
	HeaderOnly bool

	body    io.Reader
	n       int64
	end     error         // what reading ended with
	observe func(n int64) // told of octets as they pass
	printer *printer      // shown them
	limit   int64         // more octets than that are ErrTooLarge; 0: any number may come
	some    bool          // none at all is ErrTruncated
}

// NewMessage returns a message whose octets are read from body. It is for
// those who implement a [Retriever] or test a [Sink].
func NewMessage(box Box, s Summary, body io.Reader) *Message {
	return &Message{Summary: s, Box: box, body: body}
}

// Read reads the next octets of the message.
func (m *Message) Read(p []byte) (int, error) {
	if m.end != nil {
		return 0, m.end
	}
	n, err := m.body.Read(p)
	if m.isTooLarge(n) {
		n, err = 0, ErrTooLarge
	}
	m.count(p[:n])
	if err == io.EOF {
		err = m.atEnd()
	}
	m.end = err
	return n, err
}

// atEnd is what reading ends with when the source has ended well: io.EOF,
// unless something was to come and nothing has. Sizes may be wrong by a lot, but
// something is not nothing.
func (m *Message) atEnd() error {
	if m.some && m.n == 0 {
		return fmt.Errorf("the server sent nothing of %d octets: %w", m.Size, ErrTruncated)
	}
	return io.EOF
}

// WriteTo writes what is left of the message to w, without a copy in between
// if the source can do that.
func (m *Message) WriteTo(w io.Writer) (int64, error) {
	if m.end != nil {
		return 0, m.readError()
	}
	cw := &countingWriter{w: w, m: m}
	before := m.n
	_, err := io.Copy(cw, m.body)
	switch {
	case err == nil:
		m.end = m.atEnd()
		err = m.readError()
	case cw.err == nil:
		m.end = err // the source's error, not the writer's
	}
	return m.n - before, err
}

// Octets returns how many octets of the message have been read.
func (m *Message) Octets() int64 { return m.n }

// whole reads what is left, and returns nil if every octet has arrived.
func (m *Message) whole() error {
	_, err := m.WriteTo(io.Discard)
	return err
}

// readError returns what went wrong on the way from the server, if anything.
func (m *Message) readError() error {
	if m.end == io.EOF {
		return nil
	}
	return m.end
}

// isTooLarge tells whether n more octets are too many.
func (m *Message) isTooLarge(n int) bool { return m.limit > 0 && m.n+int64(n) > m.limit }

func (m *Message) count(p []byte) {
	m.n += int64(len(p))
	if m.printer != nil {
		m.printer.write(p)
	}
	if m.observe != nil {
		m.observe(int64(len(p)))
	}
}

// countingWriter counts for a message what passes to w, and remembers w's
// error to tell it from the source's.
type countingWriter struct {
	w   io.Writer
	m   *Message
	err error
}

func (c *countingWriter) Write(p []byte) (int, error) {
	if c.m.isTooLarge(len(p)) {
		return 0, ErrTooLarge
	}
	n, err := c.w.Write(p)
	c.m.count(p[:n])
	if err != nil {
		c.err = err
	}
	return n, err
}
