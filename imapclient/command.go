package imapclient

import (
	"bytes"
	"strconv"

	"example.com/postbag/internal/sasl"
)

// A waiter takes the untagged data that a command asked for. From the first
// words of a response it decides whether it is meant; if not, it returns false
// without having read more. An error ends the session, except errSyntax.
type waiter func(r *response) (took bool, err error)

// run sends a command of our own and waits for its end. args, if not empty,
// follow the name; they have been checked.
func (c *Client) run(name, args string, w waiter) error {
	tag, err := c.send(name, args)
	if err != nil {
		return err
	}
	c.waiter = w
	defer func() { c.waiter = nil }()
	return c.await(tag, name)
}

// send sends a command of our own and returns its tag. go-imap's tags begin
// with T, ours with A.
func (c *Client) send(name, args string) (tag string, err error) {
	c.tags++
	tag = "A" + strconv.Itoa(c.tags)
	line := make([]byte, 0, len(tag)+len(name)+len(args)+4)
	line = append(line, tag...)
	line = append(line, ' ')
	line = append(line, name...)
	if args != "" {
		line = append(line, ' ')
		line = append(line, args...)
	}
	return tag, c.sendLine(append(line, "\r\n"...))
}

// sendLine sends a line that something is to be read after. That it cannot be
// sent shows in what is read: the server's last words, if it had any.
func (c *Client) sendLine(line []byte) error {
	c.conn.Transcript().Client(c.scrub(line))
	_, err := c.conn.Send(line)
	if err != nil && c.conn.Err() == nil {
		return nil
	}
	return err
}

// await reads responses until the command tag has ended, and returns the
// [*Error] that it ended with.
func (c *Client) await(tag, name string) error {
	for {
		r, err := c.read()
		if err != nil {
			return err
		}
		switch r.kind {
		case tagged:
			if r.tag != tag {
				return c.conn.ProtocolError("imap: an answer to a command that was not given")
			}
			return c.ended(r, name)
		case untagged:
			if err := c.route(r); err != nil {
				return err
			}
		case continuation:
			return c.conn.ProtocolError("imap: %s: the server waits for more, and there is nothing more", name)
		}
	}
}

// ended takes the tagged response that ends a command.
func (c *Client) ended(r *response, name string) error {
	status := r.word()
	code, args, _ := splitCode(r.rest())
	c.code, c.codeArgs = code, bytes.Clone(args)
	c.observeCode(r.rest())
	switch status {
	case "OK":
		return nil
	case "NO", "BAD":
		return c.statusError(name, status, r.rest())
	}
	return c.conn.ProtocolError("imap: %s: ended with neither OK, NO nor BAD", name)
}

// scrub returns b with secrets replaced. It does not change b.
func (c *Client) scrub(b []byte) []byte { return sasl.Scrub(b, c.secrets) }
