package retrievaltest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// brokenMailbox is a mailbox whose sessions have a bug: the name of the case
// that they are to fail.
func brokenMailbox(t *testing.T, bug string) rt.Mailbox {
	if bug == "" {
		return newMailbox(t, retrieval.IMAP, nil)
	}
	box := new(rt.Mailbox)
	*box = newMailbox(t, retrieval.IMAP, func(r retrieval.Retriever) retrieval.Retriever {
		return &brokenSession{Retriever: r, bug: bug, box: box}
	})
	return *box
}

// brokenSession is a session with a bug.
type brokenSession struct {
	retrieval.Retriever
	bug string
	box *rt.Mailbox

	listed    []retrieval.Summary
	marked    []retrieval.UID
	closed    bool
	looping   bool
	broken    bool // a loop over Fetch was left early
	committed bool
}

func (s *brokenSession) has(bug string) bool { return s.bug == bug }

func (s *brokenSession) Features() retrieval.Features {
	f := s.Retriever.Features()
	if s.has("Generation") {
		f.Generation = "x"
	}
	return f
}

func (s *brokenSession) List(ctx context.Context) ([]retrieval.Summary, error) {
	if s.closed && s.has("UseAfterClose") {
		return s.listed, nil
	}
	sums, err := s.Retriever.List(ctx)
	switch {
	case err == nil && len(sums) == 0 && s.has("ListEmpty"):
		return nil, errors.New("nothing there")
	case errors.Is(err, retrieval.ErrAmbiguous) && s.has("Ambiguous"):
		return nil, nil
	case s.has("List"):
		for i := range sums {
			sums[i].Size += 100
		}
	}
	s.listed = sums
	return sums, err
}

func (s *brokenSession) isListed(uid retrieval.UID) bool {
	return slices.ContainsFunc(s.listed, func(l retrieval.Summary) bool { return l.UID == uid })
}

func (s *brokenSession) Headers(ctx context.Context, uids ...retrieval.UID) iter.Seq2[*retrieval.Message, error] {
	return func(yield func(*retrieval.Message, error) bool) {
		for m, err := range s.Retriever.Headers(ctx, uids...) {
			if err == nil && s.has("Headers") {
				data, _ := io.ReadAll(m)
				m = retrieval.NewMessage(m.Box, m.Summary, bytes.NewReader(data[:len(data)-2]))
			}
			if err != nil && s.has("HeadersGone") {
				return
			}
			if !yield(m, err) {
				return
			}
		}
		if s.has("FetchLeavesNoTrace") {
			retrieval.SetFlags(ctx, s.Retriever, retrieval.AddFlags, []retrieval.Flag{retrieval.FlagSeen}, uids[0])
		}
	}
}

func (s *brokenSession) Fetch(ctx context.Context, uids ...retrieval.UID) iter.Seq2[*retrieval.Message, error] {
	switch {
	case s.has("Cancel"):
		ctx = context.WithoutCancel(ctx)
	case s.has("Fetch") && len(uids) > 20:
		for _, l := range s.listed {
			if !slices.Contains(uids, l.UID) {
				uids = append(slices.Clone(uids), l.UID)
				break
			}
		}
	}
	return func(yield func(*retrieval.Message, error) bool) {
		if s.broken && s.has("Break") {
			yield(nil, retrieval.ErrSession)
			return
		}
		s.looping = true
		defer func() { s.looping = false }()
		unread := false
		closed := s.closed
		for m, err := range s.Retriever.Fetch(ctx, uids...) {
			var r *endReader
			if err == nil {
				r = &endReader{r: m, lie: s.has("CutMessage")}
				body := io.Reader(r)
				if unread && s.has("Unread") {
					body = io.MultiReader(strings.NewReader("x"), r)
				}
				m = retrieval.NewMessage(m.Box, m.Summary, body)
			}
			gone := (*retrieval.MessageError)(nil)
			switch {
			case s.closed && !closed && s.has("CloseWithinLoop"), errors.Is(err, retrieval.ErrUnavailable) && s.has("CutLoop"):
				return
			case errors.As(err, &gone) && s.isListed(gone.UID) && s.has("Vanished"):
				m, err = retrieval.NewMessage(retrieval.Box{}, retrieval.Summary{UID: gone.UID}, strings.NewReader("")), nil
			case errors.As(err, &gone) && s.has("FetchGone") && !s.isListed(gone.UID):
				err = gone.Err
			}
			if !yield(m, err) {
				s.broken = true
				return
			}
			unread = r != nil && !r.ended
		}
	}
}

// endReader notices whether a message is read to its end, and may lie about
// that end.
type endReader struct {
	r     io.Reader
	lie   bool
	ended bool
}

func (e *endReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.ended = e.ended || err != nil
	if e.lie && errors.Is(err, retrieval.ErrTruncated) {
		err = io.EOF
	}
	return n, err
}

func (s *brokenSession) Delete(uids ...retrieval.UID) error {
	s.marked = append(s.marked, uids...)
	if s.looping && len(s.marked) > 5 && s.has("DeleteWithinLoop") {
		return errors.New("not in a loop")
	}
	if s.has("DeleteUnlisted") {
		uids = slices.DeleteFunc(slices.Clone(uids), func(uid retrieval.UID) bool { return strings.HasSuffix(string(uid), "no-such-uid") })
	}
	err := s.Retriever.Delete(uids...)
	if len(uids) == 1 && s.has("Snapshot") {
		return nil
	}
	return err
}

// elsewhere deletes messages in another session.
func (s *brokenSession) elsewhere(ctx context.Context, which func(i, n int, m retrieval.Summary) bool) {
	r, err := s.box.Open(ctx)
	if err != nil {
		return
	}
	other := r.(*brokenSession).Retriever
	defer other.Close()
	sums, _ := other.List(ctx)
	for i, m := range sums {
		if which(i, len(sums), m) {
			other.Delete(m.UID)
		}
	}
	other.Commit(ctx)
}

func (s *brokenSession) Commit(ctx context.Context) (retrieval.Receipt, error) {
	s.committed = true
	switch {
	case s.broken && s.has("CommitAfterBreak"):
		return retrieval.Receipt{}, nil
	case s.has("Commit") && len(s.marked) == 4:
		s.elsewhere(ctx, func(i, n int, _ retrieval.Summary) bool { return i == n-1 })
	case s.has("ForeignMarks"):
		s.elsewhere(ctx, func(_, _ int, m retrieval.Summary) bool { return slices.Contains(m.Flags, retrieval.FlagDeleted) })
	}
	rcpt, err := s.Retriever.Commit(ctx)
	if err != nil && (s.has("CutCommit") && ctx.Err() == nil || s.has("CommitCancelled") && ctx.Err() != nil) {
		rcpt = retrieval.Receipt{Deleted: s.marked}
	}
	return rcpt, err
}

func (s *brokenSession) Close() error {
	again := s.closed
	s.closed = true
	switch {
	case again && s.has("CloseTwice"):
		return errors.New("closed already")
	case !again && !s.committed && !s.looping && s.has("CloseDeletesNothing"):
		s.Retriever.Commit(context.Background())
	}
	return s.Retriever.Close()
}

func (s *brokenSession) SetFlags(ctx context.Context, op retrieval.FlagOp, flags []retrieval.Flag, uids ...retrieval.UID) error {
	if s.has("Flags") && op == retrieval.ReplaceFlags {
		op = retrieval.AddFlags
	}
	if s.has("FlagsGone") && len(uids) > 1 {
		for _, err := range s.Retriever.Headers(ctx, uids...) {
			if err != nil {
				return err
			}
		}
	}
	return s.Retriever.(retrieval.Flagger).SetFlags(ctx, op, flags, uids...)
}
