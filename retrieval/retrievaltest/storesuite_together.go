package retrievaltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"example.com/postbag/retrieval"
)

// storeRefused puts records together with one that a store may refuse.
func storeRefused(f *storeFixture) {
	p := f.open(sinkBox)
	recs := storeRecords(5)
	f.update(p, retrieval.Change{Put: recs[3:], Cursor: []byte("c"), Clock: &storeClocks[0], Hours: storeDay(2)})
	for _, uid := range []retrieval.UID{"", retrieval.UID(strings.Repeat("u", 1<<20))} {
		refused := recs[1]
		refused.UID = uid
		changed := recs[3]
		changed.Ref = "changed"
		ch := retrieval.Change{
			Put:    []retrieval.Record{recs[0], changed, refused, recs[2]},
			Forget: []retrieval.UID{recs[4].UID},
			Cursor: []byte("changed"), Clock: &storeClocks[1], Hours: storeDay(3),
		}
		if err := p.Update(f.Context(), ch); err == nil {
			f.want(p, recs[0], changed, refused, recs[2])
			f.update(p, retrieval.Change{
				Put: recs[3:], Forget: []retrieval.UID{recs[0].UID, refused.UID, recs[2].UID},
				Cursor: []byte("c"), Clock: &storeClocks[0], Hours: storeDay(2),
			})
		}
		f.want(p, recs[3:]...)
		f.wantState(p, []byte("c"), storeClocks[0])
		f.wantHours(p, storeDay(2)...)
	}
}

// storeEither is a page before a Change, and what it may be after it.
type storeEither struct {
	*storeFixture
	p     retrieval.Page
	recs  []retrieval.Record
	there int // of recs, from the first
	n     int // of the last Change
}

func (f *storeFixture) either(n int) *storeEither {
	e := &storeEither{storeFixture: f, p: f.open(sinkBox), recs: storeRecords(n), there: 2}
	f.update(e.p, retrieval.Change{Put: e.recs[:2], Cursor: []byte("0")})
	return e
}

// try makes the Change that puts the records that are not there or, if all
// are, forgets all but two. It wants all of it done, or with an error nothing.
func (e *storeEither) try(ctx context.Context) {
	e.Helper()
	ch, after := retrieval.Change{Put: e.recs[e.there:]}, len(e.recs)
	if e.there == len(e.recs) {
		after = 2
		for _, rec := range e.recs[2:] {
			ch.Forget = append(ch.Forget, rec.UID)
		}
	}
	ch.Cursor = fmt.Append(nil, e.n+1)
	if err := e.p.Update(ctx, ch); err == nil {
		e.there = after
		e.n++
	}
	e.want(e.p, e.recs[:e.there]...)
	e.wantState(e.p, fmt.Append(nil, e.n), retrieval.Clock{})
}

func storeCancelled(f *storeFixture) {
	ctx, cancel := context.WithCancelCause(f.Context())
	cancel(errors.New("the test's context is over"))
	e := f.either(4)
	for range 3 {
		e.try(ctx)
		e.try(f.Context())
	}
}

func storeCancelledMeanwhile(f *storeFixture) {
	e := f.either(2000)
	for range 10 {
		ctx, cancel := context.WithCancel(f.Context())
		var wg sync.WaitGroup
		wg.Go(cancel)
		e.try(ctx)
		wg.Wait()
	}
}

func storeConcurrent(f *storeFixture) {
	const workers, rounds = 8, 10
	recs := storeRecords(workers * rounds)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { errs[w] = storeAlone(f, w, recs[w*rounds:(w+1)*rounds]) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		f.broken("%v", err)
	}
	for w := range workers {
		f.want(f.open(storeWorker(w)), recs[(w+1)*rounds-1])
	}
}

func storeWorker(w int) retrieval.Box { return retrieval.Box{Account: "own", Mailbox: fmt.Sprint(w)} }

// storeAlone works on a page that nobody else uses.
func storeAlone(f *storeFixture, w int, recs []retrieval.Record) error {
	for i, rec := range recs {
		p, err := f.Store.Open(f.Context(), storeWorker(w))
		if err != nil {
			return err
		}
		ch := retrieval.Change{Put: []retrieval.Record{rec}}
		if i > 0 {
			ch.Forget = []retrieval.UID{recs[i-1].UID}
		}
		if err := p.Update(f.Context(), ch); err != nil {
			return err
		}
		st, err := p.Load(f.Context())
		if err != nil {
			return err
		}
		if len(st.Records) != 1 || st.Records[rec.UID].Ref != rec.Ref {
			return fmt.Errorf("a goroutine finds %d records on its own page, want the one it has put", len(st.Records))
		}
		if err := p.Close(); err != nil {
			return err
		}
	}
	return nil
}

func storeTaken(f *storeFixture) {
	p := f.open(sinkBox)
	recs := storeRecords(2)
	f.put(p, recs[0])
	for range 2 {
		if _, err := f.Store.Open(f.Context(), sinkBox); !errors.Is(err, retrieval.ErrLocked) {
			f.broken("Open of a page that is open: %v, want ErrLocked", err)
		}
	}
	f.close(f.open(retrieval.Box{Account: sinkBox.Account, Mailbox: "Archive"}))
	f.put(p, recs[1])
	f.close(p)
	f.want(f.open(sinkBox), recs...)
}

func storeClosed(f *storeFixture) {
	p := f.open(sinkBox)
	recs := storeRecords(2)
	f.put(p, recs[0])
	f.close(p)
	if err := p.Update(f.Context(), retrieval.Change{Put: recs[1:]}); err == nil {
		f.broken("Update after Close is no error")
	}
	if st, err := p.Load(f.Context()); err == nil {
		f.broken("Load after Close is no error, but %.100v", st)
	}
	f.want(f.open(sinkBox), recs[0])
}

func storeCloseTwice(f *storeFixture) {
	p := f.open(sinkBox)
	f.close(p)
	f.close(p)
	next := f.open(sinkBox)
	f.close(p)
	f.put(next, storeRecords(1)...)
	f.want(next, storeRecords(1)...)
	if _, err := f.Store.Open(f.Context(), sinkBox); !errors.Is(err, retrieval.ErrLocked) {
		f.broken("after a second Close by the last holder, Open of a page in use: %v, want ErrLocked", err)
	}
}

func storeDurable(f *storeFixture) {
	p := f.open(sinkBox)
	recs := storeRecords(10)
	recs[9] = fullRecord("full")
	f.put(p, recs...)
	recs[3].Stage, recs[3].Ref = retrieval.Doomed, "changed"
	f.put(p, recs[3])
	f.reopen()
	f.want(f.open(sinkBox), recs...)
}

func storeForgetDurable(f *storeFixture) {
	p := f.open(sinkBox)
	recs := storeRecords(3)
	f.put(p, recs...)
	f.forget(p, recs[0].UID)
	f.reopen()
	if _, ok := f.load(f.open(sinkBox)).Records[recs[0].UID]; ok {
		f.broken("%q is there again", recs[0].UID)
	}
}

func storeStateDurable(f *storeFixture) {
	p := f.open(sinkBox)
	f.update(p, retrieval.Change{Cursor: []byte("old"), Clock: &storeClocks[2]})
	f.update(p, retrieval.Change{Cursor: []byte("\x00new"), Clock: &storeClocks[0]})
	f.reopen()
	f.wantState(f.open(sinkBox), []byte("\x00new"), storeClocks[0])
}

func storeIdentity(f *storeFixture) {
	p := f.open(sinkBox)
	store := f.load(p).Store
	f.put(p, storeRecords(1)...)
	other := f.open(retrieval.Box{Account: "another", Mailbox: "INBOX"})
	f.put(other, storeRecords(1)...)
	if names := []string{f.load(p).Store, f.load(other).Store}; !slices.Equal(names, []string{store, store}) {
		f.broken("the store is %q, then %q", store, names)
	}
	f.reopen()
	if again := f.load(f.open(sinkBox)).Store; again != store {
		f.broken("the store is %q, after a crash %q", store, again)
	}
}

func storeLocked(f *storeFixture) {
	p := f.open(sinkBox)
	s, err := f.OpenAgain()
	if err == nil {
		_, err = s.Open(f.Context(), sinkBox)
	}
	if !errors.Is(err, retrieval.ErrLocked) {
		f.broken("opening a page that is in use, from another process: %v, want ErrLocked", err)
	}
	f.put(p, storeRecords(1)...)
	f.want(p, storeRecords(1)...)
}

// takeOver opens a page, puts a record, and has another take the page over
// that puts a second one.
func (f *storeFixture) takeOver() (old, now retrieval.Page, recs []retrieval.Record) {
	f.Helper()
	recs = storeRecords(3)
	old = f.open(sinkBox)
	f.put(old, recs[0])
	now, err := f.TakeOver(sinkBox)
	if err != nil {
		f.broken("to take over: %v", err)
	}
	f.want(now, recs[0])
	return old, now, recs
}

func storeFenced(f *storeFixture) {
	old, now, recs := f.takeOver()
	for range 2 {
		ch := retrieval.Change{Put: recs[2:], Forget: []retrieval.UID{recs[0].UID}, Cursor: []byte("old"), Clock: &storeClocks[0]}
		if err := old.Update(f.Context(), ch); !errors.Is(err, retrieval.ErrLocked) {
			f.broken("Update by the old holder: %v, want ErrLocked", err)
		}
		f.put(now, recs[1])
		f.want(now, recs[:2]...)
		f.wantState(now, nil, retrieval.Clock{})
	}
}

func storeFencedClose(f *storeFixture) {
	old, now, recs := f.takeOver()
	old.Close() // it may say that the page is not its own any more
	f.put(now, recs[1])
	f.want(now, recs[:2]...)
	if _, err := f.Store.Open(f.Context(), sinkBox); !errors.Is(err, retrieval.ErrLocked) {
		f.broken("Open of a page that its old holder has closed and the new one uses: %v, want ErrLocked", err)
	}
}
