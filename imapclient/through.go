package imapclient

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// The bounds of going on after a server has hung up.
const (
	maxHangUps = 16 // in a row, without a message in between
	maxBlame   = 2  // of one message that is asked for alone; once may be chance
)

// BodiesThrough retrieves whole messages as [Client.Bodies] does, and goes on
// when the server hangs up: with another session from redial, which is logged in
// and has the same mailbox open. So a message over which the server hangs up
// each time is found, and is a [MessageError] that holds the [HangUpError]; the
// others come. The most likely one is asked for first, then the messages of the
// command are bisected, one command at a time.
//
// A message that is cut short ends with [ErrTruncated], and comes again. The
// session that redial last returned is the caller's, earlier ones and c are over.
// Waiting before a dial is for redial to do. An error of redial ends the
// sequence, and so do 16 hang-ups without a message in between, one that says
// when to come back (Error.RetryAfter), and a mailbox whose UIDVALIDITY is
// another one.
func BodiesThrough(ctx context.Context, c *Client, redial func(context.Context) (*Client, error), uids ...uint32) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		t := &through{c: c, queue: []Set{UIDs(uids...)}, blame: make(map[uint32]int), yield: yield}
		if c.box != nil {
			t.validity = c.box.UIDValidity
		}
		for t.width = maxBatches; ; t.width = 1 {
			hung := t.bodies(ctx)
			if hung == nil || !t.narrow(hung) {
				return
			}
			if err := t.redial(ctx, redial); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// through is a retrieval through several sessions.
type through struct {
	c        *Client
	validity uint32
	queue    []Set
	width    int            // commands at a time
	blame    map[uint32]int // hang-ups of a message that was asked for alone
	hangUps  int            // in a row
	began    uint32         // the message that came last, maybe not to its end
	yield    func(*Message, error) bool
}

// bodies retrieves what is in the queue from one session, and returns how that
// ended if it is to go on in another.
func (t *through) bodies(ctx context.Context) (hung *HangUpError) {
	stopped := false
	t.c.wholes(ctx, t.width, func(m *Message, err error) bool {
		if errors.As(err, &hung) {
			if t.began != 0 && !(hung.sending && hung.Next == t.began) {
				t.hangUps = 0
			}
			t.began = 0
			return false
		}
		if t.began != 0 { // and has come to its end
			t.hangUps = 0
		}
		if t.began = 0; m != nil {
			t.began = m.UID
		}
		stopped = !t.yield(m, err)
		return !stopped
	}, t.queue...)
	if stopped {
		return nil
	}
	return hung
}

// narrow finds out what is to be asked for next, or returns false if the
// sequence is over.
func (t *through) narrow(e *HangUpError) bool {
	said := (*Error)(nil)
	if t.hangUps++; t.hangUps > maxHangUps || errors.As(e, &said) && said.RetryAfter > 0 {
		t.yield(nil, e)
		return false
	}
	next := UIDs(e.Next)
	rest := e.Suspects.without(next)
	switch n := int(e.Suspects.Len()); {
	case e.asked == 1:
		if t.width == 1 {
			t.blame[e.Next]++
		}
		if t.blame[e.Next] == maxBlame {
			t.queue = nil
			if !t.yield(nil, &MessageError{e.Next, e}) {
				return false
			}
			break
		}
		t.queue = []Set{next}
	case n == 2 || e.Likely().Len() == 1:
		t.queue = []Set{next, rest}
	default:
		half, other, _ := e.Suspects.cut(n / 2)
		t.queue = []Set{half, other}
	}
	t.queue = append(t.queue, e.Pending)
	for _, set := range t.queue {
		if set.Len() > 0 {
			return true
		}
	}
	return false
}

// redial goes over to another session.
func (t *through) redial(ctx context.Context, redial func(context.Context) (*Client, error)) error {
	t.c.Close()
	c, err := redial(ctx)
	if err != nil {
		return err
	}
	t.c = c
	if c.box == nil || c.box.UIDValidity != t.validity {
		return fmt.Errorf("imap: after a server has hung up, the mailbox is another: its UIDVALIDITY is not %d", t.validity)
	}
	return nil
}
