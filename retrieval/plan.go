package retrieval

import (
	"math"
	"slices"
	"time"
)

// plan is what a run will do, decided before it does anything.
type plan struct {
	deliver []job    // in the order of the retrieval
	doom    []Record // to be deleted on the server: settled, not yet recorded as doomed
	doomed  []Record // to be deleted again: an earlier run's deletion did not show
	reflag  []reflag // whose copies get other flags
	discard []Record // whose copies go
	act     []Record // for which the account's After is due
	spare   []Record // doomed by an earlier run, and not to be deleted any more
	unmark  []UID    // of those, which are marked as deleted on the server
	put     []Record // that change, and nothing else is to be done
	forget  []UID    // whose records go

	skipped     int   // listed, and left alone
	quarantined int   // of those, because they have failed before
	undeleted   []UID // which the server has failed to delete again and again

	// open says that a message which is listed will have no record of what it
	// is like now, so that the next run cannot go on from here.
	open bool

	more bool // a limit leaves messages to later runs
}

type job struct {
	Summary
	remove     bool // delete on the server once settled
	headerOnly bool
	redelivery bool   // an earlier run intended it
	past       Record // what is remembered of it, if anything is
}

type reflag struct {
	Record
	flags []Flag
}

// view is what a plan is made of.
type view struct {
	listed []Summary // oldest first
	known  map[UID]Record
	clock  time.Time // the mailbox's
	now    time.Time // everybody's

	// elsewhere are the messages of other mailboxes, if this is the one of all
	// messages.
	elsewhere emails

	tried map[UID]bool // failed moments ago
}

const (
	// vanishedAge is for how long the record of a message is kept that a
	// listing lacks.
	vanishedAge = 30 * 24 * time.Hour

	// massive is when a disappearance is one of many: more than so many
	// messages, and more than half of all that are here. It has to be seen again after
	// massiveWait before copies are discarded.
	massive     = 20
	massiveWait = time.Hour

	// stubborn is how often a server may confirm that it has deleted once more
	// what it had deleted before, until that is reported as a failure.
	stubborn = 2
)

// makePlan applies an account's policy to what is listed and what is known.
// Whatever the policy says, what is not settled is not deleted, and what was
// never delivered is neither reflagged nor discarded.
func makePlan(a *Account, v view) *plan {
	pl := new(plan)
	p := a.upstreamPolicy()
	_, mirrored, deletes := a.policy().needs()
	there := make(map[UID]bool, len(v.listed))
	for i := range v.listed {
		s := &v.listed[i]
		there[s.UID] = true
		at := Position{Now: v.clock, Newer: len(v.listed) - 1 - i}
		rec, ok := v.known[s.UID]
		if ok && !rec.Vanished.IsZero() { // it is back
			rec.Vanished = time.Time{}
			pl.put = append(pl.put, rec)
		}
		switch {
		case ok && rec.Stage == Doomed && (deletes || a.Upstream.Removals || wantsDeleted(p(s, &rec, at))):
			pl.again(rec)
		case ok && rec.Stage == Doomed:
			pl.pardon(s, rec)
		case ok && rec.Stage == Settled && rec.HeaderOnly && (a.Limits.MessageSize <= 0 || max(s.Size, rec.Size) <= a.Limits.MessageSize):
			pl.fresh(a, v, s, p(s, nil, at), rec)
		case ok && rec.Stage == Settled && rec.Twin && mirrored && !v.elsewhere.isHeld(rec.Email):
			pl.fresh(a, v, s, p(s, nil, at), rec) // the other copy is gone
		case ok && rec.Stage == Settled:
			pl.known(p(s, &rec, at), s, rec, mirrored)
		case a.Filter.Summary != nil && !a.Filter.Summary(*s):
			pl.leave()
		default:
			pl.fresh(a, v, s, p(s, nil, at), rec)
		}
	}
	pl.gone(p, v, there)
	if a.NewestFirst {
		slices.Reverse(pl.deliver)
	}
	return pl
}

// fresh plans an action on a listed message that is not settled as a whole.
func (pl *plan) fresh(a *Account, v view, s *Summary, act Action, rec Record) {
	known := rec.Stage != 0
	switch {
	case act != Deliver && act != DeliverAndDelete:
		pl.leave()
		return
	case v.tried[s.UID]:
		pl.leave()
		return
	case known && rec.rests(v.now):
		pl.leave()
		pl.quarantined++
		return
	case s.Email != "" && v.elsewhere.isComing(s.Email):
		pl.leave()
		return
	case !known && s.Email != "" && v.elsewhere.isHeld(s.Email):
		pl.skipped++
		pl.put = append(pl.put, Record{UID: s.UID, Stage: Settled, Twin: true, Email: s.Email, Flags: s.Flags, Since: v.now, Delivered: v.clock})
		return
	}
	j := job{Summary: *s, past: rec, redelivery: rec.Stage == Intended}
	j.headerOnly = a.Limits.MessageSize > 0 && max(s.Size, rec.Size) > a.Limits.MessageSize
	j.remove = act == DeliverAndDelete && !j.headerOnly
	pl.deliver = append(pl.deliver, j)
}

// isEmpty tells whether nothing is to be done.
func (pl *plan) isEmpty() bool {
	return len(pl.deliver)+len(pl.doom)+len(pl.doomed)+len(pl.reflag)+len(pl.discard)+len(pl.act)+len(pl.spare)+len(pl.put)+len(pl.forget) == 0 && !pl.open
}

// leave leaves a message alone that is not settled.
func (pl *plan) leave() {
	pl.skipped++
	pl.open = true
}

// again plans the deletion of a message that was to be deleted before.
func (pl *plan) again(rec Record) {
	pl.doomed = append(pl.doomed, rec)
	if rec.Deletes >= stubborn {
		pl.undeleted = append(pl.undeleted, rec.UID)
	}
}

// wantsDeleted is asked of a policy that does not delete as far as
// [Policy.needs] can tell.
func wantsDeleted(act Action) bool { return act == Delete || act == DeliverAndDelete }

// pardon plans to settle again what was to be deleted by a policy that the
// account has no more. A mark of which the record does not know is taken for
// what came of that deletion.
func (pl *plan) pardon(s *Summary, rec Record) {
	if hasFlag(s.Flags, FlagDeleted) && !hasFlag(rec.Flags, FlagDeleted) {
		pl.unmark = append(pl.unmark, s.UID)
	}
	rec.Stage, rec.Deletes, rec.Vanished = Settled, 0, time.Time{}
	pl.spare = append(pl.spare, rec)
	pl.leave() // the policy is asked about it, as about any other, by the next run
}

// known plans an action on a settled message that is listed.
func (pl *plan) known(act Action, s *Summary, rec Record, mirrored bool) {
	switch act {
	case Delete, DeliverAndDelete:
		if rec.HeaderOnly || !rec.isHere() {
			pl.keep(s, rec, mirrored) // it is not here, or not as a whole
			return
		}
		pl.doom = append(pl.doom, rec)
	case Reflag:
		if !rec.isHere() {
			pl.skipped++
			rec.Flags = s.Flags
			pl.put = append(pl.put, rec)
			return
		}
		pl.reflag = append(pl.reflag, reflag{rec, s.Flags})
	default:
		pl.keep(s, rec, mirrored)
	}
	if rec.Due {
		pl.act = append(pl.act, rec)
	}
}

// keep leaves a settled message as it is, and remembers its flags.
func (pl *plan) keep(s *Summary, rec Record, mirrored bool) {
	pl.skipped++
	switch {
	case SameFlags(rec.Flags, s.Flags):
	case mirrored:
		pl.open = true // the policy may want to know of it again
	default:
		rec.Flags = s.Flags
		pl.put = append(pl.put, rec)
	}
}

// gone plans what is done about messages that are known and not listed.
func (pl *plan) gone(p Policy, v view, there map[UID]bool) {
	var discard []Record
	copies := 0
	for uid, rec := range v.known {
		if rec.hasCopy() {
			copies++
		}
		if there[uid] {
			continue
		}
		local := rec
		local.Stage = Settled // as a policy sees what has a copy
		if rec.Stage < Doomed && rec.hasCopy() && p(nil, &local, Position{Now: v.clock}) == Discard {
			discard = append(discard, rec)
			continue
		}
		pl.vanish(v, rec)
	}
	believed := len(discard) <= massive || len(discard)*2 <= copies
	for _, rec := range discard {
		if believed || !rec.Vanished.IsZero() && v.now.Sub(rec.Vanished) >= massiveWait {
			pl.discard = append(pl.discard, rec)
		} else {
			pl.vanish(v, rec)
		}
	}
}

// vanish notes that a message is gone, and forgets it in the end.
func (pl *plan) vanish(v view, rec Record) {
	switch age := v.now.Sub(rec.Vanished); {
	case rec.Vanished.IsZero() || age < 0:
		rec.Vanished = v.now
		pl.put = append(pl.put, rec)
	case age >= vanishedAge:
		pl.forget = append(pl.forget, rec.UID)
	}
}

// limit leaves to later runs what is beyond an account's limits.
func (pl *plan) limit(l Limits, over bool) {
	var bytes int64
	for i := range pl.deliver {
		if !pl.deliver[i].headerOnly {
			bytes += min(max(pl.deliver[i].Size, 0), math.MaxInt64-bytes)
		}
		if over || i > 0 && l.Bytes > 0 && bytes > l.Bytes || l.Messages > 0 && i >= l.Messages {
			pl.skipped += len(pl.deliver) - i
			pl.open, pl.more = true, true
			pl.deliver = pl.deliver[:i]
			return
		}
	}
}
