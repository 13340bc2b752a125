package retrieval

import (
	"context"
	"fmt"
)

// Reset says what to do when it cannot be told any more which of the messages
// on a server are settled: the server has renumbered its mailbox, or gives
// numbers once more ([ErrRenumbered]), or the store is lost ([ErrStateLost]).
type Reset int

// The rules.
const (
	// Stop: the error is returned, and nothing is done.
	Stop Reset = iota

	// Rematch: the messages are known again by their header sections, all of
	// which are retrieved, or with a lost store by what the sink holds (which
	// needs a [Finder]). What is not known again is new. If too few are, it is
	// an error all the same. Where numbers are given once more, that goes for
	// those above the newest message that is the same.
	//
	// Where a POP3 server has no lasting names (it lacks UIDL, or gives the
	// same to two messages), or an IMAP mailbox has none (UIDNOTSTICKY), this
	// rule makes them of the header sections, which it retrieves in every run.
	Rematch

	// Reseed: what is on the server now counts as settled. As nobody knows that
	// it is here, no policy deletes it.
	Reseed

	// Refetch: what is on the server now is new.
	Refetch
)

// identify makes sure that what is known speaks of what is listed, or follows
// the account's rule.
func (r *run) identify(ctx context.Context, listed []Summary) error {
	lost, err := r.isLost(ctx)
	if err != nil {
		return err
	}
	if lost {
		if err := r.lost(ctx, listed); err != nil {
			return err
		}
	}
	why, err := r.isRenumbered(ctx, listed)
	back := false
	if err == nil && why == "" {
		why, err = r.wentBack(ctx, listed)
		back = why != ""
	}
	if err == nil && why != "" {
		err = r.renumbered(ctx, listed, why, back)
	}
	if err != nil {
		return err
	}
	if err := r.returned(ctx, listed); err != nil {
		return err
	}
	return r.replaced(ctx, listed)
}

// isLost tells whether the sink was used with another store.
func (r *run) isLost(ctx context.Context) (bool, error) {
	if r.state.Store == "" {
		return false, nil
	}
	lost := false
	for _, w := range witnessesOf(r.sink) {
		noted, err := w.Witnessed(ctx, r.box)
		if err != nil {
			return false, sinkError(err)
		}
		if noted != r.state.Store {
			r.unnoted = append(r.unnoted, w)
			lost = lost || noted != ""
		}
	}
	return lost, nil
}

// note makes the sink a witness of the store.
func (r *run) note(ctx context.Context) error {
	if len(r.unnoted) == 0 {
		return nil
	}
	if err := r.refill(ctx); err != nil || r.dry() {
		return err
	}
	for _, w := range r.unnoted {
		if err := w.Note(ctx, r.box, r.state.Store); err != nil {
			return sinkError(err)
		}
	}
	r.unnoted = nil
	return nil
}

// lost follows the rule for a store that is not the one that was used before.
// What this one knows is kept.
func (r *run) lost(ctx context.Context, listed []Summary) error {
	switch r.a.Reset {
	case Refetch:
		return nil
	case Reseed:
		return r.seed(ctx, listed, nil)
	case Rematch:
		if _, ok := r.sink.(Finder); !ok {
			return fmt.Errorf("%w, and the sink cannot be searched", ErrStateLost)
		}
		for _, s := range listed {
			if r.known[s.UID].Stage == 0 {
				// For all that is known it was delivered at any time.
				r.known[s.UID] = Record{UID: s.UID, Stage: Intended, Flags: s.Flags, Received: s.Received, Email: s.Email}
			}
		}
		return r.recover(ctx) // and record it, before the sink becomes a witness of this store
	}
	return ErrStateLost
}

// seed takes what is listed for settled.
func (r *run) seed(ctx context.Context, listed []Summary, forget []UID) error {
	ch := Change{Forget: forget, Cursor: []byte{}}
	for _, s := range listed {
		if r.known[s.UID].Stage != 0 {
			continue
		}
		rec := Record{
			UID: s.UID, Stage: Settled, Seeded: true, Flags: s.Flags, Since: r.now, Delivered: r.state.Clock.Time,
			Size: max(s.Size, 0), Received: s.Received, Email: s.Email,
		}
		r.known[s.UID] = rec
		ch.Put = append(ch.Put, rec)
	}
	return r.update(ctx, ch)
}
