package imapclient

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
)

// StatusItem is something that a server tells of a mailbox without opening it,
// or several of them, joined with "|". 0 stands for all that the server has but
// StatusMailboxID.
type StatusItem uint16

// What a server tells of a mailbox. RFC 9051 section 6.3.11.
const (
	StatusMessages StatusItem = 1 << iota
	StatusUIDNext
	StatusUIDValidity
	StatusUnseen
	StatusDeleted       // IMAP4rev2, or QUOTA=RES-MESSAGE (RFC 9208)
	StatusSize          // STATUS=SIZE (RFC 8438)
	StatusHighestModSeq // CONDSTORE (RFC 7162)
	StatusAppendLimit   // APPENDLIMIT (RFC 7889)
	StatusMailboxID     // OBJECTID (RFC 8474)

	statusRest = StatusMailboxID - 1
)

// statusItems are their names, in the order of the bits.
var statusItems = [...]string{"MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE", "HIGHESTMODSEQ", "APPENDLIMIT", "MAILBOXID"}

// Status is what a server tells of a mailbox.
type Status struct {
	Name string // as the server writes it

	// Told are the items below that the server told. The others are zero.
	Told StatusItem

	Messages      uint32
	UIDNext       uint32
	UIDValidity   uint32
	Unseen        uint32 // messages without \Seen
	Deleted       uint32 // messages with \Deleted
	Size          int64  // octets of all messages
	HighestModSeq uint64 // 0: the mailbox has no mod-sequences
	AppendLimit   int64  // octets of the largest message that it takes, -1 for no limit
	MailboxID     string // outlasts a new name
}

// Status asks for the state of a mailbox without opening it. Items that the
// server does not offer are not asked for, and servers leave out others:
// Status.Told says what came. It is not for the mailbox that is open, of which
// [Client.Noop] tells (RFC 9051 section 6.3.11).
func (c *Client) Status(ctx context.Context, name string, items StatusItem) (*Status, error) {
	end, err := c.beginNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return nil, err
	}
	tags, err := c.askStatus(name, items)
	if err != nil {
		return nil, err
	}
	var list listing
	if err := c.awaitStatus(tags, &list); err != nil {
		return nil, err
	}
	if s := list.status(name); s != nil {
		return s, nil
	}
	for _, s := range list.statuses {
		if len(list.statuses) == 1 { // the server writes the name otherwise
			return s, nil
		}
	}
	return nil, errors.New("imap: STATUS: the server says nothing of the mailbox")
}

// askStatus sends the STATUS commands for some items. go-imap does not have all
// of them.
func (c *Client) askStatus(name string, items StatusItem) (tags []string, err error) {
	// QUIRK: Cyrus 3.6.1 answers MAILBOXID with octets from anywhere in its
	// memory unless it is asked for alone.
	lists := []string{c.statusList(items & statusRest), "(MAILBOXID)"}
	switch {
	case items&StatusMailboxID == 0 || !c.offers("OBJECTID"):
		lists = lists[:1]
	case items == StatusMailboxID:
		lists = lists[1:]
	}
	for _, list := range lists {
		tag, err := c.send("STATUS", c.mailbox(name)+" "+list)
		if err != nil {
			return nil, err
		}
		tags = append(tags, tag)
	}
	return tags, nil
}

// awaitStatus waits for the ends of STATUS commands. It returns the first
// [*Error] among them, when all have ended.
func (c *Client) awaitStatus(tags []string, list *listing) error {
	c.waiter = list.wait("LIST")
	defer func() { c.waiter = nil }()
	var first error
	for _, tag := range tags {
		err := c.await(tag, "STATUS")
		if c.conn.Err() != nil {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// statusList returns the items that the server has, in parentheses, without
// MAILBOXID.
func (c *Client) statusList(items StatusItem) string {
	if items&statusRest == 0 {
		items = statusRest
	}
	offered := StatusMessages | StatusUIDNext | StatusUIDValidity | StatusUnseen
	for _, o := range []struct {
		item      StatusItem
		extension string
	}{
		{StatusDeleted, "IMAP4REV2"},
		{StatusDeleted, "QUOTA=RES-MESSAGE"},
		{StatusSize, "STATUS=SIZE"},
		{StatusHighestModSeq, "CONDSTORE"},
		{StatusAppendLimit, "APPENDLIMIT"},
	} {
		if c.offers(o.extension) {
			offered |= o.item
		}
	}
	if items&offered == 0 {
		items = StatusMessages // RFC 9051 section 9 wants one
	}
	var names []string
	for i, name := range statusItems {
		if items&offered&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return "(" + strings.Join(names, " ") + ")"
}

// status finds what was told of a mailbox.
func (l *listing) status(name string) *Status {
	if s := l.statuses[name]; s != nil {
		return s
	}
	for told, s := range l.statuses {
		if sameName(told, name) {
			return s
		}
	}
	return nil
}

// readStatus reads what follows STATUS.
func (l *listing) readStatus(r *response) error {
	wire, err := r.statusName()
	if err != nil {
		return err
	}
	name := r.c.readName(wire)
	s := l.statuses[name]
	if s == nil {
		if l.statuses == nil {
			l.statuses = make(map[string]*Status)
		}
		s = &Status{Name: name}
		l.statuses[name] = s
	}
	r.space()
	if !r.take('(') {
		return errSyntax
	}
	for {
		r.space()
		if r.take(')') {
			r.c.noteStatus(s)
			return nil
		}
		item := r.word()
		if item == "" {
			return errSyntax
		}
		if err := s.item(r, item); err != nil {
			return err
		}
	}
}

// statusName reads the name in a STATUS, which may be unquoted although it has
// spaces, as in a LIST.
func (r *response) statusName() ([]byte, error) {
	if r.peek() == '"' || r.atLiteral() {
		name, _, err := r.str()
		return name, err
	}
	for i := r.pos; ; i++ {
		k := bytes.Index(r.line[i:], []byte(" ("))
		if k < 0 {
			return nil, errSyntax
		}
		i += k
		item, _, _ := bytes.Cut(r.line[i+2:], []byte(" "))
		if len(item) == 0 || item[0] != ')' && !slices.Contains(statusItems[:], strings.ToUpper(string(item))) {
			continue
		}
		name := r.line[r.pos:i]
		r.pos = i
		return name, nil
	}
}

// item reads the value of an item. What is no such value is passed over: the
// item is not told.
func (s *Status) item(r *response, name string) error {
	if name == "MAILBOXID" {
		id, err := r.objectID()
		if s.MailboxID = id; id != "" {
			s.Told |= StatusMailboxID
		}
		return err
	}
	if r.peek() == '(' {
		return r.skip()
	}
	value, isNil, err := r.str()
	if err != nil {
		return err
	}
	if name == "APPENDLIMIT" && isNil { // RFC 7889 section 3
		s.AppendLimit = -1
		s.Told |= StatusAppendLimit
		return nil
	}
	bits := 32
	if name == "SIZE" || name == "HIGHESTMODSEQ" || name == "APPENDLIMIT" {
		bits = 63
	}
	n, err := parseUint(value, bits)
	if err != nil {
		return nil
	}
	switch name {
	case "MESSAGES":
		s.Messages = uint32(n)
	case "UIDNEXT":
		s.UIDNext = uint32(n)
	case "UIDVALIDITY":
		s.UIDValidity = uint32(n)
	case "UNSEEN":
		s.Unseen = uint32(n)
	case "DELETED":
		s.Deleted = uint32(n)
	case "SIZE":
		s.Size = int64(n)
	case "HIGHESTMODSEQ":
		s.HighestModSeq = n
	case "APPENDLIMIT":
		s.AppendLimit = int64(n)
	}
	for i, known := range statusItems {
		if known == name {
			s.Told |= 1 << i
		}
	}
	return nil
}
