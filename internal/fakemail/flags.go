package fakemail

import (
	"fmt"
	"slices"
	"strings"
)

// storing is a STORE.
type storing struct {
	op        byte // '+', '-' or '='
	silent    bool
	labels    bool // X-GM-LABELS
	names     []string
	unchanged uint64 // UNCHANGEDSINCE; RFC 7162 section 3.1.3
	checked   bool
}

// storeFlags answers STORE. RFC 9051 section 6.4.6.
func (s *session) storeFlags(a *args, byUID bool) error {
	sel := a.selection(s.saved, byUID)
	a.space()
	st := s.storing(a)
	if err := a.done(); err != nil {
		return err
	}
	if s.view.readOnly {
		return no("[READ-ONLY] the mailbox is open for reading")
	}
	if st.checked {
		s.useCondstore()
	}
	out, modified, missing, err := s.storeRows(st, sel, byUID)
	s.w.Write(out)
	switch {
	case err != nil:
		return err
	case len(modified) > 0:
		return ok("[MODIFIED " + setOf(modified).String() + "] changed since")
	case missing && !byUID:
		return no("[EXPUNGEISSUED] some of the messages are gone")
	}
	return nil
}

func (s *session) storing(a *args) *storing {
	st := &storing{op: '='}
	if a.take('(') {
		if a.atom() != "UNCHANGEDSINCE" || !s.srv.has["CONDSTORE"] {
			a.fail("no such modifier here")
		}
		a.space()
		st.unchanged, st.checked = a.number(), true
		a.expect(')')
		a.space()
	}
	if c := a.peek(); c == '+' || c == '-' {
		st.op = c
		a.i++
	}
	item, silent := strings.CutSuffix(a.atom(), ".SILENT")
	st.silent = silent
	a.space()
	switch {
	case item == "FLAGS":
		st.names = a.flags()
	case item == "X-GM-LABELS" && s.srv.has["X-GM-EXT-1"]:
		st.labels = true
		if a.peek() != '(' {
			st.names = append(st.names, a.label())
			break
		}
		a.list(func() { st.names = append(st.names, a.label()) })
	default:
		a.fail("no item %q here", item)
	}
	return st
}

// label reads a label, which may be an atom with a backslash.
func (a *args) label() string {
	if c := a.peek(); c == '"' || c == '{' {
		return a.mailbox()
	}
	return a.decode(a.word(" ()\r\n"))
}

// storeRows changes what is asked for, and returns what is to be told and the
// numbers that a condition kept as they are.
func (s *session) storeRows(st *storing, sel selection, byUID bool) (out lines, modified []uint32, missing bool, err error) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	v := s.view
	if v.box.dead {
		return nil, nil, false, nil // which is told in the end
	}
	found, missing, err := v.pick(sel)
	if err != nil {
		return nil, nil, false, err
	}
	found = slices.DeleteFunc(found, func(p picked) bool {
		changed := st.checked && p.modseq > st.unchanged
		if n := p.seq; changed {
			if byUID {
				n = p.uid
			}
			modified = append(modified, n)
		}
		return changed
	})
	s.own(&out, func() {
		if st.labels {
			for _, p := range found {
				s.store.storeLabels(p.message, st.op, st.names)
			}
			return
		}
		s.store.storeFlags(messages(found), st.op, st.names)
	})
	for _, p := range found {
		s.addStored(&out, st, p, byUID)
	}
	return out, modified, missing, nil
}

// storeFlags is STORE for the store. With Gmail a message marked as deleted
// leaves the mailbox at once ("auto-expunge").
func (s *Store) storeFlags(msgs []*message, op byte, names []string) {
	names = s.permitted(names)
	deletes := slices.Contains(names, `\Deleted`)
	if s.profile == Gmail {
		names = slices.DeleteFunc(names, func(f string) bool { return f == `\Deleted` })
	}
	change := replacing(names)
	switch op {
	case '+':
		change = adding(names)
	case '-':
		change = removing(names)
	}
	s.change(msgs, change)
	if s.profile == Gmail && deletes && op != '-' {
		s.unlabel(msgs)
	}
}

func replacing(names []string) func([]string) []string {
	return func([]string) []string { return names }
}

func adding(names []string) func([]string) []string {
	return func(flags []string) []string { return flagSet(append(slices.Clone(flags), names...)) }
}

func removing(names []string) func([]string) []string {
	return func(flags []string) []string {
		return slices.DeleteFunc(slices.Clone(flags), func(f string) bool {
			return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f) })
		})
	}
}

// addStored tells of a message that was changed: the flags unless that is not
// wanted, the modseq in any case. RFC 7162 section 3.1.3.
func (s *session) addStored(out *lines, st *storing, p picked, byUID bool) {
	var items []string
	if byUID || s.on("QRESYNC") {
		items = append(items, fmt.Sprintf("UID %d", p.uid))
	}
	switch {
	case st.silent && !s.on("CONDSTORE"):
		return
	case st.silent:
	case st.labels:
		var names []string
		for _, l := range p.labels(s.view.box) {
			names = append(names, s.name(l))
		}
		items = append(items, "X-GM-LABELS ("+strings.Join(names, " ")+")")
	default:
		items = append(items, "FLAGS ("+strings.Join(s.view.flags(p.message), " ")+")")
	}
	if s.on("CONDSTORE") {
		items = append(items, fmt.Sprintf("MODSEQ (%d)", p.modseq))
	}
	out.add("* %d FETCH (%s)", p.seq, strings.Join(items, " "))
}
