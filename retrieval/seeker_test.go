package retrieval_test

import (
	"context"
	"errors"
	"time"

	"example.com/postbag/retrieval"
)

// seeker is a shelf that finds what was delivered, and says when it has
// delivered something.
type seeker struct {
	*shelf
	has       []sought
	delivered func(subject string)
	failing   error // of Find
}

type sought struct {
	box  retrieval.Box
	uid  retrieval.UID
	ref  string
	when time.Time
}

func (f *seeker) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	ref, err := f.shelf.Deliver(ctx, m)
	if err == nil {
		f.has = append(f.has, sought{m.Box, m.UID, ref, time.Now()})
		if f.delivered != nil {
			f.delivered(subject(f.copies[ref]))
		}
	}
	return ref, err
}

func (f *seeker) Find(_ context.Context, box retrieval.Box, intent retrieval.Record) (string, bool, error) {
	for _, c := range f.has {
		if _, is := f.copies[c.ref]; is && c.box == box && c.uid == intent.UID && !c.when.Before(intent.Since) {
			return c.ref, true, f.failing
		}
	}
	return "", false, f.failing
}

// crashed runs until a message with this subject is delivered, and no further:
// nothing that comes after that has an effect.
func (q *quick) crashed(f *seeker, at string) {
	q.t.Helper()
	ctx, cancel := context.WithCancel(q.t.Context())
	defer cancel()
	f.delivered = func(s string) {
		if s == at {
			cancel()
		}
	}
	defer func() { f.delivered = nil }()
	if _, err := retrieval.Run(ctx, q.acct, f, q.store); !errors.Is(err, context.Canceled) {
		q.t.Fatalf("%v, want the run cut short when %s was delivered", err, at)
	}
}

// into runs with another sink than the shelf.
func (q *quick) into(s retrieval.Sink) retrieval.Report {
	q.t.Helper()
	rep, err := retrieval.Run(q.t.Context(), q.acct, s, q.store)
	if err != nil {
		q.t.Fatal(err)
	}
	return rep
}

// put changes what is remembered of messages.
func (q *quick) put(recs ...retrieval.Record) {
	q.t.Helper()
	q.change(retrieval.Change{Put: recs})
}

// change changes what is remembered.
func (q *quick) change(ch retrieval.Change) {
	q.t.Helper()
	p, err := q.store.Open(q.t.Context(), q.acct.Box())
	if err != nil {
		q.t.Fatal(err)
	}
	defer p.Close()
	if err := p.Update(q.t.Context(), ch); err != nil {
		q.t.Fatal(err)
	}
}
