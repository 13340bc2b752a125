package retrieval

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"

	"example.com/postbag/imapclient"
)

// imapSession is the [Retriever] of an IMAP mailbox.
//
// QUIRK: the mailbox is opened for writing even if nothing is to be written,
// because Courier and GNU Mailutils make up another UIDVALIDITY for every
// session until somebody has; RFC 9051 section 2.3.1.1 says that it lasts.
type imapSession struct {
	a      Account
	c      *imapclient.Client
	caps   imapclient.Capabilities
	box    *imapclient.Mailbox
	listed map[UID]Summary
	marks  marks
	next   imapclient.Cursor

	fleeting *fleeting // nil: UIDs last

	opening
	past  imapclient.Stats // of the client before this session
	known []Summary        // the listing, if it is known without asking
}

func openIMAP(ctx context.Context, a Account, o opening) (Retriever, error) {
	s := &imapSession{a: a, c: o.client, opening: o}
	if s.c == nil {
		c, err := dialIMAP(ctx, &a)
		if err != nil {
			return nil, err
		}
		s.c = c
		if s.redial == nil && a.Retries > 0 {
			s.redial = func(ctx context.Context) (*imapclient.Client, error) { return dialIMAP(ctx, &a) }
		}
	} else {
		s.past = s.c.Stats()
	}
	if err := s.begin(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// dialIMAP connects and logs in.
func dialIMAP(ctx context.Context, a *Account) (*imapclient.Client, error) {
	dial := imapclient.Dial
	switch a.Security {
	case StartTLS:
		dial = imapclient.DialStartTLS
	case Plaintext:
		dial = imapclient.DialPlaintext
	}
	c, err := dial(ctx, a.addr(), &imapclient.Options{
		TLSConfig:    a.TLSConfig,
		Dial:         a.Dial,
		StallTimeout: a.StallTimeout,
		Transcript:   a.Transcript,
	})
	if err != nil {
		return nil, err
	}
	err = a.logIn(ctx, func(password string) error {
		return c.Login(ctx, a.User, password)
	}, func(token string) error {
		return c.Auth(ctx, imapclient.Credentials{User: a.User, Token: token})
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (s *imapSession) begin(ctx context.Context) (err error) {
	if s.caps, err = s.c.Capabilities(ctx); err != nil {
		return err
	}
	if err := s.open(ctx, s.a.Box().Mailbox); err != nil {
		return err
	}
	if s.box.UIDValidity == 0 || s.box.UIDNotSticky {
		return s.byHeader()
	}
	return nil
}

// Features implements [Retriever].
func (s *imapSession) Features() Features {
	generation := strconv.FormatUint(uint64(s.box.UIDValidity), 10)
	if s.fleeting != nil {
		generation = ""
	}
	return Features{
		Protocol:    IMAP,
		Flags:       true,
		ExactDelete: s.caps.Has("UIDPLUS") || s.caps.Has("IMAP4REV2"), // RFC 4315, RFC 9051
		Pipelining:  true,
		Generation:  generation,
	}
}

// Headers implements [Retriever].
func (s *imapSession) Headers(ctx context.Context, uids ...UID) iter.Seq2[*Message, error] {
	return s.each(ctx, uids, s.c.Headers)
}

// Fetch implements [Retriever].
func (s *imapSession) Fetch(ctx context.Context, uids ...UID) iter.Seq2[*Message, error] {
	return s.each(ctx, uids, s.c.Bodies)
}

func (s *imapSession) each(ctx context.Context, uids []UID, get func(context.Context, ...uint32) iter.Seq2[*imapclient.Message, error]) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		want := make([]uint32, 0, len(uids))
		for _, uid := range uids {
			if n, ok := s.number(uid); ok {
				want = append(want, n)
			} else if !yield(nil, &MessageError{uid, ErrGone}) {
				return
			}
		}
		for msg, err := range get(ctx, want...) {
			if err != nil {
				if m := (*imapclient.MessageError)(nil); s.c.Err() == nil && errors.As(err, &m) {
					err = &MessageError{s.uid(m.UID), m.Err}
				} else {
					err = s.failure(s.blame(err))
				}
				if !yield(nil, err) {
					return
				}
				continue
			}
			sum, listed := s.listed[s.uid(msg.UID)]
			if !listed {
				sum = s.summary(msg.Summary)
			}
			if sum.Size < 0 && sum.Received.IsZero() { // it was listed by its flags alone
				sum.Size, sum.Received = msg.Size, msg.Received
			}
			if !yield(NewMessage(s.a.Box(), sum, msg), nil) {
				return
			}
		}
	}
}

// Delete implements [Retriever].
func (s *imapSession) Delete(uids ...UID) error {
	return s.marks.add(func(uid UID) bool { _, ok := s.listed[uid]; return ok }, uids)
}

// SetFlags implements [Flagger].
func (s *imapSession) SetFlags(ctx context.Context, op FlagOp, flags []Flag, uids ...UID) error {
	if err := s.writable(); err != nil {
		return s.failure(err)
	}
	wire := make([]string, 0, len(flags))
	for _, f := range flags {
		wire = append(wire, string(f))
	}
	return s.failure(s.c.SetFlags(ctx, imapclient.FlagOp(op), wire, s.numbers(uids)...))
}

// Move implements [Mover].
func (s *imapSession) Move(ctx context.Context, mailbox string, uids ...UID) error {
	if err := s.writable(); err != nil {
		return s.failure(err)
	}
	_, err := s.c.Move(ctx, imapclient.UIDs(s.numbers(uids)...), mailbox, nil)
	return s.failure(err)
}

// end logs out, unless the client is somebody else's.
func (s *imapSession) end(ctx context.Context) {
	if s.client == nil {
		s.c.Logout(ctx)
	}
}

// writable refuses to change a mailbox that the server opened read-only.
func (s *imapSession) writable() error {
	if s.box.ReadOnly {
		return errors.New("the mailbox is read-only")
	}
	return nil
}

// Close implements [Retriever]. The flag \Deleted is set at Commit only, so
// that no way of closing can expunge anything before.
func (s *imapSession) Close() error {
	if s.client != nil {
		return nil
	}
	return s.c.Close()
}

// Traffic implements [Metered].
func (s *imapSession) Traffic() Traffic {
	st := s.c.Stats()
	return Traffic{In: st.In - s.past.In, Out: st.Out - s.past.Out, RoundTrips: st.RoundTrips - s.past.RoundTrips}
}

func (s *imapSession) failure(err error) error {
	if err != nil && s.c.Err() != nil {
		return lost(err)
	}
	return err
}

// blame adds to the error that a session ended with over which messages that
// may have been.
func (s *imapSession) blame(err error) error {
	hung := (*imapclient.HangUpError)(nil)
	if !errors.As(err, &hung) {
		return err
	}
	b := blamed{error: err}
	for uid := range hung.Likely().Values() {
		b.uids = append(b.uids, s.uid(uid))
	}
	return b
}

func (s *imapSession) uid(n uint32) UID {
	if s.fleeting != nil {
		return s.fleeting.names[n]
	}
	b := strconv.AppendUint(make([]byte, 0, 21), uint64(s.box.UIDValidity), 10)
	return UID(strconv.AppendUint(append(b, '.'), uint64(n), 10))
}

// number implements counter. It returns the IMAP UID in uid, if it is one of this mailbox.
func (s *imapSession) number(uid UID) (uint32, bool) {
	if s.fleeting != nil {
		n, ok := s.fleeting.numbers[uid]
		return n, ok
	}
	validity, num, ok := strings.Cut(string(uid), ".")
	if !ok || validity != s.Features().Generation {
		return 0, false
	}
	n, err := strconv.ParseUint(num, 10, 32)
	return uint32(n), err == nil && n > 0
}

func (s *imapSession) numbers(uids []UID) []uint32 {
	ns := make([]uint32, 0, len(uids))
	for _, uid := range uids {
		if n, ok := s.number(uid); ok {
			ns = append(ns, n)
		}
	}
	return ns
}

func (s *imapSession) summary(m imapclient.Summary) Summary {
	return Summary{UID: s.uid(m.UID), Size: m.Size, Received: m.Received, Flags: flagsOf(m.Flags)}
}
