package imapclient

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// ListedMailbox is a mailbox as the server lists it (RFC 9051 section 7.3.1).
type ListedMailbox struct {
	Name       string // decoded from modified UTF-7 (RFC 3501 section 5.1.3) where it is that
	Delimiter  string // between levels of the hierarchy; empty: there are none
	Attributes []string
}

// Has tells whether the mailbox has an attribute, in any case: \Noselect, or
// a special use such as \Sent (RFC 6154).
func (m ListedMailbox) Has(attribute string) bool {
	for _, a := range m.Attributes {
		if strings.EqualFold(a, attribute) {
			return true
		}
	}
	return false
}

// Mailboxes lists the mailboxes that match pattern, in which "*" stands for
// anything and "%" for anything within a level. An empty pattern is "*".
func (c *Client) Mailboxes(ctx context.Context, pattern string) ([]ListedMailbox, error) {
	if err := badArgument("the pattern", pattern); err != nil {
		return nil, err
	}
	if pattern == "" {
		pattern = "*"
	}
	end, err := c.beginIn(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var list []ListedMailbox
	err = c.engineRun("LIST", func(r *response) (bool, error) {
		if r.word() != "LIST" {
			return false, nil
		}
		m, err := r.listed()
		if err == nil && len(list) < maxMailboxes {
			list = append(list, m)
		}
		return true, err
	}, func(e *goimap.Client) error {
		return e.List("", pattern, &imap.ListOptions{}).Close()
	})
	return list, err
}

// listed reads what follows LIST.
func (r *response) listed() (m ListedMailbox, err error) {
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
	name, _, err := r.str() // a mailbox may be called NIL
	if err != nil {
		return m, err
	}
	m.Name = decodeName(string(name))
	return m, nil
}

// decodeName decodes modified UTF-7. A name that is something else, such as
// UTF-8 or a bare "&", stays as it is.
func decodeName(s string) string {
	if strings.IndexByte(s, '&') < 0 {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	var b strings.Builder
	for rest := s; ; {
		before, after, shifted := strings.Cut(rest, "&")
		b.WriteString(before)
		if !shifted {
			return strings.ToValidUTF8(b.String(), "\ufffd")
		}
		encoded, tail, ended := strings.Cut(after, "-")
		if !ended {
			return strings.ToValidUTF8(s, "\ufffd")
		}
		text, err := decodeShifted(encoded)
		if err != nil {
			return strings.ToValidUTF8(s, "\ufffd")
		}
		b.WriteString(text)
		rest = tail
	}
}

var base64Names = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding).Strict()

var errName = errors.New("not modified UTF-7")

// decodeShifted decodes what stands between "&" and "-".
func decodeShifted(s string) (string, error) {
	if s == "" {
		return "&", nil
	}
	octets, err := base64Names.DecodeString(s)
	if err != nil || len(octets)%2 != 0 {
		return "", errName
	}
	units := make([]uint16, len(octets)/2)
	for i := range units {
		units[i] = uint16(octets[2*i])<<8 | uint16(octets[2*i+1])
	}
	text := string(utf16.Decode(units))
	if strings.ContainsRune(text, utf8.RuneError) || strings.ContainsAny(text, "\r\n\x00") {
		return "", errName
	}
	return text, nil
}
