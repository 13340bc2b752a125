package retrieval

import (
	"errors"
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

// note notes that a message could not be retrieved or delivered. It is
// recorded with the next batch.
func (b *batches) note(uid UID, err error) {
	j := b.jobs[uid]
	if j == nil {
		return
	}
	delete(b.jobs, uid)
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
		rec.Since = time.Time{} // it was not delivered: there is nothing to look for until it is tried again
	}
	b.failed = append(b.failed, rec)
}

// suspect notes a failure of the message that the session may have been lost
// over: the first that was asked for and not answered. A server may hang up on
// a message rather than say that it cannot send it; if it is the line that
// fails, now and then, nothing comes of it.
func (b *batches) suspect(err error) {
	if len(b.failed) > 0 {
		return // it was read when the session was lost
	}
	for _, j := range b.order {
		if b.jobs[j.UID] != nil {
			b.note(j.UID, err)
			return
		}
	}
}
