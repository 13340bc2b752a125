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
		s := &summaries{c: c, yield: yield}
		if c.offers("SEARCHRES") && (q.UIDs == nil || len(q.UIDs.split()) == 1) {
			err = c.matchingSaved(q, s)
		} else {
			err = c.matching(q, s)
		}
		if err != nil && !s.stopped {
			yield(Summary{}, err)
		}
	}
}

func (c *Client) matching(q *Query, s *summaries) error {
	found, err := c.search(q, new(SearchOptions))
	if err != nil {
		return err
	}
	s.set = found.UIDs
	for _, part := range s.set.split() {
		if err := c.run("UID FETCH", part.String()+" "+summaryItems, s.wait); err != nil {
			return err
		}
		s.flush()
	}
	return nil
}

// matchingSaved sends both commands at once. "$" is what the first has found;
// nothing, if it is refused.
func (c *Client) matchingSaved(q *Query, s *summaries) error {
	s.set = All()
	yield := s.yield
	s.yield = func(sum Summary, err error) bool {
		if sum.Size < 0 { // flags of a message that somebody else has changed
			return true
		}
		return yield(sum, err)
	}
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
		fetch, err := c.send("UID FETCH", "$ "+summaryItems)
		if err != nil {
			return err
		}
		refused := c.await(search, "UID SEARCH")
		code, args := c.code, c.codeArgs
		c.waiter = s.wait
		defer func() { c.waiter = nil }()
		if err := c.await(fetch, "UID FETCH"); err != nil && refused == nil || c.conn.Err() != nil {
			return err
		}
		s.flush()
		c.code, c.codeArgs = code, args
		return refused
	})
}
