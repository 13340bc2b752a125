package imapclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"example.com/postbag/internal/transport"
)

// Summary is what a server says of a message without sending it.
type Summary struct {
	UID      uint32
	Size     int64     // RFC822.SIZE, -1 if it was not told
	Flags    []string  // without \Recent, which belongs to a session; in no order
	Received time.Time // INTERNALDATE in UTC, zero if it was not told
}

// summaryItems are the items of a Summary.
var summaryItems = Items{Flags: true, Received: true, Size: true}

// Summaries asks for the UID, flags, date and size of the messages in set, in
// one round trip (more if the set is too long for a line), as [Client.Fetch]
// does. If it is the set of all and the server tells of fewer messages than it
// says there are, the last thing in the sequence is an [ErrProtocol]: a listing
// that is short must not be taken for a mailbox that is.
func (c *Client) Summaries(ctx context.Context, set Set) iter.Seq2[Summary, error] {
	return summaries(c.counted(ctx, set))
}

func summaries(infos iter.Seq2[Info, error]) iter.Seq2[Summary, error] {
	return func(yield func(Summary, error) bool) {
		for info, err := range infos {
			if !yield(info.Summary, err) {
				return
			}
		}
	}
}

// counted is what Summaries does.
func (c *Client) counted(ctx context.Context, set Set) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		var n, octets int64
		want, expunged := c.extent()
		for info, err := range c.Fetch(ctx, set, summaryItems) {
			one := (*MessageError)(nil)
			if err == nil || errors.As(err, &one) {
				n++
				octets += max(info.Size, 0)
			}
			if !yield(info, err) {
				return
			}
			if err != nil && one == nil {
				return
			}
		}
		if n > 0 {
			c.avgBody = max(octets/n, 256)
		}
		if set.isAll() {
			if err := c.short(ctx, n, want, expunged); err != nil {
				yield(Info{}, err)
			}
		}
	}
}

// short returns an error if so many messages are fewer than there were, and
// not because they have been expunged since. A message may have gone and the
// server keep the EXPUNGE back until the next command.
func (c *Client) short(ctx context.Context, n, want, expunged int64) error {
	for _, ask := range []bool{false, true} {
		if ask {
			if err := c.hear(ctx); err != nil {
				return err
			}
		}
		if _, now := c.extent(); n >= want-(now-expunged) {
			return nil
		}
	}
	_, now := c.extent()
	return shortListing(n, want-(now-expunged))
}

func shortListing(n, want int64) error {
	return transport.Mark(ErrProtocol, fmt.Errorf("imap: UID FETCH: the server tells of %d messages, and says that there are %d", n, want))
}

// hear asks for what has happened, and keeps it for the next look.
func (c *Client) hear(ctx context.Context) error {
	end, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.run("NOOP", "", nil)
}

// extent returns how many messages there are, and how many have been expunged
// since the last look.
func (c *Client) extent() (messages, expunged int64) {
	if c.box == nil {
		return 0, 0
	}
	return int64(c.box.Messages), int64(c.activity.Expunged)
}

// summarise calls each for the messages in set. It returns an error about one
// of them, too: then not all have been told of.
func (c *Client) summarise(set Set, each func(Summary)) error {
	var failed error
	err := c.inquire(set, &summaryItems, func(info Info, err error) bool {
		if err == nil {
			each(info.Summary)
		}
		failed = cmp.Or(failed, err)
		return err == nil
	})
	return cmp.Or(failed, err)
}
