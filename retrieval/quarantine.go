package retrieval

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// A message that has failed patience times in a row is left alone for
// firstWait, then for twice as long, and so on up to lastWait. One that the
// sink has rejected is for lastWait at once.
const (
	patience  = 3
	firstWait = time.Hour
	lastWait  = 24 * time.Hour
)

// retry returns when the next attempt is due; zero is at any time.
func retry(now time.Time, attempts int, err error) time.Time {
	switch {
	case errors.Is(err, ErrRejected):
		return now.Add(lastWait)
	case attempts < patience:
		return time.Time{}
	}
	return now.Add(min(firstWait<<min(attempts-patience, 10), lastWait))
}

// rests tells whether the next attempt is not due yet. One that is due in longer
// than ever was noted by a clock that was wrong.
func (r *Record) rests(now time.Time) bool {
	wait := r.Retry.Sub(now)
	return r.Attempts > 0 && wait > 0 && wait <= lastWait
}

// note notes that a message could not be retrieved or delivered. It is
// recorded with the next batch.
func (b *batches) note(uid UID, err error) {
	j := b.jobs[uid]
	if j == nil {
		return
	}
	delete(b.jobs, uid)
	if b.tried == nil {
		b.tried = make(map[UID]bool)
	}
	b.tried[uid] = true
	rec, ok := b.intents[uid]
	if !ok {
		rec = j.intent(time.Now())
	}
	delete(b.intents, uid)
	if errors.Is(err, ErrTooLarge) {
		rec.Size = max(rec.Size, b.a.Limits.MessageSize+1) // next time it is the header section
	} else {
		rec.Attempts++
		rec.Retry = retry(b.now, rec.Attempts, err)
	}
	b.failed = append(b.failed, rec)
}

// blamed is the error that a session ended with, and over which messages that
// may have been.
type blamed struct {
	error
	uids []UID
}

func (e blamed) Unwrap() error { return e.error }

// suspect notes a failure of the messages that the session may have been lost
// over: those that are blamed for it, else the first that was asked for and not
// answered. A server may hang up on a message rather than say that it cannot
// send it; if it is the line that fails, now and then, nothing comes of it. Many
// that are suspected at a time become few in the next runs: see narrowed.
func (b *batches) suspect(err error) {
	if blame := (blamed{}); errors.As(err, &blame) {
		for _, uid := range blame.uids {
			b.suspectOne(uid, err, len(blame.uids) == 1) // unless it was read when the session was lost
		}
		return
	}
	if len(b.failed) > 0 {
		return // it was read when the session was lost
	}
	for _, j := range b.order {
		if b.jobs[j.UID] != nil {
			b.suspectOne(j.UID, err, true)
			return
		}
	}
}

// suspectOne notes a failure, and reports it if it is of one message: that one
// is left to later runs, whatever becomes of this one.
func (b *batches) suspectOne(uid UID, err error, alone bool) {
	if alone && b.jobs[uid] != nil {
		b.report.fail(&MessageError{uid, err})
	}
	b.note(uid, err)
}

// pieces is into how many the messages are cut that have failed as often as each
// other. A command of 1,000 messages over which a server hangs up leads to one of
// 32 in the next run, and to one message in the one after that, while all others
// come.
const pieces = 32

// narrowed orders jobs by how often they have failed, and cuts those that have
// into pieces, each to be asked for when the one before has come. One of which
// the server could tell nothing but the flags counts as if it had failed.
func narrowed(jobs []job) (ordered []job, parts [][]job) {
	failures := func(j job) int {
		n := min(j.past.Attempts, patience)
		if j.Size < 0 && j.Received.IsZero() {
			n = max(n, 1)
		}
		return n
	}
	ordered = slices.SortedStableFunc(slices.Values(jobs), func(a, b job) int { return cmp.Compare(failures(a), failures(b)) })
	for rest := ordered; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(j job) bool { return failures(j) != failures(rest[0]) })
		if n < 0 {
			n = len(rest)
		}
		size := n
		if failures(rest[0]) > 0 {
			size = (n + pieces - 1) / pieces
		}
		parts = slices.AppendSeq(parts, slices.Chunk(rest[:n], size))
		rest = rest[n:]
	}
	return ordered, parts
}
