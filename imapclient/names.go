package imapclient

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// checkName refuses a mailbox name, or a pattern, that cannot be sent.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("imap: %s is empty", what)
	case len(name) > maxName:
		return fmt.Errorf("imap: %s has %d octets, more than %d", what, len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Errorf("imap: %s is not UTF-8", what)
	}
	return badArgument(what, name)
}

// wireName returns a mailbox name as the server has it. own tells that go-imap
// would write it otherwise: it knows neither UTF-8 (RFC 6855 section 3) nor
// that a server has a name that is not in modified UTF-7.
func (c *Client) wireName(name string) (wire string, own bool) {
	if c.utf8() {
		return name, !isASCII(name) || strings.ContainsRune(name, '&') || hasControl(name)
	}
	if odd, ok := c.oddNames[name]; ok {
		return odd, true
	}
	return encodeName(name), hasControl(name)
}

// utf8 tells whether names and quoted strings are UTF-8: [Client.Enable], and RFC
// 9051 section 5.1 of a server that knows nothing else.
func (c *Client) utf8() bool {
	return slices.Contains(c.enabled, "UTF8=ACCEPT") || slices.Contains(c.enabled, "IMAP4REV2") || c.caps.Has("IMAP4REV2") && !c.caps.Has("IMAP4REV1")
}

// mailbox returns a mailbox name as an argument of a command of our own.
func (c *Client) mailbox(name string) string {
	wire, _ := c.wireName(name)
	return quote(wire)
}

// engineName returns what go-imap is to be given for a mailbox name, while it
// begins a command. If go-imap would write the name wrongly, it is given a
// control character instead, which no other name is, and the guard puts in the
// name.
func (c *Client) engineName(name string) string {
	wire, own := c.wireName(name)
	if !own {
		return name
	}
	g := c.engine.Load().guard
	mark := string(rune(len(g.names) + 1))
	g.names = append(g.names, ownName{written: []byte(quote(encodeName(mark))), wire: []byte(quote(wire))})
	return mark
}

// readName returns the name that a server has sent, and keeps it for
// [Client.wireName] if its form is odd.
func (c *Client) readName(wire []byte) string {
	if c.utf8() {
		return strings.ToValidUTF8(string(wire), "\ufffd")
	}
	if name, ok := c.renamed[string(wire)]; ok {
		return name
	}
	name := decodeName(string(wire))
	if encodeName(name) != string(wire) && len(c.oddNames) < maxOddNames && len(wire) <= maxName && badArgument("", string(wire)) == nil {
		if c.oddNames == nil {
			c.oddNames = make(map[string]string)
		}
		c.oddNames[name] = string(wire)
	}
	return name
}

// name returns the name of a mailbox in a listing. Two that a server writes
// otherwise are two, also if they decode to the same name, as they do where a
// client has made one in UTF-8 and another in modified UTF-7, or in two charsets
// that are neither: the second is known by what is on the wire.
func (l *listing) name(c *Client, wire []byte) string {
	name := c.readName(wire)
	first, twice := l.wires[name]
	if !twice {
		if l.wires == nil {
			l.wires = make(map[string]string)
		}
		l.wires[name] = string(wire)
		return name
	}
	if first == string(wire) || c.utf8() || len(c.renamed) >= maxOddNames || len(wire) > maxName {
		return name
	}
	other := string(wire)
	if !utf8.ValidString(other) {
		other = fromLatin1(other)
	}
	for l.wires[other] != "" || c.oddNames[other] != "" {
		other += "'"
	}
	delete(c.oddNames, name)
	if c.renamed == nil {
		c.renamed = make(map[string]string)
	}
	if c.oddNames == nil {
		c.oddNames = make(map[string]string)
	}
	if encodeName(name) != first {
		c.oddNames[name] = first
	}
	c.renamed[string(wire)], c.oddNames[other], l.wires[other] = other, string(wire), string(wire)
	return other
}

// sameName tells whether a server that was asked about a mailbox as a, and
// answers about b, means the same one: INBOX is the same in any case (RFC 9051
// section 5.1), and many servers take that to hold for what is under it.
func sameName(a, b string) bool {
	const inbox = "INBOX"
	if len(a) != len(b) || len(a) < len(inbox) {
		return a == b
	}
	n := len(inbox)
	return a[n:] == b[n:] && (a[:n] == b[:n] || strings.EqualFold(a[:n], inbox) && strings.EqualFold(b[:n], inbox))
}

// encodeName encodes a name in modified UTF-7. RFC 3501 section 5.1.3.
func encodeName(name string) string {
	var b strings.Builder
	var shifted []rune
	flush := func() {
		if len(shifted) == 0 {
			return
		}
		var octets []byte
		for _, unit := range utf16.Encode(shifted) {
			octets = append(octets, byte(unit>>8), byte(unit))
		}
		b.WriteString("&" + base64Names.EncodeToString(octets) + "-")
		shifted = shifted[:0]
	}
	for _, r := range name {
		if r < ' ' || r > '~' {
			shifted = append(shifted, r)
			continue
		}
		flush()
		if b.WriteRune(r); r == '&' {
			b.WriteByte('-')
		}
	}
	flush()
	return b.String()
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

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
