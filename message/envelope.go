package message

import (
	"bytes"
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
	m, err := Read(io.LimitReader(r, maxHeader), nil)
	if err != nil {
		return nil, err
	}
	defer m.p.free()
	return m.Envelope(), nil
}

// inEnvelope are the fields that an envelope is made of.
var inEnvelope = map[string]bool{
	"from": true, "sender": true, "reply-to": true,
	"to": true, "cc": true, "bcc": true,
	"subject": true, "date": true,
	"message-id": true, "in-reply-to": true, "references": true,
}

const longestInEnvelope = len("in-reply-to")

// envelope reads the envelope out of the fields.
func (h *Header) envelope() *Envelope {
	fields := make(map[string][]string) // not decoded
	for _, f := range h.fields {
		name := bytes.TrimSpace(h.raw[f.start:f.colon])
		if len(name) > longestInEnvelope {
			continue
		}
		if key := strings.ToLower(string(name)); inEnvelope[key] {
			fields[key] = append(fields[key], unfold(h.raw[f.colon+1:f.end]))
		}
	}
	d := decoder{fallback: h.charset()}
	return &Envelope{
		From:       d.addresses(fields["from"]),
		Sender:     d.addresses(fields["sender"]),
		ReplyTo:    d.addresses(fields["reply-to"]),
		To:         d.addresses(fields["to"]),
		Cc:         d.addresses(fields["cc"]),
		Bcc:        d.addresses(fields["bcc"]),
		Subject:    d.text(first(fields["subject"])),
		Date:       parseDate(first(fields["date"])),
		MessageID:  first(d.identifiers(first(fields["message-id"]))),
		InReplyTo:  d.identifiers(first(fields["in-reply-to"])),
		References: d.identifiers(strings.Join(fields["references"], " ")),
	}
}

// first returns the first string that is not blank.
func first(list []string) string {
	for _, s := range list {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}
