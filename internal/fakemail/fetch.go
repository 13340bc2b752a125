package fakemail

import (
	"fmt"
	"slices"
	"strings"
)

// fetching is a FETCH: what is asked for, and of which messages.
type fetching struct {
	items    []item
	since    uint64 // CHANGEDSINCE; RFC 7162 section 3.1.4
	modified bool
	vanished bool
	byUID    bool
}

// item is something that FETCH asks for of a message.
type item struct {
	name    string
	section *section // of BODY[…] and its like
}

var macros = map[string][]string{
	"ALL":  {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"},
	"FAST": {"FLAGS", "INTERNALDATE", "RFC822.SIZE"},
	"FULL": {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"},
}

// itemNeeds is what can be asked for, and the capability that each needs.
var itemNeeds = map[string]string{
	"UID": "", "FLAGS": "", "INTERNALDATE": "", "RFC822.SIZE": "", "ENVELOPE": "", "BODY": "", "BODYSTRUCTURE": "",
	"RFC822": "", "RFC822.HEADER": "", "RFC822.TEXT": "",
	"MODSEQ": "CONDSTORE", "EMAILID": "OBJECTID", "THREADID": "OBJECTID",
	"X-GM-MSGID": "X-GM-EXT-1", "X-GM-THRID": "X-GM-EXT-1", "X-GM-LABELS": "X-GM-EXT-1",
}

// fetch answers FETCH. RFC 9051 section 6.4.5.
func (s *session) fetch(a *args, byUID bool) error {
	sel := a.selection(s.saved, byUID)
	a.space()
	f := fetching{byUID: byUID}
	s.fetchItems(a, &f)
	if a.take(' ') {
		s.fetchModifiers(a, &f)
	}
	if err := a.done(); err != nil {
		return err
	}
	if f.modified || f.has("MODSEQ") {
		s.useCondstore()
		if f.modified && !f.has("MODSEQ") {
			f.items = append(f.items, item{name: "MODSEQ"})
		}
	}
	out, rows, missing, err := s.fetchRows(&f, sel)
	s.w.Write(out)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := s.writeRow(&f, r); err != nil {
			return err
		}
	}
	if missing && !byUID { // RFC 5530
		return no("[EXPUNGEISSUED] some of the messages are gone")
	}
	return nil
}

func (s *session) fetchItems(a *args, f *fetching) {
	one := func() {
		name := a.atom()
		if a.peek() == '[' {
			if strings.HasPrefix(name, "BINARY") && !s.srv.has["BINARY"] {
				a.fail("no item %q here", name)
			}
			f.items = append(f.items, item{name, a.section(name)})
			return
		}
		if need, known := itemNeeds[name]; !known || need != "" && !s.srv.has[need] {
			a.fail("no item %q here", name)
		}
		it := item{name: name}
		switch name {
		case "RFC822":
			it.section = &section{name: name}
		case "RFC822.HEADER":
			it.section = &section{name: name, spec: "HEADER", peek: true}
		case "RFC822.TEXT":
			it.section = &section{name: name, spec: "TEXT"}
		}
		f.items = append(f.items, it)
	}
	switch {
	case a.peek() == '(':
		a.list(one)
	default:
		start := a.i
		for _, name := range macros[a.atom()] {
			f.items = append(f.items, item{name: name})
		}
		if len(f.items) == 0 {
			a.i = start
			one()
		}
	}
	if (f.byUID || s.on("QRESYNC")) && !f.has("UID") {
		f.items = slices.Insert(f.items, 0, item{name: "UID"})
	}
}

// fetchModifiers reads CHANGEDSINCE and VANISHED. RFC 7162 sections 3.1.4.1
// and 3.2.6.
func (s *session) fetchModifiers(a *args, f *fetching) {
	a.list(func() {
		switch m := a.atom(); {
		case m == "CHANGEDSINCE" && s.srv.has["CONDSTORE"]:
			a.space()
			f.since, f.modified = a.number(), true
		case m == "VANISHED" && f.byUID && s.on("QRESYNC"):
			f.vanished = true
		default:
			a.fail("no modifier %q here", m)
		}
	})
	if f.vanished && !f.modified {
		a.fail("VANISHED needs CHANGEDSINCE")
	}
}

func (f *fetching) has(name string) bool {
	return slices.ContainsFunc(f.items, func(it item) bool { return it.name == name })
}

// reads tells whether the messages become \Seen.
func (f *fetching) reads() bool {
	return slices.ContainsFunc(f.items, func(it item) bool { return it.section != nil && !it.section.peek })
}

// row is a message as it was when a command was given.
type row struct {
	*content
	seq, uid uint32
	modseq   uint64
	flags    []string
	labels   []string
	seen     bool // the command made it so
}

// fetchRows takes what a FETCH asks for, and marks as seen what it reads. What
// it returns first is to be told first.
func (s *session) fetchRows(f *fetching, sel selection) (out lines, rows []row, missing bool, err error) {
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
	if f.vanished {
		if gone := v.box.vanished(f.since, sel.ordered(asterisk)); len(gone) > 0 {
			out.add("* VANISHED (EARLIER) %s", gone)
		}
	}
	if f.modified {
		found = slices.DeleteFunc(found, func(p picked) bool { return p.modseq <= f.since })
	}
	unseen := make(map[uint32]bool)
	if f.reads() && !v.readOnly {
		var change []*message
		for _, p := range found {
			if !p.has(`\Seen`) {
				unseen[p.uid] = true
				change = append(change, p.message)
			}
		}
		s.own(&out, func() { s.store.change(change, adding([]string{`\Seen`})) })
	}
	rows = make([]row, len(found))
	for i, p := range found {
		rows[i] = row{content: p.content, seq: p.seq, uid: p.uid, modseq: p.modseq, flags: v.flags(p.message), seen: unseen[p.uid]}
		if f.has("X-GM-LABELS") {
			rows[i].labels = p.message.labels(v.box)
		}
	}
	return out, rows, missing, nil
}

// own changes flags for this session: what others have changed before is told
// first, and what it changes itself is not told again.
func (s *session) own(out *lines, change func()) {
	news, _ := s.view.news(s, false)
	*out = append(*out, news...)
	change()
	s.view.flagsTo = s.view.box.modseq
}

// writeRow answers with one message.
func (s *session) writeRow(f *fetching, r row) error {
	fmt.Fprintf(s.w, "* %d FETCH (", r.seq)
	for i, it := range f.items {
		if i > 0 {
			s.w.WriteByte(' ')
		}
		s.writeItem(it, r)
	}
	if r.seen && !f.has("FLAGS") { // RFC 9051 section 6.4.5
		s.w.WriteByte(' ')
		s.writeItem(item{name: "FLAGS"}, r)
		if s.on("CONDSTORE") && !f.has("MODSEQ") {
			s.w.WriteByte(' ')
			s.writeItem(item{name: "MODSEQ"}, r)
		}
	}
	_, err := s.w.WriteString(")\r\n")
	return err
}
