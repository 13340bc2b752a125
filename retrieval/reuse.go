package retrieval

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"example.com/postbag/internal/transport"
)

// The name of a message that is gone may become another message's with POP3:
// RFC 1939 section 7 promises a name for as long as the message exists, and lets
// a server make it of the content. UIDs of IMAP are never used again, but by a
// server that was restored from a backup.

// returned looks at messages that were gone and are listed again. If they are
// other ones, they are new. With POP3 that goes for those of which nobody can
// tell, too.
func (r *run) returned(ctx context.Context, listed []Summary) error {
	lasting := r.r.Features().Generation != ""
	var back []Summary
	for _, s := range listed {
		if rec, ok := r.known[s.UID]; ok && !rec.Vanished.IsZero() && !(lasting && rec.Stage == Doomed) { // see settledOnly
			back = append(back, s)
		}
	}
	same, err := r.areSame(ctx, namesOf(back))
	if err != nil {
		return err
	}
	for _, s := range back {
		if _, known := same[s.UID]; r.isOther(same, s) || !known && !lasting && !r.isHeld(r.known[s.UID]) {
			delete(r.known, s.UID) // its record is overwritten by the intent
		}
	}
	return nil
}

// settledOnly makes the plan for a view, in which nothing is deleted or moved that
// is listed under the name of a settled message and is another one. What was
// deleted before, and is another one now, is new; of the rest nobody can tell
// whether it is new, or whether its header section was changed on the server,
// and it is left alone.
func (r *run) settledOnly(ctx context.Context, v view) (*plan, error) {
	pl := makePlan(&r.a, v)
	earlier := slices.Concat(pl.doomed, pl.spare) // they may be gone, and their names another's
	uids := uidsOf(slices.Concat(earlier, pl.doom, r.moved(pl)))
	same, err := r.areSame(ctx, uids)
	if err != nil {
		return nil, err
	}
	if r.r.Features().Generation == "" { // what was found after a crash, without TOP
		hasPrint := func(uid UID) bool { return r.known[uid].Print != (Print{}) }
		maps.Copy(same, r.haveSameSize(slices.DeleteFunc(uids, hasPrint)))
	}
	isOther := func(rec Record) bool { is, known := same[rec.UID]; return known && !is }
	if slices.ContainsFunc(earlier, isOther) {
		for _, rec := range earlier {
			if isOther(rec) {
				delete(v.known, rec.UID) // as in returned
			}
		}
		pl = makePlan(&r.a, v)
	}
	before := len(pl.doom) + len(pl.doomed)
	pl.doom, pl.doomed = slices.DeleteFunc(pl.doom, r.isHeld), slices.DeleteFunc(pl.doomed, r.isHeld)
	held := before - len(pl.doom) - len(pl.doomed)
	pl.skipped, pl.quarantined = pl.skipped+held, pl.quarantined+held
	if r.a.After.MoveTo != "" {
		pl.act = slices.DeleteFunc(pl.act, r.isHeld)
	}
	for _, rec := range slices.Concat(pl.doom, r.moved(pl)) {
		if isOther(rec) {
			r.report.fail(&MessageError{rec.UID, errOtherHeader})
		}
	}
	pl.doom = slices.DeleteFunc(pl.doom, isOther)
	pl.act = slices.DeleteFunc(pl.act, isOther)
	return pl, nil
}

// moved returns what a plan moves to another mailbox, which no run looks into.
func (r *run) moved(pl *plan) []Record {
	if r.a.After.MoveTo == "" {
		return nil
	}
	return pl.act
}

var errOtherHeader = fmt.Errorf("left where it is, as its header section is not the one that was delivered: %w", ErrAmbiguous)

// areSame tells which messages have the header section that they had when they
// were delivered. Where nobody knows, there is no answer.
func (r *run) areSame(ctx context.Context, uids []UID) (same map[UID]bool, err error) {
	same, err = r.compare(ctx, uids)
	if errors.Is(err, errors.ErrUnsupported) { // no TOP: what is deleted is not retrieved again for that
		return r.haveSameSize(uids), nil
	}
	return same, err
}

func namesOf(sums []Summary) []UID {
	uids := make([]UID, len(sums))
	for i, s := range sums {
		uids[i] = s.UID
	}
	return uids
}

// haveSameSize tells which messages have as many octets as were delivered.
func (r *run) haveSameSize(uids []UID) map[UID]bool {
	sizes := make(map[UID]int64, len(r.listed))
	for _, s := range r.listed {
		sizes[s.UID] = s.Size
	}
	same := make(map[UID]bool)
	for _, uid := range uids {
		if size, ok := sizes[uid]; ok && size >= 0 && r.known[uid].Size > 0 {
			same[uid] = size == r.known[uid].Size
		}
	}
	return same
}

// A getter retrieves messages, as [Retriever.Fetch] and [Retriever.Headers] do.
type getter func(ctx context.Context, uids ...UID) iter.Seq2[*Message, error]

// prints yields the prints of messages that get retrieves, as a whole or their
// header sections. What is gone or cannot be retrieved is passed over; *failed
// becomes what ended the session, or [errors.ErrUnsupported].
func (r *run) prints(ctx context.Context, get getter, uids []UID, failed *error) iter.Seq2[UID, Print] {
	return func(yield func(UID, Print) bool) {
		for m, err := range get(ctx, uids...) {
			if errors.Is(err, ErrSession) || errors.Is(err, errors.ErrUnsupported) {
				*failed = err
				return
			}
			if err != nil {
				continue
			}
			m.printer = new(printer)
			m.observe = func(n int64) { r.day.count(ctx, n) }
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
