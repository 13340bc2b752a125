package retrieval

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/postbag/internal/transport"
)

// Report is what a [Run] did, complete up to its error if it had one.
type Report struct {
	Listed     int   `json:"listed"`      // messages on the server
	Delivered  int   `json:"delivered"`   // settled: delivered, durable and recorded
	Deleted    int   `json:"deleted"`     // on the server, confirmed by it
	Reflagged  int   `json:"reflagged"`   // delivered copies that got other flags
	Discarded  int   `json:"discarded"`   // delivered copies removed, as on the server
	Skipped    int   `json:"skipped"`     // listed, and nothing to do or beyond the limit
	Failed     int   `json:"failed"`      // could not be retrieved, delivered or deleted
	Bytes      int64 `json:"bytes"`       // of the messages delivered
	WireIn     int64 `json:"wire_in"`     // octets received, TLS included
	WireOut    int64 `json:"wire_out"`    // octets sent
	RoundTrips int64 `json:"round_trips"` // times this side spoke after the server had

	Elapsed time.Duration `json:"-"`

	// Failures holds the errors about single messages, the first 100 of them.
	Failures []error `json:"-"`
}

const maxFailures = 100

func (r *Report) fail(err error) {
	r.Failed++
	if len(r.Failures) < maxFailures {
		r.Failures = append(r.Failures, err)
	}
}

// Run retrieves an account's mail once: it lists the mailbox, asks the policy
// what to do with each message, delivers into sink, remembers in store, and
// deletes on the server what is to be deleted.
//
// The order is fixed, and no policy can change it: the intent is recorded, the
// message delivered, made durable, recorded as settled, and only then deleted.
// So nothing is lost wherever a run is cut short, by whatever. The next run
// goes on from the records: it looks for deliveries that were only intended
// (if sink is a [Finder]), and it deletes what was settled without retrieving
// it again, until a listing shows that it is gone.
//
// A message that fails is counted in the Report and leaves the others alone.
// The error is nil if the run came to its end, else one of this package's: an
// [ErrSession] when the server was lost on the way, [ErrSink] and [ErrStore]
// for this side, [ErrRenumbered] and [ErrAmbiguous] before anything was done.
// Cancelling ctx ends a run at once; it is as safe as any other end.
func Run(ctx context.Context, a Account, sink Sink, store Store) (Report, error) {
	start := time.Now()
	r := &run{a: a, box: a.Box(), sink: sink, store: store}
	err := r.run(ctx)
	r.close()
	r.report.Elapsed = time.Since(start)
	if err != nil && ctx.Err() != nil {
		err = transport.Mark(context.Cause(ctx), err)
	}
	if err != nil {
		err = fmt.Errorf("retrieve: %s %s: %w", r.box.Account, r.box.Mailbox, err)
	}
	return r.report, err
}

// run is the state of one Run. Its methods are in the order of the work.
type run struct {
	a     Account
	box   Box
	sink  Sink
	store Store

	r      Retriever
	report Report

	// unsettled: a message was retrieved and not settled. This session must
	// not tell the server that all went well.
	unsettled bool
	doomed    []UID // recorded as such: may be deleted now
}

func (r *run) run(ctx context.Context) error {
	_, mirror, deletes := r.a.policy().needs()
	if _, ok := r.sink.(Mirrorer); mirror && !ok {
		return unsupported("a sink that cannot follow the server")
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	if deletes && !r.r.Features().ExactDelete {
		return unsupported("deleting from a server that cannot remove single messages (no UIDPLUS)")
	}
	listed, err := r.r.List(ctx)
	if err != nil {
		return err
	}
	r.report.Listed = len(listed)
	known, err := r.load(ctx)
	if err != nil {
		return err
	}
	if err := r.recover(ctx, known); err != nil {
		return err
	}
	pl := makePlan(r.a.policy(), listed, known, r.a.Limit)
	r.report.Skipped = pl.skipped
	return r.carryOut(ctx, pl)
}

// carryOut does what was planned, in the order that loses nothing.
func (r *run) carryOut(ctx context.Context, pl *plan) error {
	if err := r.forget(ctx, pl.forget); err != nil {
		return err
	}
	if err := r.mirror(ctx, pl.reflag, pl.discard); err != nil {
		return err
	}
	r.doomed = pl.doomed
	if err := r.doom(ctx, pl.doom); err != nil {
		return err
	}
	err := r.deliver(ctx, pl.deliver)
	if errors.Is(err, ErrSession) || errors.Is(err, ErrStore) || ctx.Err() != nil {
		return err // what is doomed is deleted by the next run
	}
	return errors.Join(err, r.commit(ctx))
}

func (r *run) open(ctx context.Context) error {
	s, err := open(ctx, r.a)
	if err != nil {
		return err
	}
	r.r = s
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

// load reads the records, and refuses those of a numbering that is no more.
func (r *run) load(ctx context.Context) (map[UID]Record, error) {
	known, err := r.store.Load(ctx, r.box)
	if err != nil {
		return nil, storeError(err)
	}
	if known == nil {
		known = make(map[UID]Record)
	}
	if gen := r.r.Features().Generation; gen != "" {
		for uid := range known {
			if !strings.HasPrefix(string(uid), gen+".") {
				return nil, fmt.Errorf("%w: known is %s, now it is generation %s", ErrRenumbered, uid, gen)
			}
		}
	}
	return known, nil
}

// recover finds out which of the intended deliveries of an interrupted run
// were made. Those are settled; the rest stay intended.
func (r *run) recover(ctx context.Context, known map[UID]Record) error {
	f, ok := r.sink.(Finder)
	if !ok {
		return nil
	}
	var found []Record
	for _, rec := range known {
		if rec.Stage != Intended {
			continue
		}
		ref, ok, err := f.Find(ctx, r.box, rec)
		if err != nil {
			return sinkError(err)
		}
		if ok {
			rec.Stage, rec.Ref = Settled, ref
			found = append(found, rec)
		}
	}
	if len(found) == 0 {
		return nil
	}
	if err := r.settle(ctx, found, nil); err != nil {
		return err
	}
	for _, rec := range found {
		known[rec.UID] = rec
	}
	return nil
}

// forget drops the records of messages that are seen to be gone.
func (r *run) forget(ctx context.Context, uids []UID) error {
	if len(uids) == 0 {
		return nil
	}
	return storeError(r.store.Forget(ctx, r.box, uids...))
}

// doom records that settled messages are to be deleted.
func (r *run) doom(ctx context.Context, recs []Record) error {
	if len(recs) == 0 {
		return nil
	}
	for i := range recs {
		recs[i].Stage = Doomed
		r.doomed = append(r.doomed, recs[i].UID)
	}
	return storeError(r.store.Put(ctx, r.box, recs...))
}

// commit deletes on the server what is recorded as doomed.
func (r *run) commit(ctx context.Context) error {
	if r.unsettled {
		if len(r.doomed) == 0 {
			return nil // close drops the line
		}
		// QUIT would tell a POP3 server that all it sent has arrived: the
		// deletions are made in a session that retrieved nothing.
		r.close()
		if err := r.open(ctx); err != nil {
			return transport.Mark(ErrUncommitted, err)
		}
		listed, err := r.r.List(ctx)
		if err != nil {
			return transport.Mark(ErrUncommitted, err)
		}
		r.doomed = stillListed(r.doomed, listed)
	}
	if err := r.r.Delete(r.doomed...); err != nil {
		return err
	}
	rcpt, err := r.r.Commit(ctx)
	r.report.Deleted += len(rcpt.Deleted)
	r.report.Failed += len(rcpt.Kept) + len(rcpt.Unknown)
	return err
}

func stillListed(uids []UID, listed []Summary) []UID {
	there := make(map[UID]bool, len(listed))
	for _, s := range listed {
		there[s.UID] = true
	}
	var still []UID
	for _, uid := range uids {
		if there[uid] {
			still = append(still, uid)
		}
	}
	return still
}

func sinkError(err error) error { return kind(ErrSink, err) }

func storeError(err error) error { return kind(ErrStore, err) }

func kind(k, err error) error {
	if err == nil || errors.Is(err, k) {
		return err
	}
	return transport.Mark(k, err)
}
