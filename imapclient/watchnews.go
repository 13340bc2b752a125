package imapclient

import (
	"maps"
	"slices"
)

// News is what has happened since [Watch.Wait] last returned some.
type News struct {
	// Activity is in the selected mailbox.
	Activity

	// Mailboxes are the others of which something is not as it was told
	// before, by name, with all that has been told.
	Mailboxes []Status

	// Listed are the mailboxes that are no more (which have the attribute
	// \NonExistent), and with NOTIFY also those that were made, or renamed, or
	// subscribed to or no longer.
	Listed []ListedMailbox

	// Lost: there may be more news than are told here. Whoever wants to know
	// has to look.
	Lost bool
}

// Any tells whether anything happened.
func (n News) Any() bool {
	return n.Activity.Any() || len(n.Mailboxes)+len(n.Listed) > 0 || n.Lost
}

// maxHeard is of how many mailboxes there may be news at a time.
const maxHeard = 10_000

// any tells whether there are news.
func (w *Watch) any() bool {
	return w.c.activity.Any() || len(w.heard)+len(w.listed) > 0 || w.lost
}

// take returns the news.
func (w *Watch) take() News {
	n := News{Activity: w.c.look(), Listed: w.listed, Lost: w.lost}
	for _, name := range slices.Sorted(maps.Keys(w.heard)) {
		n.Mailboxes = append(n.Mailboxes, *w.known[name])
	}
	clear(w.heard)
	w.listed, w.listedOctets, w.lost = nil, 0, false
	return n
}

// hear takes a response that is of another mailbox.
func (w *Watch) hear(r *response) error {
	if r.word() == "LIST" {
		m, err := r.listed(r.c.readName)
		if err == nil {
			w.list(m)
		}
		return err
	}
	var list listing
	err := list.readStatus(r)
	for _, s := range list.statuses {
		w.status(s)
	}
	return err
}

// status takes what is told of a mailbox, which may be just what has changed.
func (w *Watch) status(s *Status) {
	if w.c.box != nil && sameName(s.Name, w.c.box.Name) {
		return
	}
	old := w.known[s.Name]
	if old == nil {
		if len(w.known) >= maxMailboxes {
			w.lost = true
			return
		}
		old = &Status{Name: s.Name}
	}
	merged := old.with(s)
	if merged == *old {
		return
	}
	more := len(merged.MailboxID) - len(old.MailboxID)
	if w.known[s.Name] == nil {
		more += len(s.Name)
	}
	if w.octets+more > maxKept {
		w.lost = true
		return
	}
	w.octets += more
	w.known[s.Name] = &merged
	delete(w.absent, s.Name)
	if len(w.heard) >= maxHeard {
		w.lost = true
		return
	}
	w.heard[s.Name] = true
}

// with returns what is told in s, and else in t.
func (t Status) with(s *Status) Status {
	told := t.Told | s.Told
	for i := range statusItems {
		switch item := StatusItem(1 << i); s.Told & item {
		case StatusMessages:
			t.Messages = s.Messages
		case StatusUIDNext:
			t.UIDNext = s.UIDNext
		case StatusUIDValidity:
			t.UIDValidity = s.UIDValidity
		case StatusUnseen:
			t.Unseen = s.Unseen
		case StatusDeleted:
			t.Deleted = s.Deleted
		case StatusSize:
			t.Size = s.Size
		case StatusHighestModSeq:
			t.HighestModSeq = s.HighestModSeq
		case StatusAppendLimit:
			t.AppendLimit = s.AppendLimit
		case StatusMailboxID:
			t.MailboxID = s.MailboxID
		}
	}
	t.Told = told
	return t
}

// list takes what has become of a mailbox.
func (w *Watch) list(m ListedMailbox) {
	if old := w.known[m.Name]; old != nil && m.Has(`\NonExistent`) {
		w.octets -= len(old.Name) + len(old.MailboxID)
		delete(w.known, m.Name)
		delete(w.heard, m.Name)
	}
	size := len(m.Name) + len(m.Delimiter)
	for _, a := range m.Attributes {
		size += len(a)
	}
	if w.listedOctets += size; len(w.listed) >= maxHeard || w.listedOctets > maxKept {
		w.lost = true
		return
	}
	w.listed = append(w.listed, m)
}

// missing says that a mailbox that is to be watched is not there.
func (w *Watch) missing(name string) {
	if !w.absent[name] {
		w.absent[name] = true
		w.list(ListedMailbox{Name: name, Attributes: []string{`\NonExistent`}})
	}
}

func (w *Watch) knownNames() []string { return slices.Collect(maps.Keys(w.known)) }

// noteStatus tells the watch what somebody else has asked for.
func (c *Client) noteStatus(s *Status) {
	if w := c.watch; w != nil && (w.known[s.Name] != nil || w.notifying && w.o.All) {
		w.status(s)
	}
}
