package fakemail

import (
	"slices"
	"strings"
)

// listing is a LIST that was asked for. RFC 5258.
type listing struct {
	patterns   []string
	subscribed bool     // only those
	special    bool     // only those with a special use
	status     []string // to be told with each. RFC 5819
	tell       map[string]bool
}

// list answers LIST. RFC 9051 section 6.3.9.
func (s *session) list(a *args) error {
	l := listing{tell: make(map[string]bool)}
	extended := s.srv.has["LIST-EXTENDED"]
	if extended && a.peek() == '(' {
		a.list(func() {
			switch o := a.atom(); o {
			case "SUBSCRIBED":
				l.subscribed, l.tell[o] = true, true
			case "SPECIAL-USE":
				l.special = s.srv.has[o]
			case "RECURSIVEMATCH", "REMOTE":
			default:
				a.fail("no selection option %q here", o)
			}
		})
		a.space()
	}
	l.names(a, extended)
	if extended && a.take(' ') {
		if a.atom() != "RETURN" {
			a.fail("RETURN is expected")
		}
		a.space()
		a.list(func() {
			switch o := a.atom(); {
			case o == "STATUS" && s.srv.has["LIST-STATUS"]:
				a.space()
				l.status = s.statusItems(a)
			case o == "SUBSCRIBED", o == "CHILDREN", o == "SPECIAL-USE":
				l.tell[o] = true
			default:
				a.fail("no return option %q here", o)
			}
		})
	}
	if err := a.done(); err != nil {
		return err
	}
	if slices.Equal(l.patterns, []string{""}) { // what is the delimiter?
		s.line(`* LIST (\Noselect) "/" ""`)
		return nil
	}
	s.store.mu.Lock()
	out := l.lines(s)
	s.store.mu.Unlock()
	s.w.Write(out)
	return nil
}

// names reads the reference and the patterns.
func (l *listing) names(a *args, several bool) {
	reference := a.mailbox()
	a.space()
	one := func() { l.patterns = append(l.patterns, a.pattern()) }
	if several && a.peek() == '(' {
		a.list(one)
	} else {
		one()
	}
	for i, p := range l.patterns {
		if p != "" {
			l.patterns[i] = reference + p
		}
	}
}

func (l *listing) matches(name string) bool {
	for _, p := range l.patterns {
		if match(p, name) || name == "INBOX" && match(strings.ToUpper(p), name) {
			return true
		}
	}
	return false
}

// lines returns the answers. The store's lock is held.
func (l *listing) lines(s *session) (out lines) {
	names := s.user.names()
	if l.subscribed {
		names = names[:0]
		for name := range s.user.subscribed {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	for _, name := range names {
		b := s.user.boxes[name]
		if !l.matches(name) || l.special && (b == nil || b.use == "") {
			continue
		}
		attributes := []string{`\NonExistent`}
		if b != nil {
			attributes = s.attributes(b)
		}
		if l.tell["SUBSCRIBED"] && s.user.subscribed[name] {
			attributes = append(attributes, `\Subscribed`)
		}
		out.add(`* LIST (%s) "/" %s`, strings.Join(attributes, " "), s.name(name))
		if l.status != nil && b != nil && !b.noselect {
			out.add("* STATUS %s (%s)", s.name(name), strings.Join(b.status(l.status), " "))
		}
	}
	return out
}

// attributes returns what is to be said of a mailbox. RFC 9051 section 7.3.1.
func (s *session) attributes(b *box) []string {
	var list []string
	if b.noselect {
		list = append(list, `\Noselect`)
	}
	if s.srv.has["CHILDREN"] {
		if b.user.hasChildren(b.name) {
			list = append(list, `\HasChildren`)
		} else {
			list = append(list, `\HasNoChildren`)
		}
	}
	if b.use != "" && s.srv.has["SPECIAL-USE"] {
		list = append(list, b.use)
	}
	return list
}

// lsub answers LSUB. RFC 3501 section 6.3.9.
func (s *session) lsub(a *args) error {
	var l listing
	l.names(a, false)
	if err := a.done(); err != nil {
		return err
	}
	s.store.mu.Lock()
	var out lines
	for _, name := range s.user.names() {
		if s.user.subscribed[name] && l.matches(name) {
			out.add(`* LSUB () "/" %s`, s.name(name))
		}
	}
	s.store.mu.Unlock()
	s.w.Write(out)
	return nil
}

// namespace answers NAMESPACE: all mailboxes are one's own. RFC 2342.
func (s *session) namespace(a *args) error {
	if err := a.done(); err != nil {
		return err
	}
	s.line(`* NAMESPACE (("" "/")) NIL NIL`)
	return nil
}
