package retrieval

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// here is what the copies are like: what was changed since a run was here last.
type here struct {
	flags map[string][]Flag // by the sink's name

	owns func(ref string) bool // whether the sink can have given a name

	sink, server func(Flag) bool // whether it keeps a flag
}

// changes are what is to be carried to the server, decided before anything is.
type changes struct {
	stores  []flagChange   // the same change for many messages
	remove  []Record       // settled, and to be removed on the server
	repeat  []Record       // doomed by an earlier run, and still listed
	restore []Record       // doomed by an earlier run, and here once more
	unmark  []UID          // of those, which are marked as deleted on the server
	discard []Record       // gone on the server as it was to be, and here marked as deleted
	anew    []UID          // removed here, and wanted there
	agreed  map[UID][]Flag // what both sides have when stores are made, where the record is to change
	target  map[UID][]Flag // what the server then has, where that is not what is listed
	revive  []Record       // marked as deleted here, and wanted there
	put     []Record       // that change, and nothing is to be done
	waiting int            // removals that are not believed yet
}

// flagChange is a change of flags for the server.
type flagChange struct {
	add, remove []Flag
	uids        []UID
}

// changesHere compares what is listed, known and here.
func changesHere(u Upstream, v view, h here) *changes {
	ch := &changes{agreed: make(map[UID][]Flag), target: make(map[UID][]Flag)}
	stores := make(map[string]int)
	there := make(map[UID]bool, len(v.listed))
	var missing []Record
	delivered := 0
	for i := range v.listed {
		s := &v.listed[i]
		there[s.UID] = true
		rec, ok := v.known[s.UID]
		if !ok || rec.Stage < Settled || !rec.isHere() || rec.Ref == "" {
			continue
		}
		flags, present := h.flags[rec.Ref]
		if present && rec.isUnderWay() {
			rec.resume(flags, s.Flags)
			v.known[s.UID] = rec
			ch.put = append(ch.put, rec)
		}
		if !present && rec.Stage == Settled && !h.owns(rec.Ref) {
			continue
		}
		removed := !present || isMarked(flags, rec) && (rec.Stage == Doomed || !hasFlag(s.Flags, FlagDeleted))
		delivered++
		switch {
		case rec.Stage == Doomed && u.Removals && !removed:
			ch.restore = append(ch.restore, rec)
			if hasFlag(s.Flags, FlagDeleted) && !hasFlag(rec.Flags, FlagDeleted) {
				ch.unmark = append(ch.unmark, s.UID)
				ch.target[s.UID] = without(s.Flags, []Flag{FlagDeleted})
			}
		case rec.Stage == Doomed:
			ch.repeat = append(ch.repeat, rec)
		case removed && u.Removals && !rec.HeaderOnly:
			switch {
			case u.Only || h.unchanged(rec.Flags, s.Flags):
				missing = append(missing, rec)
				continue
			case !present:
				ch.anew = append(ch.anew, s.UID)
				continue
			}
			ch.revive = append(ch.revive, rec)
			flags = without(flags, []Flag{FlagDeleted})
		case !rec.Missed.IsZero():
			rec.Missed = time.Time{} // it is here again
			ch.put = append(ch.put, rec)
		}
		if present && u.Flags && rec.Stage == Settled {
			ch.compare(h, s, rec, flags, stores)
		}
	}
	ch.believe(missing, delivered, v.now)
	for uid, rec := range v.known {
		if rec.Stage == Doomed && !there[uid] && u.Removals && isMarked(h.flags[rec.Ref], rec) {
			ch.discard = append(ch.discard, rec)
		}
	}
	return ch
}

// isUnderWay tells whether a run was cut short while flags changed.
func (rec *Record) isUnderWay() bool { return len(rec.Following)+len(rec.Sending) > 0 }

// resume takes it that flags which were about to change have been changed by that
// run, here or there, if they are so now.
func (rec *Record) resume(here, there []Flag) {
	made := slices.Concat(
		both(rec.Following, differing(rec.Flags, here)),
		both(rec.Sending, differing(rec.Flags, there)))
	rec.Flags = differing(rec.Flags, made)
	rec.Following, rec.Sending = nil, nil
}

// isMarked tells whether a copy was marked as deleted. If the server has that
// mark too, then the copy may have followed it, and nobody here removed anything.
func isMarked(flags []Flag, rec Record) bool {
	return hasFlag(flags, FlagDeleted) && !hasFlag(rec.Flags, FlagDeleted)
}

// believe takes messages that are missing here for removed, unless they are
// suspiciously many: then that has to be seen again.
func (ch *changes) believe(missing []Record, delivered int, now time.Time) {
	n := len(missing)
	believed := n <= 1 || n < delivered && (n <= massive || n*2 <= delivered)
	for _, rec := range missing {
		switch age := now.Sub(rec.Missed); {
		case believed, !rec.Missed.IsZero() && age >= massiveWait:
			ch.remove = append(ch.remove, rec)
			continue
		case rec.Missed.IsZero() || age < 0:
			rec.Missed = now
			ch.put = append(ch.put, rec)
		}
		ch.waiting++
	}
}

// unchanged tells whether the server has the flags that it had, apart from what
// it does not keep, and from the mark that it is to go there too.
func (h here) unchanged(base, there []Flag) bool {
	if SameFlags(base, there) {
		return true
	}
	counts := func(f Flag) bool { return h.server(f) && !sameFlag(f, FlagDeleted) }
	for _, f := range slices.Concat(base, there) {
		if counts(f) && hasFlag(base, f) != hasFlag(there, f) {
			return false
		}
	}
	return true
}

// compare finds out what is to be done about the flags of a message.
func (ch *changes) compare(h here, s *Summary, rec Record, flags []Flag, stores map[string]int) {
	if SameFlags(rec.Flags, s.Flags) && SameFlags(rec.Flags, flags) {
		return
	}
	m := h.merge(rec.Flags, s.Flags, flags)
	if !SameFlags(m.agreed, rec.Flags) {
		ch.agreed[s.UID] = m.agreed
	}
	if !SameFlags(m.there, s.Flags) {
		ch.target[s.UID] = m.there
	}
	if len(m.add)+len(m.remove) == 0 {
		return
	}
	key := strings.Join(flagSet(m.add), " ") + "-" + strings.Join(flagSet(m.remove), " ")
	i, ok := stores[key]
	if !ok {
		i = len(ch.stores)
		stores[key] = i
		ch.stores = append(ch.stores, flagChange{add: m.add, remove: m.remove})
	}
	ch.stores[i].uids = append(ch.stores[i].uids, s.UID)
}

// merged is the outcome of a three-way merge of the flags of a message.
type merged struct {
	add, remove []Flag // on the server
	there       []Flag // what the server has then
	agreed      []Flag // what both have then, or had last
}

// merge merges flag by flag. A flag is on or off, so both sides can only have
// changed it to the same.
func (h here) merge(base, there, here []Flag) merged {
	var m merged
	for _, f := range distinct(there, here, base) {
		b, t, l := hasFlag(base, f), hasFlag(there, f), hasFlag(here, f)
		switch {
		case !h.sink(f):
			l = b // it cannot have been changed here
		case !h.server(f):
			b, t = l, l // it is this side's own
		case sameFlag(f, FlagDeleted) && l && !b && !t:
			l = b // that is a removal
		}
		if l != b && l != t { // changed here
			if l {
				m.add = append(m.add, f)
			} else {
				m.remove = append(m.remove, f)
			}
			t = l
		}
		if l == t {
			b = l
		}
		if t {
			m.there = append(m.there, f)
		}
		if b {
			m.agreed = append(m.agreed, f)
		}
	}
	return m
}

// distinct returns each flag of several lists once.
func distinct(lists ...[]Flag) []Flag {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b Flag) int {
		return cmp.Compare(strings.ToLower(string(a)), strings.ToLower(string(b)))
	})
	return slices.CompactFunc(all, sameFlag)
}

// without returns the flags of a that b does not have.
func without(a, b []Flag) []Flag {
	return slices.DeleteFunc(slices.Clone(a), func(f Flag) bool { return hasFlag(b, f) })
}

// differing returns the flags that one of a and b has and the other has not.
func differing(a, b []Flag) []Flag { return slices.Concat(without(a, b), without(b, a)) }

// both returns the flags of a that b has, too.
func both(a, b []Flag) []Flag { return without(a, without(a, b)) }

func sameFlag(a, b Flag) bool { return strings.EqualFold(string(a), string(b)) }

func hasFlag(flags []Flag, f Flag) bool {
	return slices.ContainsFunc(flags, func(g Flag) bool { return sameFlag(f, g) })
}
