package pop3client

import (
	"context"
	"errors"
	"slices"
)

// Entry is a message in a listing.
type Entry struct {
	// Number is the message's name in this session only. RFC 1939 section 5.
	Number int

	// UID is the message's lasting name (UIDL, RFC 1939 section 7): one octet
	// or more, none of them white space or a control character. RFC 1939
	// allows 70 octets of ASCII; servers have been seen to exceed both. It is
	// empty if it was not asked for.
	UID string

	// Size in octets, as announced: a hint, which servers get wrong by a few
	// octets and more. -1 if it was not asked for.
	Size int64
}

// Listing returns every message with its UID and size, by number. A server
// without UIDL is [errors.ErrUnsupported]. What STAT, LIST and UIDL say must
// agree, else the error is [ErrProtocol]: a listing that lacks messages would
// be taken for their deletion. That two messages have the same UID is not an
// error here, see [Duplicates].
func (c *Client) Listing(ctx context.Context) ([]Entry, error) {
	commands := []string{"STAT", "LIST", "UIDL"}
	b, err := c.batch(ctx, "UIDL", len(commands),
		func(i int) string { return commands[i] },
		func(int) int64 { return 0 }, false)
	if err != nil {
		return nil, err
	}
	defer b.end()
	var refusals [3]*Error
	count := c.opts.MaxMessages // until STAT says better
	var sizes, uids []Entry
	for i, verb := range commands {
		r, err := b.next(ctx)
		if err != nil {
			return nil, err
		}
		if !r.ok {
			refusals[i] = c.refused(verb, r)
			continue
		}
		switch i {
		case 0:
			count, _, err = c.parseStat(r)
		case 1:
			sizes, err = c.list(r, count, parseSize)
		case 2:
			uids, err = c.list(r, count, parseUID)
		}
		if err != nil {
			return nil, c.lost(verb, err)
		}
	}
	switch {
	case refusals[0] != nil:
		return nil, refusals[0]
	case count == 0 && len(sizes)+len(uids) == 0:
		return nil, nil // some servers refuse to list nothing
	case refusals[1] != nil:
		return nil, refusals[1]
	case refusals[2] != nil:
		return nil, refusals[2]
	}
	return c.merge(count, sizes, uids)
}

// Duplicates returns the UIDs that more than one of the entries has. Such a
// UID names no message: servers that make it from the message's content give
// equal messages the same one.
func Duplicates(list []Entry) []string {
	seen := make(map[string]int, len(list))
	var twice []string
	for _, e := range list {
		if seen[e.UID]++; seen[e.UID] == 2 {
			twice = append(twice, e.UID)
		}
	}
	return twice
}

// Stat returns the number of messages and their size in octets, those marked
// as deleted left out (STAT, RFC 1939 section 5).
func (c *Client) Stat(ctx context.Context) (count int, size int64, err error) {
	release, err := c.begin(ctx, "STAT")
	if err != nil {
		return 0, 0, err
	}
	defer release()
	r, err := c.exchange("STAT", "STAT", "STAT")
	if err != nil {
		return 0, 0, err
	}
	if count, size, err = c.parseStat(r); err != nil {
		return 0, 0, c.lost("STAT", err)
	}
	return count, size, nil
}

// List returns the messages by number with their sizes (LIST, RFC 1939
// section 5).
func (c *Client) List(ctx context.Context) ([]Entry, error) {
	return c.listing(ctx, "LIST", parseSize)
}

// UIDL returns the messages by number with their UIDs (UIDL, RFC 1939 section
// 7). A server that does not have the command is [errors.ErrUnsupported]; it
// is not asked twice.
func (c *Client) UIDL(ctx context.Context) ([]Entry, error) {
	return c.listing(ctx, "UIDL", parseUID)
}

func (c *Client) listing(ctx context.Context, verb string, parse parser) ([]Entry, error) {
	if e := c.lacks[verb]; e != nil {
		return nil, e
	}
	release, err := c.begin(ctx, verb)
	if err != nil {
		return nil, err
	}
	defer release()
	r, err := c.exchange(verb, verb, verb)
	if err != nil {
		if refused := (*Error)(nil); errors.As(err, &refused) && refused.unsupported {
			c.lacks[verb] = refused
		}
		return nil, err
	}
	c.works[verb] = true
	list, err := c.list(r, c.opts.MaxMessages, parse)
	if err != nil {
		return nil, c.lost(verb, err)
	}
	return list, nil
}

// octetsPerEntry is what the lines of a listing have on average, at most. RFC
// 1939 section 7 has UIDs of 70 octets; single ones are longer.
const octetsPerEntry = 256

// list reads the listing behind r, of count messages besides the marked ones.
func (c *Client) list(r reply, count int, parse parser) ([]Entry, error) {
	most := count + len(c.marked)
	list := make([]Entry, 0, min(count, 1<<14))
	ordered := true
	room := 64<<10 + min(int64(c.opts.MaxMessages), 1<<31)*octetsPerEntry
	err := c.lines(r, most, func(line []byte) error {
		if room -= int64(len(line)); room < 0 {
			return errors.New("and the list has too many octets")
		}
		e, err := parse(line)
		if err == nil && e.Number > most {
			err = errors.New("the number is out of range")
		}
		if err == nil && len(list) > 0 && e.Number <= list[len(list)-1].Number {
			ordered = false
		}
		list = append(list, e)
		return err
	})
	if err != nil || ordered {
		return list, err
	}
	slices.SortFunc(list, func(a, b Entry) int { return a.Number - b.Number })
	for i, e := range list[1:] {
		if e.Number == list[i].Number {
			return nil, c.conn.ProtocolError("message %d is listed twice", e.Number)
		}
	}
	return list, nil
}

// merge makes one listing of two.
func (c *Client) merge(count int, sizes, uids []Entry) ([]Entry, error) {
	if len(sizes) != count || len(uids) != count {
		return nil, c.lost("UIDL", c.conn.ProtocolError("STAT counts %d messages, LIST %d, UIDL %d", count, len(sizes), len(uids)))
	}
	for i := range sizes {
		if sizes[i].Number != uids[i].Number {
			return nil, c.lost("UIDL", c.conn.ProtocolError("LIST has message %d, UIDL %d", sizes[i].Number, uids[i].Number))
		}
		sizes[i].UID = uids[i].UID
	}
	return sizes, nil
}
