package imapclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
)

// Fetch asks for items of the messages in set, in one round trip (more if the
// set is too long for a line). Nothing of it sets the flag \Seen. The messages
// come each once, most in the order of the mailbox; two to which the server
// gives one UID come both.
//
// What a server does not tell of a message, or not so that it can be
// understood, is in Info.Missing. A message that the server refuses to tell
// of, or only so that it cannot be understood at all, is a [MessageError]: the
// others are asked for again, without it. Any other error ends the sequence.
// Items that need an extension which the server lacks are
// [errors.ErrUnsupported], and no FETCH is sent.
//
// Breaking out of the loop leaves the session usable: what is on the way is
// read and thrown away. Within the loop other commands are [ErrBusy].
func (c *Client) Fetch(ctx context.Context, set Set, items Items) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if items.Gone && set.Len() > maxGone {
			yield(Info{}, fmt.Errorf("imap: Fetch: Items.Gone is for at most %d UIDs", maxGone))
			return
		}
		c.fetch(ctx, items, yield, set)
	}
}

// fetch yields what is told of the messages in some sets.
func (c *Client) fetch(ctx context.Context, items Items, yield func(Info, error) bool, sets ...Set) {
	end, err := c.beginSelected(ctx)
	if err != nil {
		yield(Info{}, err)
		return
	}
	defer end()
	c.safely(func() {
		q := c.newInquiry(&items, yield)
		err := q.whole(&items, sets...)
		if q.owed != nil && !isOurs(ctx, err) {
			err = q.owed
		}
		if err != nil {
			yield(Info{}, err)
		}
	})
}

// inquiry is a sequence of what is told of messages.
type inquiry struct {
	c       *Client
	items   string
	asked   item
	yield   func(Info, error) bool
	stopped bool // the loop was left

	set      Set    // that is asked for now
	done     uidSet // yielded
	pending  map[uint32]*row
	highSeq  uint32            // the highest sequence number so far
	highUID  uint32            // and UID
	last     uint32            // the highest that was told of set
	owed     *HangUpError      // what the session ended with
	order    []uint32          // UIDs in pending, oldest first; maybe some that are no longer
	nameless map[uint32]*row   // by sequence number: rows without a UID
	names    map[uint32]uint32 // by sequence number: UIDs in pending
	held     int64             // octets of what is in pending and nameless
	odd      bool              // a row could not be understood
	expunged int               // how many messages, when it was looked last
	rows     int
	row      row // that is being read
	tree     tree
}

// maxPending is how many messages may be told of in part, until the rest of
// the oldest is not waited for any more.
const maxPending = 1000

// inquire does what Fetch does. It returns nil if the loop was left.
func (c *Client) inquire(set Set, items *Items, yield func(Info, error) bool) error {
	return c.newInquiry(items, yield).whole(items, set)
}

// whole asks for items of the messages in some sets.
func (q *inquiry) whole(items *Items, sets ...Set) error {
	if err := items.check(); err != nil {
		return err
	}
	if err := q.c.supports(items); err != nil {
		return err
	}
	if !q.c.isEmpty() { // to any set some answer BAD when there is nothing
		if err := q.all(sets...); err != nil || q.stopped {
			return err
		}
	}
	if items.Gone {
		for _, set := range sets {
			for uid := range set.all() {
				if !q.done.has(uid) && !q.stopped {
					q.fail(uid, fmt.Errorf("imap: UID FETCH: %w", ErrGone))
				}
			}
		}
	}
	return nil
}

func (c *Client) newInquiry(items *Items, yield func(Info, error) bool) *inquiry {
	return &inquiry{c: c, items: items.wire(), asked: items.set(), yield: yield,
		pending: make(map[uint32]*row), nameless: make(map[uint32]*row), names: make(map[uint32]uint32)}
}

// all asks for some sets, and for parts of them again if that is refused.
func (q *inquiry) all(sets ...Set) error {
	var queue []Set
	for _, set := range sets {
		queue = append(queue, set.split()...)
	}
	slices.Reverse(queue) // the next is the last
	for refused := 0; len(queue) > 0; {
		if q.stopped {
			return nil
		}
		part := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		err := q.one(part)
		if q.stopped {
			return nil
		}
		if q.c.conn.Err() != nil {
			q.owed = q.hungUp(err, part, queue)
			return err
		}
		if wait := (*Error)(nil); errors.As(err, &wait) && wait.RetryAfter > 0 {
			return err
		}
		if err == nil {
			refused = 0
			continue
		}
		if part.Len() == 1 {
			if uid := part.ranges[0].first; !q.done.has(uid) {
				q.fail(uid, err)
				refused++
			}
			if q.stopped {
				return nil
			}
			if refused == maxRefused {
				return err
			}
			continue
		}
		left, failed := q.remaining(part)
		if failed != nil {
			return cmp.Or(q.c.conn.Err(), err)
		}
		half := len(left) / 2
		for _, uids := range [][]uint32{left[half:], left[:half]} {
			if len(uids) > 0 {
				queue = append(queue, UIDs(uids...))
			}
		}
	}
	return nil
}

// one asks for set in one command. If something came that cannot be
// understood, the error is errSyntax.
func (q *inquiry) one(set Set) error {
	q.begin(set)
	err := q.c.run("UID FETCH", set.String()+" "+q.items, q.wait)
	q.end()
	if err == nil && q.odd {
		err = errSyntax
	}
	return err
}

// begin begins to take what is told of the messages in set; q.wait is the
// waiter.
func (q *inquiry) begin(set Set) {
	q.set, q.odd, q.last = set, false, 0
	q.c.longest = max(q.c.longest, maxRowLine)
}

// end hands on what has been told in part.
func (q *inquiry) end() {
	for _, uid := range q.order {
		q.flush(uid)
	}
	q.order = q.order[:0]
	q.forget()
}

// remaining asks which messages there are in set, and returns those that have
// not been told of.
func (q *inquiry) remaining(set Set) ([]uint32, error) {
	var uids []uint32
	err := q.c.run("UID FETCH", set.String()+" (UID)", func(r *response) (bool, error) {
		w, err := fetchRow(r, "")
		if w == nil || err != nil {
			return w != nil, err
		}
		if err := w.items(r); err != nil {
			return true, err
		}
		if uid := w.sum.UID; set.Has(uid) && !q.done.has(uid) && len(uids) < maxMessages {
			uids = append(uids, uid)
			r.useful()
		}
		return true, nil
	})
	slices.Sort(uids)
	return slices.Compact(uids), err
}
