package imapclient

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/bits"
)

// FetchThrough asks for items of the messages in set as [Client.Fetch] does,
// and goes on when the server hangs up, as [BodiesThrough] does: a message of
// which the server cannot tell, because it dies over its structure, say, is a
// [MessageError] that holds the [HangUpError], and the others come. It may take
// some hang-ups more in a row, as many as there are steps in bisecting the set.
// After the first one the server is asked which messages there are; those that
// arrive later are not told of.
//
// If it is the set of all, and the server tells nothing of messages that there
// are, the last thing in the sequence is an [ErrProtocol], where the server has
// hung up.
func FetchThrough(ctx context.Context, c *Client, redial func(context.Context) (*Client, error), set Set, items Items) iter.Seq2[Info, error] {
	return infosThrough(ctx, c, redial, set, items, c.Fetch(ctx, set, items))
}

// SummariesThrough is [FetchThrough] for what [Client.Summaries] tells. A
// message of which the server cannot tell its size may have flags all the same,
// if it is asked for them alone.
func SummariesThrough(ctx context.Context, c *Client, redial func(context.Context) (*Client, error), set Set) iter.Seq2[Summary, error] {
	return summaries(infosThrough(ctx, c, redial, set, summaryItems, c.counted(ctx, set)))
}

// infosThrough goes on where first ends.
func infosThrough(ctx context.Context, c *Client, dial func(context.Context) (*Client, error), set Set, items Items, first iter.Seq2[Info, error]) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		f := &infos{set: set, items: items, yield: yield}
		f.through = newThrough(c, dial, func(err error) bool { return yield(Info{}, err) })
		f.queue, f.exact = []Set{set}, f.there
		f.pass = func(context.Context) (hung *HangUpError) {
			f.pass = f.rest
			for info, err := range first {
				if hung = f.take(info, err); hung != nil || f.stopped {
					break
				}
			}
			return hung
		}
		if f.all(ctx) {
			f.finish(ctx)
		}
	}
}

// infos is what is told of messages, through several sessions.
type infos struct {
	*through
	set    Set
	items  Items
	yield  func(Info, error) bool
	silent []uint32 // there, and nothing was told of them later
}

// rest is the pass of what there is.
func (f *infos) rest(ctx context.Context) (hung *HangUpError) {
	items := f.items
	items.Gone = true
	f.c.fetch(ctx, items, func(info Info, err error) bool {
		one := (*MessageError)(nil)
		if errors.As(err, &one) && errors.Is(err, ErrGone) && !f.items.Gone {
			f.silent = append(f.silent, one.UID)
			return true
		}
		hung = f.take(info, err)
		return hung == nil && !f.stopped
	}, f.queue...)
	return hung
}

// take hands on what comes, but for the end of a session.
func (f *infos) take(info Info, err error) (hung *HangUpError) {
	if errors.As(err, &hung) {
		return hung
	}
	f.hangUps = 0
	f.stopped = !f.yield(info, err)
	return nil
}

// there asks another session which messages there are of those that have not
// come. That needs none of them to be read.
func (f *infos) there(ctx context.Context, e *HangUpError) (*HangUpError, error) {
	if err := f.redial(ctx); err != nil {
		return nil, err
	}
	left := union(e.Suspects, e.Pending)
	want, expunged := f.c.extent()
	present, err := f.c.presentIn(ctx, f.set)
	if err == nil && f.set.isAll() {
		err = f.c.short(ctx, int64(present.Len()), want, expunged)
	}
	if err != nil {
		return nil, err
	}
	f.most += bits.Len32(present.Len()) // to halve them until there is one
	for uid := range f.items.gone(left, present) {
		if !f.through.yield(&MessageError{uid, fmt.Errorf("imap: UID FETCH: %w", ErrGone)}) {
			break
		}
	}
	now := &HangUpError{Suspects: present.both(e.Suspects), Pending: present.both(e.Pending), Err: e.Err}
	now.Next, now.asked = now.Suspects.from(e.Next), now.Suspects.Len()
	if e.Suspects.Len() < e.asked {
		now.asked++ // something of the command has come
	}
	return now, nil
}

// gone yields what is to be told of as gone.
func (o *Items) gone(left, present Set) iter.Seq[uint32] {
	if !o.Gone {
		return Set{}.all()
	}
	return left.without(present).all()
}

// finish makes sure of what the server has said nothing of: it is gone, or a
// listing is short.
func (f *infos) finish(ctx context.Context) {
	if len(f.silent) == 0 || !f.set.isAll() {
		return
	}
	err := f.redial(ctx)
	if err == nil {
		var present Set
		present, err = f.c.presentIn(ctx, UIDs(f.silent...))
		if n := int64(present.Len()); err == nil && n > 0 {
			err = shortListing(int64(f.c.box.Messages)-n, int64(f.c.box.Messages))
		}
	}
	if err != nil {
		f.through.yield(err)
	}
}

// presentIn asks which messages there are in a set.
func (c *Client) presentIn(ctx context.Context, set Set) (Set, error) {
	end, err := c.beginSelected(ctx)
	if err != nil || len(set.ranges) == 0 {
		return Set{}, err
	}
	defer end()
	c.longest = maxSearchLine
	span := Range(set.ranges[0].first, set.ranges[len(set.ranges)-1].last)
	found, err := c.search(&Query{UIDs: &span}, new(SearchOptions))
	if err != nil {
		return Set{}, err
	}
	if found.UIDs.Len() > maxMessages {
		return Set{}, c.fail(c.conn.ProtocolError("imap: UID SEARCH: more than %d messages", maxMessages))
	}
	return found.UIDs.both(set), nil
}
