package retrieval

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/postbag/internal/transport"
)

// Run retrieves an account's mail once: it lists the mailbox, asks the policy
// what to do with each message, delivers into sink, remembers in store, and
// deletes on the server what is to be deleted.
//
// The order is fixed, and no policy can change it: the intent is recorded, the
// message delivered, made durable, recorded as settled, and only then deleted.
// So nothing is lost wherever a run is cut short, by whatever. The next run
// goes on from the records: it looks for deliveries that were only intended
// (if sink is a [Finder]), and it deletes what was settled without retrieving
// it again, until a listing shows that it is gone. (A policy that deletes
// nothing drops the deletions of an earlier one: see [Policy].)
//
// A message that fails, also one that the server refuses to delete, is counted
// in the Report and leaves the others alone.
// When it has failed three times it is tried again after an hour only, and then
// less and less often, but at least once a day.
//
// The error is nil if the run came to its end, else one of this package's: an
// [ErrSession] when the server was lost on the way, [ErrUncommitted] when it
// refused or did not confirm the deletions as a whole, [ErrSink] and [ErrStore]
// for this side, [ErrLocked] when another run has the mailbox, [ErrStateLost],
// [ErrRenumbered] and [ErrAmbiguous] before anything was done. Cancelling ctx
// ends a run at once; it is as safe as any other end.
func Run(ctx context.Context, a Account, sink Sink, store Store) (Report, error) {
	if len(a.Mailboxes) > 0 {
		return runMailboxes(ctx, a, sink, store)
	}
	r := &run{a: a, box: a.Box(), sink: sink, store: store}
	err := r.whole(ctx)
	return r.report, err
}

// run is the state of one Run. Its methods are in the order of the work.
type run struct {
	a     Account
	box   Box
	sink  Sink
	store Store

	opening   opening // how sessions begin
	elsewhere emails  // see view
	day       *day    // nil: it is not limited

	endBatch  func() // of the sink
	unflushed bool   // the sink may hold deliveries that no Flush was about
	page      Page
	state     State          // as loaded
	known     map[UID]Record // what is known now
	now       time.Time
	unnoted   []Witness // in the sink, that have not been told
	ticked    bool      // the clock is written
	lastWall  time.Time // when it was written before

	tried map[UID]bool // failed in this run: not to be tried again

	r        Retriever
	listed   []Summary
	features Features // of the last session
	report   Report

	// unsettled: a message was retrieved and not settled. This session must
	// not tell the server that all went well.
	unsettled bool
	peeked    bool     // likewise: one was retrieved only to be looked at
	doomed    []UID    // recorded as such: may be deleted now
	again     []Record // of those, what an earlier run was to delete
	carried   carried  // by a dry run
	open      bool     // something listed has no record yet: the next run has to list again
}

// whole is run, with its beginning and end.
func (r *run) whole(ctx context.Context) error {
	r.start()
	defer r.end() // also if the sink panics
	err := r.daily(ctx, func() error { return r.runs(ctx) })
	r.report.Elapsed = time.Since(r.now)
	if err != nil && ctx.Err() != nil {
		err = transport.Mark(context.Cause(ctx), err)
	}
	if err != nil {
		err = fmt.Errorf("retrieve: %s %s: %w", r.box.Account, r.box.Mailbox, err)
	}
	return err
}

// start takes the time, unless this is another attempt, and a batch of the sink if it is shared.
func (r *run) start() {
	if r.now.IsZero() {
		r.now = time.Now()
	}
	r.sink, r.endBatch = batchOf(r.sink)
}

// end gives back what was taken.
func (r *run) end() {
	r.close()
	if r.page != nil {
		r.page.Close()
	}
	r.drop()
	r.endBatch()
}

func (r *run) run(ctx context.Context) error {
	pl, cursor, err := r.decide(ctx)
	if err != nil || pl == nil {
		return err
	}
	r.report.Skipped, r.report.Quarantined, r.report.More = pl.skipped, pl.quarantined, pl.more
	r.open = r.open || pl.open
	if err := r.carryOut(ctx, pl); err != nil {
		return err
	}
	return r.remember(ctx, cursor)
}

// decide makes the plan; nil means that nothing is to be done.
func (r *run) decide(ctx context.Context) (*plan, []byte, error) {
	if err := r.suits(); err != nil {
		return nil, nil, err
	}
	if err := r.load(ctx); err != nil {
		return nil, nil, err
	}
	if r.isQuiet() {
		return nil, nil, r.remember(ctx, nil)
	}
	listed, cursor, err := r.list(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := r.identify(ctx, listed); err != nil {
		return nil, nil, err
	}
	if err := r.note(ctx); err != nil {
		return nil, nil, err
	}
	if err := r.recover(ctx); err != nil {
		return nil, nil, err
	}
	if err := r.learnNames(ctx, listed); err != nil {
		return nil, nil, err
	}
	v := view{listed: listed, known: r.known, clock: r.state.Clock.Time, now: r.now, elsewhere: r.elsewhere, tried: r.tried}
	if v, err = r.carry(ctx, v); err != nil {
		return nil, nil, err
	}
	pl, err := r.settledOnly(ctx, v)
	if err != nil {
		return nil, nil, err
	}
	if err := r.narrow(ctx, pl); err != nil {
		return nil, nil, err
	}
	return pl, cursor, r.canAct(ctx, pl)
}

// suits refuses a sink that cannot do what the account asks for.
func (r *run) suits() error {
	_, mirror, _ := r.a.policy().needs()
	if _, ok := r.sink.(Mirrorer); mirror && !ok {
		return unsupported("a sink that cannot follow the server")
	}
	return r.suitsUpstream()
}

// load takes the mailbox's page and reads it.
func (r *run) load(ctx context.Context) (err error) {
	if r.page == nil {
		if r.page, err = r.store.Open(ctx, r.box); err != nil {
			return storeError(err)
		}
	}
	if r.state, err = r.page.Load(ctx); err != nil {
		return storeError(err)
	}
	if r.known = r.state.Records; r.known == nil {
		r.known = make(map[UID]Record)
	}
	r.lastWall = r.state.Clock.Wall
	r.state.Clock = r.state.Clock.at(r.now)
	return nil
}

// carryOut does what was planned, in the order that loses nothing.
func (r *run) carryOut(ctx context.Context, pl *plan) error {
	for _, uid := range pl.undeleted {
		r.report.fail(&MessageError{uid, ErrUndeleted})
	}
	if err := r.pardon(ctx, pl); err != nil {
		return err
	}
	if err := r.update(ctx, Change{Put: append(pl.put, pl.spare...), Forget: pl.forget}); err != nil {
		return err
	}
	if err := r.mirror(ctx, pl.reflag, pl.discard); err != nil {
		return err
	}
	r.again = pl.doomed
	for _, rec := range pl.doomed {
		r.doomed = append(r.doomed, rec.UID)
	}
	if err := r.doom(ctx, pl.doom); err != nil {
		return err
	}
	due, err := r.deliver(ctx, pl.deliver)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx) // there is more to do, or to be told
	}
	if errors.Is(err, ErrSession) || errors.Is(err, ErrStore) || ctx.Err() != nil {
		return err // what is doomed is deleted by the next run, and so on
	}
	err = errors.Join(err, r.act(ctx, append(pl.act, due...)))
	if errors.Is(err, ErrSession) {
		return err
	}
	return errors.Join(err, r.commit(ctx))
}

func (r *run) connect(ctx context.Context) error {
	s, err := open(ctx, r.a, r.opening)
	if err != nil {
		return err
	}
	r.r, r.features = s, s.Features()
	return nil
}

// close ends the session and adds up its traffic.
func (r *run) close() {
	if r.r == nil {
		return
	}
	r.r.Close()
	if m, ok := r.r.(Metered); ok {
		t := m.Traffic()
		r.report.WireIn += t.In
		r.report.WireOut += t.Out
		r.report.RoundTrips += t.RoundTrips
	}
	r.r = nil
}

// doom records that settled messages are to be deleted, as they were compared.
func (r *run) doom(ctx context.Context, recs []Record) error {
	for i := range recs {
		recs[i].Stage, recs[i].Attempts, recs[i].Retry = Doomed, 0, time.Time{}
		r.doomed = append(r.doomed, recs[i].UID)
	}
	return r.update(ctx, Change{Put: recs})
}

// update writes to the page, if there is something to write, and the clock
// with the first of it.
func (r *run) update(ctx context.Context, ch Change) error {
	if len(ch.Put)+len(ch.Forget) == 0 && ch.Cursor == nil && ch.Clock == nil {
		return nil
	}
	if !r.ticked {
		ch.Clock = &r.state.Clock
	}
	if !r.dry() {
		if err := r.page.Update(ctx, ch); err != nil {
			return storeError(err)
		}
	}
	r.ticked = true
	for _, uid := range ch.Forget {
		delete(r.known, uid)
	}
	for _, rec := range ch.Put {
		r.known[rec.UID] = rec
	}
	if ch.Cursor != nil {
		r.state.Cursor = ch.Cursor
	}
	return nil
}

func sinkError(err error) error { return kind(ErrSink, err) }

func storeError(err error) error { return kind(ErrStore, err) }

func kind(k, err error) error {
	if err == nil || errors.Is(err, k) {
		return err
	}
	return transport.Mark(k, err)
}
