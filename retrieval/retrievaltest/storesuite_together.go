package retrievaltest

import (
	"context"
	"fmt"
	"sync"

	"example.com/postbag/retrieval"
)

// while calls look again and again until f has returned, and once more. An
// error of either is a broken rule.
func (f *storeFixture) while(change func(ctx context.Context) error, look func(ctx context.Context) error) {
	f.Helper()
	done := make(chan struct{})
	var wg sync.WaitGroup
	var changed, looked error
	wg.Go(func() {
		defer close(done)
		changed = change(f.Context())
	})
	for last := false; !last && looked == nil; {
		select {
		case <-done:
			last = true
		default:
		}
		looked = look(f.Context())
	}
	wg.Wait()
	if looked != nil {
		f.broken("%v", looked)
	}
	if changed != nil {
		f.broken("%v", changed)
	}
}

func storePutAtOnce(f *storeFixture) {
	recs := storeRecords(50)
	f.while(func(ctx context.Context) error {
		for round := range 20 {
			for i := range recs {
				recs[i].Ref = fmt.Sprint(round)
			}
			if err := f.Store.Put(ctx, sinkBox, recs...); err != nil {
				return fmt.Errorf("put: %w", err)
			}
		}
		return nil
	}, func(ctx context.Context) error {
		got, err := f.Store.Load(ctx, sinkBox)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		ref := got[recs[0].UID].Ref
		for _, rec := range got {
			if rec.Ref != ref {
				return fmt.Errorf("of two records that are always put together one is from round %q, another from %q", rec.Ref, ref)
			}
		}
		if len(got) != 0 && len(got) != len(recs) {
			return fmt.Errorf("of %d records that were put together, %d are there", len(recs), len(got))
		}
		return nil
	})
}

func storeForgetAtOnce(f *storeFixture) {
	recs := storeRecords(16)
	var uids []retrieval.UID
	for _, rec := range recs {
		uids = append(uids, rec.UID)
	}
	f.while(func(ctx context.Context) error {
		for range 20 {
			if err := f.Store.Put(ctx, sinkBox, recs...); err != nil {
				return fmt.Errorf("put: %w", err)
			}
			if err := f.Store.Forget(ctx, sinkBox, uids...); err != nil {
				return fmt.Errorf("forget: %w", err)
			}
		}
		return nil
	}, func(ctx context.Context) error {
		got, err := f.Store.Load(ctx, sinkBox)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if len(got) != 0 && len(got) != len(recs) {
			return fmt.Errorf("of %d records that come and go together, %d are there", len(recs), len(got))
		}
		return nil
	})
}

func storeConcurrent(f *storeFixture) {
	const workers, rounds = 4, 25
	shared := retrieval.Box{Account: "shared", Mailbox: "INBOX"}
	recs := storeRecords(workers * rounds)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			own := retrieval.Box{Account: fmt.Sprint("own ", w), Mailbox: "INBOX"}
			for i := range rounds {
				rec := recs[w*rounds+i]
				err := f.Store.Put(f.Context(), shared, rec)
				if err == nil {
					err = f.Store.Put(f.Context(), own, rec)
				}
				if err == nil && i > 0 {
					err = f.Store.Forget(f.Context(), own, recs[w*rounds+i-1].UID)
				}
				var got map[retrieval.UID]retrieval.Record
				if err == nil {
					got, err = f.Store.Load(f.Context(), own)
				}
				if err == nil && (len(got) != 1 || got[rec.UID].Ref != rec.Ref) {
					err = fmt.Errorf("of its own records, a goroutine finds %d, want 1", len(got))
				}
				if err != nil {
					errs[w] = err
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			f.broken("%v", err)
		}
	}
	f.want(shared, recs...)
}
