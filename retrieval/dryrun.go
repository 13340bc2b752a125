package retrieval

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.com/postbag/internal/transport"
)

// Forecast is what a [Run] would do in a mailbox.
type Forecast struct {
	Mailbox string

	Deliver    []Summary // would be retrieved and delivered, in this order
	HeaderOnly []Summary // only their header sections, because they are too large
	Delete     []UID     // would be deleted on the server (or moved to the account's trash), besides what is delivered and then deleted
	Remove     []UID     // of Deliver, would be deleted on the server afterwards
	Send       []UID     // whose flags, changed here, would be carried to the server
	Reflag     []UID     // whose copies would get other flags
	Discard    []UID     // whose copies would be removed
	After      []UID     // for which the account's After would be carried out, besides those of Deliver

	Skipped     int // listed, and left alone
	Quarantined int // of those, because they have failed several times

	// RoomIn is what [Report.RoomIn] would be. If the day is used up already,
	// no mailbox is looked at, and the one Forecast of an account with several
	// has no name.
	RoomIn time.Duration
}

// DryRun tells what [Run] would do, and does nothing: it opens mailboxes
// read-only, retrieves header sections at most (where the account's filter or
// its rule for lost identities asks for them, or names seem to be another
// message's), and ends a POP3 session without QUIT. Sink and store are only
// looked at: a [Finder] is asked for what a run that was cut short has delivered,
// or a [Looker] as such. It returns one Forecast a mailbox, and those so far with
// an error. What it receives itself is not recorded as received: see
// [Limits.BytesPerDay].
//
// QUIRK: Courier and GNU Mailutils number a mailbox that nobody has opened for
// writing anew for each session, so that all of it looks new.
func DryRun(ctx context.Context, a Account, sink Sink, store Store) ([]Forecast, error) {
	var all []Forecast
	ask := func(ctx context.Context, r *run) error {
		f, err := r.forecast(ctx)
		if err == nil {
			all = append(all, f)
		}
		return err
	}
	if len(a.Mailboxes) > 0 {
		t := newTour(a, sink, store)
		t.dry = true
		err := t.run(ctx, ask)
		if t.report.RoomIn > 0 && len(all) == 0 {
			all = append(all, Forecast{})
		}
		for i := range all {
			all[i].RoomIn = t.report.RoomIn
		}
		return all, err
	}
	err := ask(ctx, &run{a: a, box: a.Box(), sink: sink, store: store})
	return all, err
}

// dry tells whether nothing may have any effect.
func (r *run) dry() bool { return r.opening.dry }

func (r *run) forecast(ctx context.Context) (Forecast, error) {
	f := Forecast{Mailbox: r.box.Mailbox}
	r.opening.dry = true
	r.start()
	defer r.end()
	var pl *plan
	err := r.daily(ctx, func() (err error) {
		pl, _, err = r.decide(ctx)
		return err
	})
	f.RoomIn = r.report.RoomIn
	if err != nil {
		if ctx.Err() != nil {
			err = transport.Mark(context.Cause(ctx), err)
		}
		return f, fmt.Errorf("dry run: %s %s: %w", r.box.Account, r.box.Mailbox, err)
	}
	if pl == nil {
		f.Skipped, f.Quarantined = r.report.Skipped, r.report.Quarantined
		return f, nil
	}
	f.Skipped, f.Quarantined = pl.skipped, pl.quarantined
	for _, j := range pl.deliver {
		switch {
		case j.headerOnly:
			f.HeaderOnly = append(f.HeaderOnly, j.Summary)
			continue
		case j.remove:
			f.Remove = append(f.Remove, j.UID)
		}
		f.Deliver = append(f.Deliver, j.Summary)
	}
	f.Delete = slices.Concat(uidsOf(pl.doomed), uidsOf(pl.doom), r.carried.removed)
	f.Send = r.carried.sent
	for _, rf := range pl.reflag {
		f.Reflag = append(f.Reflag, rf.UID)
	}
	f.Discard, f.After = slices.Concat(uidsOf(pl.discard), r.carried.discard), uidsOf(pl.act)
	return f, nil
}

func uidsOf(recs []Record) []UID {
	var uids []UID
	for _, rec := range recs {
		uids = append(uids, rec.UID)
	}
	return uids
}
