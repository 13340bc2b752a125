package fakemail

import "fmt"

// deleted returns the messages with \Deleted, of a set or all.
func (b *box) deleted(uids set) []*message {
	var msgs []*message
	for _, m := range b.msgs {
		if m.has(`\Deleted`) && (uids == nil || uids.has(m.uid)) {
			msgs = append(msgs, m)
		}
	}
	return msgs
}

func (s *session) expunge(a *args) error {
	if err := a.done(); err != nil {
		return err
	}
	return s.expungeSet(nil)
}

// uidExpunge removes messages of a set and no others. RFC 4315 section 2.1.
func (s *session) uidExpunge(a *args) error {
	uids := a.selection(s.saved, true).set
	if err := a.done(); err != nil {
		return err
	}
	return s.expungeSet(uids)
}

// expungeSet removes the deleted messages, of a set or all. That they are gone
// is told at the command's end. RFC 9051 section 6.4.3.
func (s *session) expungeSet(uids set) error {
	if s.view.readOnly {
		return no("[READ-ONLY] the mailbox is open for reading")
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.view.box
	if uids != nil {
		last := uint32(0)
		if n := len(b.msgs); n > 0 {
			last = b.msgs[n-1].uid
		}
		if uids = uids.ordered(last); uids == nil {
			uids = set{}
		}
	}
	doomed := b.deleted(uids)
	b.remove(doomed...)
	if s.on("QRESYNC") && len(doomed) > 0 { // RFC 7162 section 3.2.7
		return ok(fmt.Sprintf("[HIGHESTMODSEQ %d] expunged", b.modseq))
	}
	return nil
}
