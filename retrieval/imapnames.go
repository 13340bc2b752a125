package retrieval

import (
	"context"
	"encoding/hex"
	"io"
	"slices"

	"example.com/postbag/imapclient"
)

// fleeting are the names of messages in a mailbox whose UIDs are good for a
// session only (UIDNOTSTICKY, RFC 4315 section 2, or no UIDVALIDITY). They are
// made of the header sections, as those of POP3 without UIDL are.
type fleeting struct {
	names   map[uint32]UID
	numbers map[UID]uint32
}

// byHeader makes the session know messages by such names, if that is the
// account's rule. What was counted from before is of no use then, and neither
// is another session.
func (s *imapSession) byHeader() error {
	if s.a.Reset != Rematch {
		return unsupported("a mailbox whose UIDs do not last")
	}
	s.fleeting = &fleeting{make(map[uint32]UID), make(map[UID]uint32)}
	s.next, s.redial = imapclient.Cursor{}, nil
	s.known, s.listed = nil, nil
	return nil
}

// nameByHeader names messages by their header sections, which it retrieves.
func (s *imapSession) nameByHeader(ctx context.Context, sums []imapclient.Summary) error {
	numbers := make([]uint32, 0, len(sums))
	for _, sum := range sums {
		numbers = append(numbers, sum.UID)
	}
	slices.Sort(numbers)
	if len(slices.Compact(numbers)) < len(sums) {
		return ErrAmbiguous
	}
	for m, err := range s.c.Headers(ctx, numbers...) {
		if err != nil {
			return err // a message without a name might be taken for gone
		}
		p := new(printer)
		if _, err := io.Copy(p, m); err != nil {
			return err
		}
		uid := UID("header-" + hex.EncodeToString(p.sum()))
		s.fleeting.names[m.UID], s.fleeting.numbers[uid] = uid, m.UID
	}
	return nil
}
