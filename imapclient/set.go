package imapclient

import (
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/emersion/go-imap/v2"
)

// Set is a set of UIDs, as ranges. The zero value is empty.
type Set struct {
	ranges []uidRange
}

type uidRange struct{ first, last uint32 }

var everything = uidRange{1, 1<<32 - 1}

// All is the set of every UID there can be.
func All() Set { return Set{[]uidRange{everything}} }

func (s Set) isAll() bool { return len(s.ranges) == 1 && s.ranges[0] == everything }

// Range is the set of the UIDs from first to last, both in it.
func Range(first, last uint32) Set {
	first = max(first, 1)
	if last < first {
		return Set{}
	}
	return Set{[]uidRange{{first, last}}}
}

// UIDs is a set of single UIDs, in any order. 0 is no UID and is passed over.
func UIDs(uids ...uint32) Set {
	sorted := slices.Clone(uids)
	slices.Sort(sorted)
	var s Set
	for _, uid := range sorted {
		s.add(uid)
	}
	return s
}

// add adds a UID that is not below any in the set.
func (s *Set) add(uid uint32) {
	if uid == 0 {
		return
	}
	if n := len(s.ranges); n > 0 {
		if last := &s.ranges[n-1]; uid <= last.last {
			return
		} else if uid == last.last+1 {
			last.last = uid
			return
		}
	}
	s.ranges = append(s.ranges, uidRange{uid, uid})
}

// Has tells whether uid is in the set.
func (s Set) Has(uid uint32) bool {
	_, ok := slices.BinarySearchFunc(s.ranges, uid, func(r uidRange, uid uint32) int {
		switch {
		case r.last < uid:
			return -1
		case r.first > uid:
			return 1
		}
		return 0
	})
	return ok
}

// String returns the set in IMAP's form (RFC 9051 section 9, sequence-set),
// empty for the empty set. "*" is in it only for [All]: elsewhere it would
// name the last message, whatever its UID.
func (s Set) String() string {
	var b []byte
	for _, r := range s.ranges {
		b = r.append(b)
	}
	return string(b)
}

func (r uidRange) append(b []byte) []byte {
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = strconv.AppendUint(b, uint64(r.first), 10)
	switch {
	case r == everything:
		b = append(b, ":*"...)
	case r.last > r.first:
		b = append(b, ':')
		b = strconv.AppendUint(b, uint64(r.last), 10)
	}
	return b
}

// split returns sets of which each fits into a command line.
func (s Set) split() []Set {
	var sets []Set
	for len(s.ranges) > 0 {
		var head Set
		head, s, _ = s.cut(math.MaxInt)
		sets = append(sets, head)
	}
	return sets
}

// cut takes the first n UIDs off, or as many as fit into a command line. took
// is how many those are.
func (s Set) cut(n int) (head, rest Set, took int) {
	size := 0
	for i, r := range s.ranges {
		size += len(r.append(nil)) + 1
		if took == n || size > maxSet {
			return Set{s.ranges[:i]}, Set{s.ranges[i:]}, took
		}
		if count := int64(r.last-r.first) + 1; count <= int64(n-took) {
			took += int(count)
			continue
		}
		last := r.first + uint32(n-took) - 1
		head = Set{append(slices.Clip(s.ranges[:i]), uidRange{r.first, last})}
		rest = Set{slices.Clone(s.ranges[i:])}
		rest.ranges[0].first = last + 1
		return head, rest, n
	}
	return s, Set{}, took
}

// all yields each UID of a set that is made of single ones.
func (s Set) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for _, r := range s.ranges {
			for uid := uint64(r.first); uid <= uint64(r.last); uid++ {
				if !yield(uint32(uid)) {
					return
				}
			}
		}
	}
}

// uidSet returns the set as go-imap has it.
func (s Set) uidSet() imap.UIDSet {
	var set imap.UIDSet
	for _, r := range s.ranges {
		set.AddRange(imap.UID(r.first), imap.UID(r.last))
	}
	return set
}
