package pop3client

import (
	"context"
	"iter"
)

// ListEach returns the sizes of single messages (LIST n, RFC 1939 section 5),
// many of them under way at a time if the server allows pipelining. Errors,
// and what may be done within the loop, are as with [Client.RetrEach].
func (c *Client) ListEach(ctx context.Context, numbers ...int) iter.Seq2[Entry, error] {
	return c.listEach(ctx, "LIST", parseSize, numbers)
}

// UIDLEach is to the UIDs (UIDL n, RFC 1939 section 7) what ListEach is to
// the sizes.
func (c *Client) UIDLEach(ctx context.Context, numbers ...int) iter.Seq2[Entry, error] {
	return c.listEach(ctx, "UIDL", parseUID, numbers)
}

func (c *Client) listEach(ctx context.Context, verb string, parse parser, numbers []int) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if len(numbers) == 0 {
			return
		}
		if e := c.lacks[verb]; e != nil {
			yield(Entry{}, e)
			return
		}
		b, err := c.batch(ctx, verb, len(numbers),
			func(i int) string { return command(verb, numbers[i]) },
			func(int) int64 { return 0 }, false)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer b.end()
		for i, n := range numbers {
			r, err := b.next(ctx)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			var e Entry
			if !r.ok {
				err = &MessageError{n, c.refused(verb, r)}
			} else if e, err = parseOne(n, r.text, parse); err != nil {
				// It may be the first line of many, so there is no going on.
				yield(Entry{}, b.lost(ctx, i, c.conn.ProtocolError("%q: %w", c.w.quote(r.text), err)))
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
