package retrieval

import (
	"context"
	"errors"

	"example.com/postbag/internal/transport"
)

// commit deletes on the server what is recorded as doomed.
func (r *run) commit(ctx context.Context) error {
	if (r.unsettled || r.peeked) && r.features.Protocol == POP3 {
		if len(r.doomed) == 0 {
			return nil // close drops the line
		}
		// QUIT would tell a POP3 server that all it sent has arrived: the
		// deletions are made in a session that retrieved nothing.
		r.close()
		if err := r.connect(ctx); err != nil {
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
	var some *refused
	if errors.As(err, &some) {
		for _, e := range some.each {
			r.report.fail(e)
		}
		err = nil // that is for the next run, and this one came to its end
	} else {
		r.report.Failed += len(rcpt.Kept) + len(rcpt.Unknown)
	}
	return errors.Join(err, r.deletedAgain(ctx, rcpt.Deleted))
}

// deletedAgain counts deletions that the server has confirmed before.
func (r *run) deletedAgain(ctx context.Context, uids []UID) error {
	if len(r.again) == 0 {
		return nil
	}
	confirmed := make(map[UID]bool, len(uids))
	for _, uid := range uids {
		confirmed[uid] = true
	}
	var recs []Record
	for _, rec := range r.again {
		if confirmed[rec.UID] {
			rec.Deletes++
			recs = append(recs, rec)
		}
	}
	return r.update(ctx, Change{Put: recs})
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
