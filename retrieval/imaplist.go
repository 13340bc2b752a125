package retrieval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"example.com/postbag/imapclient"
)

// List implements [Retriever]. A message of which the server cannot tell all
// is listed by its flags alone. One over which the server hangs up is found in
// further sessions, if there may be any.
func (s *imapSession) List(ctx context.Context) ([]Summary, error) {
	if s.known != nil {
		return s.known, nil
	}
	n := min(s.box.Messages, 1<<16) // what the server says is not to be believed blindly
	s.listed = make(map[UID]Summary, n)
	s.known = make([]Summary, 0, n)
	err := s.list(ctx)
	sums := s.known
	s.known = nil // another listing asks anew
	if err != nil {
		return nil, s.failure(err)
	}
	return sums, s.name(ctx, sums)
}

func (s *imapSession) list(ctx context.Context) error {
	told, err := s.told(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(told, func(a, b imapclient.Summary) int { // in which order they come is the server's business
		return cmp.Compare(a.UID, b.UID)
	})
	if s.fleeting != nil {
		if told, err = s.nameByHeader(ctx, told); err != nil {
			return err
		}
	}
	for _, sum := range told {
		if err := s.add(s.summary(sum)); err != nil {
			return err
		}
	}
	return nil
}

// told returns what the server tells of each message.
func (s *imapSession) told(ctx context.Context) (sums []imapclient.Summary, err error) {
	var untold []uint32
	for sum, err := range s.summaries(ctx) {
		one := (*imapclient.MessageError)(nil)
		switch {
		case err == nil:
			sums = append(sums, sum)
		case errors.As(err, &one):
			untold = append(untold, one.UID)
		default:
			return nil, err
		}
	}
	if len(untold) == 0 {
		return sums, nil
	}
	for info, err := range s.infos(ctx, imapclient.UIDs(untold...), imapclient.Items{Flags: true}) {
		if err == nil && len(info.Missing) > 0 {
			err = fmt.Errorf("the flags of message %d: %w", info.UID, ErrProtocol) // it would look as if it had none
		}
		if err != nil {
			return nil, err
		}
		sums = append(sums, info.Summary)
	}
	return sums, nil
}

func (s *imapSession) summaries(ctx context.Context) iter.Seq2[imapclient.Summary, error] {
	if s.redial == nil {
		return s.c.Summaries(ctx, imapclient.All())
	}
	return imapclient.SummariesThrough(ctx, s.c, s.again, imapclient.All())
}

func (s *imapSession) infos(ctx context.Context, set imapclient.Set, items imapclient.Items) iter.Seq2[imapclient.Info, error] {
	if s.redial == nil {
		return s.c.Fetch(ctx, set, items)
	}
	if s.c.Err() != nil {
		if _, err := s.again(ctx); err != nil {
			return func(yield func(imapclient.Info, error) bool) { yield(imapclient.Info{}, err) }
		}
	}
	return imapclient.FetchThrough(ctx, s.c, s.again, set, items)
}

// again goes over to another session, some seconds later. What changes are
// counted from is when the first one began.
func (s *imapSession) again(ctx context.Context) (*imapclient.Client, error) {
	if err := sleep(ctx, leastWait+time.Duration(draw(int64(firstPart)))); err != nil {
		return nil, err
	}
	s.c.Close()
	st := s.c.Stats()
	c, err := s.redial(ctx)
	if err != nil {
		return nil, err
	}
	s.c = c
	s.past = imapclient.Stats{In: s.past.In - st.In, Out: s.past.Out - st.Out, RoundTrips: s.past.RoundTrips - st.RoundTrips}
	box, err := s.openBox(ctx, s.a.Box().Mailbox)
	if err != nil {
		return nil, err
	}
	s.box = box
	return c, nil
}
