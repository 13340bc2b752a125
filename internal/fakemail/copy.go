package fakemail

import (
	"fmt"
	"slices"
	"time"
)

// append answers APPEND. RFC 9051 section 6.3.12.
func (s *session) append(a *args) error {
	name := a.mailbox()
	a.space()
	var flags []string
	if a.peek() == '(' {
		flags = a.flags()
		a.space()
	}
	received := time.Now()
	if a.peek() == '"' {
		received = a.dateTime()
		a.space()
	}
	data := a.literal()
	if err := a.done(); err != nil {
		return err
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.user.boxes[canonical(name)]
	if b == nil || b.noselect {
		return no("[TRYCREATE] no such mailbox")
	}
	c := s.store.newContent(s.user, []byte(data), received.Truncate(time.Second))
	m := s.store.put(b, c, flags)
	if s.srv.has["UIDPLUS"] { // RFC 4315 section 3
		return ok(fmt.Sprintf("[APPENDUID %d %d] appended", b.validity, m.uid))
	}
	return nil
}

func (s *session) copy(a *args, byUID bool) error { return s.transfer(a, byUID, false) }

// move answers MOVE. RFC 6851.
func (s *session) move(a *args, byUID bool) error { return s.transfer(a, byUID, true) }

// transfer is COPY and MOVE: all messages or none. RFC 9051 section 6.4.7.
func (s *session) transfer(a *args, byUID, move bool) error {
	sel := a.selection(s.saved, byUID)
	a.space()
	name := a.mailbox()
	if err := a.done(); err != nil {
		return err
	}
	if move && s.view.readOnly {
		return no("[READ-ONLY] the mailbox is open for reading")
	}
	code, err := s.transferRows(sel, canonical(name), move)
	switch {
	case err != nil:
		return err
	case code == "" || !s.srv.has["UIDPLUS"]:
		return nil
	case move: // ahead of the expunges. RFC 6851 section 4.3
		s.line("* OK " + code + " moved")
		return nil
	}
	return ok(code + " copied")
}

// transferRows returns the COPYUID, if there is one.
func (s *session) transferRows(sel selection, name string, move bool) (code string, err error) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	v := s.view
	if v.box.dead {
		return "", nil // which is told in the end
	}
	to := s.user.boxes[name]
	if to == nil || to.noselect {
		return "", no("[TRYCREATE] no such mailbox")
	}
	found, missing, err := v.pick(sel)
	switch {
	case err != nil:
		return "", err
	case missing && !sel.byUID:
		return "", no("[EXPUNGEISSUED] some of the messages are gone")
	case len(found) == 0 && s.store.profile == Exchange: // quirk 19
		return fmt.Sprintf("[COPYUID %d  ]", to.validity), nil
	case len(found) == 0:
		return "", nil
	}
	var from, made []uint32
	for _, p := range found {
		from = append(from, p.uid)
		made = append(made, s.store.put(to, p.content, slices.Clone(p.flags)).uid)
	}
	if msgs := messages(found); move && s.store.profile == Gmail {
		if to != v.box {
			s.store.unlabel(slices.DeleteFunc(msgs, func(m *message) bool { return v.box.message(m.uid) != m }))
		}
	} else if move {
		v.box.remove(msgs...)
	}
	return fmt.Sprintf("[COPYUID %d %s %s]", to.validity, sequence(from), sequence(made)), nil
}
