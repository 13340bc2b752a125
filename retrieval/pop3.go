package retrieval

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"syscall"

	"example.com/postbag/internal/transport"
	"example.com/postbag/pop3client"
)

// pop3Session is the [Retriever] of a POP3 maildrop.
type pop3Session struct {
	a       Account
	c       *pop3client.Client
	past    Traffic // of the connections before c
	entries map[UID]pop3client.Entry
	marks   marks

	// single says that one command at a time is all that the server is up to.
	single bool

	// unseen says that the server has sent messages which the caller did not
	// read to the end. See Commit.
	unseen bool
}

func openPOP3(ctx context.Context, a Account) (Retriever, error) {
	c, err := dialPOP3(ctx, &a, false)
	if err != nil {
		return nil, err
	}
	return &pop3Session{a: a, c: c}, nil
}

func dialPOP3(ctx context.Context, a *Account, single bool) (*pop3client.Client, error) {
	window := 0 // the client's own
	if single {
		window = 1
	}
	dial := pop3client.Dial
	switch a.Security {
	case StartTLS:
		dial = pop3client.DialStartTLS
	case Plaintext:
		dial = pop3client.DialPlaintext
	}
	c, err := dial(ctx, a.addr(), &pop3client.Options{
		TLSConfig:    a.TLSConfig,
		Dial:         a.Dial,
		StallTimeout: a.StallTimeout,
		Transcript:   a.Transcript,
		Window:       window,
	})
	if err != nil {
		return nil, err
	}
	err = a.logIn(ctx, func(password string) error {
		if caps := c.Capabilities(); caps.Has("SASL") && !caps.Has("USER") {
			return c.Auth(ctx, pop3client.Credentials{User: a.User, Password: password})
		}
		return c.Login(ctx, a.User, password)
	}, func(token string) error {
		return c.Auth(ctx, pop3client.Credentials{User: a.User, Token: token})
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Features implements [Retriever].
func (s *pop3Session) Features() Features {
	delay, _ := s.c.Capabilities().LoginDelay()
	return Features{Protocol: POP3, ExactDelete: true, Pipelining: s.c.Pipelining(), LoginDelay: delay}
}

// List implements [Retriever]. A server without UIDL is
// [errors.ErrUnsupported]: without lasting names nothing can be remembered,
// unless the account's rule is to know messages by their headers.
func (s *pop3Session) List(ctx context.Context) ([]Summary, error) {
	list, err := s.c.Listing(ctx)
	if s.a.Reset == Rematch && s.c.Err() == nil && (errors.Is(err, errors.ErrUnsupported) || len(pop3client.Duplicates(list)) > 0) {
		list, err = s.nameByHeader(ctx)
	}
	if err != nil {
		return nil, s.failure(err)
	}
	s.entries = make(map[UID]pop3client.Entry, len(list))
	sums := make([]Summary, 0, len(list))
	for _, e := range list {
		uid := UID(e.UID)
		if _, twice := s.entries[uid]; twice {
			return nil, &MessageError{uid, ErrAmbiguous}
		}
		s.entries[uid] = e
		sums = append(sums, Summary{UID: uid, Size: e.Size})
	}
	return sums, nil
}

// nameByHeader lists the maildrop with names that are made of the messages'
// header sections, which it retrieves. They last as long as these do; two
// messages with the same header section have the same.
func (s *pop3Session) nameByHeader(ctx context.Context) ([]pop3client.Entry, error) {
	list, err := s.c.List(ctx)
	if err != nil {
		return nil, err
	}
	at := make(map[int]int, len(list))
	for i, e := range list {
		at[e.Number] = i
		list[i].UID = ""
	}
	for body, err := range s.c.TopEach(ctx, 0, list...) {
		if err != nil {
			return nil, err // a message without a name might be taken for gone
		}
		p := new(printer)
		if _, err := io.Copy(p, body); err != nil {
			return nil, err
		}
		list[at[body.Number()]].UID = "header-" + hex.EncodeToString(p.sum())
	}
	return list, nil
}

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

// Delete implements [Retriever].
func (s *pop3Session) Delete(uids ...UID) error {
	return s.marks.add(func(uid UID) bool { _, ok := s.entries[uid]; return ok }, uids)
}

// Commit implements [Retriever] with DELE and QUIT. QUIT tells the server
// that what it sent has arrived, and some servers (Gmail) then hide it. So a
// session in which a message was sent but not read is dropped instead, and
// the deletions are made in a fresh one.
func (s *pop3Session) Commit(ctx context.Context) (Receipt, error) {
	if s.unseen {
		if len(s.marks.uids) == 0 {
			return Receipt{}, s.Close()
		}
		if err := s.reopen(ctx); err != nil {
			return Receipt{Kept: s.marks.uids}, transport.Mark(ErrUncommitted, fmt.Errorf("commit: %w", err))
		}
	}
	var asked []UID
	var numbers []int
	var rcpt Receipt
	for _, uid := range s.marks.uids {
		if e, ok := s.entries[uid]; ok {
			asked, numbers = append(asked, uid), append(numbers, e.Number)
		} else {
			rcpt.Deleted = append(rcpt.Deleted, uid) // gone since, by whomever
		}
	}
	results, err := s.c.Dele(ctx, numbers...)
	if err != nil {
		// Nothing is deleted without QUIT. RFC 1939 section 6.
		rcpt.Kept = append(rcpt.Kept, asked...)
		return rcpt, transport.Mark(ErrUncommitted, s.failure(err))
	}
	var accepted []UID
	for i, refused := range results {
		if refused == nil {
			accepted = append(accepted, asked[i])
			continue
		}
		rcpt.Kept = append(rcpt.Kept, asked[i])
		err = errors.Join(err, &MessageError{asked[i], refused})
	}
	if quit := s.c.Quit(ctx); quit != nil {
		rcpt.Unknown = accepted
		if len(accepted) > 0 {
			return rcpt, s.failure(quit)
		}
		return rcpt, nil // nothing was at stake
	}
	rcpt.Deleted = append(rcpt.Deleted, accepted...)
	if err != nil {
		return rcpt, transport.Mark(ErrUncommitted, err)
	}
	return rcpt, nil
}

// reopen drops the session and begins a fresh one.
func (s *pop3Session) reopen(ctx context.Context) error {
	s.Close()
	s.past = s.Traffic()
	c, err := dialPOP3(ctx, &s.a, s.single)
	if err != nil {
		return err
	}
	s.c, s.unseen = c, false
	_, err = s.List(ctx)
	return err
}

// Close implements [Retriever]. It drops the line: without QUIT the server
// deletes nothing.
func (s *pop3Session) Close() error { return s.c.Close() }

// Traffic implements [Metered].
func (s *pop3Session) Traffic() Traffic {
	st := s.c.Stats()
	return Traffic{
		In:         s.past.In + st.In,
		Out:        s.past.Out + st.Out,
		RoundTrips: s.past.RoundTrips + st.RoundTrips,
	}
}

// failure marks err if it ended the session.
func (s *pop3Session) failure(err error) error {
	if s.c.Err() != nil {
		return lost(err)
	}
	return err
}
