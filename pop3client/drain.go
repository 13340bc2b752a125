package pop3client

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// owed is what the server still sends of a loop that was left early, behind
// the body that was open.
type owed struct {
	replies int
	multi   bool  // replies with data
	octets  int64 // what they are expected to have
}

// settle reads and throws away what no one will look at, so that the next
// reply is the one to the next command; or closes the connection if that is
// cheaper, see [Options.MaxDrain].
func (c *Client) settle() error {
	if c.owed.octets > c.opts.MaxDrain {
		return c.abandon(c.owed.octets)
	}
	var n int64
	if err := c.drainBody(&n); err != nil {
		return err
	}
	for ; c.owed.replies > 0; c.owed.replies-- {
		if err := c.drainReply(c.owed.multi, &n); err != nil {
			return err
		}
	}
	c.owed = owed{}
	return nil
}

// drainReply throws the next reply away, and adds what it had to n.
func (c *Client) drainReply(multi bool, n *int64) error {
	r, err := c.answer()
	if err != nil || !multi || !r.ok {
		return err
	}
	c.open("drain", 0, r, func() {}).expire()
	return c.drainBody(n)
}

// drainBody throws the rest of the open body away, and adds it to n.
func (c *Client) drainBody(n *int64) error {
	b := c.body
	if b == nil {
		return c.conn.Err()
	}
	b.expire()                // whoever has it must not take what is left for the end
	b.n += int64(len(b.rest)) // for the transcript
	for {
		err := b.chunk()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		b.n += int64(len(b.rest))
		if *n += int64(len(b.rest)); *n > c.opts.MaxDrain {
			return c.abandon(*n)
		}
	}
}

// closeBody throws away what the loop has left of its body.
func (c *Client) closeBody(ctx context.Context, b *Body) error {
	b.expire()
	if errors.Is(b.err, ErrTruncated) {
		return b.err
	}
	err := c.throwAway(b)
	if err == nil && ctx.Err() != nil {
		err = c.lost(b.verb, context.Cause(ctx))
	}
	return err
}

// throwAway drains b, the open body.
func (c *Client) throwAway(b *Body) error {
	var n int64
	err := c.drainBody(&n)
	if err == nil || errors.Is(err, ErrTruncated) { // which tells the command
		return err
	}
	return c.lost(b.verb, err)
}

func (c *Client) abandon(n int64) error {
	c.body, c.owed = nil, owed{}
	c.conn.Fail(fmt.Errorf("%w: at least %d octets", ErrAbandoned, n))
	return c.conn.Err()
}
