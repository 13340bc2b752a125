package imapclient

import (
	"context"
	"fmt"

	"example.com/postbag/internal/transport"
)

// SearchOptions says what of the messages that match is wanted. The zero
// value, and nil, are the UIDs of all.
type SearchOptions struct {
	// First and Last choose, among the messages that match, those from one
	// position to another: 1 is the lowest UID, -1 the highest. Both have the
	// same sign: 1 and 50 are the first 50, -1 and -50 the last. 0 and 0 are
	// all. Servers with PARTIAL (RFC 9394) then send no more than that.
	First, Last int

	// CountOnly leaves out the UIDs. Servers with ESEARCH then answer in one
	// short line.
	CountOnly bool
}

// SearchResult is what a search has found.
type SearchResult struct {
	UIDs Set

	// Count is the number of messages that match, Min and Max are the lowest and
	// the highest of their UIDs, whatever the options choose among them.
	Count, Min, Max uint32

	// ModSeq is the highest mod-sequence among the messages, if the query has a
	// ModSeq and the server tells (RFC 7162 section 3.1.5).
	ModSeq uint64
}

// Search looks for the messages of the open mailbox that match q. It takes one
// round trip, or one for every 8000 octets of q.UIDs. The result is made of
// ranges as the server told them, but within q.UIDs; it is not expanded.
//
// Text beyond ASCII is sent as UTF-8. A server that knows ISO-8859-1 instead,
// and says so, is asked again; where that does not do, it is
// [errors.ErrUnsupported].
func (c *Client) Search(ctx context.Context, q *Query, o *SearchOptions) (*SearchResult, error) {
	if o == nil {
		o = new(SearchOptions)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	end, q, err := c.beginSearch(ctx, q)
	if err != nil {
		return nil, err
	}
	defer end()
	return c.search(q, o)
}

// beginSearch is beginSelected for a method that is about the messages that
// match a query.
func (c *Client) beginSearch(ctx context.Context, q *Query) (end func(), _ *Query, err error) {
	if q == nil {
		q = new(Query)
	}
	if err := q.check(0); err != nil {
		return nil, nil, err
	}
	if end, err = c.beginSelected(ctx); err != nil {
		return nil, nil, err
	}
	if err = c.needCapabilities(); err == nil {
		err = c.supported(q)
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	c.longest = maxSearchLine
	return end, q, nil
}

func (o *SearchOptions) check() error {
	const most = 1<<31 - 1
	first, last := max(o.First, -o.First), max(o.Last, -o.Last)
	if (o.First < 0) != (o.Last < 0) || (first == 0) != (last == 0) || first > last || last > most {
		return fmt.Errorf("imap: no positions from %d to %d", o.First, o.Last)
	}
	return nil
}

func (c *Client) search(q *Query, o *SearchOptions) (*SearchResult, error) {
	if q.UIDs != nil {
		if parts := q.UIDs.split(); len(parts) != 1 {
			return c.searchParts(q, parts, o)
		}
	}
	returned := c.searchReturn(o)
	f, err := c.find(q, returned)
	if err != nil {
		return nil, err
	}
	if f.lacks(returned) {
		// QUIRK: iCloud leaves out MIN and MAX; RFC 4731 section 3.1 says that
		// they are there if anything was found.
		if f, err = c.findAll(q); err != nil {
			return nil, err
		}
	}
	return f.result(q, o), nil
}

// searchParts searches among a set of UIDs that is too long for a line.
func (c *Client) searchParts(q *Query, parts []Set, o *SearchOptions) (*SearchResult, error) {
	part := *q
	var all found
	for i := range parts {
		part.UIDs = &parts[i]
		f, err := c.findAll(&part)
		if err != nil {
			return nil, err
		}
		all.ranges = append(all.ranges, f.ranges...)
		all.modSeq = max(all.modSeq, f.modSeq)
	}
	return all.result(q, o), nil
}

// searchReturn returns the RETURN options that bring what o asks for, or
// nothing if the server has none or they do not help.
func (c *Client) searchReturn(o *SearchOptions) string {
	partial := c.caps.Has("PARTIAL") || o.First > 0 && c.caps.Has("CONTEXT=SEARCH") // RFC 5267 section 4.4
	switch {
	case !c.offers("ESEARCH"):
		return ""
	case o.CountOnly:
		return "(MIN MAX COUNT)"
	case o.First != 0 && partial:
		return fmt.Sprintf("(MIN MAX COUNT PARTIAL %d:%d)", o.First, o.Last)
	}
	// QUIRK: Exchange answers RETURN () without ALL; RFC 4731 section 3.1 says
	// that it means ALL.
	return "(ALL)"
}

// findAll finds the UIDs of all messages that match.
func (c *Client) findAll(q *Query) (*found, error) {
	f, err := c.find(q, c.searchReturn(new(SearchOptions)))
	if err == nil && f.lacks("(ALL)") {
		err = malformed("UID SEARCH")
	}
	return f, err
}

// find sends a UID SEARCH.
func (c *Client) find(q *Query, returned string) (*found, error) {
	f := &found{c: c, command: "SEARCH"}
	err := c.withCharset(q, false, func(charset string, q *Query) error {
		a := c.arguments(charset)
		if returned != "" {
			a.word("RETURN " + returned)
		}
		if charset != "" {
			a.word("CHARSET " + charset)
		}
		q.write(a)
		return c.runArgs("UID SEARCH", a, f.wait)
	})
	if err == nil && f.bad {
		err = malformed("UID SEARCH")
	}
	return f, err
}

// malformed is the error of an answer of which a part alone would mislead. The
// session goes on.
func malformed(command string) error {
	return transport.Mark(ErrProtocol, fmt.Errorf("imap: %s: malformed response", command))
}
