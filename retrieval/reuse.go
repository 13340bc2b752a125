package retrieval

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"example.com/postbag/internal/transport"
)

// The name of a message that is gone may become another message's with POP3:
// RFC 1939 section 7 promises a name for as long as the message exists, and lets
// a server make it of the content. UIDs of IMAP are never used again, but by a
// server that was restored from a backup.

// returned looks at messages that were gone and are listed again. If they are
// other ones, they are new.
func (r *run) returned(ctx context.Context, listed []Summary) error {
	if r.r.Features().Generation != "" {
		return nil
	}
	var back []UID
	for _, s := range listed {
		if rec, ok := r.known[s.UID]; ok && !rec.Vanished.IsZero() {
			back = append(back, s.UID)
		}
	}
	same, err := r.areSame(ctx, back)
	for _, uid := range back {
		if is, known := same[uid]; err == nil && !(is && known) {
			delete(r.known, uid) // its record is overwritten by the intent
		}
	}
	return err
}

// settledOnly makes the plan for a view, in which nothing is deleted that is
// listed under the name of a settled message and is another one. What was
// deleted before, and is another one now, is new; of the rest nobody can tell
// whether it is new, or whether its header section was changed on the server,
// and it is left alone.
func (r *run) settledOnly(ctx context.Context, v view) (*plan, error) {
	pl := makePlan(&r.a, v)
	same, err := r.areSame(ctx, uidsOf(slices.Concat(pl.doomed, pl.doom)))
	if err != nil {
		return nil, err
	}
	isOther := func(rec Record) bool { is, known := same[rec.UID]; return known && !is }
	if slices.ContainsFunc(pl.doomed, isOther) {
		for _, rec := range pl.doomed {
			if isOther(rec) {
				delete(v.known, rec.UID) // as in returned
			}
		}
		pl = makePlan(&r.a, v)
	}
	for _, rec := range pl.doom {
		if isOther(rec) {
			r.report.fail(&MessageError{rec.UID, errOtherHeader})
		}
	}
	pl.doom = slices.DeleteFunc(pl.doom, isOther)
	return pl, nil
}

var errOtherHeader = fmt.Errorf("not deleted, as its header section is not the one that was delivered: %w", ErrAmbiguous)

// areSame tells which messages have the header section that they had when they
// were delivered. Where nobody knows, there is no answer.
func (r *run) areSame(ctx context.Context, uids []UID) (same map[UID]bool, err error) {
	same = make(map[UID]bool)
	look := func(get getter) {
		var ask []UID
		for _, uid := range uids {
			if !same[uid] && r.known[uid].Print != (Print{}) {
				ask = append(ask, uid)
			}
		}
		if len(ask) == 0 {
			return
		}
		for uid, print := range r.prints(ctx, get, ask, &err) {
			same[uid] = print == r.known[uid].Print
		}
	}
	look(r.r.Headers)
	if errors.Is(err, errors.ErrUnsupported) { // no TOP: what is deleted is not retrieved again for that
		return r.haveSameSize(uids), nil
	}
	if err != nil || r.dry() {
		return same, err
	}
	// QUIRK: there are servers whose TOP does not show what RETR sends.
	look(func(ctx context.Context, uids ...UID) iter.Seq2[*Message, error] {
		r.peeked = true
		return r.r.Fetch(ctx, uids...)
	})
	return same, err
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
