package fakemail

import (
	"fmt"
	"slices"
	"strings"
)

func (s *session) selectMailbox(a *args) error { return s.open(a, false) }
func (s *session) examine(a *args) error       { return s.open(a, true) }

// resync is what a client knows of a mailbox. RFC 7162 section 3.2.5.
type resync struct {
	validity uint64
	modseq   uint64
	known    set // nil: all
}

// open answers SELECT and EXAMINE. RFC 9051 section 6.3.2.
func (s *session) open(a *args, readOnly bool) error {
	name := a.mailbox()
	var sync *resync
	condstore := false
	if a.take(' ') {
		a.list(func() {
			switch p := a.atom(); {
			case p == "CONDSTORE" && s.srv.has[p]:
				condstore = true
			case p == "QRESYNC" && s.srv.has[p] && s.on(p):
				a.space()
				sync = a.resync()
			default:
				a.fail("no parameter %q here", p)
			}
		})
	}
	if err := a.done(); err != nil {
		return err
	}
	if s.view != nil { // even if this fails. RFC 9051 section 6.3.2
		s.unselect()
		s.line("* OK [CLOSED] the mailbox that was selected is closed")
	}
	if condstore {
		s.enabled["CONDSTORE"] = true
	}
	out, err := s.look(name, readOnly, sync)
	s.w.Write(out)
	switch {
	case err != nil:
		return err
	case readOnly:
		return ok("[READ-ONLY] selected")
	}
	return ok("[READ-WRITE] selected")
}

// look selects a mailbox and returns what is to be told of it.
func (s *session) look(name string, readOnly bool, sync *resync) (out lines, err error) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.user.boxes[canonical(name)]
	if b == nil || b.noselect {
		return nil, no("[NONEXISTENT] no such mailbox")
	}
	s.view = b.look(readOnly)
	s.tellMailbox(&out)
	if sync != nil && sync.validity == uint64(b.validity) {
		s.tellSince(&out, sync)
	}
	return out, nil
}

// resync reads the parameters of QRESYNC. The fourth, which helps a server
// that does not remember what was expunged, is passed over.
func (a *args) resync() *resync {
	r := new(resync)
	a.expect('(')
	r.validity = a.number()
	a.space()
	r.modseq = a.number()
	if a.take(' ') && a.peek() != '(' {
		r.known = a.set()
		a.take(' ')
	}
	if a.take('(') {
		a.set()
		a.space()
		a.set()
		a.expect(')')
	}
	a.expect(')')
	return r
}

// tellMailbox tells of the selected mailbox. The store's lock is held.
func (s *session) tellMailbox(out *lines) {
	v, b := s.view, s.view.box
	flags := systemFlags
	if s.store.profile == Exchange {
		flags = exchangeFlags
	}
	for _, m := range b.msgs {
		for _, f := range m.flags {
			if !slices.Contains(flags, f) {
				flags = append(slices.Clip(flags), f)
			}
		}
	}
	out.add("* FLAGS (%s)", strings.Join(flags, " "))
	permanent := slices.Clone(flags)
	if s.store.profile != Exchange {
		permanent = append(permanent, `\*`)
	}
	if v.readOnly {
		permanent = nil
	}
	out.add("* OK [PERMANENTFLAGS (%s)] kept for ever", strings.Join(permanent, " "))
	out.add("* %d EXISTS", len(b.msgs))
	if !s.on("IMAP4REV2") {
		out.add("* %d RECENT", len(v.recent))
		if i := slices.IndexFunc(b.msgs, func(m *message) bool { return !m.has(`\Seen`) }); i >= 0 {
			out.add("* OK [UNSEEN %d] the first", i+1)
		}
	}
	out.add("* OK [UIDVALIDITY %d] UIDs are valid", b.validity)
	out.add("* OK [UIDNEXT %d] the next UID", b.next)
	if s.srv.has["CONDSTORE"] {
		out.add("* OK [HIGHESTMODSEQ %d] the highest", b.modseq)
	}
	if s.srv.has["OBJECTID"] {
		out.add("* OK [MAILBOXID (%s)] the lasting name", b.id)
	}
	if s.on("IMAP4REV2") { // RFC 9051 section 6.3.2
		out.add(`* LIST (%s) "/" %s`, strings.Join(s.attributes(b), " "), s.name(b.name))
	}
}

// tellSince tells what has become of the messages that a client knows since a
// modseq: first what is gone, then what changed. RFC 7162 section 3.2.5.
func (s *session) tellSince(out *lines, r *resync) {
	v := s.view
	known := r.known
	if known == nil {
		known = set{{1, asterisk}}
	}
	known = known.ordered(asterisk)
	if gone := v.box.vanished(r.modseq, known); len(gone) > 0 {
		out.add("* VANISHED (EARLIER) %s", gone)
	}
	for i, m := range v.box.msgs {
		if m.modseq > r.modseq && known.has(m.uid) {
			v.addFlags(s, out, uint32(i)+1, m, true)
		}
	}
}

// vanished returns the UIDs in a set that were expunged after a modseq.
func (b *box) vanished(since uint64, known set) set {
	var uids []uint32
	for _, t := range b.gone {
		if t.modseq > since && known.has(t.uid) {
			uids = append(uids, t.uid)
		}
	}
	return setOf(uids)
}

// unselect closes the view. It is no error to have none.
func (s *session) unselect() {
	if s.view == nil {
		return
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	delete(s.view.box.views, s.view)
	s.view, s.saved = nil, nil
}

func (s *session) unselectMailbox(a *args) error {
	if err := a.done(); err != nil {
		return err
	}
	s.unselect()
	return nil
}

// closeMailbox expunges without a word. RFC 9051 section 6.4.1.
func (s *session) closeMailbox(a *args) error {
	if err := a.done(); err != nil {
		return err
	}
	if !s.view.readOnly {
		s.store.mu.Lock()
		s.view.box.remove(s.view.box.deleted(nil)...)
		s.store.mu.Unlock()
	}
	s.unselect()
	return nil
}

// useCondstore is called by every command that shows that the client knows of
// modseqs. RFC 7162 section 3.1.
func (s *session) useCondstore() {
	if !s.on("CONDSTORE") {
		s.enabled["CONDSTORE"] = true
		s.tellModSeq()
	}
}

func (s *session) tellModSeq() {
	if s.view == nil {
		return
	}
	s.store.mu.Lock()
	modseq := s.view.box.modseq
	s.store.mu.Unlock()
	s.line(fmt.Sprintf("* OK [HIGHESTMODSEQ %d] the highest", modseq))
}
