package retrieval

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// An IMAP server that was restored from a backup, and has its UIDVALIDITY still,
// gives UIDs once more: the next messages have the names of others, whose records
// say that they are settled. It shows in UIDNEXT, which never goes down otherwise
// (RFC 9051 section 2.3.1.1): it is not above a message that was there.
//
// That alone is no proof of harm. UIDNEXT may go down with the newest message
// although the UIDs go on (QUIRK: dbmail says one more than the highest UID that
// there is, and 1 if there is none), or come from a replica that lags behind. As
// UIDs ascend, it is the newest message of those that are known which tells: if it
// is the one that it was, no name below it was given again, nothing is hidden, and
// what is missing counts as gone. If it is another one, the account's rule is
// followed. So it is where copies would be removed here, because a server that
// has lost mail looks like one whose mail was deleted; with dbmail, until the next
// message comes.
//
// What is known of messages that are gone does not count here. Their names are
// looked at when they come back: see returned.

// A counter is a session whose names are numbers that ascend.
type counter interface {
	// nextNumber is what the server will give next; 0: not told.
	nextNumber() uint32
	// number returns the number in a name.
	number(uid UID) (uint32, bool)
}

// wentBackNote takes the cursor's place when the numbering went back and nothing
// was done about it: some messages later UIDNEXT does not show it any more. As a
// cursor it cannot be read, so that the mailbox is listed as a whole.
var wentBackNote = []byte{2}

// wentBack tells why the numbering seems to have gone back.
func (r *run) wentBack(ctx context.Context, listed []Summary) (why string, err error) {
	c, ok := r.r.(counter)
	if !ok {
		return "", nil
	}
	lost, noted := r.ungiven(c, listed), bytes.Equal(r.state.Cursor, wentBackNote)
	if len(lost) == 0 && !noted {
		return "", nil
	}
	why = "its numbers went back in an earlier run"
	if len(lost) > 0 {
		why = fmt.Sprintf("message %s was there, and the next one is to be number %d", lost[len(lost)-1], c.nextNumber())
	}
	same, uid, err := r.isNewestSame(ctx, listed)
	if err != nil {
		return "", err
	}
	if !same {
		return fmt.Sprintf("%s; %s is another message now, for all that is known", why, uid), nil
	}
	p := r.a.upstreamPolicy()
	for _, uid := range lost {
		if rec := r.known[uid]; rec.Stage == Settled && rec.isHere() && p(nil, &rec, Position{Now: r.state.Clock.Time}) == Discard {
			return why + "; what is missing was lost rather than deleted", nil
		}
	}
	if noted { // it was a replica that lagged behind
		return "", r.update(ctx, Change{Cursor: []byte{}})
	}
	return "", nil
}

// ungiven returns which messages were there at the last run, in their order,
// although the server says that their names are still to be given. If it lists
// such a name itself, what it says is not true, and there are none.
func (r *run) ungiven(c counter, listed []Summary) (uids []UID) {
	next := c.nextNumber()
	isGiven := func(uid UID) bool { n, ok := c.number(uid); return !ok || n < next }
	if next == 0 || slices.ContainsFunc(listed, func(s Summary) bool { return !isGiven(s.UID) }) {
		return nil
	}
	for uid, rec := range r.known {
		if rec.Stage != Doomed && rec.Vanished.IsZero() && !isGiven(uid) { // what we delete ourselves is compared anyway
			uids = append(uids, uid)
		}
	}
	slices.SortFunc(uids, byName)
	return uids
}

// isNewestSame tells whether the newest message of those that are listed and
// known is the one that it was. If there is none, nothing is hidden. If nobody can
// tell, it is not.
func (r *run) isNewestSame(ctx context.Context, listed []Summary) (bool, UID, error) {
	const several = 3 // as one may not be had
	var newest []Summary
	for _, s := range slices.Backward(listed) {
		if r.known[s.UID].Stage != 0 && len(newest) < several {
			newest = append(newest, s)
		}
	}
	if len(newest) == 0 {
		return true, "", nil
	}
	same, err := r.compare(ctx, namesOf(newest))
	if err != nil {
		return false, "", err
	}
	for _, s := range newest {
		if is, known := same[s.UID]; known {
			return is, s.UID, nil
		}
		// There is no print: it was not delivered, or cannot be retrieved.
		if rec := r.known[s.UID]; !s.Received.IsZero() && !rec.Received.IsZero() {
			return rec.Received.Equal(s.Received) && rec.Size == s.Size, s.UID, nil
		}
	}
	return false, newest[0].UID, nil
}

// rematchBack keeps what is known up to the newest message that is the same
// under its old name. What is above is new, unless it is known again by its print.
func (r *run) rematchBack(ctx context.Context, listed []Summary, why string) error {
	prints, err := r.printsOf(ctx, listed)
	if err != nil {
		return err
	}
	isSame := func(s Summary) bool {
		rec := r.known[s.UID]
		return rec.Stage >= Settled && rec.Print != (Print{}) && rec.Print == prints[s.UID]
	}
	split := len(listed) // of those below nothing has changed
	for split > 0 && !isSame(listed[split-1]) {
		split--
	}
	known, same := 0, 0
	for i, s := range listed {
		if rec := r.known[s.UID]; rec.Stage < Settled || i < split && rec.Print == (Print{}) {
			continue
		}
		if i < split || split == 0 {
			known++
		}
		if isSame(s) {
			same++
		}
	}
	if same*100 < known*enough {
		return fmt.Errorf("%w: %s; of %d messages only %d are known again", ErrRenumbered, why, known, same)
	}
	ch := Change{Cursor: []byte{}}
	lost := make(map[Print][]Record)
	for uid, rec := range r.known {
		if split > 0 && byName(uid, listed[split-1].UID) <= 0 {
			continue
		}
		ch.Forget = append(ch.Forget, uid)
		if rec.Stage >= Settled && !rec.Twin && rec.Print != (Print{}) {
			lost[rec.Print] = append(lost[rec.Print], rec)
		}
	}
	again := make(map[Print][]Summary)
	for _, s := range listed[split:] {
		again[prints[s.UID]] = append(again[prints[s.UID]], s)
	}
	for print, sums := range again {
		if recs := lost[print]; len(recs) == 1 && len(sums) == 1 {
			ch.Put = append(ch.Put, recs[0].as(sums[0]))
		}
	}
	r.report.Rematched += same + len(ch.Put)
	return r.update(ctx, ch)
}

// printsOf returns the prints of messages, as far as they can be retrieved.
func (r *run) printsOf(ctx context.Context, listed []Summary) (map[UID]Print, error) {
	var err error
	prints := make(map[UID]Print, len(listed))
	for uid, print := range r.prints(ctx, r.r.Headers, namesOf(listed), &err) {
		prints[uid] = print
	}
	return prints, err
}
