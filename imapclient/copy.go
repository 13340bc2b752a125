package imapclient

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// Copied says where the copies of messages are. Servers without UIDPLUS (RFC
// 4315) do not tell: it is then the zero value.
type Copied struct {
	UIDValidity uint32 // of the mailbox that they are in; 0: not told

	pairs []copiedRange // sorted by source, once all are known
}

// copiedRange is a range of messages, and the UID of the copy of the first.
type copiedRange struct {
	from uidRange
	to   uint32
}

// UID returns the UID of the copy of a message, or 0 if it was not told.
func (d Copied) UID(of uint32) uint32 {
	i, ok := slices.BinarySearchFunc(d.pairs, of, func(p copiedRange, uid uint32) int {
		switch {
		case p.from.last < uid:
			return -1
		case p.from.first > uid:
			return 1
		}
		return 0
	})
	if !ok {
		return 0
	}
	return d.pairs[i].to + (of - d.pairs[i].from.first)
}

// Sources returns the messages that were copied, as far as it was told.
func (d Copied) Sources() Set {
	var ranges []uidRange
	for _, p := range d.pairs {
		ranges = append(ranges, p.from)
	}
	return normal(ranges)
}

// Copy copies messages of the open mailbox to another. UIDs that are gone are
// passed over. It takes one round trip for every 8000 octets of set; the server
// copies either all messages of such a part or none, and an error may come
// after some parts were copied, of which Copied tells then. A mailbox that does
// not exist is [ErrNoMailbox]. RFC 9051 section 6.4.7.
func (c *Client) Copy(ctx context.Context, set Set, mailbox string) (Copied, error) {
	if err := checkName("the mailbox name", mailbox); err != nil {
		return Copied{}, err
	}
	end, err := c.beginSelected(ctx)
	if err != nil {
		return Copied{}, err
	}
	defer end()
	var all Copied
	for _, part := range set.split() {
		some, err := c.copy(part, mailbox)
		all.add(some)
		if err != nil {
			return all.sorted(), err
		}
	}
	return all.sorted(), nil
}

// copy copies messages with one command.
func (c *Client) copy(set Set, mailbox string) (Copied, error) {
	err := c.engineRun("UID COPY", nil, func(e *goimap.Client) error {
		_, err := e.Copy(set.uidSet(), c.engineName(mailbox)).Wait()
		return err
	})
	if err != nil || c.code != "COPYUID" {
		return Copied{}, err
	}
	return parseCopied(c.codeArgs), nil
}

// add adds what another command has copied. If the mailbox was made anew in
// between, only the last is of use.
func (d *Copied) add(o Copied) {
	switch {
	case o.UIDValidity == 0:
		return
	case d.UIDValidity != o.UIDValidity:
		*d = o
		return
	}
	d.pairs = append(d.pairs, o.pairs...)
}

func (d Copied) sorted() Copied {
	slices.SortFunc(d.pairs, func(a, b copiedRange) int { return cmp.Compare(a.from.first, b.from.first) })
	return d
}

// parseCopied reads the arguments of COPYUID: "38505 304,319:320 3956:3958".
// Something else is passed over: QUIRK: Outlook.com sends no sets, Cyrus's proxy
// only one; RFC 4315 section 3 has three arguments. Ranges that a server makes
// up are not expanded.
func parseCopied(args []byte) Copied {
	fields := bytes.Fields(args)
	if len(fields) != 3 {
		return Copied{}
	}
	validity, err := parseUint(fields[0], 32)
	from, err2 := parseRanges(fields[1])
	to, err3 := parseRanges(fields[2])
	if err != nil || err2 != nil || err3 != nil || validity == 0 {
		return Copied{}
	}
	d := Copied{UIDValidity: uint32(validity)}
	for len(from) > 0 && len(to) > 0 {
		n := min(from[0].last-from[0].first, to[0].last-to[0].first) // one less than how many
		d.pairs = append(d.pairs, copiedRange{uidRange{from[0].first, from[0].first + n}, to[0].first})
		from, to = pass(from, n), pass(to, n)
	}
	if len(from)+len(to) > 0 {
		return Copied{}
	}
	return d
}

// pass takes n UIDs and one more off the first range.
func pass(ranges []uidRange, n uint32) []uidRange {
	if ranges[0].last-ranges[0].first == n {
		return ranges[1:]
	}
	ranges[0].first += n + 1
	return ranges
}
