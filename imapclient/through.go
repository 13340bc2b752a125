package imapclient

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
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
		t := newThrough(c, redial, func(err error) bool { return yield(nil, err) })
		t.queue, t.width = []Set{UIDs(uids...)}, maxBatches
		t.pass = func(ctx context.Context) *HangUpError { return t.bodies(ctx, yield) }
		t.all(ctx)
	}
}

// through is a retrieval through several sessions.
type through struct {
	c        *Client
	validity uint32
	dial     func(context.Context) (*Client, error)
	queue    []Set
	width    int            // commands at a time
	blame    map[uint32]int // hang-ups of a message that was asked for alone
	hangUps  int            // in a row
	most     int            // of them
	began    uint32         // the message that came last, maybe not to its end
	stopped  bool           // the loop was left
	yield    func(error) bool

	// pass retrieves what is in the queue from one session, and returns how that
	// ended if it is to go on in another.
	pass func(context.Context) *HangUpError

	// exact, if not nil, leaves of an error the messages that there are. It is
	// called once.
	exact func(context.Context, *HangUpError) (*HangUpError, error)
}

func newThrough(c *Client, dial func(context.Context) (*Client, error), yield func(error) bool) *through {
	t := &through{c: c, dial: dial, width: 1, most: maxHangUps, blame: make(map[uint32]int)}
	t.yield = func(err error) bool {
		t.stopped = t.stopped || !yield(err)
		return !t.stopped
	}
	if c.box != nil {
		t.validity = c.box.UIDValidity
	}
	return t
}

// all goes through as many sessions as it takes, and tells whether that went
// well.
func (t *through) all(ctx context.Context) bool {
	for hung := t.pass(ctx); hung != nil; hung = t.pass(ctx) {
		said := (*Error)(nil)
		if t.hangUps++; t.hangUps > t.most || errors.As(hung, &said) && said.RetryAfter > 0 {
			t.yield(hung)
			return false
		}
		var err error
		if t.exact != nil {
			hung, err = t.exact(ctx, hung)
			t.exact = nil
		}
		if err == nil {
			if !t.narrow(hung) {
				break
			}
			err = t.redial(ctx)
		}
		if err != nil {
			t.yield(err)
			return false
		}
		t.width = 1
	}
	return !t.stopped
}

// bodies is the pass of whole messages.
func (t *through) bodies(ctx context.Context, yield func(*Message, error) bool) (hung *HangUpError) {
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
		t.stopped = !yield(m, err)
		return !t.stopped
	}, t.queue...)
	if t.stopped {
		return nil
	}
	return hung
}

// narrow finds out what is to be asked for next, or returns false if the
// sequence is over.
func (t *through) narrow(e *HangUpError) bool {
	next := UIDs(e.Next)
	rest, later := e.Suspects.without(next), t.queue
	switch n := int(e.Suspects.Len()); {
	case n == 0:
		t.queue = nil
	case e.asked == 1:
		if t.width == 1 {
			t.blame[e.Next]++
		}
		if t.blame[e.Next] == maxBlame {
			t.queue = nil
			if !t.yield(&MessageError{e.Next, e}) {
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
	for _, set := range later { // as it has been narrowed before
		t.queue = append(t.queue, set.both(e.Pending))
	}
	t.queue = slices.DeleteFunc(t.queue, func(s Set) bool { return s.Len() == 0 })
	return len(t.queue) > 0
}

// redial goes over to another session, if this one is over.
func (t *through) redial(ctx context.Context) error {
	if t.c.Err() == nil {
		return nil
	}
	t.c.Close()
	c, err := t.dial(ctx)
	if err != nil {
		return err
	}
	t.c = c
	if c.box == nil || c.box.UIDValidity != t.validity {
		return fmt.Errorf("imap: after a server has hung up, the mailbox is another: its UIDVALIDITY is not %d", t.validity)
	}
	return nil
}
