package imapclient

import (
	"cmp"
	"context"
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
	return func(yield func(Summary, error) bool) {
		var n, octets int64
		all := set.String() == All().String()
		want, expunged := c.extent()
		for info, err := range c.Fetch(ctx, set, summaryItems) {
			if err == nil {
				n++
				octets += max(info.Size, 0)
			}
			if !yield(info.Summary, err) {
				return
			}
		}
		if n > 0 {
			c.avgBody = max(octets/n, 256)
		}
		_, now := c.extent()
		if !all || n >= want-(now-expunged) {
			return
		}
		// A message may have gone meanwhile, and the server keep the EXPUNGE
		// back until the next command.
		if err := c.hear(ctx); err != nil {
			yield(Summary{}, err)
			return
		}
		_, now = c.extent()
		if want -= now - expunged; n < want {
			yield(Summary{}, shortListing(n, want))
		}
	}
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
