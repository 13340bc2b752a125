package imapclient

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
)

// Fetch asks for items of the messages in set, in one round trip (more if the
// set is too long for a line). Nothing of it sets the flag \Seen. The messages
// come each once, most in the order of the mailbox.
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
		end, err := c.beginSelected(ctx)
		if err != nil {
			yield(Info{}, err)
			return
		}
		defer end()
		err = c.inquire(set, &items, yield)
		if err != nil {
			yield(Info{}, err)
		}
	}
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
	order    []uint32          // UIDs in pending, oldest first; maybe some that are no longer
	nameless map[uint32]*row   // by sequence number: rows without a UID
	names    map[uint32]uint32 // by sequence number: UIDs in pending
	odd      bool              // a row could not be understood
	rows     int
	tree     tree
}

// maxPending is how many messages may be told of in part, until the rest of
// the oldest is not waited for any more.
const maxPending = 1000

// inquire does what Fetch does. It returns nil if the loop was left.
func (c *Client) inquire(set Set, items *Items, yield func(Info, error) bool) error {
	if err := items.check(); err != nil {
		return err
	}
	if items.Gone && set.Len() > maxGone {
		return fmt.Errorf("imap: Fetch: Items.Gone is for at most %d UIDs", maxGone)
	}
	if err := c.supports(items); err != nil {
		return err
	}
	q := c.newInquiry(items, yield)
	if c.box.Messages > 0 { // to any set some answer BAD when there is nothing
		if err := q.all(set); err != nil || q.stopped {
			return err
		}
	}
	if items.Gone {
		for uid := range set.all() {
			if !q.done.has(uid) && !q.stopped {
				q.fail(uid, fmt.Errorf("imap: UID FETCH: %w", ErrGone))
			}
		}
	}
	return nil
}

func (c *Client) newInquiry(items *Items, yield func(Info, error) bool) *inquiry {
	return &inquiry{c: c, items: items.String(), asked: items.set(), yield: yield,
		pending: make(map[uint32]*row), nameless: make(map[uint32]*row), names: make(map[uint32]uint32)}
}

// all asks for set, and for parts of it again if that is refused.
func (q *inquiry) all(set Set) error {
	queue := set.split()
	slices.Reverse(queue) // the next is the last
	for refused := 0; len(queue) > 0; {
		if q.stopped {
			return nil
		}
		part := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		err := q.one(part)
		if q.c.conn.Err() != nil || q.stopped {
			return q.ended(err)
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
			if refused == maxRefused {
				return q.ended(err)
			}
			continue
		}
		left, failed := q.remaining(part)
		if failed != nil {
			return q.ended(cmp.Or(q.c.conn.Err(), err))
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

// ended returns the error of a session that is over; nil if the loop was left,
// as then nobody wants to know.
func (q *inquiry) ended(err error) error {
	if q.stopped {
		return nil
	}
	return err
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
	q.set, q.odd = set, false
	q.c.longest = maxRowLine
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
		}
		return true, nil
	})
	slices.Sort(uids)
	return slices.Compact(uids), err
}

// wait is the waiter of UID FETCH.
func (q *inquiry) wait(r *response) (bool, error) {
	w, err := fetchRow(r, "")
	if w == nil && err == nil {
		r.pos = 2
		if _, err := r.number(32); err == nil && r.isWord("EXPUNGE") { // sequence numbers mean others now
			q.forget()
		}
		return false, nil
	}
	if err == nil {
		w.more = &details{tree: &q.tree}
		err = w.items(r)
	}
	if err == errSyntax {
		q.odd = true
	}
	if err != nil {
		return true, err
	}
	if q.rows++; q.rows > maxMessages {
		return false, q.c.conn.ProtocolError("imap: UID FETCH: more than %d messages", maxMessages)
	}
	q.row(w)
	return true, nil
}

func (q *inquiry) forget() {
	q.highSeq, q.highUID = 0, 0
	clear(q.names)
	clear(q.nameless)
}

// row takes a row. A server may tell of one message in several.
func (q *inquiry) row(w *row) {
	if w.sum.UID == 0 {
		w.sum.UID = q.names[w.seq]
	}
	uid := w.sum.UID
	if uid == 0 {
		if o := q.nameless[w.seq]; o != nil {
			w.merge(o)
		}
		if len(q.nameless) < maxPending {
			q.nameless[w.seq] = w
		}
		return
	}
	if o := q.nameless[w.seq]; o != nil {
		w.merge(o)
		delete(q.nameless, w.seq)
	}
	// Rows that were not asked for are passed over: flags that another client
	// changes, or (QUIRK: GNU Mailutils) the last message whatever was asked.
	if !q.set.Has(uid) {
		return
	}
	twice := w.seq > q.highSeq && uid <= q.highUID // UIDs ascend: RFC 9051 section 2.3.1.1
	if w.seq > q.highSeq {
		q.highSeq, q.highUID = w.seq, max(uid, q.highUID)
	}
	if o := q.pending[uid]; o != nil && twice {
		q.flush(uid)
	}
	if q.done.has(uid) {
		if twice {
			q.hand(w) // another message of the same UID: the caller must know
		}
		return
	}
	if o := q.pending[uid]; o != nil {
		w.merge(o)
	} else {
		q.order = append(q.order, uid)
	}
	q.pending[uid] = w
	if q.asked&^w.told() == 0 {
		q.flush(uid)
		return
	}
	q.names[w.seq] = uid
	for len(q.pending) > maxPending {
		q.flush(q.order[0])
		q.order = q.order[1:]
	}
}

// told returns which items a row tells.
func (w *row) told() item {
	told := w.more.told
	if w.hasFlags {
		told |= flagsItem
	}
	if w.sum.Size >= 0 {
		told |= sizeItem
	}
	if !w.sum.Received.IsZero() {
		told |= receivedItem
	}
	return told
}

// flush ends the wait for more rows of a message.
func (q *inquiry) flush(uid uint32) {
	w := q.pending[uid]
	if w == nil {
		return
	}
	delete(q.pending, uid)
	if n := len(q.order); n > 0 && q.order[n-1] == uid {
		q.order = q.order[:n-1]
	}
	q.done.add(uid)
	q.hand(w)
}

// hand hands on what is known of a message.
func (q *inquiry) hand(w *row) {
	if q.stopped {
		return
	}
	info := w.more.info
	info.Summary = w.sum
	info.Missing = (q.asked &^ w.told()).missing()
	info.references()
	q.stopped = !q.yield(info, nil)
}

// fail tells that a message cannot be had.
func (q *inquiry) fail(uid uint32, err error) {
	q.done.add(uid)
	if !q.stopped {
		q.stopped = !q.yield(Info{}, &MessageError{uid, err})
	}
}
