package retrieval

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"time"
)

// compare compares the header sections of messages with those that were
// delivered. Where there is nothing to compare, there is no answer.
func (r *run) compare(ctx context.Context, uids []UID) (same map[UID]bool, err error) {
	same = make(map[UID]bool)
	err = r.look(ctx, r.r.Headers, uids, same)
	if err != nil || r.dry() {
		return same, err
	}
	// QUIRK: there are servers whose TOP does not show what RETR sends.
	return same, r.peekAt(ctx, uids, same)
}

// look compares what get retrieves of those messages that are not the same for
// all that is known. It is asked for as messages are: see narrowed.
func (r *run) look(ctx context.Context, get getter, uids []UID, same map[UID]bool) error {
	var jobs []job
	for _, uid := range uids {
		if rec := r.known[uid]; !same[uid] && rec.Print != (Print{}) && !rec.rests(r.now) {
			jobs = append(jobs, job{Summary: Summary{UID: uid}, past: rec})
		}
	}
	_, parts := narrowed(jobs)
	rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] }) // or one could hold up the others for ever
	var well []Record
	answered := make(map[UID]bool, len(jobs))
	for _, part := range parts {
		var err error
		for uid, print := range r.prints(ctx, get, uidsIn(part), &err) {
			rec := r.known[uid]
			same[uid], answered[uid] = print == rec.Print, true
			if rec.Attempts > 0 {
				rec.Attempts, rec.Retry = 0, time.Time{}
				well = append(well, rec)
			}
		}
		if err == nil {
			continue
		}
		if len(answered) == 0 {
			part = jobs
		}
		part = slices.DeleteFunc(part, func(j job) bool { return answered[j.UID] })
		return errors.Join(err, r.update(ctx, Change{Put: append(well, r.notCompared(ctx, part, err)...)}))
	}
	return r.update(ctx, Change{Put: well})
}

// notCompared returns the records of messages over which the session may have been
// lost. One that has failed several times is left alone for a while, as it is when
// it is to be delivered, so that new mail comes.
func (r *run) notCompared(ctx context.Context, jobs []job, err error) (recs []Record) {
	if !errors.Is(err, ErrSession) || ctx.Err() != nil {
		return nil
	}
	for _, j := range jobs {
		rec := r.known[j.UID]
		rec.Attempts++
		rec.Retry = retry(r.now, rec.Attempts, err)
		recs = append(recs, rec)
	}
	return recs
}

// isHeld tells whether a settled message cannot be compared for a while: until
// then it is neither deleted nor moved.
func (r *run) isHeld(rec Record) bool {
	known := r.known[rec.UID]
	return known.Stage >= Settled && known.rests(r.now)
}

func uidsIn(jobs []job) []UID {
	uids := make([]UID, len(jobs))
	for i := range jobs {
		uids[i] = jobs[i].UID
	}
	return uids
}

// peekAt is look at whole messages. What is too large is not retrieved for that:
// it is Headers that has shown its header section before.
func (r *run) peekAt(ctx context.Context, uids []UID, same map[UID]bool) error {
	whole := slices.DeleteFunc(slices.Clone(uids), func(uid UID) bool { return r.known[uid].HeaderOnly })
	return r.look(ctx, r.peek, whole, same)
}

// peek retrieves messages only to look at them.
func (r *run) peek(ctx context.Context, uids ...UID) iter.Seq2[*Message, error] {
	r.peeked = true
	return r.r.Fetch(ctx, uids...)
}
