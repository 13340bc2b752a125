package pop3client

import (
	"context"
	"iter"
	"strconv"
)

// Retr retrieves the message with the given number (RETR, RFC 1939 section
// 5). The context bounds reading the Body too. A message that is not there is
// [ErrGone].
func (c *Client) Retr(ctx context.Context, number int) (*Body, error) {
	return c.single(ctx, "RETR", number, command("RETR", number))
}

// Top retrieves the header section of a message, the blank line and the first
// n lines of its text (TOP, RFC 1939 section 7).
//
// A server that does not have the command is [errors.ErrUnsupported]. What a
// server answers is not the message: some cut it short or get it wrong without
// a sign.
func (c *Client) Top(ctx context.Context, number, n int) (*Body, error) {
	if e := c.lacks["TOP"]; e != nil {
		return nil, e
	}
	return c.single(ctx, "TOP", number, command("TOP", number)+" "+strconv.Itoa(n))
}

// RetrEach retrieves messages in the order of entries, many of them under way
// at a time if the server allows pipelining. Of an Entry it uses the Number,
// and the Size, if it is known, to bound what is under way.
//
// An error is about one message if it is a [*MessageError]; any other is the
// last and has ended the session. A Body that was not read to its end does
// not disturb the next. Breaking out of the loop leaves the session usable:
// what the server is already sending is thrown away by the next command,
// within [Options.MaxDrain]. Within the loop no other command may be called.
func (c *Client) RetrEach(ctx context.Context, entries ...Entry) iter.Seq2[*Body, error] {
	return c.each(ctx, "RETR", entries, func(e Entry) string { return command("RETR", e.Number) }, retrOctets)
}

// TopEach is to [Client.Top] what RetrEach is to [Client.Retr].
func (c *Client) TopEach(ctx context.Context, n int, entries ...Entry) iter.Seq2[*Body, error] {
	lines := " " + strconv.Itoa(n)
	return c.each(ctx, "TOP", entries, func(e Entry) string { return command("TOP", e.Number) + lines }, func(e Entry) int64 {
		return min(retrOctets(e), 4096+int64(n)*80)
	})
}

// retrOctets is what a message is expected to have.
func retrOctets(e Entry) int64 {
	if e.Size > 0 {
		return e.Size
	}
	return 32 << 10 // a usual message
}

func command(verb string, number int) string {
	var b [32]byte
	return string(strconv.AppendInt(append(append(b[:0], verb...), ' '), int64(number), 10))
}

func (c *Client) single(ctx context.Context, verb string, number int, line string) (*Body, error) {
	release, err := c.begin(ctx, verb)
	if err != nil {
		return nil, err
	}
	r, err := c.exchange(verb, line, line)
	if err != nil {
		release()
		return nil, err
	}
	c.works[verb] = true
	return c.open(verb, number, r, release), nil
}

func (c *Client) each(ctx context.Context, verb string, entries []Entry, line func(Entry) string, octets func(Entry) int64) iter.Seq2[*Body, error] {
	return func(yield func(*Body, error) bool) {
		if len(entries) == 0 {
			return
		}
		if e := c.lacks[verb]; e != nil {
			yield(nil, e)
			return
		}
		b, err := c.batch(ctx, verb, len(entries),
			func(i int) string { return line(entries[i]) },
			func(i int) int64 { return octets(entries[i]) }, true)
		if err != nil {
			yield(nil, err)
			return
		}
		defer b.end()
		for _, e := range entries {
			r, err := b.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			if !r.ok {
				if !yield(nil, &MessageError{e.Number, c.refused(verb, r)}) {
					return
				}
				continue
			}
			c.works[verb] = true
			body := c.open(verb, e.Number, r, func() {})
			if !yield(body, nil) {
				return
			}
			if err := c.closeBody(ctx, body); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}
