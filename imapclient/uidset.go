package imapclient

import (
	"maps"
	"slices"
)

// uidSet is a set of UIDs that grows. It is small where they come in order,
// as they mostly do.
type uidSet struct {
	run   Set             // those that came in order
	other map[uint32]bool // those that did not
}

func (s *uidSet) add(uid uint32) {
	if n := len(s.run.ranges); n > 0 && uid < s.run.ranges[n-1].first {
		if s.other == nil {
			s.other = make(map[uint32]bool)
		}
		s.other[uid] = true
		return
	}
	s.run.add(uid)
}

func (s *uidSet) has(uid uint32) bool { return s.other[uid] || s.run.Has(uid) }

// set returns the set as it is now.
func (s *uidSet) set() Set {
	return union(s.run, UIDs(slices.Collect(maps.Keys(s.other))...))
}
