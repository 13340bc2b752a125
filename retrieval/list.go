package retrieval

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// A resumer is a session that can list by telling what has changed.
type resumer interface {
	// cursor returns what to count later changes from, nil if the server has
	// no such thing.
	cursor() []byte
}

// list connects and lists the mailbox. cursor is where changes may be counted
// from, once all that is listed has been taken care of.
func (r *run) list(ctx context.Context) (listed []Summary, cursor []byte, err error) {
	if r.state.Cursor != nil {
		r.opening.resume = &resume{r.state.Cursor, r.remembered()}
	}
	if err := r.connect(ctx); err != nil {
		return nil, nil, err
	}
	r.opening.resume = nil
	if _, _, deletes := r.a.policy().needs(); deletes && !r.r.Features().ExactDelete {
		return nil, nil, unsupported("deleting from a server that cannot remove single messages (no UIDPLUS)")
	}
	if err := r.canCarry(ctx); err != nil {
		return nil, nil, err
	}
	if listed, err = r.r.List(ctx); err != nil {
		return nil, nil, err
	}
	r.listed, r.report.Listed = listed, len(listed)
	if s, ok := r.r.(resumer); ok {
		cursor = s.cursor()
	}
	return listed, cursor, nil
}

// resume is what a listing can go on from.
type resume struct {
	cursor []byte
	listed []Summary // then
}

// remembered is the listing at the cursor, and what was recorded since.
func (r *run) remembered() []Summary {
	var sums []Summary
	for _, rec := range r.known {
		if rec.Vanished.IsZero() {
			sums = append(sums, Summary{UID: rec.UID, Size: rec.Size, Flags: rec.Flags, Received: rec.Received, Email: rec.Email})
		}
	}
	slices.SortFunc(sums, byNumber)
	return sums
}

// byNumber orders messages of one generation from the oldest to the newest.
func byNumber(a, b Summary) int { return byName(a.UID, b.UID) }

func byName(a, b UID) int { return cmp.Or(len(a)-len(b), cmp.Compare(a, b)) }

// isQuiet tells whether there is nothing to do in the mailbox, by what the
// server has said of it without opening it.
func (r *run) isQuiet() bool {
	st := r.opening.status
	c, ok := decodeCursor(r.state.Cursor)
	if st == nil || !ok || c.HighestModSeq == 0 || r.a.Upstream.any() ||
		st.UIDValidity != c.UIDValidity || st.UIDNext != c.UIDNext || st.HighestModSeq != c.HighestModSeq {
		return false
	}
	listed := r.remembered()
	nameless := func(s Summary) bool { return s.Email == "" }
	if len(listed) != int(st.Messages) || r.opening.emails && slices.ContainsFunc(listed, nameless) {
		return false
	}
	pl := makePlan(&r.a, view{listed: listed, known: r.known, clock: r.state.Clock.Time, now: r.now, elsewhere: r.elsewhere})
	r.report.Listed, r.report.Skipped = len(listed), pl.skipped
	return pl.isEmpty()
}

// remember ends a run that came to its end. If there is a record of all that
// was listed, the next run may begin at the cursor; if not, it begins where
// this one did.
func (r *run) remember(ctx context.Context, cursor []byte) error {
	var ch Change
	if !r.open && cursor != nil && !slices.Equal(cursor, r.state.Cursor) {
		ch.Cursor = cursor
	}
	if r.now.Sub(r.lastWall) > 24*time.Hour {
		ch.Clock = &r.state.Clock
	}
	return r.update(ctx, ch)
}
