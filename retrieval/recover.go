package retrieval

import (
	"context"
	"errors"
)

// recover finds out which of the intended deliveries of an interrupted run
// were made. Those are settled; the rest stay intended. If the server says other
// things of a message than when it was intended, another one has got its name,
// and is new.
func (r *run) recover(ctx context.Context) error {
	if _, ok := r.sink.(Finder); !ok {
		return nil
	}
	ask := find
	if r.dry() {
		ask = look
	}
	sums := make(map[UID]Summary, len(r.listed))
	for _, s := range r.listed {
		sums[s.UID] = s
	}
	var found []Record
	for _, rec := range r.known {
		if rec.Stage != Intended || rec.rests(r.now) || rec.isAskedAbout() {
			continue // what failed and was not tried again since is not here
		}
		ref, ok, err := ask(ctx, r.sink, r.box, rec)
		if err != nil {
			return sinkError(err)
		}
		switch s := sums[rec.UID]; {
		case !ok || rec.isStillHeader(ref):
		case rec.isOtherDate(s) || s.Received.IsZero() && r.isOtherSize(&rec, s):
			delete(r.known, rec.UID) // as in returned
		default:
			found = append(found, r.settled(rec, ref))
		}
	}
	if len(found) == 0 {
		return nil
	}
	if r.dry() {
		return r.update(ctx, Change{Put: found})
	}
	err := r.addPrints(ctx, found)
	return errors.Join(err, r.settle(ctx, found, nil)) // what loses the session is not asked for again
}

// addPrints takes the prints of messages that were found, which are compared
// with as long as they are on the server. What is only looked for, after a store
// was lost, may be all that there is, and is left without.
func (r *run) addPrints(ctx context.Context, found []Record) (err error) {
	at := make(map[UID]int)
	var ask []UID
	for i, rec := range found {
		if !rec.Since.IsZero() && rec.Print == (Print{}) {
			ask, at[rec.UID] = append(ask, rec.UID), i
		}
	}
	if len(ask) == 0 {
		return nil
	}
	for uid, print := range r.prints(ctx, r.r.Headers, ask, &err) {
		found[at[uid]].Print = print
	}
	if errors.Is(err, errors.ErrUnsupported) { // no TOP
		return nil
	}
	return err
}

// pardon takes away the marks that deletions have left which are not to be
// made any more. One that the server leaves is a failure of that message.
func (r *run) pardon(ctx context.Context, pl *plan) error {
	if len(pl.unmark) == 0 {
		return nil
	}
	err := SetFlags(ctx, r.r, RemoveFlags, []Flag{FlagDeleted}, pl.unmark...)
	if err == nil || errors.Is(err, ErrSession) || ctx.Err() != nil {
		return err
	}
	for _, uid := range pl.unmark {
		r.report.fail(&MessageError{uid, err})
	}
	return nil
}
