package imapclient

import (
	"bytes"
	"context"
	"strings"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// ListedMailbox is a mailbox as the server lists it (RFC 9051 section 7.3.1).
type ListedMailbox struct {
	Name       string // decoded from modified UTF-7 (RFC 3501 section 5.1.3) where it is that
	Delimiter  string // between levels of the hierarchy; empty: there are none
	Attributes []string
	Status     *Status // nil unless [ListOptions] asked for it and the server told
}

// Has tells whether the mailbox has an attribute, in any case: \Noselect,
// \HasChildren, \Subscribed, or a special use such as \Sent (RFC 6154).
func (m ListedMailbox) Has(attribute string) bool {
	for _, a := range m.Attributes {
		if strings.EqualFold(a, attribute) {
			return true
		}
	}
	return false
}

// Mailboxes lists the mailboxes that match pattern, in which "*" stands for
// anything and "%" for anything within a level. An empty pattern is "*". It is
// [Client.List] without options.
func (c *Client) Mailboxes(ctx context.Context, pattern string) ([]ListedMailbox, error) {
	pattern, end, err := c.beginListing(ctx, pattern)
	if err != nil {
		return nil, err
	}
	defer end()
	return c.plainList(pattern)
}

// beginListing is beginIn for a method that lists what matches a pattern.
func (c *Client) beginListing(ctx context.Context, pattern string) (_ string, end func(), err error) {
	if pattern == "" {
		pattern = "*"
	}
	if err := checkName("the pattern", pattern); err != nil {
		return "", nil, err
	}
	end, err = c.beginIn(ctx)
	return pattern, end, err
}

// plainList is LIST as every server has it.
func (c *Client) plainList(pattern string) ([]ListedMailbox, error) {
	var list listing
	err := c.engineRun("LIST", list.wait("LIST"), func(e *goimap.Client) error {
		return e.List("", c.engineName(pattern), &imap.ListOptions{}).Close()
	})
	if err != nil {
		return nil, err
	}
	return list.mailboxes, nil
}

// listing is what a server lists.
type listing struct {
	wires     map[string]string // by name: how the server writes it
	mailboxes []ListedMailbox
	statuses  map[string]*Status // by name
}

// wait returns the waiter of a LIST or LSUB.
func (l *listing) wait(command string) waiter {
	return func(r *response) (bool, error) {
		switch r.word() {
		case command:
			m, err := r.listed(func(wire []byte) string { return l.name(r.c, wire) })
			if err == nil && len(l.mailboxes) < maxMailboxes {
				l.mailboxes = append(l.mailboxes, m)
			}
			return true, r.kept(err)
		case "STATUS":
			return true, r.kept(l.readStatus(r))
		}
		return false, nil
	}
}

// listed reads what follows LIST. read reads the name.
func (r *response) listed(read func(wire []byte) string) (m ListedMailbox, err error) {
	if m.Attributes, err = r.flagList(); err != nil {
		return m, err
	}
	r.space()
	delimiter, isNil, err := r.str()
	if err != nil {
		return m, err
	}
	if !isNil {
		m.Delimiter = string(delimiter)
	}
	r.space()
	name, err := r.listedName()
	if err != nil {
		return m, err
	}
	m.Name = read(name)
	return m, nil
}

// listedName reads the name at the end of a LIST, which extended data may
// follow (RFC 5258 section 6). It may be NIL.
func (r *response) listedName() ([]byte, error) {
	start := r.pos
	quoted := r.peek() == '"'
	if quoted || r.atLiteral() {
		name, _, err := r.str()
		if err != nil || !quoted || r.peek() == 0 || r.peek() == ' ' {
			return name, err
		}
		// QUIRK: GreenMail sent "ab"cd"; RFC 9051 section 4.3 says "ab\"cd".
		return r.line[start+1 : max(start+1, bytes.LastIndexByte(r.line, '"'))], nil
	}
	// QUIRK: Domino sends names with spaces as they are; RFC 9051 section 9
	// says that they are quoted.
	name := r.rest()
	for _, extended := range []string{` ("`, ` (CHILDINFO `, ` (OLDNAME `} {
		name, _, _ = bytes.Cut(name, []byte(extended))
	}
	r.pos += len(name)
	if name = bytes.TrimRight(name, " "); len(name) == 0 {
		return nil, errSyntax
	}
	return name, nil
}
