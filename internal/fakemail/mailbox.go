package fakemail

import (
	"fmt"
	"slices"
	"strings"
)

func (s *session) create(a *args) error {
	name := a.mailbox()
	use := ""
	if s.srv.has["CREATE-SPECIAL-USE"] && a.take(' ') { // RFC 6154 section 3
		a.list(func() {
			if a.atom() != "USE" {
				a.fail("no such parameter")
			}
			a.space()
			a.list(func() { use = a.word(" ()\r\n") })
		})
	}
	if err := a.done(); err != nil {
		return err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	name = canonical(strings.TrimSuffix(name, delimiter))
	switch b := s.user.boxes[name]; {
	case name == "":
		return no("[CANNOT] a name is needed")
	case b != nil && !b.noselect:
		return no("[ALREADYEXISTS] the mailbox exists")
	case use != "" && !slices.Contains([]string{`\Archive`, `\Drafts`, `\Flagged`, `\Junk`, `\Sent`, `\Trash`}, use):
		return no("[USEATTR] no such use")
	}
	b := s.store.create(s.user, name, use)
	if s.srv.has["OBJECTID"] {
		return ok("[MAILBOXID (" + b.id + ")] created")
	}
	return nil
}

func (s *session) deleteMailbox(a *args) error {
	name := a.mailbox()
	if err := a.done(); err != nil {
		return err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.user.boxes[canonical(name)]
	if b == nil {
		return no("[NONEXISTENT] no such mailbox")
	}
	return s.store.drop(s.user, b)
}

func (s *session) rename(a *args) error {
	from := a.mailbox()
	a.space()
	to := a.mailbox()
	if err := a.done(); err != nil {
		return err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.user.boxes[canonical(from)]
	if b == nil {
		return no("[NONEXISTENT] no such mailbox")
	}
	return s.store.rename(s.user, b, to)
}

func (s *session) subscribe(a *args) error {
	name := a.mailbox()
	if err := a.done(); err != nil {
		return err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if s.user.boxes[canonical(name)] == nil {
		return no("[NONEXISTENT] no such mailbox")
	}
	s.user.subscribed[canonical(name)] = true
	return nil
}

func (s *session) unsubscribe(a *args) error {
	name := a.mailbox()
	if err := a.done(); err != nil {
		return err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	delete(s.user.subscribed, canonical(name))
	return nil
}

// status answers STATUS. RFC 9051 section 6.3.11.
func (s *session) status(a *args) error {
	name := a.mailbox()
	a.space()
	items := s.statusItems(a)
	if err := a.done(); err != nil {
		return err
	}
	if slices.Contains(items, "HIGHESTMODSEQ") {
		s.useCondstore()
	}
	s.store.mu.Lock()
	b := s.user.boxes[canonical(name)]
	if b == nil || b.noselect {
		s.store.mu.Unlock()
		return no("[NONEXISTENT] no such mailbox")
	}
	values := b.status(items)
	s.store.mu.Unlock()
	s.line("* STATUS " + s.name(canonical(name)) + " (" + strings.Join(values, " ") + ")")
	return nil
}

// statusNeeds is what can be asked for, and the capability that each needs.
var statusNeeds = map[string]string{
	"MESSAGES": "", "RECENT": "", "UIDNEXT": "", "UIDVALIDITY": "", "UNSEEN": "",
	"DELETED": "IMAP4REV2", "SIZE": "STATUS=SIZE", "HIGHESTMODSEQ": "CONDSTORE",
	"MAILBOXID": "OBJECTID", "APPENDLIMIT": "APPENDLIMIT",
}

// statusItems reads what is asked for.
func (s *session) statusItems(a *args) []string {
	items := []string{}
	a.list(func() {
		item := a.atom()
		if need, known := statusNeeds[item]; !known || need != "" && !s.srv.has[need] {
			a.fail("no status item %q here", item)
		}
		items = append(items, item)
	})
	return items
}

// status returns items and their values. The store's lock is held.
func (b *box) status(items []string) []string {
	count := func(which func(*message) bool) (n int) {
		for _, m := range b.msgs {
			if which(m) {
				n++
			}
		}
		return n
	}
	var out []string
	for _, item := range items {
		value := ""
		switch item {
		case "MESSAGES":
			value = fmt.Sprint(len(b.msgs))
		case "RECENT":
			value = fmt.Sprint(count(func(m *message) bool { return m.uid >= b.recent }))
		case "UIDNEXT":
			value = fmt.Sprint(b.next)
		case "UIDVALIDITY":
			value = fmt.Sprint(b.validity)
		case "UNSEEN":
			value = fmt.Sprint(count(func(m *message) bool { return !m.has(`\Seen`) }))
		case "DELETED":
			value = fmt.Sprint(count(func(m *message) bool { return m.has(`\Deleted`) }))
		case "SIZE":
			n := 0
			for _, m := range b.msgs {
				n += len(m.data)
			}
			value = fmt.Sprint(n)
		case "HIGHESTMODSEQ":
			value = fmt.Sprint(b.modseq)
		case "MAILBOXID":
			value = "(" + b.id + ")"
		case "APPENDLIMIT":
			value = fmt.Sprint(maxLiteral)
		}
		out = append(out, item+" "+value)
	}
	return out
}
