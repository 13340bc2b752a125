package pop3client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// begin readies the connection for a command, bound to ctx until release is
// called (more than once, if need be): what earlier calls left under way is
// read first.
func (c *Client) begin(ctx context.Context, verb string) (release func(), err error) {
	if c.busy {
		return nil, fmt.Errorf("pop3: %s: %w", verb, errBusy)
	}
	c.body.expire()
	release = sync.OnceFunc(c.conn.Bind(ctx))
	if err = c.settle(); err == nil {
		err = c.quiet()
	}
	if err != nil {
		release()
		return nil, c.lost(verb, err)
	}
	return release, nil
}

// quiet makes sure that the server has not said anything in reply to nothing:
// it would be taken for the reply to what comes next.
func (c *Client) quiet() error {
	n := c.conn.Buffered()
	switch {
	case n > 0 && c.w.mail:
		return c.conn.ProtocolError("the server speaks out of turn: %d octets, perhaps of a message", n)
	case n > 0:
		early, _ := c.conn.Peek(min(n, 100))
		return c.conn.ProtocolError("the server speaks out of turn: %q", early)
	}
	return c.conn.Err()
}

// exchange sends a command and reads its reply. A refusal is an [*Error].
func (c *Client) exchange(verb, command, shown string) (reply, error) {
	err := c.quiet()
	if err == nil {
		err = c.w.queue(command, shown)
	}
	if err == nil {
		err = c.w.flush()
	}
	if err != nil {
		return reply{}, c.lost(verb, err)
	}
	r, err := c.answer()
	if err != nil {
		return reply{}, c.lost(verb, err)
	}
	if !r.ok {
		return reply{}, c.refused(verb, r)
	}
	return r, nil
}

// simple is a command whose reply is one line without data.
func (c *Client) simple(ctx context.Context, verb string) error {
	release, err := c.begin(ctx, verb)
	if err != nil {
		return err
	}
	defer release()
	_, err = c.exchange(verb, verb, verb)
	return err
}

// answer reads a reply that is not a SASL challenge.
func (c *Client) answer() (reply, error) {
	r, err := c.w.reply()
	if err == nil && r.more {
		err = c.conn.ProtocolError("%q is no reply to this command", c.w.quote(c.w.line))
	}
	return r, err
}

// lost ends the session for the reason err, and gives it its context.
func (c *Client) lost(verb string, err error) error {
	c.conn.Fail(err)
	return fmt.Errorf("pop3: %s: %w", verb, err)
}

// lines reads a multi-line reply of at most limit lines, dot-stuffing undone.
// What f returns ends the session as a protocol error. RFC 1939 section 3.
func (c *Client) lines(r reply, limit int, f func(line []byte) error) error {
	for n := 0; ; n++ {
		line, err := c.conn.Line(c.opts.MaxLine)
		if err != nil {
			return err
		}
		c.conn.Transcript().Server(line)
		if string(line) == ".\r\n" || r.lf && string(line) == ".\n" {
			return nil
		}
		if n == limit {
			return c.conn.ProtocolError("a list of more than %d lines", limit)
		}
		line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
		line = bytes.TrimPrefix(line, []byte("."))
		if err := f(line); err != nil {
			return c.conn.ProtocolError("%q: %w", c.w.quote(line), err)
		}
	}
}

// checkArgument refuses what would be more than an argument on the wire. The
// error does not show it: it may be a password.
func checkArgument(verb, arg string) error {
	if strings.ContainsAny(arg, "\r\n\x00") {
		return fmt.Errorf("pop3: %s: %w", verb, errArgument)
	}
	return nil
}

var errArgument = errors.New("an argument holds CR, LF or NUL")
