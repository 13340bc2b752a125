package imapclient

import (
	"context"
	"iter"
)

// Matching yields the summaries of the messages that match q, as
// [Client.Summaries] does those of a set. Servers with SEARCHRES (RFC 5182)
// keep what they have found, so that the two commands go in one round trip and
// the list of UIDs is not sent at all; with others it is [Client.Search] and
// Summaries.
func (c *Client) Matching(ctx context.Context, q *Query) iter.Seq2[Summary, error] {
	return func(yield func(Summary, error) bool) {
		end, q, err := c.beginSearch(ctx, q)
		if err != nil {
			yield(Summary{}, err)
			return
		}
		defer end()
		stopped := false
		each := func(info Info, err error) bool {
			stopped = !yield(info.Summary, err)
			return !stopped
		}
		c.safely(func() {
			if c.offers("SEARCHRES") && (q.UIDs == nil || len(q.UIDs.split()) == 1) {
				err = c.matchingSaved(q, each)
			} else {
				err = c.matching(q, each)
			}
		})
		if err != nil && !stopped {
			yield(Summary{}, err)
		}
	}
}

func (c *Client) matching(q *Query, each func(Info, error) bool) error {
	found, err := c.search(q, new(SearchOptions))
	if err != nil {
		return err
	}
	return c.inquire(found.UIDs, &summaryItems, each)
}

// matchingSaved sends both commands at once. "$" is what the first has found; if
// it is refused, nothing is (RFC 5182 section 2.1), or what it was before.
func (c *Client) matchingSaved(q *Query, each func(Info, error) bool) error {
	told := c.newInquiry(&summaryItems, func(info Info, err error) bool {
		if err == nil && info.Size < 0 && info.Received.IsZero() { // flags of a message that somebody else has changed
			c.activity.Changed++
			return true
		}
		return each(info, err)
	})
	return c.withCharset(q, false, func(charset string, q *Query) error {
		a := c.arguments(charset)
		a.word("RETURN (SAVE)")
		if charset != "" {
			a.word("CHARSET " + charset)
		}
		q.write(a)
		search, err := c.sendArgs("UID SEARCH", a)
		if err != nil {
			return err
		}
		fetch, err := c.send("UID FETCH", "$ "+told.items)
		if err != nil {
			return err
		}
		refused := c.await(search, "UID SEARCH")
		code, args := c.code, c.codeArgs
		told.begin(All())
		if refused == nil { // else "$" may be what was found before
			c.waiter = told.wait
		}
		defer func() { c.waiter = nil }()
		err = c.await(fetch, "UID FETCH")
		told.end()
		if err == nil && told.odd {
			err = errSyntax
		}
		if err != nil && refused == nil || c.conn.Err() != nil {
			return err
		}
		c.code, c.codeArgs = code, args
		return refused
	})
}
