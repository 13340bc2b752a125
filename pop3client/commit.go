package pop3client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"example.com/postbag/internal/transport"
)

// Dele marks messages for deletion at [Client.Quit] (DELE, RFC 1939 section
// 5), all in one batch where the server allows pipelining. The results stand
// in the order of numbers: nil for a message that is marked, else the server's
// refusal, [ErrGone] for one that is not there. The last error is that of the
// session; then nothing is, or will be, deleted.
func (c *Client) Dele(ctx context.Context, numbers ...int) ([]error, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	b, err := c.batch(ctx, "DELE", len(numbers),
		func(i int) string { return command("DELE", numbers[i]) },
		func(int) int64 { return 0 }, false)
	if err != nil {
		return nil, err
	}
	defer b.end()
	results := make([]error, len(numbers))
	for i, n := range numbers {
		r, err := b.next(ctx)
		if err != nil {
			return nil, err
		}
		if !r.ok {
			results[i] = &MessageError{n, c.refused("DELE", r)}
			continue
		}
		c.marked[n] = true
	}
	return results, nil
}

// Rset takes back every mark of [Client.Dele] (RSET, RFC 1939 section 5).
func (c *Client) Rset(ctx context.Context) error {
	err := c.simple(ctx, "RSET")
	if err == nil {
		clear(c.marked)
	}
	return err
}

// Noop keeps the session from being closed for idleness (NOOP, RFC 1939
// section 5).
func (c *Client) Noop(ctx context.Context) error { return c.simple(ctx, "NOOP") }

// Quit makes the server delete the marked messages and ends the session
// (QUIT, RFC 1939 section 6). Without the server's confirmation the error is
// [ErrUncommitted] if any message was marked. The connection is closed in
// every case, except that within a loop over messages nothing is done.
//
// Some servers (Gmail) take QUIT for the word that all they sent has arrived,
// and offer it no more. To end a session without that, use [Client.Close].
func (c *Client) Quit(ctx context.Context) error {
	_, err := c.quit(ctx)
	return err
}

// quit also tells whether QUIT may have reached the server.
func (c *Client) quit(ctx context.Context) (sent bool, err error) {
	release, err := c.begin(ctx, "QUIT")
	if errors.Is(err, errBusy) {
		return false, err
	}
	if err == nil {
		defer release()
		sent = true
		_, err = c.exchange("QUIT", "QUIT", "QUIT")
	}
	c.conn.Close()
	if err != nil && len(c.marked) > 0 {
		err = transport.Mark(ErrUncommitted, fmt.Errorf("%w; %d deletions not confirmed", err, len(c.marked)))
	}
	return sent, err
}

// Receipt is the fate of each message that was to be deleted, by number.
type Receipt struct {
	Deleted []int // the server confirmed it
	Kept    []int // the server refused, or was not asked
	Unknown []int // QUIT was sent and not confirmed: some, all or none are deleted
}

// Commit marks messages for deletion, besides those that are marked, makes
// the server delete them and ends the session: [Client.Dele] and
// [Client.Quit] with a receipt. If not every deletion is confirmed, the error
// is [ErrUncommitted].
func (c *Client) Commit(ctx context.Context, numbers ...int) (Receipt, error) {
	results, err := c.Dele(ctx, numbers...)
	if errors.Is(err, errBusy) {
		return Receipt{}, err
	}
	var r Receipt
	if err != nil {
		r.Kept = unique(append(c.markedNumbers(), numbers...))
		c.conn.Close() // without QUIT nothing is deleted
		return r, transport.Mark(ErrUncommitted, err)
	}
	for i, refused := range results {
		if refused != nil && !c.marked[numbers[i]] {
			r.Kept = append(r.Kept, numbers[i])
			err = errors.Join(err, refused)
		}
	}
	r.Kept = unique(r.Kept)
	sent, quit := c.quit(ctx)
	switch marked := c.markedNumbers(); {
	case quit == nil:
		r.Deleted = marked
	case sent:
		r.Unknown = marked
	default:
		r.Kept = unique(append(r.Kept, marked...))
	}
	if err = errors.Join(err, quit); err != nil {
		return r, transport.Mark(ErrUncommitted, err)
	}
	return r, nil
}

func (c *Client) markedNumbers() []int { return slices.Sorted(maps.Keys(c.marked)) }

func unique(numbers []int) []int {
	slices.Sort(numbers)
	return slices.Compact(numbers)
}
