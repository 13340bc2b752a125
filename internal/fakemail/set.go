package fakemail

import (
	"slices"
	"strconv"
	"strings"
)

// asterisk stands for "*" in a set until its end is known.
const asterisk = ^uint32(0)

// span is a range of numbers, both ends included.
type span struct{ from, to uint32 }

// set is a set of numbers as a command has it, ranges in any order.
type set []span

// selection is a set of messages that a command is for, by what they are
// called in it.
type selection struct {
	set
	byUID bool
}

// parseSet reads a set of sequence numbers or UIDs. RFC 9051 section 9.
func parseSet(s string) (set, bool) {
	var out set
	for part := range strings.SplitSeq(s, ",") {
		a, b, isRange := strings.Cut(part, ":")
		from, ok := parseNumber(a)
		to := from
		if ok && isRange {
			to, ok = parseNumber(b)
		}
		if !ok {
			return nil, false
		}
		out = append(out, span{from, to})
	}
	return out, true
}

func parseNumber(s string) (uint32, bool) {
	if s == "*" {
		return asterisk, true
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n > 0 && s[0] != '0' && s[0] != '+'
}

// ordered returns the same set in order, without overlaps, and with last in
// the place of "*".
func (s set) ordered(last uint32) set {
	out := slices.Clone(s)
	for i, r := range out {
		if r.from == asterisk {
			r.from = last
		}
		if r.to == asterisk {
			r.to = last
		}
		out[i] = span{min(r.from, r.to), max(r.from, r.to)}
	}
	slices.SortFunc(out, func(a, b span) int { return int(int64(a.from) - int64(b.from)) })
	n := 0
	for _, r := range out {
		if n > 0 && int64(r.from) <= int64(out[n-1].to)+1 {
			out[n-1].to = max(out[n-1].to, r.to)
			continue
		}
		out[n] = r
		n++
	}
	return out[:n]
}

// has tells whether an ordered set holds n.
func (s set) has(n uint32) bool {
	_, found := slices.BinarySearchFunc(s, n, func(r span, n uint32) int {
		switch {
		case r.to < n:
			return -1
		case r.from > n:
			return 1
		}
		return 0
	})
	return found
}

// setOf makes a set of numbers.
func setOf(nums []uint32) set {
	s := make(set, len(nums))
	for i, n := range nums {
		s[i] = span{n, n}
	}
	return s.ordered(0)
}

func (s set) String() string {
	var b []byte
	for i, r := range s {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(r.from), 10)
		if r.to != r.from {
			b = strconv.AppendUint(append(b, ':'), uint64(r.to), 10)
		}
	}
	return string(b)
}

// sequence writes numbers in the order given, as COPYUID must: its two sets
// correspond. RFC 4315 section 3.
func sequence(nums []uint32) string {
	var s set
	for _, n := range nums {
		if k := len(s) - 1; k >= 0 && s[k].to+1 == n {
			s[k].to = n
		} else {
			s = append(s, span{n, n})
		}
	}
	return s.String()
}
