package fakemail

import (
	"fmt"
	"slices"
	"strings"

	"example.com/postbag/internal/pop3server"
)

// Maildrop is what a POP3 session sees: the messages that were there when it
// began, oldest first.
type Maildrop struct {
	store *Store
	list  []*pop3server.Message
	of    map[*pop3server.Message]*message
}

// maxPopped is how many messages Gmail shows a session, the oldest: a client
// must come again for the next.
const maxPopped = 250

// Open opens a user's maildrop, or returns the text to refuse with. The
// maildrop is the INBOX; with Gmail it is all mail but what was retrieved
// before, unless the user is called "recent:" and the name.
func (s *Store) Open(name, password string) (pop3server.Maildrop, string) {
	hide := s.profile == Gmail
	if rest, recent := strings.CutPrefix(name, "recent:"); recent && hide {
		name, hide = rest, false
	}
	u, refusal := s.login(name, password)
	if u == nil {
		return nil, strings.Replace(refusal, "[AUTHENTICATIONFAILED]", "[AUTH]", 1) // RFC 3206
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &Maildrop{store: s, of: make(map[*pop3server.Message]*message)}
	box := "INBOX"
	if s.profile == Gmail {
		box = allMail
	}
	for _, m := range u.boxes[box].msgs {
		if hide && (m.popped || len(d.list) == maxPopped) {
			continue
		}
		shown := &pop3server.Message{UID: s.uidl(m.box.validity, m.uid, m.id), Data: m.data}
		d.list, d.of[shown] = append(d.list, shown), m
	}
	return d, ""
}

// UIDL returns what POP3 calls a message: "validity.uid", or with Gmail its
// X-GM-MSGID.
func (s *Store) UIDL(m Message) string { return s.uidl(m.Validity, m.UID, m.ID) }

func (s *Store) uidl(validity, uid uint32, id uint64) string {
	if s.profile == Gmail {
		return fmt.Sprintf("GmailId%x", id)
	}
	return fmt.Sprintf("%d.%d", validity, uid)
}

// Messages implements [pop3server.Maildrop].
func (d *Maildrop) Messages() []*pop3server.Message { return d.list }

// Size implements [pop3server.Maildrop].
func (d *Maildrop) Size(m *pop3server.Message) int { return d.store.size(d.of[m].content) }

// Update is what QUIT does: the deleted messages go away. With Gmail they and
// those that were retrieved are only hidden from later sessions (the setting
// "keep Gmail's copy in the Inbox").
func (d *Maildrop) Update(deleted, retrieved []*pop3server.Message) {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	if d.store.profile == Gmail {
		for _, p := range slices.Concat(deleted, retrieved) {
			d.of[p].popped = true
		}
		return
	}
	doomed := make(map[*box][]*message)
	for _, p := range deleted {
		if m := d.of[p]; m.box.message(m.uid) == m {
			doomed[m.box] = append(doomed[m.box], m)
		}
	}
	for b, msgs := range doomed {
		b.remove(msgs...)
	}
}
