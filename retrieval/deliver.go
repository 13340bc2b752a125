package retrieval

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A batch is what is made durable together: one flush of the sink and one
// transaction of the store. It ends at whichever comes first.
const (
	batchMessages = 500
	batchBytes    = 64 << 20
	batchTime     = 5 * time.Second
)

// deliver retrieves messages and settles them in batches. The transaction
// that records one batch as settled records the next one as intended, and all
// the while the server keeps sending.
func (r *run) deliver(ctx context.Context, jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	b := r.newBatches(jobs)
	uids := make([]UID, len(jobs))
	for i, j := range jobs {
		uids[i] = j.UID
	}
	var ended error
	for m, err := range r.r.Fetch(ctx, uids...) {
		switch {
		case errors.Is(err, ErrSession):
			ended = err
		case errors.Is(err, ErrGone):
			r.report.Skipped++ // another client was faster
		case err != nil:
			r.report.fail(err)
		}
		if ended != nil {
			break
		}
		if err != nil {
			continue
		}
		r.unsettled = true // until the last settle
		if ended = b.take(ctx, m); ended != nil {
			break
		}
	}
	if ctx.Err() != nil {
		return ended // as after a crash: the next run finds what was delivered
	}
	if err := b.settle(ctx, nil); err != nil {
		return errors.Join(ended, err)
	}
	r.unsettled = ended != nil || b.lost
	return ended
}

// batches is the state of a delivery.
type batches struct {
	*run
	jobs     map[UID]*job   // not yet retrieved
	queue    []job          // not yet intended, in order
	intents  map[UID]Record // recorded as intended
	pending  []Record       // delivered, not yet durable
	bytes    int64          // of those
	since    time.Time      // of the last settle
	lost     bool           // a message was retrieved that the sink did not take
	progress Progress
}

func (r *run) newBatches(jobs []job) *batches {
	b := &batches{
		run:     r,
		jobs:    make(map[UID]*job, len(jobs)),
		queue:   jobs,
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

// take delivers one message. Its error ends the delivery; a failure of the
// message alone is only counted.
func (b *batches) take(ctx context.Context, m *Message) error {
	j := b.jobs[m.UID]
	if j == nil {
		return nil // not asked for, or sent a second time
	}
	delete(b.jobs, m.UID)
	if _, ok := b.intents[m.UID]; !ok || b.bytes >= batchBytes || time.Since(b.since) >= batchTime {
		if err := b.settle(ctx, b.next(m.UID)); err != nil {
			return err
		}
	}
	m.Redelivery = j.redelivery
	m.observe = func(n int64) {
		b.progress.Bytes += n
		b.tell()
	}
	ref, err := b.sink.Deliver(ctx, m)
	if bad := m.readError(); bad != nil {
		err = &MessageError{m.UID, bad}
	} else if err != nil {
		return sinkError(&MessageError{m.UID, err})
	} else if bad := m.whole(); bad != nil {
		err = &MessageError{m.UID, bad}
	} else if m.Octets() == 0 && m.Size > 0 {
		// Sizes may be wrong by a lot, but something is not nothing.
		err = &MessageError{m.UID, fmt.Errorf("the server sent nothing of %d octets: %w", m.Size, ErrTruncated)}
	}
	if err != nil {
		b.lost = true
		b.report.fail(err)
		return nil // if the session is lost with it, the iterator says so next
	}
	rec := b.intents[m.UID]
	rec.Stage, rec.Ref = Settled, ref
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
	now := time.Now()
	_, has := b.intents[uid]
	for len(b.queue) > 0 && (!has || len(recs) > 0 && len(recs) < batchMessages && bytes < batchBytes) {
		j := b.queue[0]
		b.queue = b.queue[1:]
		rec := Record{UID: j.UID, Stage: Intended, Flags: j.Flags, Since: now}
		if j.redelivery {
			rec.Since = j.since // the copy to look for is from then
		}
		recs = append(recs, rec)
		b.intents[j.UID] = rec
		bytes += max(j.Size, 0)
		has = has || j.UID == uid
	}
	return recs
}

// settle makes the pending deliveries durable, and records them together with
// the next intents.
func (b *batches) settle(ctx context.Context, intents []Record) error {
	done, bytes := b.pending, b.bytes
	b.pending, b.bytes, b.since = nil, 0, time.Now()
	if err := b.run.settle(ctx, done, intents); err != nil {
		b.report.Failed += len(done)
		return err
	}
	for _, rec := range done {
		delete(b.intents, rec.UID)
		if rec.Stage == Doomed {
			b.doomed = append(b.doomed, rec.UID)
		}
	}
	b.report.Delivered += len(done)
	b.report.Bytes += bytes
	return nil
}

// settle flushes the sink and records what is durable then.
func (r *run) settle(ctx context.Context, done, intents []Record) error {
	if f, ok := r.sink.(Flusher); ok && len(done) > 0 {
		if err := f.Flush(ctx); err != nil {
			return sinkError(err)
		}
	}
	if len(done)+len(intents) == 0 {
		return nil
	}
	return storeError(r.store.Put(ctx, r.box, append(done, intents...)...))
}

func (b *batches) tell() {
	if b.a.Progress != nil {
		b.a.Progress(b.progress)
	}
}
