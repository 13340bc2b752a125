package imapclient

import (
	"bytes"
	"strconv"
	"strings"
)

// found is what a server says that it has found, while it says it.
type found struct {
	c       *Client
	command string // SEARCH or SORT
	window  bool   // ESEARCH is an answer to a SORT

	ranges []uidRange // as told: in the order of the mailbox, or as sorted
	told   foundItem
	bad    bool // something was malformed: what was told is not all
	count  uint32
	min    uint32
	max    uint32
	modSeq uint64
}

// foundItem is what a server may tell.
type foundItem int

const (
	foundAll foundItem = 1 << iota
	foundPartial
	foundCount
	foundMin
	foundMax
)

// wait is the waiter of SEARCH and SORT. A server may answer with a plain
// response although the extended one was asked for.
func (f *found) wait(r *response) (bool, error) {
	var err error
	switch word := r.word(); {
	case word == f.command:
		err = f.plain(r)
	case word == "ESEARCH" && (f.window || f.command == "SEARCH"):
		err = f.extended(r)
	default:
		return false, nil
	}
	f.bad = f.bad || err != nil
	return true, r.kept(err)
}

// plain reads what follows SEARCH or SORT: "2 84 882 (MODSEQ 917162500)". UID
// 0, which is none, is passed over.
func (f *found) plain(r *response) error {
	f.told |= foundAll
	for {
		r.space()
		switch {
		case r.peek() == 0:
			return nil
		case r.take('('):
			if r.word() != "MODSEQ" {
				return errSyntax
			}
			if err := f.item(r, "MODSEQ"); err != nil || !r.take(')') {
				return errSyntax
			}
			continue
		}
		n, err := r.number(32)
		if err != nil {
			return err
		}
		f.add(uint32(n))
	}
}

func (f *found) add(uid uint32) {
	if uid == 0 {
		return
	}
	if n := len(f.ranges); f.command == "SEARCH" && n > 0 && f.ranges[n-1].last == uid-1 {
		f.ranges[n-1].last = uid
		return
	}
	f.ranges = append(f.ranges, uidRange{uid, uid})
}

// extended reads what follows ESEARCH: `(TAG "A282") UID MIN 2 COUNT 3`. RFC
// 4731 section 3.1.
func (f *found) extended(r *response) error {
	if r.take('(') {
		name := r.word()
		tag, _, err := r.str()
		if err != nil {
			return err
		}
		if name != "TAG" || string(tag) != "A"+strconv.Itoa(f.c.tags) {
			return nil // another's
		}
		r.space()
		r.take(')')
	}
	for {
		r.space()
		if r.peek() == 0 {
			return nil
		}
		name := r.word()
		if name == "" {
			return errSyntax
		}
		if name == "UID" {
			continue
		}
		if err := f.item(r, name); err != nil {
			return err
		}
	}
}

func (f *found) item(r *response, name string) error {
	number := func(n *uint32, item foundItem) error {
		v, err := r.number(32)
		if err == nil {
			*n = uint32(v)
			f.told |= item
		}
		return err
	}
	switch name {
	case "MIN":
		return number(&f.min, foundMin)
	case "MAX":
		return number(&f.max, foundMax)
	case "COUNT":
		return number(&f.count, foundCount)
	case "MODSEQ":
		n, err := r.number(63)
		f.modSeq = max(f.modSeq, n)
		return err
	case "ALL":
		f.told |= foundAll
		return f.set(r.token())
	case "PARTIAL": // (-1:-100 NIL): RFC 9394 section 3.1
		if !r.take('(') {
			return errSyntax
		}
		r.word()
		set := bytes.Clone(r.token())
		r.space()
		if !r.take(')') {
			return errSyntax
		}
		f.told |= foundPartial
		if strings.EqualFold(string(set), "NIL") {
			return nil
		}
		return f.set(set)
	}
	return r.skip()
}

func (f *found) set(b []byte) error {
	ranges, err := parseRanges(b)
	f.ranges = append(f.ranges, ranges...)
	return err
}

// lacks tells whether the server has left out what it was asked for.
func (f *found) lacks(returned string) bool {
	switch {
	case f.told&foundAll != 0:
		return false // it says all, whatever was asked
	case strings.Contains(returned, "PARTIAL") && f.told&foundPartial == 0:
		return f.told&foundCount == 0 || f.count > 0
	case strings.Contains(returned, "COUNT"):
		return f.told&foundCount == 0 || f.count > 0 && f.told&(foundMin|foundMax) != foundMin|foundMax
	}
	// Without ALL nothing was found: RFC 4731 section 3.1.
	return f.count > 0 || f.told&foundPartial != 0
}

// result returns what was found as o wants it.
func (f *found) result(q *Query, o *SearchOptions) *SearchResult {
	set := normal(f.ranges)
	if q.UIDs != nil {
		set = set.both(*q.UIDs)
	}
	res := &SearchResult{Count: f.count, Min: f.min, Max: f.max, ModSeq: f.modSeq}
	if f.told&foundAll == 0 && f.told&foundCount != 0 {
		set = set.slice(1, o.window())
	} else {
		res.Count, res.Min, res.Max = set.Len(), 0, 0
		if n := len(set.ranges); n > 0 {
			res.Min, res.Max = set.ranges[0].first, set.ranges[n-1].last
		}
		set = o.choose(set)
	}
	if !o.CountOnly {
		res.UIDs = set
	}
	return res
}

// window returns how many messages may be wanted.
func (o *SearchOptions) window() uint32 {
	if o.First == 0 {
		return everything.last
	}
	return uint32(max(o.Last-o.First, o.First-o.Last) + 1)
}

// choose returns the part of a set that is wanted.
func (o *SearchOptions) choose(set Set) Set {
	n := int64(set.Len())
	switch {
	case o.First > 0:
		return set.slice(uint32(o.First), uint32(o.Last))
	case o.First < 0:
		first, last := max(n+int64(o.Last)+1, 1), n+int64(o.First)+1
		if last < first {
			return Set{}
		}
		return set.slice(uint32(first), uint32(last))
	}
	return set
}
