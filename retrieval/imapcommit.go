package retrieval

import (
	"context"
	"slices"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/transport"
)

// Commit implements [Retriever]: the marked messages get the flag \Deleted
// and are expunged by UID, so that what other clients have marked stays.
//
// A server that refuses a command may have carried it out for some of the
// messages (RFC 2180 section 4.2), so it is asked which.
func (s *imapSession) Commit(ctx context.Context) (Receipt, error) {
	uids := s.marks.uids
	if len(uids) == 0 {
		s.end(ctx) // nothing is at stake
		return Receipt{}, nil
	}
	if !s.Features().ExactDelete {
		return Receipt{Kept: uids}, unsupported("commit: deleting from a server without UIDPLUS")
	}
	if err := s.writable(); err != nil {
		return Receipt{Kept: uids}, transport.Mark(ErrUncommitted, s.failure(err))
	}
	var refusals refused
	marked := s.numbers(uids)
	if err := s.c.SetFlags(ctx, imapclient.AddFlags, []string{string(FlagDeleted)}, marked...); err != nil {
		err = s.failure(err)
		bare, told := s.left(ctx, marked, string(FlagDeleted))
		marked = s.refuse(&refusals, marked, bare, err)
		if !told || len(marked) == 0 {
			return Receipt{Kept: uids}, transport.Mark(ErrUncommitted, err)
		}
	}
	gone := marked
	if err := s.c.Expunge(ctx, marked...); err != nil {
		err = s.failure(err)
		left, told := s.left(ctx, marked)
		if !told || len(left) == 0 || len(left) == len(marked) { // then it is not about some of them
			return Receipt{Kept: refusals.uids(), Unknown: s.uids(marked)}, transport.Mark(ErrUncommitted, err)
		}
		gone = s.refuse(&refusals, marked, left, err)
	}
	s.end(ctx)
	return Receipt{Deleted: s.uids(gone), Kept: refusals.uids()}, refusals.err()
}

// left asks which messages are there, and do not have any of some flags. told is
// false if the server does not answer.
func (s *imapSession) left(ctx context.Context, numbers []uint32, without ...string) (left map[uint32]bool, told bool) {
	if s.c.Err() != nil {
		return nil, false
	}
	set := imapclient.UIDs(numbers...)
	found, err := s.c.Search(ctx, &imapclient.Query{UIDs: &set, NotFlags: without}, nil)
	if err != nil {
		return nil, false
	}
	left = make(map[uint32]bool)
	for _, n := range numbers {
		if found.UIDs.Has(n) {
			left[n] = true
		}
	}
	return left, true
}

// refuse notes that some messages were refused, and returns the other ones.
func (s *imapSession) refuse(r *refused, numbers []uint32, some map[uint32]bool, err error) []uint32 {
	return slices.DeleteFunc(slices.Clone(numbers), func(n uint32) bool {
		if some[n] {
			r.add(s.uid(n), err)
		}
		return some[n]
	})
}

func (s *imapSession) uids(numbers []uint32) []UID {
	uids := make([]UID, len(numbers))
	for i, n := range numbers {
		uids[i] = s.uid(n)
	}
	return uids
}
