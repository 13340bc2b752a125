package imapclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/postbag/internal/transport"
)

// defaultIdle is how long an IDLE lasts: servers may hang up after 30 minutes
// of silence. RFC 2177.
const defaultIdle = 28 * time.Minute

// doneGrace is how long a server has to answer DONE.
const doneGrace = 10 * time.Second

// Idle waits until the server tells of a change in the selected mailbox (RFC
// 2177), but not longer than d; 0 means 28 minutes. It returns what has
// happened since the last Idle or Noop, possibly nothing. A server without
// IDLE is [errors.ErrUnsupported].
//
// When ctx ends, Idle ends the command, returns the context's cause, and the
// session goes on, unless the server does not answer within 10 seconds.
func (c *Client) Idle(ctx context.Context, d time.Duration) (Activity, error) {
	end, err := c.begin(context.WithoutCancel(ctx))
	if err != nil {
		return Activity{}, err
	}
	defer end()
	if c.box == nil {
		return Activity{}, errors.New("imap: no mailbox is selected")
	}
	if err := c.needCapabilities(); err != nil {
		return Activity{}, err
	}
	if !c.caps.Has("IDLE") && !c.caps.Has("IMAP4REV2") {
		return Activity{}, fmt.Errorf("imap: IDLE: %w", errors.ErrUnsupported)
	}
	if d <= 0 {
		d = defaultIdle
	}
	tag, err := c.send("IDLE", "")
	if err != nil {
		return Activity{}, err
	}
	if err := c.idle(ctx, tag, d); err != nil {
		return Activity{}, err
	}
	if err := context.Cause(ctx); err != nil && !c.activity.Any() {
		return Activity{}, err
	}
	return c.look(), nil
}

// idle carries out an IDLE that has been sent. DONE is written by whatever
// comes first: a change, the time, or the end of ctx.
func (c *Client) idle(ctx context.Context, tag string, d time.Duration) error {
	if more, _, err := c.challenge(tag, "IDLE"); err != nil || !more {
		return err
	}
	c.conn.SetStall(-1)
	defer c.conn.SetStall(0)
	var grace *time.Timer
	var once sync.Once
	done := func() {
		once.Do(func() {
			grace = time.AfterFunc(doneGrace, func() {
				c.conn.Fail(transport.Mark(ErrUnavailable, errors.New("imap: IDLE: no answer to DONE")))
			})
			c.sendLine([]byte("DONE\r\n")) // its failure is the next read's too
		})
	}
	timer := time.AfterFunc(d, done)
	stop := context.AfterFunc(ctx, done)
	defer func() {
		timer.Stop()
		stop()
		once.Do(func() {}) // or wait for it
		if grace != nil {
			grace.Stop()
		}
	}()
	for {
		if c.activity.Any() && c.conn.Buffered() == 0 {
			done()
		}
		r, err := c.read()
		switch {
		case err != nil:
			return err
		case r.kind == untagged:
			err = c.route(r)
		case r.kind == tagged && r.tag == tag:
			return c.ended(r, "IDLE")
		default:
			err = c.conn.ProtocolError("imap: IDLE: an answer to what was not asked")
		}
		if err != nil {
			return err
		}
	}
}
