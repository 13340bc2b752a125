package retrieval

import "time"

// plan is what a run will do, decided before it does anything.
type plan struct {
	deliver []job    // oldest first
	doom    []Record // to be deleted on the server: settled, not yet recorded as doomed
	doomed  []UID    // to be deleted again: an earlier run's deletion did not show
	reflag  []reflag // whose copies get other flags
	discard []Record // whose copies go
	forget  []UID    // whose records go
	skipped int      // listed, and left alone
}

type job struct {
	Summary
	remove     bool      // delete on the server once settled
	redelivery bool      // an earlier run intended it
	since      time.Time // when it did
}

type reflag struct {
	Record
	flags []Flag
}

// makePlan applies a policy to what is listed and what is known. Whatever the
// policy says, what is not settled is not deleted, and what was never
// delivered is neither reflagged nor discarded. limit bounds the deliveries;
// zero does not.
func makePlan(p Policy, listed []Summary, known map[UID]Record, limit int) *plan {
	pl := new(plan)
	there := make(map[UID]bool, len(listed))
	for i := range listed {
		s := &listed[i]
		there[s.UID] = true
		rec, ok := known[s.UID]
		switch {
		case ok && rec.Stage == Doomed:
			pl.doomed = append(pl.doomed, s.UID)
		case ok && rec.Stage == Settled:
			pl.known(p(s, &rec), s, rec)
		default:
			act := p(s, nil)
			if act != Deliver && act != DeliverAndDelete || limit > 0 && len(pl.deliver) >= limit {
				pl.skipped++
				break
			}
			pl.deliver = append(pl.deliver, job{Summary: *s, remove: act == DeliverAndDelete, redelivery: ok, since: rec.Since})
		}
	}
	for uid, rec := range known {
		if there[uid] {
			continue
		}
		if rec.Stage == Settled && p(nil, &rec) == Discard {
			pl.discard = append(pl.discard, rec)
			continue
		}
		// Keep would only leave a record of nothing behind.
		pl.forget = append(pl.forget, uid)
	}
	return pl
}

// known plans an action on a settled message that is listed.
func (pl *plan) known(act Action, s *Summary, rec Record) {
	switch act {
	case Delete, DeliverAndDelete:
		pl.doom = append(pl.doom, rec)
	case Reflag:
		pl.reflag = append(pl.reflag, reflag{rec, s.Flags})
	default:
		pl.skipped++
	}
}
