package imapclient

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// PartOptions are how [Client.Part] reads a part. Nil is the zero value.
type PartOptions struct {
	// Raw: the octets come as they are in the message, else without their
	// transfer encoding.
	Raw bool

	// Encoding and Size are what a [Part] says of the part. They save a round
	// trip.
	Encoding string
	Size     int64

	// Offset and Limit are the range of the octets that come. Limit 0 means
	// all.
	Offset, Limit int64

	// Chunk is how many octets of a part are asked for at a time, so that
	// nothing more than that must be thrown away if not all is read. Zero
	// means 4 MiB of a part that is larger than 16 MiB, as far as that is
	// known, and others at once. Less than zero means at once.
	Chunk int64

	// MarkSeen sets the flag \Seen. Otherwise nothing does.
	MarkSeen bool
}

// ErrNoPart: the message has no such part.
var ErrNoPart = errors.New("no such part")

// Part begins to read one part of a message. part is the number of a part (see
// [Part]), empty for the whole message, or HEADER, TEXT, or one of .MIME,
// .HEADER and .TEXT behind a number (RFC 9051 section 6.4.5); only what is just
// a number is decoded: base64 and quoted-printable, by the server if it can
// (BINARY, RFC 3516), leniently by the client otherwise. What is in any other
// encoding comes as it is. A charset is not decoded.
//
// A message that the server does not have is [ErrGone], a part that the
// message does not have [ErrNoPart]. Both may come only from reading, as
// [ErrTruncated] does: reading ends with io.EOF only if every octet arrived.
// Until the part is read to its end or closed, other commands are [ErrBusy],
// and ending ctx closes the connection.
func (c *Client) Part(ctx context.Context, uid uint32, part string, o *PartOptions) (*PartReader, error) {
	if o == nil {
		o = new(PartOptions)
	}
	part = strings.ToUpper(part)
	if !isSection(part) {
		return nil, fmt.Errorf("imap: %q does not name a part", part)
	}
	if uid == 0 || o.Offset < 0 || o.Limit < 0 {
		return nil, fmt.Errorf("imap: Part: no such range of message %d", uid)
	}
	end, err := c.beginSelected(ctx)
	if err != nil {
		return nil, err
	}
	p := &PartReader{c: c, uid: uid, part: part, o: *o, end: end, ctx: ctx}
	if err := p.open(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// isSection tells whether s is a section, in upper case, that Part can read.
func isSection(s string) bool {
	switch s {
	case "", "HEADER", "TEXT":
		return true
	}
	for _, suffix := range []string{".MIME", ".HEADER", ".TEXT"} {
		if number, ok := strings.CutSuffix(s, suffix); ok {
			return isPartNumber(number)
		}
	}
	return isPartNumber(s)
}

func isPartNumber(s string) bool {
	for n := range strings.SplitSeq(s, ".") {
		if v, err := parseUint([]byte(n), 32); err != nil || v == 0 {
			return false
		}
	}
	return len(s) < 1000
}
