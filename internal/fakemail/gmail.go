package fakemail

import (
	"slices"
	"strings"
)

// With Gmail a message is in one place, and its labels show as mailboxes: the
// same message, with the same X-GM-MSGID and flags, is in several at once.
// https://developers.google.com/workspace/gmail/imap/imap-extensions
const (
	allMail = "[Gmail]/All Mail"
	trash   = "[Gmail]/Trash"
	spam    = "[Gmail]/Spam"
	starred = "[Gmail]/Starred"
)

// gmailLabels are the names of the mailboxes that are no label of the user's.
var gmailLabels = map[string]string{
	"INBOX":             `\Inbox`,
	"[Gmail]/Drafts":    `\Draft`,
	"[Gmail]/Important": `\Important`,
	"[Gmail]/Sent Mail": `\Sent`,
	starred:             `\Starred`,
	trash:               `\Trash`,
	spam:                `\Junk`,
}

// createGmail makes the mailboxes that every user of Gmail has. s.mu is held,
// as in all of this file.
func (s *Store) createGmail(u *user) {
	s.create(u, "[Gmail]", "").noselect = true
	for _, b := range []struct{ name, use string }{
		{allMail, `\All`}, {"[Gmail]/Drafts", `\Drafts`}, {"[Gmail]/Important", `\Important`},
		{"[Gmail]/Sent Mail", `\Sent`}, {spam, `\Junk`}, {starred, `\Flagged`}, {trash, `\Trash`},
	} {
		s.create(u, b.name, b.use)
		u.subscribed[b.name] = true
	}
}

// label puts a message into a mailbox. All Mail has it too, unless it is in
// Trash or Spam, which is in no other. What is there already stays.
func (s *Store) label(b *box, c *content, flags []string) *message {
	flags = slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == `\Deleted` })
	if len(c.places) > 0 {
		flags = c.places[0].flags // they are the message's, not the mailbox's
	}
	alone := func(name string) bool { return name == trash || name == spam }
	for _, p := range slices.Clone(c.places) {
		if p.box != b && (alone(b.name) || alone(p.box.name)) {
			p.box.remove(p)
		}
	}
	if !alone(b.name) {
		s.ensure(b.user.boxes[allMail], c, flags)
	}
	m := s.ensure(b, c, flags)
	if b.name == starred {
		s.change([]*message{m}, func(flags []string) []string { return flagSet(append(slices.Clone(flags), `\Flagged`)) })
	}
	s.star(c, m.flags)
	return m
}

func (s *Store) ensure(b *box, c *content, flags []string) *message {
	for _, p := range c.places {
		if p.box == b {
			return p
		}
	}
	return b.add(c, flags)
}

// star keeps the mailbox Starred in step with the flag \Flagged.
func (s *Store) star(c *content, flags []string) {
	if len(c.places) == 0 {
		return
	}
	b := c.places[0].box.user.boxes[starred]
	if slices.Contains(flags, `\Flagged`) {
		if n := c.places[0].box.name; n != trash && n != spam {
			s.ensure(b, c, flags)
		}
		return
	}
	for _, p := range slices.Clone(c.places) {
		if p.box == b {
			b.remove(p)
		}
	}
}

// unlabel is what becomes of an expunged message: it leaves the mailbox. From
// All Mail nothing is removed (the setting "archive"); from Trash and Spam it
// is gone for good.
func (s *Store) unlabel(msgs []*message) {
	if len(msgs) == 0 || msgs[0].box.name == allMail {
		return
	}
	for _, m := range msgs {
		if m.box.name == starred {
			s.change([]*message{m}, func(flags []string) []string {
				return slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == `\Flagged` })
			})
			continue
		}
		m.box.remove(m)
	}
}

// labels returns a message's labels as they are seen from a mailbox: its own
// is not among them. (QUIRK: https://github.com/dlech/gmailbuttons/issues/10.)
func (m *message) labels(from *box) []string {
	var names []string
	for _, p := range m.places {
		if p.box == from || p.box.name == allMail {
			continue
		}
		if l := gmailLabels[p.box.name]; l != "" {
			names = append(names, l)
		} else {
			names = append(names, p.box.name)
		}
	}
	slices.Sort(names)
	return names
}

// storeLabels adds labels to a message, removes them, or replaces those that
// are seen from its mailbox. A label that is none yet is made.
func (s *Store) storeLabels(m *message, op byte, names []string) {
	u := m.box.user
	boxOf := func(label string) *box {
		for name, l := range gmailLabels {
			if strings.EqualFold(l, label) {
				return u.boxes[name]
			}
		}
		if b := u.boxes[canonical(label)]; b != nil {
			return b
		}
		return s.create(u, label, "")
	}
	var boxes []*box
	for _, n := range names {
		boxes = append(boxes, boxOf(n))
	}
	if op == '=' || op == '-' {
		for _, p := range slices.Clone(m.places) {
			if listed := slices.Contains(boxes, p.box); listed == (op == '-') && (op == '-' || p.box != m.box) {
				s.unlabel([]*message{p})
			}
		}
	}
	if op != '-' {
		for _, b := range boxes {
			s.label(b, m.content, m.flags)
		}
	}
	for _, p := range m.places { // their labels are others now
		p.modseq = p.box.touch()
	}
}
