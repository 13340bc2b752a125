package imapclient

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// SortKey is what messages are sorted by (RFC 5256 section 3).
type SortKey string

// The keys. The last two need SORT=DISPLAY (RFC 5957).
const (
	SortArrival     SortKey = "ARRIVAL"
	SortCc          SortKey = "CC" // the local part of the first address; likewise From and To
	SortDate        SortKey = "DATE"
	SortFrom        SortKey = "FROM"
	SortSize        SortKey = "SIZE"
	SortSubject     SortKey = "SUBJECT" // without "Re:" and the like
	SortTo          SortKey = "TO"
	SortDisplayFrom SortKey = "DISPLAYFROM" // the name of the first address
	SortDisplayTo   SortKey = "DISPLAYTO"
)

var sortKeys = []SortKey{SortArrival, SortCc, SortDate, SortFrom, SortSize, SortSubject, SortTo, SortDisplayFrom, SortDisplayTo}

// SortBy is a key and a direction.
type SortBy struct {
	Key     SortKey
	Reverse bool
}

// SortOptions says how messages are sorted, and which are wanted. The zero
// value, and nil, are all messages by arrival.
type SortOptions struct {
	By []SortBy // the first decides; among equals the next, and at last the UID

	// First and Last choose the messages from one position to another: see
	// [SearchOptions]. Servers with ESORT and PARTIAL or CONTEXT=SORT then send
	// no more than that.
	First, Last int
}

// Sort returns the UIDs of the messages of the open mailbox that match q, in
// an order that the server makes, in one round trip. A server without SORT
// (RFC 5256) is [errors.ErrUnsupported] and nothing is sent.
func (c *Client) Sort(ctx context.Context, q *Query, o *SortOptions) ([]uint32, error) {
	if o == nil {
		o = new(SortOptions)
	}
	window := &SearchOptions{First: o.First, Last: o.Last}
	if err := window.check(); err != nil {
		return nil, err
	}
	by, display, err := o.keys()
	if err != nil {
		return nil, err
	}
	end, q, err := c.beginSearch(ctx, q)
	if err != nil {
		return nil, err
	}
	defer end()
	need := "SORT"
	if display {
		need = "SORT=DISPLAY"
	}
	if err := c.needs(need, "SORT"); err != nil {
		return nil, err
	}
	if q.UIDs != nil && len(q.UIDs.ranges) == 0 {
		return nil, nil
	}
	if c.offers("ESORT") && (c.caps.Has("PARTIAL") || c.caps.Has("CONTEXT=SORT") && o.First > 0) && o.First != 0 {
		f := &found{c: c, command: "SORT", window: true}
		if err := c.sort(q, fmt.Sprintf("RETURN (PARTIAL %d:%d) %s", o.First, o.Last, by), f); err != nil {
			return nil, err
		}
		if f.told&foundPartial != 0 {
			return f.sorted(window.window()), nil
		}
	}
	f := &found{c: c, command: "SORT"}
	if err := c.sort(q, by, f); err != nil {
		return nil, err
	}
	return chosen(f.sorted(maxMessages), window), nil
}

// keys returns the sort criteria, and whether they need SORT=DISPLAY.
func (o *SortOptions) keys() (by string, display bool, err error) {
	if len(o.By) == 0 {
		return "(ARRIVAL)", false, nil
	}
	var keys []string
	for _, b := range o.By {
		if !slices.Contains(sortKeys, b.Key) {
			return "", false, fmt.Errorf("imap: %q is no key to sort by", b.Key)
		}
		display = display || b.Key == SortDisplayFrom || b.Key == SortDisplayTo
		if b.Reverse {
			keys = append(keys, "REVERSE")
		}
		keys = append(keys, string(b.Key))
	}
	return "(" + strings.Join(keys, " ") + ")", display, nil
}

// sort sends a UID SORT.
func (c *Client) sort(q *Query, what string, f *found) error {
	err := c.withCharset(q, true, func(charset string, q *Query) error {
		a := c.arguments(charset)
		a.word(what + " " + charset)
		q.write(a)
		return c.runArgs("UID SORT", a, f.wait)
	})
	if err == nil && f.bad {
		err = malformed("UID SORT")
	}
	return err
}

// sorted returns the UIDs in the order in which they were told, at most n.
func (f *found) sorted(n uint32) []uint32 {
	n = min(n, maxMessages)
	uids := make([]uint32, 0, len(f.ranges))
	for _, r := range f.ranges {
		for uid := uint64(r.first); uid <= uint64(r.last); uid++ {
			if uint32(len(uids)) == n {
				return uids
			}
			uids = append(uids, uint32(uid))
		}
	}
	return uids
}

// chosen returns the part of a list that is wanted.
func chosen(uids []uint32, o *SearchOptions) []uint32 {
	n := len(uids)
	switch {
	case o.First > 0:
		return uids[min(o.First-1, n):min(o.Last, n)]
	case o.First < 0:
		return uids[max(n+o.Last, 0):max(n+o.First+1, 0)]
	}
	return uids
}
