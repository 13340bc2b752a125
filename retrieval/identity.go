package retrieval

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"example.com/postbag/internal/transport"
)

// Reset says what to do when it cannot be told any more which of the messages
// on a server are settled: the server has renumbered its mailbox
// ([ErrRenumbered]), or the store is lost ([ErrStateLost]).
type Reset int

// The rules.
const (
	// Stop: the error is returned, and nothing is done.
	Stop Reset = iota

	// Rematch: the messages are known again by their header sections, all of
	// which are retrieved, or with a lost store by what the sink holds (which
	// needs a [Finder]). What is not known again is new. If too few are, it is
	// an error all the same.
	Rematch

	// Reseed: what is on the server now counts as settled. As nobody knows that
	// it is here, no policy deletes it.
	Reseed

	// Refetch: what is on the server now is new.
	Refetch
)

// enough is the share of messages, in percent, that Rematch has to know again.
const enough = 80

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
	if err == nil && why != "" {
		err = r.renumbered(ctx, listed, why)
	}
	if err != nil {
		return err
	}
	return r.returned(ctx, listed)
}

// isLost tells whether the sink was used with another store.
func (r *run) isLost(ctx context.Context) (bool, error) {
	w, ok := r.sink.(Witness)
	if !ok || r.state.Store == "" {
		return false, nil
	}
	noted, err := w.Witnessed(ctx, r.box)
	if err != nil {
		return false, sinkError(err)
	}
	r.unnoted = noted != r.state.Store
	return noted != "" && r.unnoted, nil
}

// note makes the sink a witness of the store.
func (r *run) note(ctx context.Context) error {
	if !r.unnoted {
		return nil
	}
	if err := r.refill(ctx); err != nil || r.dry() {
		return err
	}
	r.unnoted = false
	return sinkError(r.sink.(Witness).Note(ctx, r.box, r.state.Store))
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
		return nil
	}
	return ErrStateLost
}

// isRenumbered tells why what is known seems to speak of another numbering.
func (r *run) isRenumbered(ctx context.Context, listed []Summary) (why string, err error) {
	if gen := r.r.Features().Generation; gen != "" {
		for uid := range r.known {
			if !strings.HasPrefix(string(uid), gen+".") {
				return fmt.Sprintf("known is %s, now it is generation %s", uid, gen), nil
			}
		}
		return "", nil
	}
	there := make(map[UID]bool, len(listed))
	var fresh []UID
	for _, s := range listed {
		there[s.UID] = true
		if r.known[s.UID].Stage == 0 {
			fresh = append(fresh, s.UID)
		}
	}
	expected := 0
	missing := make(map[Print]bool)
	unprinted := 0
	for uid, rec := range r.known {
		if rec.Stage != Settled || !rec.Vanished.IsZero() {
			continue
		}
		expected++
		if there[uid] {
			continue
		}
		if rec.Print == (Print{}) {
			unprinted++
		} else {
			missing[rec.Print] = true
		}
	}
	gone := len(missing) + unprinted
	if gone <= max(massive, expected*3/10) || len(fresh) < gone/2 {
		return "", nil
	}
	// Many are gone and many have come. Are they the same?
	const sample = 20
	same, looked := 0, 0
	for _, print := range r.prints(ctx, fresh[:min(sample, len(fresh))], &err) {
		looked++
		if missing[print] {
			same++
		}
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported) || err == nil && unprinted > len(missing):
		err = nil // no way to look: better to stop than to take all of them twice
	case err != nil:
		return "", err
	case same*2 < looked:
		return "", nil
	}
	return fmt.Sprintf("of %d known messages %d are gone, and %d others have come", expected, gone, len(fresh)), nil
}

// renumbered follows the rule for a mailbox whose messages have other names.
func (r *run) renumbered(ctx context.Context, listed []Summary, why string) error {
	old := make([]UID, 0, len(r.known))
	for uid := range r.known {
		old = append(old, uid)
	}
	switch r.a.Reset {
	case Refetch:
		clear(r.known)
		return r.update(ctx, Change{Forget: old, Cursor: []byte{}})
	case Reseed:
		clear(r.known)
		return r.seed(ctx, listed, old)
	case Rematch:
		return r.rematch(ctx, listed, old, why)
	}
	return fmt.Errorf("%w: %s", ErrRenumbered, why)
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

// rematch finds out which listed message is which known one. Two that look
// the same are not guessed at: they are new.
func (r *run) rematch(ctx context.Context, listed []Summary, old []UID, why string) error {
	byPrint := make(map[Print][]Record)
	printed := 0
	for _, rec := range r.known {
		if rec.Print != (Print{}) && rec.Vanished.IsZero() && rec.Stage >= Settled {
			byPrint[rec.Print] = append(byPrint[rec.Print], rec)
			printed++
		}
	}
	now := make(map[Print][]UID)
	var err error
	uids := make([]UID, len(listed))
	for i, s := range listed {
		uids[i] = s.UID
	}
	for uid, print := range r.prints(ctx, uids, &err) {
		now[print] = append(now[print], uid)
	}
	if err != nil {
		return err
	}
	ch := Change{Forget: old, Cursor: []byte{}}
	matched := make(map[UID]Record)
	for print, uids := range now {
		if recs := byPrint[print]; len(recs) == 1 && len(uids) == 1 {
			rec := recs[0]
			rec.UID = uids[0]
			matched[rec.UID] = rec
			ch.Put = append(ch.Put, rec)
		}
	}
	if least := min(printed, len(listed)); len(matched)*100 < least*enough || printed == 0 && len(old) > 0 {
		return fmt.Errorf("%w: %s; of %d messages only %d are known again", ErrRenumbered, why, len(listed), len(matched))
	}
	r.known = matched
	r.report.Rematched += len(matched)
	return r.update(ctx, ch)
}

// returned looks at messages that were gone and are listed again. With POP3
// such a name may be another message's now (RFC 1939 section 7 lets a server
// make it of the content): then it is new.
func (r *run) returned(ctx context.Context, listed []Summary) error {
	if r.r.Features().Generation != "" {
		return nil // UIDs are never used again
	}
	var back []UID
	for _, s := range listed {
		if rec, ok := r.known[s.UID]; ok && !rec.Vanished.IsZero() {
			back = append(back, s.UID)
		}
	}
	if len(back) == 0 {
		return nil
	}
	same := make(map[UID]bool)
	var err error
	for uid, print := range r.prints(ctx, back, &err) {
		same[uid] = print != (Print{}) && print == r.known[uid].Print
	}
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	for _, uid := range back {
		if !same[uid] {
			delete(r.known, uid) // its record is overwritten by the intent
		}
	}
	return nil
}

// prints retrieves header sections and yields their prints. What is gone or
// cannot be retrieved is passed over; *failed becomes what ended the session,
// or [errors.ErrUnsupported].
func (r *run) prints(ctx context.Context, uids []UID, failed *error) func(yield func(UID, Print) bool) {
	return func(yield func(UID, Print) bool) {
		for m, err := range r.r.Headers(ctx, uids...) {
			if errors.Is(err, ErrSession) || errors.Is(err, errors.ErrUnsupported) {
				*failed = err
				return
			}
			if err != nil {
				continue
			}
			m.printer = new(printer)
			if err := m.whole(); err != nil {
				*failed = transport.Mark(ErrSession, err)
				return
			}
			if !yield(m.UID, m.printer.print()) {
				return
			}
		}
	}
}
