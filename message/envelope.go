package message

import (
	"io"
	"strings"
	"time"
)

// Envelope is what a listing shows of a message. What is missing or cannot be
// understood is empty.
type Envelope struct {
	From, Sender, ReplyTo []Address
	To, Cc, Bcc           []Address
	Subject               string

	// Date is when the author says that the message was written, in the
	// author's time zone; UTC where none is given.
	Date time.Time

	// MessageID, InReplyTo and References are message identifiers without
	// their angle brackets.
	MessageID  string
	InReplyTo  []string
	References []string
}

// Address is a person or a list to write to. Members of a group are addresses
// like others; the group's name is left out.
type Address struct {
	Name    string // may be empty
	Address string // "user@host", or what there is instead; may be empty
}

// String returns the address for people to read: Name <user@host>.
func (a Address) String() string {
	switch {
	case a.Name == "":
		return a.Address
	case a.Address == "":
		return a.Name
	}
	return a.Name + " <" + a.Address + ">"
}

// ReadEnvelope reads the envelope from r, which begins with a header section
// (RFC 5322 section 2.2). It may read some of what follows, and reads no more
// than 1 MiB: fields beyond do not count. An error is one of reading from r;
// that r ends early is none.
func ReadEnvelope(r io.Reader) (*Envelope, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	e := h.envelope()
	return &e, nil
}

func (h header) envelope() Envelope {
	d := decoder{fallback: h.charset()}
	return Envelope{
		From:       d.addresses(h["from"]),
		Sender:     d.addresses(h["sender"]),
		ReplyTo:    d.addresses(h["reply-to"]),
		To:         d.addresses(h["to"]),
		Cc:         d.addresses(h["cc"]),
		Bcc:        d.addresses(h["bcc"]),
		Subject:    d.text(h.first("subject")),
		Date:       parseDate(h.first("date")),
		MessageID:  first(d.identifiers(h.first("message-id"))),
		InReplyTo:  d.identifiers(h.first("in-reply-to")),
		References: d.identifiers(strings.Join(h["references"], " ")),
	}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
