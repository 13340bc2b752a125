package retrieval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"syscall"

	"example.com/postbag/pop3client"
)

// Headers implements [Retriever].
func (s *pop3Session) Headers(ctx context.Context, uids ...UID) iter.Seq2[*Message, error] {
	return s.each(ctx, uids, func(es []pop3client.Entry) iter.Seq2[*pop3client.Body, error] {
		return s.c.TopEach(ctx, 0, es...)
	}, nil)
}

// Fetch implements [Retriever].
func (s *pop3Session) Fetch(ctx context.Context, uids ...UID) iter.Seq2[*Message, error] {
	return s.each(ctx, uids, func(es []pop3client.Entry) iter.Seq2[*pop3client.Body, error] {
		return s.c.RetrEach(ctx, es...)
	}, &s.unseen)
}

// each yields the messages that get retrieves. unseen, if not nil, becomes
// true when the server may have sent one that was not read to its end.
func (s *pop3Session) each(ctx context.Context, uids []UID, get func([]pop3client.Entry) iter.Seq2[*pop3client.Body, error], unseen *bool) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		if s.entries == nil {
			if _, err := s.List(ctx); err != nil {
				yield(nil, err)
				return
			}
		}
		want := make([]pop3client.Entry, 0, len(uids))
		for _, uid := range uids {
			if e, ok := s.entries[uid]; ok {
				want = append(want, e)
			} else if !yield(nil, &MessageError{uid, ErrGone}) {
				return
			}
		}
		for more := true; more && len(want) > 0; {
			want, more = s.pass(ctx, want, get, unseen, yield)
		}
	}
}

// pass is each over one connection. It returns what is to be asked for over
// another one, and false when the loop is over.
func (s *pop3Session) pass(ctx context.Context, want []pop3client.Entry, get func([]pop3client.Entry) iter.Seq2[*pop3client.Body, error], unseen *bool, yield func(*Message, error) bool) (rest []pop3client.Entry, more bool) {
	byNumber := make(map[int]UID, len(want))
	for _, e := range want {
		byNumber[e.Number] = UID(e.UID)
	}
	left := len(want)
	for body, err := range get(want) {
		if errors.Is(err, pop3client.ErrDesync) && !s.single && !isCut(err) {
			return s.oneByOne(ctx, want[len(want)-left:], err, yield)
		}
		left--
		if err != nil {
			m := (*pop3client.MessageError)(nil)
			switch {
			case s.c.Err() != nil || !errors.As(err, &m):
				err = s.failure(err)
			case errors.Is(err, errors.ErrUnsupported): // no TOP: once said is enough
				yield(nil, m.Err)
				return nil, false
			default:
				err = &MessageError{byNumber[m.Number], m.Err}
			}
			if yield(nil, err) {
				continue
			}
			if left > 0 && unseen != nil {
				*unseen = true
			}
			return nil, false
		}
		uid := byNumber[body.Number()]
		m := NewMessage(s.a.Box(), Summary{UID: uid, Size: s.entries[uid].Size}, body)
		more := yield(m, nil)
		if unseen != nil && (m.end == nil || m.readError() != nil || !more && left > 0) {
			*unseen = true
		}
		if !more {
			return nil, false
		}
	}
	return nil, false
}

// isCut tells whether the line is at fault, and not what was said or not said
// over it.
func isCut(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// oneByOne goes on without pipelining, with a server that says that it can and
// went out of step.
func (s *pop3Session) oneByOne(ctx context.Context, rest []pop3client.Entry, why error, yield func(*Message, error) bool) ([]pop3client.Entry, bool) {
	s.single = true
	if err := s.reopen(ctx); err != nil {
		yield(nil, lost(fmt.Errorf("%w; then %w", why, err)))
		return nil, false
	}
	again := rest[:0:0]
	for _, e := range rest {
		if now, ok := s.entries[UID(e.UID)]; ok {
			again = append(again, now)
		} else if !yield(nil, &MessageError{UID(e.UID), ErrGone}) {
			return nil, false
		}
	}
	return again, true
}
