package retrieval

import (
	"context"
	"errors"
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

// nameByHeader names messages by their header sections, which it retrieves, and
// returns those that are there still.
func (s *imapSession) nameByHeader(ctx context.Context, sums []imapclient.Summary) ([]imapclient.Summary, error) {
	numbers := make([]uint32, 0, len(sums))
	for _, sum := range sums {
		numbers = append(numbers, sum.UID)
	}
	slices.Sort(numbers)
	if len(slices.Compact(numbers)) < len(sums) {
		return nil, ErrAmbiguous
	}
	var gone []uint32
	var lack error
	for m, err := range s.c.Headers(ctx, numbers...) {
		one := (*imapclient.MessageError)(nil)
		if errors.As(err, &one) && errors.Is(err, ErrGone) {
			gone, lack = append(gone, one.UID), err
			continue
		}
		if err != nil {
			return nil, err // a message without a name might be taken for gone
		}
		uid, err := headerName(m)
		if err != nil {
			return nil, err
		}
		s.fleeting.names[m.UID], s.fleeting.numbers[uid] = uid, m.UID
	}
	if len(gone) > 0 { // or nothing was said of them
		if left, told := s.left(ctx, gone); !told || len(left) > 0 {
			return nil, lack
		}
	}
	return slices.DeleteFunc(sums, func(sum imapclient.Summary) bool { return s.fleeting.names[sum.UID] == "" }), nil
}
