package imapclient

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
)

// Len returns how many UIDs are in the set.
func (s Set) Len() uint32 {
	var n uint32 // all UIDs there can be are no more than it holds
	for _, r := range s.ranges {
		n += r.last - r.first + 1
	}
	return n
}

// Ranges yields the set as ranges, lowest first, of which no two touch.
func (s Set) Ranges() iter.Seq2[uint32, uint32] {
	return func(yield func(first, last uint32) bool) {
		for _, r := range s.ranges {
			if !yield(r.first, r.last) {
				return
			}
		}
	}
}

// Values yields each UID of the set, lowest first. A set that a server told
// may have four thousand million, whatever is in the mailbox: see [Set.Len].
func (s Set) Values() iter.Seq[uint32] { return s.all() }

// normal makes a set of ranges in any order.
func normal(ranges []uidRange) Set {
	byFirst := func(a, b uidRange) int { return cmp.Compare(a.first, b.first) }
	if !slices.IsSortedFunc(ranges, byFirst) {
		slices.SortFunc(ranges, byFirst)
	}
	merged := ranges[:0]
	for _, r := range ranges {
		if n := len(merged); n > 0 && (merged[n-1].last == everything.last || r.first <= merged[n-1].last+1) {
			merged[n-1].last = max(merged[n-1].last, r.last)
			continue
		}
		merged = append(merged, r)
	}
	return Set{merged}
}

// both returns what is in s and in o.
func (s Set) both(o Set) Set {
	var ranges []uidRange
	for i, j := 0, 0; i < len(s.ranges) && j < len(o.ranges); {
		a, b := s.ranges[i], o.ranges[j]
		if first, last := max(a.first, b.first), min(a.last, b.last); first <= last {
			ranges = append(ranges, uidRange{first, last})
		}
		if a.last < b.last {
			i++
		} else {
			j++
		}
	}
	return Set{ranges}
}

// without returns what is in s and not in o.
func (s Set) without(o Set) Set {
	var others []uidRange
	next := everything.first
	for _, r := range o.ranges {
		if r.first > next {
			others = append(others, uidRange{next, r.first - 1})
		}
		if next = r.last + 1; next == 0 {
			return s.both(Set{others})
		}
	}
	return s.both(Set{append(others, uidRange{next, everything.last})})
}

// from returns the first UID of a set that is not below one, else the first.
func (s Set) from(uid uint32) uint32 {
	for _, r := range s.ranges {
		if r.last >= uid {
			return max(r.first, uid)
		}
	}
	if len(s.ranges) == 0 {
		return 0
	}
	return s.ranges[0].first
}

// slice returns the UIDs from the one at position first to the one at last,
// counted from 1.
func (s Set) slice(first, last uint32) Set {
	var part []uidRange
	var before uint32
	for _, r := range s.ranges {
		n := r.last - r.first + 1
		if from, to := max(first, before+1), min(last, before+n); from <= to {
			part = append(part, uidRange{r.first + from - before - 1, r.first + to - before - 1})
		}
		before += n
	}
	return Set{part}
}

// parseSet reads a set of UIDs as servers send it. Nothing is expanded.
func parseSet(b []byte) (Set, error) {
	ranges, err := parseRanges(b)
	if err != nil {
		return Set{}, err
	}
	return normal(ranges), nil
}

// parseRanges reads a set, in the order in which it is written. "*", which
// servers must not send, and 0 are errors. RFC 9051 section 9, uid-set.
func parseRanges(b []byte) ([]uidRange, error) {
	ranges := make([]uidRange, 0, bytes.Count(b, []byte(","))+1)
	for part := range bytes.SplitSeq(b, []byte(",")) {
		from, to, isRange := bytes.Cut(part, []byte(":"))
		if !isRange {
			to = from
		}
		first, err := parseUint(from, 32)
		if err != nil {
			return nil, err
		}
		last, err := parseUint(to, 32)
		if err != nil {
			return nil, err
		}
		if first == 0 || last == 0 {
			return nil, errSyntax
		}
		ranges = append(ranges, uidRange{uint32(min(first, last)), uint32(max(first, last))})
	}
	return ranges, nil
}
