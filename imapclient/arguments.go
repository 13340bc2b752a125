package imapclient

import "strconv"

// arguments are what follows the name of a command of our own, while it is
// being written. A string that cannot be quoted becomes a literal.
type arguments struct {
	utf8     bool // quoted strings may be UTF-8
	before   []before
	line     []byte // not ended yet
	words    int    // so far
	adjacent bool   // no space belongs before what comes next
}

// before is a line and the literal that it ends with.
type before struct {
	line    []byte
	literal string
}

// word adds an atom, or something else that is written as it is.
func (a *arguments) word(s string) {
	if !a.adjacent {
		a.line = append(a.line, ' ')
	}
	a.adjacent = false
	a.words++
	a.line = append(a.line, s...)
}

// str adds a string, in which there is no CR, LF or NUL.
func (a *arguments) str(s string) {
	if isASCII(s) || a.utf8 {
		a.word(quote(s))
		return
	}
	a.word("")
	a.before = append(a.before, before{a.line, s})
	a.line = nil
}

func (a *arguments) open() {
	a.word("(")
	a.adjacent = true
}

func (a *arguments) close() {
	a.line = append(a.line, ')')
	a.adjacent = false
}

// runArgs is run for arguments that may have literals.
func (c *Client) runArgs(name string, a *arguments, w waiter) error {
	c.waiter = w
	defer func() { c.waiter = nil }()
	tag, err := c.sendArgs(name, a)
	if err != nil {
		return err
	}
	return c.await(tag, name)
}

// sendArgs is send for such arguments. If the server refuses one, the command
// has ended.
func (c *Client) sendArgs(name string, a *arguments) (tag string, err error) {
	c.tags++
	tag = "A" + strconv.Itoa(c.tags)
	line := []byte(tag + " " + name)
	for _, b := range a.before {
		n := int64(len(b.literal))
		line = c.announce(append(line, b.line...), n)
		if !c.atOnce(n) {
			if err := c.sendLine(line); err != nil {
				return "", err
			}
			if err := c.goAhead(tag, name); err != nil {
				return "", err
			}
			line = nil
		}
		line = append(line, b.literal...)
	}
	line = append(line, a.line...)
	return tag, c.sendLine(append(line, "\r\n"...))
}

// announce adds to a line that a literal of n octets follows.
func (c *Client) announce(line []byte, n int64) []byte {
	line = append(line, '{')
	line = strconv.AppendInt(line, n, 10)
	if c.atOnce(n) {
		line = append(line, '+')
	}
	return append(line, "}\r\n"...)
}

// atOnce tells whether a literal of n octets is sent before the server has
// agreed. RFC 7888 sections 4 and 5. A large one, for which a round trip is
// nothing, is not: it would be sent although it is refused.
func (c *Client) atOnce(n int64) bool {
	const small, large = 4096, 64 << 10
	return n <= small && c.offers("LITERAL-") || n <= large && c.offers("LITERAL+")
}

// goAhead waits until the server agrees to a literal. If it does not, the
// command has ended.
func (c *Client) goAhead(tag, name string) error {
	more, _, err := c.challenge(tag, name)
	if err == nil && !more {
		err = c.conn.ProtocolError("imap: %s: OK before the command was complete", name)
	}
	return err
}
