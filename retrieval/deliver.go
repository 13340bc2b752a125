package retrieval

import (
	"context"
	"errors"
	"time"
)

// A batch is what is made durable together: one flush of the sink and one
// transaction of the store. It ends at whichever comes first.
const (
	batchMessages = 500
	batchBytes    = 64 << 20
	batchTime     = 5 * time.Second
)

// deliver retrieves messages, then the header sections of those that are too
// large, and settles them. It returns for which of them the account's After is
// due. An error of the sink ends it, and so does the end of the session.
func (r *run) deliver(ctx context.Context, jobs []job) (due []Record, err error) {
	var whole, headers []job
	for _, j := range jobs {
		if j.headerOnly {
			headers = append(headers, j)
		} else {
			whole = append(whole, j)
		}
	}
	b := r.newBatches(jobs)
	err = b.retrieve(ctx, whole, r.r.Fetch)
	if err == nil && !b.enough() {
		err = b.retrieve(ctx, headers, r.r.Headers)
	}
	if err == nil && b.enough() && len(b.jobs) > 0 {
		r.report.Skipped += len(b.jobs) // which were not answered
		r.report.More, r.open = true, true
		if r.day.isEnough() {
			r.day.leave(1)
		}
	}
	return b.due, err
}

// retrieve delivers what get retrieves, and settles it in batches. The
// transaction that records one batch as settled records the next one as
// intended, and all the while the server keeps sending.
func (b *batches) retrieve(ctx context.Context, jobs []job, get getter) error {
	if len(jobs) == 0 {
		return nil
	}
	var parts [][]job
	var ended error
	b.queue, parts = narrowed(jobs)
	for _, b.order = range b.day.parts(parts) {
		if !b.day.ask(ctx, b.order) {
			break
		}
		uids := make([]UID, len(b.order))
		for i, j := range b.order {
			uids[i] = j.UID
		}
		for m, err := range get(ctx, uids...) {
			if ended = b.one(ctx, m, err); ended != nil || b.late() {
				break
			}
		}
		if ended != nil || b.enough() {
			break
		}
	}
	if ended == nil {
		ended = b.day.failure()
	}
	if ctx.Err() != nil {
		return errors.Join(ended, b.lastWord(ctx))
	}
	if errors.Is(ended, ErrSession) {
		b.suspect(ended)
	}
	if err := b.settle(ctx, nil); err != nil {
		return errors.Join(ended, err)
	}
	b.unsettled = b.unsettled && (ended != nil || b.lost)
	return ended
}

// batches is the state of a delivery.
type batches struct {
	*run
	jobs     map[UID]*job   // not yet answered
	order    []job          // as asked for
	queue    []job          // not yet intended, in order
	intents  map[UID]Record // recorded as intended
	pending  []Record       // delivered, not yet durable
	failed   []Record       // whose failure is not yet recorded
	bytes    int64          // of the pending
	since    time.Time      // of the last settle
	lost     bool           // a message was retrieved that the sink did not take
	due      []Record       // settled, and the account's After is due
	progress Progress
}

func (r *run) newBatches(jobs []job) *batches {
	b := &batches{
		run:     r,
		jobs:    make(map[UID]*job, len(jobs)),
		intents: make(map[UID]Record),
		since:   time.Now(),
	}
	for i := range jobs {
		b.jobs[jobs[i].UID] = &jobs[i]
		b.progress.TotalBytes += max(jobs[i].Size, 0)
	}
	b.progress.TotalMessages = len(jobs)
	return b
}

// late tells whether the account's time for retrieving is over.
func (b *batches) late() bool {
	return b.a.Limits.Time > 0 && time.Since(b.now) >= b.a.Limits.Time
}

// enough tells whether there is to be nothing more in this run.
func (b *batches) enough() bool { return b.late() || b.day.isEnough() }

// one takes one item of a sequence. Its error ends the delivery.
func (b *batches) one(ctx context.Context, m *Message, err error) error {
	switch {
	case errors.Is(err, ErrSession):
		return err
	case errors.Is(err, errors.ErrUnsupported): // no TOP: there is no header section to deliver
		b.report.Skipped += len(b.order)
		for _, j := range b.order {
			delete(b.jobs, j.UID)
		}
		b.open = true
		return nil
	case err != nil:
		var uid UID
		if me := (*MessageError)(nil); errors.As(err, &me) {
			uid = me.UID
		}
		b.open = true
		if errors.Is(err, ErrGone) {
			b.report.Skipped++ // another client was faster
			delete(b.jobs, uid)
			return nil
		}
		b.report.fail(err)
		b.note(uid, err)
		return nil
	}
	b.unsettled = true // until the last settle
	return b.take(ctx, m)
}

// take delivers one message. Its error ends the delivery; a failure of the
// message alone is noted.
func (b *batches) take(ctx context.Context, m *Message) error {
	j := b.jobs[m.UID]
	if j == nil {
		return nil // not asked for, or sent a second time
	}
	if _, ok := b.intents[m.UID]; !ok || b.bytes >= batchBytes || time.Since(b.since) >= batchTime {
		if err := b.settle(ctx, b.next(m.UID)); err != nil {
			return err
		}
	}
	m.Redelivery, m.HeaderOnly = j.redelivery, j.headerOnly
	m.printer, m.some = new(printer), m.Size > 0
	if !j.headerOnly {
		m.limit = b.a.Limits.MessageSize
	}
	m.observe = func(n int64) {
		b.progress.Bytes += n
		b.day.count(ctx, n)
		b.tell()
	}
	b.unflushed = true
	ref, err := b.sink.Deliver(ctx, m)
	if bad := m.readError(); bad != nil {
		err = &MessageError{m.UID, bad}
	} else if err != nil {
		err = sinkError(&MessageError{m.UID, err})
		if !errors.Is(err, ErrRejected) && !errors.Is(err, ErrDeferred) {
			return err
		}
	} else if bad := m.whole(); bad != nil {
		err = &MessageError{m.UID, bad}
	}
	if err != nil {
		b.lost, b.open = true, true
		b.report.fail(err)
		b.note(m.UID, err)
		return nil // if the session is lost with it, the iterator says so next
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // what a sink says of a message then is not relied on
	}
	delete(b.jobs, m.UID)
	rec := b.settled(b.intents[m.UID], ref)
	rec.Print = m.printer.print()
	if !j.headerOnly {
		rec.Size = m.Octets()
		if j.Size > 0 {
			rec.Size = j.Size
		}
	}
	if j.remove {
		rec.Stage = Doomed
	}
	b.pending = append(b.pending, rec)
	b.bytes += m.Octets()
	b.progress.Messages++
	b.tell()
	return nil
}

// next takes the next batch from the queue, so far that uid is in it, or
// nothing if uid is intended already.
func (b *batches) next(uid UID) []Record {
	var recs []Record
	var bytes int64
	_, has := b.intents[uid]
	for len(b.queue) > 0 && (!has || len(recs) > 0 && len(recs) < batchMessages && bytes < batchBytes) {
		j := b.queue[0]
		b.queue = b.queue[1:]
		if b.jobs[j.UID] == nil {
			continue // answered already: it failed, or is gone
		}
		rec := j.intent(time.Now())
		recs = append(recs, rec)
		b.intents[j.UID] = rec
		bytes += max(j.Size, 0)
		has = has || j.UID == uid
	}
	return recs
}

// intent is the record that a message is about to be delivered.
func (j *job) intent(now time.Time) Record {
	rec := j.past
	if rec.Stage != Intended || rec.HeaderOnly != j.headerOnly || rec.Since.IsZero() {
		rec.Since = now // else the copy to look for is from then
	}
	rec.UID, rec.Stage, rec.HeaderOnly, rec.Twin, rec.Seeded = j.UID, Intended, j.headerOnly, false, false
	rec.Flags, rec.Received, rec.Email = j.Flags, j.Received, j.Email
	rec.Size = max(j.Size, rec.Size)
	rec.Vanished = time.Time{}
	rec.Following, rec.Sending = nil, nil
	return rec
}

// settled is the record that an intended delivery was made.
func (r *run) settled(rec Record, ref string) Record {
	rec.Stage, rec.Ref = Settled, ref
	rec.Delivered = r.state.Clock.Time
	rec.Attempts, rec.Retry = 0, time.Time{}
	rec.Due = r.a.After.any() && !rec.HeaderOnly
	return rec
}

// settle makes the pending deliveries durable, and records them together with
// the next intents.
func (b *batches) settle(ctx context.Context, intents []Record) error {
	done, bytes, failed := b.pending, b.bytes, b.failed
	b.pending, b.failed, b.bytes, b.since = nil, nil, 0, time.Now()
	if err := b.run.settle(ctx, done, append(failed, intents...)); err != nil {
		b.report.Failed += len(done)
		return err
	}
	for _, rec := range done {
		delete(b.intents, rec.UID)
		switch {
		case rec.Stage == Doomed:
			b.doomed = append(b.doomed, rec.UID)
		case rec.Due:
			b.due = append(b.due, rec)
		case rec.HeaderOnly:
			b.report.HeaderOnly++
		}
	}
	b.report.Delivered += len(done)
	b.report.Bytes += bytes
	return nil
}

// settle flushes the sink and records what is durable then, and more.
func (r *run) settle(ctx context.Context, done, more []Record) error {
	if f, ok := r.sink.(Flusher); ok && len(done) > 0 {
		r.unflushed = false
		if err := f.Flush(ctx); err != nil {
			return sinkError(err)
		}
	}
	for _, rec := range done {
		r.supplant(ctx, rec)
	}
	return r.update(ctx, Change{Put: append(done, more...)})
}

// supplant removes the header section whose message is durable now, before that
// is recorded: the intent names it. If it cannot be, it stays beside it.
func (r *run) supplant(ctx context.Context, rec Record) {
	intent := r.known[rec.UID]
	if m, ok := r.sink.(Mirrorer); ok && intent.Stage == Intended && intent.Ref != "" && intent.Ref != rec.Ref {
		m.Discard(ctx, intent.Ref)
	}
}

func (b *batches) tell() {
	if b.a.Progress != nil {
		b.a.Progress(b.progress)
	}
}
