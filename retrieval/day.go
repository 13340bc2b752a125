package retrieval

import (
	"context"
	"errors"
	"slices"
	"time"
)

// day is what may still be received under [Limits.BytesPerDay]. A nil one has
// no limit.
//
// What was received is on the page of the account itself, which is taken for
// each transaction alone, so that runs over several mailboxes can go on side by
// side. Before octets come they are recorded as received; see record.
type day struct {
	store Store
	box   Box
	limit int64
	dry   bool         // nothing is recorded
	wire  func() int64 // octets received so far

	messages int64 // octets of the messages so far
	recorded int64 // octets received, at the last transaction
	ahead    int64 // octets recorded then that were still to come
	hour     time.Time
	hours    []Hour // as they were then
	now      time.Time

	planned int64 // octets that a dry run foretells
	need    int64 // room that something which was left needs; 0: nothing was
	blocked bool  // a message was left: so are all others
	stopped bool  // there was less room than was planned with
	err     error // of the store
}

const (
	// A portion is a part of the limit, but not too large: it is lost for a day
	// when a run is killed.
	portions    = 64
	portionMost = 16 << 20

	// dayPatience is how long the page of an account is waited for. Others have
	// it for a transaction only.
	dayPatience = 10 * time.Second
)

// daily calls f within what is left of the account's day, if that is limited and
// not the business of what the run is a part of.
func (r *run) daily(ctx context.Context, f func() error) error {
	if r.day != nil || r.a.Limits.BytesPerDay <= 0 {
		return f()
	}
	d := newDay(&r.a, r.store, r.dry(), r.received)
	return d.within(ctx, &r.report, func() error {
		r.day = d
		return f()
	})
}

// daily calls f within what is left of the account's day, if that is limited.
func (t *tour) daily(ctx context.Context, f func() error) error {
	if t.a.Limits.BytesPerDay <= 0 {
		return f()
	}
	t.day = newDay(&t.a, t.store, t.dry, t.received)
	return t.day.within(ctx, &t.report, f)
}

func newDay(a *Account, store Store, dry bool, wire func() int64) *day {
	return &day{store: store, box: Box{Account: a.Identity()}, limit: a.Limits.BytesPerDay, dry: dry, wire: wire}
}

// within calls f if there is room, and reports how long it is until there is.
func (d *day) within(ctx context.Context, rep *Report, f func() error) error {
	if err := d.record(ctx, d.portion()); err != nil {
		return storeError(err)
	}
	if d.isOver() {
		rep.RoomIn, rep.More = d.wait(), true
		return nil
	}
	err := f()
	if ctx.Err() == nil && !errors.Is(err, ErrStore) { // else it is as after a crash
		if e := d.record(ctx, 0); e != nil {
			err = errors.Join(err, storeError(e))
		}
	}
	rep.RoomIn, rep.More = d.wait(), rep.More || d.need > 0
	return err
}

// received returns how many octets the run has received.
func (r *run) received() int64 {
	n := r.report.WireIn
	if m, ok := r.r.(Metered); ok {
		n += m.Traffic().In
	}
	return n
}

// received returns how many octets were received, also outside of mailboxes.
func (t *tour) received() int64 {
	n := t.report.WireIn
	if t.c != nil {
		n += t.c.Stats().In - t.past.In
	}
	return n
}

// record records what was received since the last transaction, in the place of
// what was recorded ahead then, and so many octets ahead that are to come, or as
// many as there is room for.
func (d *day) record(ctx context.Context, ahead int64) error {
	now := d.received()
	return d.transact(ctx, func(st State, clock Clock) Change {
		hours, hour := current(st.Hours, clock.Time), hourOf(clock.Time)
		hours = received(hours, d.hour, -d.ahead)
		hours = received(hours, hour, now-d.recorded)
		if d.hours, d.now = hours, clock.Time; d.dry {
			return Change{}
		}
		ahead = min(ahead, max(d.limit-sum(hours), 0))
		hours = received(hours, hour, ahead)
		// If the clock went back, no time would pass until it is as late again.
		back := st.Clock.Wall.After(clock.Wall) || slices.ContainsFunc(st.Hours, func(h Hour) bool { return h.Begins.After(clock.Time) })
		if now == d.recorded && ahead == 0 && d.ahead == 0 && !back {
			return Change{}
		}
		d.hours, d.recorded, d.ahead, d.hour = hours, now, ahead, hour
		if hours == nil {
			hours = []Hour{}
		}
		return Change{Hours: hours, Clock: &clock}
	})
}

// transact does something with the page of the account.
func (d *day) transact(ctx context.Context, f func(State, Clock) Change) error {
	page, err := d.page(ctx)
	if err != nil {
		return err
	}
	defer page.Close()
	st, err := page.Load(ctx)
	if err != nil {
		return err
	}
	ch := f(st, st.Clock.at(time.Now()))
	if ch.Hours == nil {
		return nil
	}
	return page.Update(ctx, ch)
}

// page takes the page of the account.
func (d *day) page(ctx context.Context) (Page, error) {
	wait := time.Millisecond
	for begun := time.Now(); ; wait = min(2*wait, time.Second/4) {
		page, err := d.store.Open(ctx, d.box)
		if !errors.Is(err, ErrLocked) || time.Since(begun) >= dayPatience || sleep(ctx, wait) != nil {
			return page, err
		}
	}
}

// portion is how much is recorded ahead.
func (d *day) portion() int64 { return max(min(d.limit/portions, portionMost), 1) }

// received returns how much has come so far. With compression that is less, on
// the wire, than the messages are; what the server counts then nobody knows.
func (d *day) received() int64 { return max(d.wire(), d.messages) }

// room returns how much may still come.
func (d *day) room() int64 {
	return d.limit - sum(d.hours) + d.ahead - (d.received() - d.recorded) - d.planned
}

// count counts octets of a message that have come, and records what came
// without having been recorded ahead. What goes wrong with that is a failure.
func (d *day) count(ctx context.Context, n int64) {
	if d == nil {
		return
	}
	d.messages += n
	due := d.ahead
	if due < d.portion() { // there was no room for more
		due += d.portion() / 2
	}
	if !d.dry && d.err == nil && d.received()-d.recorded > due {
		d.err = d.record(ctx, d.portion())
	}
}

// ask records ahead what is about to be asked for, and tells whether there is
// room for it still: others may have been faster.
func (d *day) ask(ctx context.Context, jobs []job) bool {
	if d == nil {
		return true
	}
	var cost int64
	for i := range jobs {
		cost += jobs[i].cost()
	}
	if d.err == nil && d.received()-d.recorded+cost > d.ahead {
		d.err = d.record(ctx, max(cost, d.portion()))
	}
	if need := min(cost, d.most()); d.room() < need {
		d.leave(need)
		d.stopped = true
	}
	return d.err == nil && !d.stopped
}

// isEnough tells whether nothing more is to be asked for.
func (d *day) isEnough() bool { return d != nil && (d.stopped || d.err != nil || d.isOver()) }

// isOver tells whether there is no room at all.
func (d *day) isOver() bool { return d != nil && d.room() <= 0 }

// leave notes that something is left which needs so much room.
func (d *day) leave(need int64) {
	if d != nil && d.need == 0 {
		d.need = need
	}
}

// wait returns how long it is until there is room for what was left, or for
// anything. Zero: there is.
func (d *day) wait() time.Duration {
	hours := received(slices.Clone(d.hours), hourOf(d.now), d.planned)
	return roomIn(hours, d.now, d.limit-max(d.need, 1))
}

// failure returns what went wrong with the account's page.
func (d *day) failure() error {
	if d == nil {
		return nil
	}
	return storeError(d.err)
}
