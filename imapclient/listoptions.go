package imapclient

import (
	"context"
	"slices"
	"strings"
)

// ListOptions says which mailboxes [Client.List] lists, and what it tells of
// them. The zero value, and nil, are all mailboxes without their status.
type ListOptions struct {
	// Pattern is what the names match: "*" stands for anything and "%" for
	// anything within a level. Empty is "*".
	Pattern string

	// Subscribed leaves out what is not subscribed to. A mailbox that is, but
	// does not exist, has the attribute \NonExistent.
	Subscribed bool

	// SpecialUse leaves out what has no special use, such as \Sent (RFC 6154).
	SpecialUse bool

	// WithStatus asks for Status of each mailbox: in the same round trip where
	// the server has LIST-STATUS (RFC 5819), else, and for StatusMailboxID, in
	// one more for every 100 mailboxes. Where the server refuses it,
	// ListedMailbox.Status is nil.
	WithStatus bool
	Status     StatusItem
}

// specialUses are the attributes of RFC 6154 section 2 and RFC 8457.
var specialUses = []string{`\All`, `\Archive`, `\Drafts`, `\Flagged`, `\Important`, `\Junk`, `\Sent`, `\Trash`}

// List lists mailboxes. Of a server with LIST-EXTENDED (RFC 5258) it also asks
// for the attributes \Subscribed, \HasChildren and special uses; others tell
// what they like. Without it, or if it does not work, Subscribed costs an LSUB
// more.
func (c *Client) List(ctx context.Context, o *ListOptions) ([]ListedMailbox, error) {
	if o == nil {
		o = new(ListOptions)
	}
	pattern, end, err := c.beginListing(ctx, o.Pattern)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return nil, err
	}
	list, err := c.anyList(pattern, o)
	if err != nil {
		return nil, err
	}
	items, ask := o.Status, o.WithStatus
	if list.statuses != nil { // it came with the list
		items &= StatusMailboxID
		ask = ask && items != 0 && c.offers("OBJECTID")
	}
	if ask {
		if err := c.addStatus(list, items); err != nil {
			return nil, err
		}
	}
	list.join()
	return list.mailboxes, nil
}

func (c *Client) anyList(pattern string, o *ListOptions) (*listing, error) {
	if !c.offers("LIST-EXTENDED") || c.listsPlainly {
		return c.oldList(pattern, o)
	}
	list, err := c.extendedList(pattern, o)
	if err == nil && len(list.mailboxes) > 0 || c.conn.Err() != nil {
		return list, err
	}
	// QUIRK: ProtonMail Bridge refused it, and Strato answers with nothing.
	// When the old command finds more, the new one is not tried again.
	list, err = c.oldList(pattern, o)
	c.listsPlainly = err == nil && len(list.mailboxes) > 0
	return list, err
}

// extendedList is LIST of RFC 5258. go-imap does not have all items of STATUS.
func (c *Client) extendedList(pattern string, o *ListOptions) (*listing, error) {
	var selection, returned []string
	if o.Subscribed {
		selection = append(selection, "SUBSCRIBED")
	}
	if c.offers("SPECIAL-USE") {
		if o.SpecialUse {
			selection = append(selection, "SPECIAL-USE")
		}
		returned = append(returned, "SPECIAL-USE")
	}
	returned = append(returned, "SUBSCRIBED", "CHILDREN")
	if o.WithStatus && c.offers("LIST-STATUS") && o.Status != StatusMailboxID {
		returned = append(returned, "STATUS "+c.statusList(o.Status))
	}
	args := `"" ` + c.mailbox(pattern) + " RETURN (" + strings.Join(returned, " ") + ")"
	if len(selection) > 0 {
		args = "(" + strings.Join(selection, " ") + ") " + args
	}
	list := new(listing)
	if err := c.run("LIST", args, list.wait("LIST")); err != nil {
		return nil, err
	}
	if o.SpecialUse {
		list.mailboxes = slices.DeleteFunc(list.mailboxes, notSpecial)
	}
	return list, nil
}

// oldList is LIST and LSUB of RFC 3501.
func (c *Client) oldList(pattern string, o *ListOptions) (*listing, error) {
	all, err := c.plainList(pattern)
	if err == nil && o.Subscribed {
		all, err = c.subscribed(pattern, all)
	}
	if err == nil && o.SpecialUse {
		all = slices.DeleteFunc(all, notSpecial)
	}
	return &listing{mailboxes: all}, err
}

// subscribed returns what is subscribed to. What LSUB says of a mailbox
// besides its name may be wrong: RFC 3501 section 6.3.9.
func (c *Client) subscribed(pattern string, all []ListedMailbox) ([]ListedMailbox, error) {
	var list listing
	if err := c.run("LSUB", `"" `+c.mailbox(pattern), list.wait("LSUB")); err != nil {
		return nil, err
	}
	byName := make(map[string]ListedMailbox, len(all))
	for _, m := range all {
		byName[m.Name] = m
	}
	result := list.mailboxes[:0]
	for _, m := range list.mailboxes {
		if strings.Contains(pattern, "%") && m.Has(`\Noselect`) {
			continue // only something below it is subscribed to
		}
		if known, ok := byName[m.Name]; ok {
			m = known
			m.Attributes = append(slices.Clip(m.Attributes), `\Subscribed`)
		} else {
			m.Attributes = []string{`\Subscribed`, `\NonExistent`}
		}
		result = append(result, m)
	}
	return result, nil
}

func notSpecial(m ListedMailbox) bool { return !slices.ContainsFunc(specialUses, m.Has) }

// addStatus asks for the status of each mailbox, a hundred at a time. What a
// server refuses to tell is not told.
func (c *Client) addStatus(list *listing, items StatusItem) error {
	const atATime = 100
	for batch := range slices.Chunk(list.mailboxes, atATime) {
		var tags []string
		for _, m := range batch {
			if m.Has(`\Noselect`) || m.Has(`\NonExistent`) || checkName("", m.Name) != nil {
				continue
			}
			more, err := c.askStatus(m.Name, items)
			if err != nil {
				return err
			}
			tags = append(tags, more...)
		}
		if err := c.awaitStatus(tags, list); err != nil && c.conn.Err() != nil {
			return err
		}
	}
	return nil
}

// join gives each mailbox the status that was told of it.
func (l *listing) join() {
	for i := range l.mailboxes {
		m := &l.mailboxes[i]
		if m.Status = l.statuses[m.Name]; m.Status == nil && strings.EqualFold(m.Name, "INBOX") {
			m.Status = l.status(m.Name)
		}
	}
}
