package retrieval

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"example.com/postbag/imapclient"
)

// open opens a mailbox, and lists it by what has changed if that is possible.
func (s *imapSession) open(ctx context.Context, mailbox string) error {
	if from := s.opening.resume; from != nil {
		if since, ok := decodeCursor(from.cursor); ok {
			err := s.follow(ctx, mailbox, since, from.listed)
			if err == nil || !errors.Is(err, imapclient.ErrRenumbered) && !errors.Is(err, errOtherNewest) && !s.goesOn(ctx, err) {
				return err
			}
			s.listed, s.known = nil, nil
		}
	}
	var err error
	if s.c.Err() == nil {
		s.box, err = s.openBox(ctx, mailbox)
	} else {
		_, err = s.again(ctx)
	}
	if err == nil {
		s.next = imapclient.Cursor{UIDValidity: s.box.UIDValidity, UIDNext: s.box.UIDNext, HighestModSeq: s.box.HighestModSeq}
	}
	return err
}

// goesOn tells whether the mailbox is to be listed in another session, after
// this one has ended while it told of changes: that may have been over one
// message, which a listing finds.
func (s *imapSession) goesOn(ctx context.Context, err error) bool {
	s.known, s.listed = nil, nil
	return s.redial != nil && s.c.Err() != nil && ctx.Err() == nil && RetryAfter(err) == 0
}

func (s *imapSession) openBox(ctx context.Context, mailbox string) (*imapclient.Mailbox, error) {
	if s.dry {
		return s.c.Examine(ctx, mailbox)
	}
	return s.c.Select(ctx, mailbox)
}

// errOtherNewest: the newest message was received at another moment than before.
// As UIDs ascend, it would be another one if any UID had been given once more; a
// server that was restored may not tell of that otherwise.
var errOtherNewest = errors.New("the newest message is another one")

// follow opens a mailbox and makes its listing of an earlier one. Of that only
// the messages below the cursor count: the others are listed anew.
func (s *imapSession) follow(ctx context.Context, mailbox string, since imapclient.Cursor, listed []Summary) error {
	s.box = &imapclient.Mailbox{UIDValidity: since.UIDValidity}
	known := make(map[uint32]Summary, len(listed))
	numbers := make([]uint32, 0, len(listed))
	for _, sum := range listed {
		if n, ok := s.number(sum.UID); ok && n < since.UIDNext {
			known[n] = sum
			numbers = append(numbers, n)
		}
	}
	changes := s.c.SelectChanges
	if s.dry {
		changes = s.c.Changes
	}
	ch, err := changes(ctx, mailbox, since, imapclient.UIDs(numbers...))
	if err != nil {
		return err
	}
	if then := known[ch.Newest.UID].Received; !then.IsZero() && !ch.Newest.Received.IsZero() && !then.Equal(ch.Newest.Received) {
		return errOtherNewest
	}
	s.box, s.next = ch.Mailbox, ch.Cursor
	for _, c := range ch.Changed {
		if sum, ok := known[c.UID]; ok {
			sum.Flags = flagsOf(c.Flags)
			if c.Size >= 0 {
				sum.Size = c.Size
			}
			if !c.Received.IsZero() {
				sum.Received = c.Received
			}
			known[c.UID] = sum
		}
	}
	s.listed = make(map[UID]Summary, len(known)+len(ch.New))
	s.known = make([]Summary, 0, len(known)+len(ch.New))
	slices.Sort(numbers)
	for _, n := range numbers {
		if !ch.Vanished.Has(n) {
			s.add(known[n])
		}
	}
	for _, fresh := range ch.New {
		if err := s.add(s.summary(fresh)); err != nil {
			return err
		}
	}
	slices.SortFunc(s.known, byNumber)
	return s.name(ctx, s.known)
}

// add adds a message to the listing.
func (s *imapSession) add(m Summary) error {
	if _, twice := s.listed[m.UID]; twice {
		return &MessageError{m.UID, ErrAmbiguous}
	}
	s.listed[m.UID] = m
	s.known = append(s.known, m)
	return nil
}

// cursor implements resumer.
func (s *imapSession) cursor() []byte {
	if s.next.UIDNext == 0 {
		return nil
	}
	return encodeCursor(s.next)
}

// nextNumber implements counter.
func (s *imapSession) nextNumber() uint32 { return s.box.UIDNext }

// A cursor in a store: a version, and three numbers.
const cursorVersion = 1

func encodeCursor(c imapclient.Cursor) []byte {
	b := []byte{cursorVersion}
	for _, n := range []uint64{uint64(c.UIDValidity), uint64(c.UIDNext), c.HighestModSeq} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// decodeCursor is its inverse. What it does not understand costs a listing and
// nothing else.
func decodeCursor(b []byte) (c imapclient.Cursor, ok bool) {
	if len(b) == 0 || b[0] != cursorVersion {
		return c, false
	}
	var n [3]uint64
	for i, at := 0, b[1:]; i < len(n); i++ {
		v, size := binary.Uvarint(at)
		if size <= 0 {
			return c, false
		}
		n[i], at = v, at[size:]
	}
	return imapclient.Cursor{UIDValidity: uint32(n[0]), UIDNext: uint32(n[1]), HighestModSeq: n[2]}, true
}

func flagsOf(wire []string) []Flag {
	var flags []Flag
	for _, f := range wire {
		flags = append(flags, Flag(f))
	}
	return flags
}
