package imapclient

import (
	"context"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// Mailbox is the state of a selected mailbox (RFC 9051 section 6.3.2).
type Mailbox struct {
	Name           string
	Messages       uint32
	UIDValidity    uint32 // 0: the server gave none, so UIDs mean nothing
	UIDNext        uint32 // 0: not told (QUIRK: Courier)
	HighestModSeq  uint64 // 0: no CONDSTORE here (RFC 7162)
	Flags          []string
	PermanentFlags []string // nil: not told, and then all flags last (RFC 9051 section 7.1)
	ReadOnly       bool
	UIDNotSticky   bool   // RFC 4315 section 2: UIDs do not last
	ID             string // MAILBOXID (RFC 8474), which outlasts a new name; empty: not told
}

// Select opens a mailbox for reading and writing. The result is a snapshot. A
// name that the server does not know is [ErrNoMailbox].
func (c *Client) Select(ctx context.Context, name string) (*Mailbox, error) {
	return c.open(ctx, name, false)
}

// Examine opens a mailbox for reading, so that looking changes nothing, not
// even \Recent.
func (c *Client) Examine(ctx context.Context, name string) (*Mailbox, error) {
	return c.open(ctx, name, true)
}

func (c *Client) open(ctx context.Context, name string, readOnly bool) (*Mailbox, error) {
	end, err := c.beginNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	defer end()
	return c.openNow(name, readOnly, "", nil)
}

// openNow opens a mailbox. params follow its name, and w takes what they ask
// for.
func (c *Client) openNow(name string, readOnly bool, params string, w waiter) (*Mailbox, error) {
	command := "SELECT"
	if readOnly {
		command = "EXAMINE"
	}
	// Even if it fails, the mailbox that was open is open no more.
	c.box, c.emptied, c.activity, c.avgBody = nil, false, Activity{}, 0
	box := &Mailbox{Name: name, ReadOnly: readOnly}
	wait := func(r *response) (bool, error) {
		if w != nil {
			if took, err := w(r); took || err != nil {
				return took, err
			}
			r.pos = 2
		}
		return box.wait(r)
	}
	err := c.engineRun(command, wait, func(e *goimap.Client) error {
		if params != "" {
			c.engine.Load().guard.suffix = " " + params
		}
		_, err := e.Select(c.engineName(name), &imap.SelectOptions{ReadOnly: readOnly}).Wait()
		return err
	})
	if err != nil {
		return nil, err
	}
	switch c.code {
	case "READ-ONLY":
		box.ReadOnly = true
	case "READ-WRITE":
		box.ReadOnly = false
	}
	c.box = box
	return box.clone(), nil
}

// wait is the waiter of SELECT and EXAMINE. Messages may go while they are
// answered, after EXISTS.
func (b *Mailbox) wait(r *response) (bool, error) {
	if n, err := r.number(32); err == nil {
		switch r.word() {
		case "EXISTS":
			b.Messages = uint32(n)
			r.c.emptied = false
		case "EXPUNGE", "EXPUNGED":
			r.c.gone(b, 1)
		default:
			return false, nil
		}
		return true, nil
	}
	r.pos = 2
	switch r.word() {
	case "VANISHED":
		earlier := r.peek() == '('
		set, err := r.vanishedSet()
		if err == nil && !earlier {
			r.c.gone(b, set.Len())
		}
		return true, err
	case "FLAGS":
		flags, err := r.flagList()
		b.Flags = flags
		return true, err
	case "OK", "NO": // RFC 4315 section 2 says NO for UIDNOTSTICKY
		return b.code(r)
	}
	return false, nil
}

// gone notes that messages are gone, and returns how many that can be.
func (c *Client) gone(b *Mailbox, n uint32) uint32 {
	n = min(n, b.Messages)
	b.Messages -= n
	c.emptied = c.emptied || n > 0 && b.Messages == 0
	return n
}

// isEmpty tells whether the server has said that the mailbox is empty. That as
// many have vanished as there are is not believed: QRESYNC tells of UIDs, and a
// server may tell of one twice, or of one that was gone before (without EARLIER).
func (c *Client) isEmpty() bool { return c.box.Messages == 0 && !c.emptied }

// code takes the response codes that tell of a mailbox.
func (b *Mailbox) code(r *response) (bool, error) {
	if !r.take('[') {
		return false, nil
	}
	// A closing bracket may stand next to a number.
	end := slices.Index(r.line, ']')
	if end < 0 {
		return false, nil
	}
	number := func(bits int) uint64 {
		args := r.line[min(r.pos, end):end]
		n, err := parseUint(args, bits)
		if err != nil {
			return 0
		}
		return n
	}
	code := string(r.line[r.pos:end])
	switch name := r.word(); {
	case name == "UIDVALIDITY":
		b.UIDValidity = uint32(number(32))
	case name == "UIDNEXT":
		b.UIDNext = uint32(number(32))
	case name == "HIGHESTMODSEQ":
		b.HighestModSeq = number(63) // RFC 7162 section 7
	case name == "MAILBOXID":
		b.ID = objectID(r.line[min(r.pos, end):end])
	case name == "PERMANENTFLAGS":
		flags, err := r.flagList()
		if b.PermanentFlags = flags; err == nil && flags == nil {
			b.PermanentFlags = []string{}
		}
		return true, err
	case strings.EqualFold(code, "UIDNOTSTICKY"):
		b.UIDNotSticky = true
	case strings.EqualFold(code, "READ-ONLY"):
		b.ReadOnly = true
	default:
		return false, nil
	}
	return true, nil
}

func (b *Mailbox) clone() *Mailbox {
	m := *b
	m.Flags, m.PermanentFlags = slices.Clone(b.Flags), slices.Clone(b.PermanentFlags)
	return &m
}

// Noop asks for what has happened in the selected mailbox, and keeps the
// session alive.
func (c *Client) Noop(ctx context.Context) (Activity, error) {
	end, err := c.begin(ctx)
	if err != nil {
		return Activity{}, err
	}
	defer end()
	if err := c.run("NOOP", "", nil); err != nil {
		return Activity{}, err
	}
	return c.look(), nil
}
