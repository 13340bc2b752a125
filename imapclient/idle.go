package imapclient

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// defaultIdle is how long an IDLE lasts: servers may hang up after 30 minutes
// of silence. RFC 2177.
const defaultIdle = 28 * time.Minute

// Idle waits until the server tells of a change in the selected mailbox (RFC
// 2177), but not longer than d; 0 means 28 minutes. It returns what has
// happened since the last Idle or Noop, possibly nothing. A server without
// IDLE is [errors.ErrUnsupported]. [Client.Watch] is for who waits for longer.
//
// When ctx ends, Idle ends the command, returns the context's cause, and the
// session goes on, unless the server does not answer within 10 seconds. A
// server that does not begin to idle within 10 seconds is told to end it, too.
func (c *Client) Idle(ctx context.Context, d time.Duration) (Activity, error) {
	end, err := c.beginListening(ctx)
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
	if !c.offers("IDLE") {
		return Activity{}, fmt.Errorf("imap: IDLE: %w", errors.ErrUnsupported)
	}
	if d <= 0 {
		d = defaultIdle
	}
	if _, err := c.idle(ctx, &listening{d: d}); err != nil {
		return Activity{}, err
	}
	if err := context.Cause(ctx); err != nil && !c.activity.Any() {
		return Activity{}, err
	}
	return c.look(), nil
}

// idle listens by IDLE. ended tells that it was the server that ended it.
func (c *Client) idle(ctx context.Context, l *listening) (ended bool, err error) {
	l.name, l.last, l.waits = "IDLE", "DONE", true
	if l.tag, err = c.send("IDLE", ""); err != nil {
		return false, err
	}
	err = l.run(ctx, c)
	return !l.said, err
}
