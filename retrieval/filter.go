package retrieval

import (
	"context"
	"errors"
	"time"

	"example.com/postbag/internal/transport"
	"example.com/postbag/message"
)

// Filter says which new messages are wanted. The others are left alone, and
// looked at again in the next run. A nil function wants all.
type Filter struct {
	// Summary decides by what the listing says: size, flags, age.
	Summary func(Summary) bool

	// Envelope decides by who and what the header section says. It costs the
	// retrieval of the header sections of all new messages that Summary wants,
	// and needs TOP on POP3.
	Envelope func(Summary, *message.Envelope) bool
}

// narrow leaves out of a plan the new messages that the account's filter does
// not want, and what is beyond its limits.
func (r *run) narrow(ctx context.Context, pl *plan) error {
	r.day.count(ctx, 0) // the listing, and what else has come so far
	if r.a.Filter.Envelope == nil || len(pl.deliver) == 0 {
		pl.limit(r.limits())
		return r.day.allot(pl)
	}
	wanted, err := r.wanted(ctx, pl.deliver)
	if err != nil {
		return err
	}
	var jobs []job
	for _, j := range pl.deliver {
		if j.isWanted() || wanted[j.UID] {
			jobs = append(jobs, j)
		} else {
			pl.leave()
		}
	}
	pl.deliver = jobs
	pl.limit(r.limits())
	return r.day.allot(pl)
}

// isWanted tells whether the message was wanted once: then it still is. One that
// is only looked for, after a store was lost, was never intended.
func (j *job) isWanted() bool { return j.past.Stage != 0 && !j.past.Since.IsZero() }

// wanted asks the filter about new messages.
func (r *run) wanted(ctx context.Context, jobs []job) (map[UID]bool, error) {
	var uids []UID
	waiting := make(map[UID]*job)
	for i := range jobs {
		if j := &jobs[i]; !j.isWanted() {
			uids = append(uids, j.UID)
			waiting[j.UID] = j
		}
	}
	wanted := make(map[UID]bool)
	for m, err := range r.day.headers(r.r.Headers)(ctx, uids...) {
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, err
		}
		if errors.Is(err, ErrSession) {
			return nil, r.blame(ctx, uids, waiting, err)
		}
		if err != nil {
			if me := (*MessageError)(nil); errors.As(err, &me) {
				delete(waiting, me.UID)
			}
			continue // gone, or to be asked about next time
		}
		env, err := message.ReadEnvelope(m)
		if err == nil {
			err = m.whole()
		}
		if err != nil {
			return nil, r.blame(ctx, uids, waiting, transport.Mark(ErrSession, &MessageError{m.UID, err}))
		}
		delete(waiting, m.UID)
		if r.a.Filter.Envelope(m.Summary, env) {
			wanted[m.UID] = true
		}
		r.day.count(ctx, m.Octets())
	}
	return wanted, nil
}

// blame notes a failure of the message that the session may have been lost over,
// as suspect does, so that the others come to be asked about. It stays one that
// the filter has not wanted.
func (r *run) blame(ctx context.Context, uids []UID, waiting map[UID]*job, err error) error {
	if ctx.Err() != nil {
		return err
	}
	for _, uid := range uids {
		if j := waiting[uid]; j != nil {
			rec := j.intent(r.now)
			rec.Since = time.Time{}
			rec.Attempts++
			rec.Retry = retry(r.now, rec.Attempts, err)
			return errors.Join(err, r.update(ctx, Change{Put: []Record{rec}}))
		}
	}
	return err
}
