package imapclient

import (
	"bytes"
	"slices"
)

// Activity is what a server told of the selected mailbox without being asked.
type Activity struct {
	Messages uint32 // how many there are now
	Arrived  int    // EXISTS with a higher number than before
	Expunged int    // messages that are gone
	Changed  int    // messages whose flags changed
}

// Any tells whether anything happened.
func (a Activity) Any() bool { return a.Arrived+a.Expunged+a.Changed > 0 }

// route hands an untagged response to the one who waits for it, or looks
// after it here. What is not known is passed over: RFC 9051 section 7 asks
// clients to accept any response at any time.
func (c *Client) route(r *response) error {
	if c.waiter != nil {
		took, err := c.waiter(r)
		switch {
		case err != nil && err != errSyntax:
			return err
		case took || err != nil:
			if err := r.finish(); err != nil {
				return err
			}
			return c.spend(r)
		}
		r.pos = 2
	}
	if err := c.observe(r); err != nil && err != errSyntax {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	return c.spend(r)
}

// spend counts a response that nobody waited for, or of which only the last
// counts, so that there is no end to what a server can say.
func (c *Client) spend(r *response) error {
	c.unasked += r.octets
	r.octets = 0
	if c.unasked > maxUnasked {
		return c.conn.ProtocolError("imap: more than %d octets that nobody asked for", maxUnasked)
	}
	return nil
}

// useful says that a response brings what was asked for, which ends: a message
// that had not come, say.
func (r *response) useful() { r.octets = 0 }

// kept counts a response that becomes part of a command's result. It returns
// err, unless that is too much.
func (r *response) kept(err error) error {
	if err != nil && err != errSyntax {
		return err
	}
	r.c.kept += r.octets
	r.useful()
	if r.c.kept > maxKept {
		return r.c.conn.ProtocolError("imap: a result of more than %d octets", maxKept)
	}
	return err
}

// observe keeps what matters of an unasked-for response.
func (c *Client) observe(r *response) error {
	if n, err := r.number(32); err == nil {
		return c.observeMessage(uint32(n), r.word())
	}
	r.pos = 2
	switch name := r.word(); name {
	case "OK", "NO", "BAD", "PREAUTH":
		c.observeCode(r.rest())
	case "VANISHED":
		return c.observeVanished(r)
	case "ID":
		c.observeID(r)
	case "BYE":
		c.observeCode(r.rest())
		return c.fail(c.statusError("", "BYE", r.rest()))
	case "CAPABILITY":
		c.caps = parseCapabilities(r.rest())
	case "STATUS", "LIST":
		if c.watch != nil {
			r.pos = 2
			return c.watch.hear(r)
		}
	}
	return nil
}

func (c *Client) observeMessage(n uint32, what string) error {
	if c.box == nil {
		return nil
	}
	switch what {
	case "EXISTS":
		if n > c.box.Messages {
			c.activity.Arrived += int(n - c.box.Messages)
		}
		c.box.Messages, c.emptied = n, false
	case "EXPUNGE", "EXPUNGED": // QUIRK: the latter is GNU Mailutils's
		c.gone(c.box, 1)
		c.activity.Expunged++
	case "FETCH":
		c.activity.Changed++
	}
	return nil
}

// observeCode keeps what a response code tells, wherever it comes.
func (c *Client) observeCode(rest []byte) {
	code, args, text := splitCode(rest)
	switch code {
	case "CAPABILITY":
		c.caps = parseCapabilities(args)
	case "NOTIFICATIONOVERFLOW":
		if c.watch != nil {
			c.watch.overflow()
		}
	case "ALERT":
		c.conn.Transcript().Note("the server wants this shown: %q", c.scrub(text))
	}
}

// look returns the activity since the last look.
func (c *Client) look() Activity {
	a := c.activity
	c.activity = Activity{}
	if c.box != nil {
		a.Messages = c.box.Messages
	}
	return a
}

// intern returns s as a string that is shared by all messages. A mailbox has
// few different flags.
func (c *Client) intern(b []byte) string {
	if s, ok := c.flagNames[string(b)]; ok {
		return s
	}
	s := string(b)
	if c.flagNames == nil {
		c.flagNames = make(map[string]string)
	}
	if len(c.flagNames) < maxFlags {
		c.flagNames[s] = s
	}
	return s
}

// flagList reads "(\Seen $Junk)". What is no flag is left out.
func (r *response) flagList() ([]string, error) {
	r.space()
	if !r.take('(') {
		if _, isNil, err := r.str(); err != nil || !isNil {
			return nil, errSyntax
		}
		return nil, nil // QUIRK: NIL for an empty list
	}
	// A mailbox has few different lists, too.
	list := r.rest()
	end := bytes.IndexByte(list, ')')
	const most = 500 // octets of a list that is kept
	known := end >= 0 && end <= most && !bytes.ContainsAny(list[:end], "\"{(")
	if known {
		if flags, ok := r.c.flagLists[string(list[:end])]; ok {
			r.pos += end + 1
			return slices.Clone(flags), nil
		}
	}
	var room [16]string // for most
	flags := room[:0]
	for {
		r.space()
		if r.take(')') {
			break
		}
		f, _, err := r.str()
		if err != nil {
			return nil, err
		}
		if isFlag(f) && len(flags) < maxFlags {
			flags = append(flags, r.c.intern(f))
		}
	}
	flags = append([]string(nil), flags...)
	if known && len(r.c.flagLists) < maxFlags {
		if r.c.flagLists == nil {
			r.c.flagLists = make(map[string][]string)
		}
		r.c.flagLists[string(list[:end])] = slices.Clone(flags)
	}
	return flags, nil
}

// isFlag tells whether b is a flag: an atom, with or without a backslash, or
// "\*". RFC 9051 section 9.
func isFlag(b []byte) bool {
	const longest = 255
	if len(b) > longest {
		return false
	}
	if string(b) == `\*` {
		return true
	}
	if len(b) > 0 && b[0] == '\\' {
		b = b[1:]
	}
	return isAtom(b)
}
