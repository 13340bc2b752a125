package imapclient

import (
	"slices"
	"strings"

	"example.com/postbag/message"
)

// envelope reads list i as an ENVELOPE (RFC 9051 section 7.5.2), or returns
// nil if it is none. QUIRK: QQ Mail and others leave out the last fields.
func (t *tree) envelope(i int32) *message.Envelope {
	kids := t.children(i, make([]int32, 0, 12))
	if len(kids) < 2 {
		return nil
	}
	const fields = 10
	date, subject := t.str(kids[0]), kids[1:2]
	if extra := len(kids) - fields; extra > 0 && t.leaves(kids[1:2+extra]) {
		subject = kids[1 : 2+extra] // it holds quotes that are not escaped
		kids = kids[extra:]
	}
	at := func(k int) int32 { return nth(kids, k) }
	return &message.Envelope{
		Date:      message.ParseDate(date),
		Subject:   message.DecodeText(t.joined(subject)),
		From:      t.addresses(at(2)),
		Sender:    t.addresses(at(3)),
		ReplyTo:   t.addresses(at(4)),
		To:        t.addresses(at(5)),
		Cc:        t.addresses(at(6)),
		Bcc:       t.addresses(at(7)),
		InReplyTo: message.ParseIdentifiers(t.str(at(8))),
		MessageID: first(message.ParseIdentifiers(t.str(at(9)))),
	}
}

func (t *tree) leaves(kids []int32) bool {
	return !slices.ContainsFunc(kids, t.isList)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// addresses reads a list of addresses. Those between the beginning and the
// end of a group are like others; the group's name is left out.
func (t *tree) addresses(i int32) []message.Address {
	kids := t.children(i, make([]int32, 0, 8))
	if len(kids) > 1 && t.leaves(kids) {
		kids = []int32{i} // one address, without a list around it
	}
	if t.isText(i) {
		return []message.Address{{Address: message.DecodeText(t.str(i))}}
	}
	var list []message.Address
	group := -1 // where the name of one is in list, until its end is seen
	for _, k := range kids {
		if !t.isList(k) {
			continue // QUIRK: SmarterMail puts a NIL before the addresses
		}
		a, kind := t.address(k)
		switch kind {
		case groupEnd:
			if group >= 0 {
				list = slices.Delete(list, group, group+1)
			}
			group = -1
			continue
		case groupStart:
			group = len(list)
		}
		if a != (message.Address{}) {
			list = append(list, a)
		}
	}
	return list
}

type addressKind int

const (
	mailbox    addressKind = iota
	groupStart             // or, if there is no end, a local user
	groupEnd
)

// address reads (name route mailbox host).
func (t *tree) address(i int32) (message.Address, addressKind) {
	kids := t.children(i, make([]int32, 0, 8))
	var name string
	if n := len(kids); n > 4 { // QUIRK: DavMail counts a literal in characters
		name = t.joined(kids[:n-3])
		kids = kids[n-3:]
	} else if n == 4 {
		name = t.str(kids[0])
	} else if n == 3 { // no route
		name = t.str(kids[0])
	}
	local, host := nth(kids, len(kids)-2), nth(kids, len(kids)-1)
	if len(kids) == 1 {
		local, host = kids[0], -1
	}
	if name == "" && t.isNil(host) {
		if t.isNil(local) {
			return message.Address{}, groupEnd
		}
		return message.Address{Address: spec(t.str(local), "")}, groupStart
	}
	user, domain := t.str(local), t.str(host)
	if domain == "" && strings.HasPrefix(name, "<") && strings.Contains(name, "@") {
		// QUIRK: Gmail takes the address for the name of a Sender, and the
		// name for the address.
		name, user = user, name
	}
	return message.Address{Name: displayName(name), Address: spec(user, domain)}, mailbox
}

// displayName decodes the name of an address.
func displayName(s string) string {
	s = message.DecodeText(s)
	if strings.Contains(s, "  ") {
		s = strings.Join(strings.Fields(s), " ")
	}
	if len(s) > 1 && s[0] == '"' && strings.IndexByte(s[1:], '"') == len(s)-2 {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	return s
}

// spec makes an address of its two halves. QUIRK: Exchange, Dovecot and others
// send placeholders for what is missing.
func spec(user, domain string) string {
	switch domain {
	case ".MISSING-HOST-NAME.", ".SYNTAX-ERROR.", "MISSING_DOMAIN":
		domain = ""
	}
	if user == "MISSING_MAILBOX" || user == "MISSING_MAILBOX_TERMINATOR" || user == ".MISSING-MAILBOX-NAME." || user == "INVALID_ADDRESS" {
		user = ""
	}
	user, domain = message.DecodeText(strings.TrimPrefix(user, "<")), message.DecodeText(strings.TrimSuffix(domain, ">"))
	if domain == "" {
		return strings.TrimSuffix(user, ">")
	}
	if strings.ContainsAny(user, " \"(),:;<>[\\]") {
		user = quote(user)
	}
	return user + "@" + domain
}
