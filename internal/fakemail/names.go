package fakemail

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const delimiter = "/"

// create makes a mailbox and those above it. RFC 9051 section 6.3.4. s.mu is
// held, as in all of this file.
func (s *Store) create(u *user, name, use string) *box {
	name = canonical(strings.TrimSuffix(name, delimiter))
	for i := range name {
		if parent := name[:i]; name[i:i+1] == delimiter && i > 0 && u.boxes[parent] == nil {
			u.boxes[parent] = s.newBox(u, parent, "")
		}
	}
	b := s.newBox(u, name, use)
	u.boxes[name] = b
	return b
}

// drop deletes a mailbox. One with others below it stays as a name. RFC 9051
// section 6.3.5.
func (s *Store) drop(u *user, b *box) error {
	switch {
	case b.name == "INBOX":
		return no("[CANNOT] INBOX cannot be deleted")
	case b.use != "" || s.profile == Gmail && b.noselect:
		return no("[CANNOT] this mailbox cannot be deleted")
	case b.noselect && u.hasChildren(b.name):
		return no("[INUSE] there are mailboxes below it")
	}
	b.die()
	for _, m := range b.msgs {
		m.leave()
	}
	delete(u.boxes, b.name)
	if u.hasChildren(b.name) {
		left := s.newBox(u, b.name, "")
		left.noselect = true
		u.boxes[b.name] = left
	}
	return nil
}

// rename moves a mailbox and those below it; of INBOX, the messages. RFC 9051
// section 6.3.6.
func (s *Store) rename(u *user, b *box, to string) error {
	to = canonical(strings.TrimSuffix(to, delimiter))
	if u.boxes[to] != nil {
		return no("[ALREADYEXISTS] there is a mailbox of that name")
	}
	if b.use != "" || strings.HasPrefix(to, b.name+delimiter) && b.name != "INBOX" {
		return no("[CANNOT] this mailbox cannot be renamed to that")
	}
	made := s.create(u, to, "") // and what is above it
	if b.name == "INBOX" {
		msgs := append([]*message(nil), b.msgs...)
		for _, m := range msgs {
			made.add(m.content, m.flags)
		}
		b.remove(msgs...)
		return nil
	}
	from := b.name
	for _, old := range u.names() {
		if rest, ok := strings.CutPrefix(old, from); ok && (rest == "" || strings.HasPrefix(rest, delimiter)) {
			moved := u.boxes[old]
			delete(u.boxes, old)
			moved.name = to + rest
			u.boxes[moved.name] = moved
		}
	}
	return nil
}

func (u *user) hasChildren(name string) bool {
	for n := range u.boxes {
		if strings.HasPrefix(n, name+delimiter) {
			return true
		}
	}
	return false
}

// join gives a message its thread: that of the message it answers, or its own.
// RFC 8474 section 5.2.
func (u *user) join(c *content) {
	c.thread = c.id
	id := firstWord(c.field("Message-ID"))
	refs := append(strings.Fields(c.field("References")), firstWord(c.field("In-Reply-To")))
	for _, ref := range refs {
		if t := u.threads[ref]; t != 0 && ref != "" {
			c.thread = t
			break
		}
	}
	if t := u.threads[id]; t != 0 && c.thread == c.id {
		c.thread = t // another copy of the same
	}
	if id != "" {
		u.threads[id] = c.thread
	}
}

func firstWord(s string) string {
	if f := strings.Fields(s); len(f) > 0 {
		return f[0]
	}
	return ""
}

// match tells whether a name matches a pattern of LIST. RFC 9051 section
// 6.3.9. at[i] says that what was read of the name fits pattern[:i].
func match(pattern, name string) bool {
	wild := func(c byte) bool { return c == '*' || c == '%' }
	skip := func(at []bool) []bool { // a wildcard may stand for nothing
		for i := range len(pattern) {
			at[i+1] = at[i+1] || at[i] && wild(pattern[i])
		}
		return at
	}
	at := make([]bool, len(pattern)+1)
	at[0] = true
	at = skip(at)
	for _, c := range []byte(name) {
		next := make([]bool, len(at))
		for i := range len(pattern) {
			switch p := pattern[i]; {
			case !at[i]:
			case p == '*', p == '%' && string(c) != delimiter:
				next[i] = true
			case p == c && !wild(p):
				next[i+1] = true
			}
		}
		at = skip(next)
	}
	return at[len(pattern)]
}

// names7 is the base64 of modified UTF-7. RFC 3501 section 5.1.3.
var names7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

var errName = errors.New("not modified UTF-7")

func encodeName(s string) string {
	var out strings.Builder
	var run []rune
	flush := func() {
		if len(run) > 0 {
			var octets []byte
			for _, u := range utf16.Encode(run) {
				octets = append(octets, byte(u>>8), byte(u))
			}
			out.WriteString("&" + names7.EncodeToString(octets) + "-")
			run = nil
		}
	}
	for _, r := range s {
		if r < ' ' || r > '~' {
			run = append(run, r)
			continue
		}
		flush()
		if out.WriteRune(r); r == '&' {
			out.WriteByte('-')
		}
	}
	flush()
	return out.String()
}

func decodeName(s string) (string, error) {
	if strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) {
		return "", errName
	}
	var out strings.Builder
	for {
		before, after, shifted := strings.Cut(s, "&")
		out.WriteString(before)
		if !shifted {
			break
		}
		coded, rest, ended := strings.Cut(after, "-")
		if !ended {
			return "", errName
		}
		s = rest
		if coded == "" {
			out.WriteByte('&')
			continue
		}
		octets, err := names7.DecodeString(coded)
		if err != nil || len(octets)%2 != 0 {
			return "", errName
		}
		units := make([]uint16, len(octets)/2)
		for i := range units {
			units[i] = uint16(octets[2*i])<<8 | uint16(octets[2*i+1])
		}
		out.WriteString(string(utf16.Decode(units)))
	}
	if name := out.String(); utf8.ValidString(name) && !strings.ContainsRune(name, utf8.RuneError) {
		return name, nil
	}
	return "", errName
}
