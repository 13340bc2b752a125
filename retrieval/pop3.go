package retrieval

import (
	"context"
	"errors"
	"fmt"

	"example.com/postbag/internal/transport"
	"example.com/postbag/pop3client"
)

// pop3Session is the [Retriever] of a POP3 maildrop.
type pop3Session struct {
	a       Account
	c       *pop3client.Client
	past    Traffic // of the connections before c
	entries map[UID]pop3client.Entry
	gone    map[UID]bool // listed once, and not over a later connection
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
	entries := make(map[UID]pop3client.Entry, len(list))
	sums := make([]Summary, 0, len(list))
	for _, e := range list {
		uid := UID(e.UID)
		if _, twice := entries[uid]; twice {
			return nil, &MessageError{uid, ErrAmbiguous}
		}
		entries[uid] = e
		sums = append(sums, Summary{UID: uid, Size: e.Size})
	}
	s.entries = entries
	return sums, nil
}

// Delete implements [Retriever].
func (s *pop3Session) Delete(uids ...UID) error {
	return s.marks.add(func(uid UID) bool { _, ok := s.entries[uid]; return ok || s.gone[uid] }, uids)
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
	var refusals refused
	for i, err := range results {
		if err == nil {
			accepted = append(accepted, asked[i])
		} else {
			refusals.add(asked[i], err)
		}
	}
	rcpt.Kept = refusals.uids()
	if quit := s.c.Quit(ctx); quit != nil && len(accepted) > 0 { // else nothing was at stake
		rcpt.Unknown = accepted
		err := s.failure(quit)
		for _, e := range refusals.each {
			err = errors.Join(err, e)
		}
		return rcpt, transport.Mark(ErrUncommitted, err)
	}
	rcpt.Deleted = append(rcpt.Deleted, accepted...)
	return rcpt, refusals.err()
}

// reopen drops the session and begins a fresh one.
func (s *pop3Session) reopen(ctx context.Context) error {
	s.Close()
	s.past = s.Traffic()
	c, err := dialPOP3(ctx, &s.a, s.single)
	if err != nil {
		return err
	}
	before := s.entries
	s.c, s.unseen = c, false
	if _, err = s.List(ctx); err != nil {
		s.Close() // the numbers in entries are those of the connection before
		return err
	}
	for uid := range before {
		if _, ok := s.entries[uid]; !ok {
			if s.gone == nil {
				s.gone = make(map[UID]bool)
			}
			s.gone[uid] = true
		}
	}
	return nil
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
