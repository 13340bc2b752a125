package imapclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Capabilities is what a server says that it can do, in upper case. The
// registry is at IANA; RFC 9051 section 6.1.1.
type Capabilities []string

// Has tells whether name is among them, in any case.
func (caps Capabilities) Has(name string) bool {
	return slices.Contains(caps, strings.ToUpper(name))
}

// Capabilities returns what the server can do in the state that the session
// is in: before and after TLS and authentication it may be different. It asks
// the server only if that has not told yet.
func (c *Client) Capabilities(ctx context.Context) (Capabilities, error) {
	end, err := c.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return nil, err
	}
	return slices.Clone(c.caps), nil
}

func (c *Client) needCapabilities() error {
	if c.caps != nil {
		return nil
	}
	if err := c.run("CAPABILITY", "", nil); err != nil {
		return err
	}
	if c.caps == nil {
		return c.conn.ProtocolError("imap: CAPABILITY: OK without an answer")
	}
	return nil
}

const maxCapabilities = 500

// parseCapabilities keeps the words that are atoms.
func parseCapabilities(args []byte) Capabilities {
	caps := Capabilities{}
	for word := range bytes.FieldsSeq(args) {
		if len(word) <= 100 && isAtom(word) && len(caps) < maxCapabilities {
			caps = append(caps, strings.ToUpper(string(word)))
		}
	}
	return caps
}

// isAtom tells whether b is an atom, as a command or a capability is. RFC 9051
// section 9; "]" is allowed there and here.
func isAtom(b []byte) bool {
	for _, ch := range b {
		if ch <= ' ' || ch >= 0x7f || strings.IndexByte(`(){%*"\`, ch) >= 0 {
			return false
		}
	}
	return len(b) > 0
}

// inRev2 are the extensions that are part of IMAP4rev2. RFC 9051 appendix E.
var inRev2 = []string{
	"ENABLE", "ESEARCH", "IDLE", "LIST-EXTENDED", "LIST-STATUS", "LITERAL-", "MOVE", "NAMESPACE",
	"SASL-IR", "SEARCHRES", "SPECIAL-USE", "STATUS=SIZE", "UIDPLUS", "UNSELECT",
}

// offers tells whether the server has an extension. The capabilities are
// known.
func (c *Client) offers(name string) bool {
	return c.caps.Has(name) || c.caps.Has("IMAP4REV2") && slices.Contains(inRev2, name) ||
		name == "CONDSTORE" && c.caps.Has("QRESYNC") // RFC 7162 section 3.2.3
}

// needs makes sure that the server has an extension before what needs it is
// sent.
func (c *Client) needs(extension, what string) error {
	if err := c.needCapabilities(); err != nil {
		return err
	}
	if !c.offers(extension) {
		return fmt.Errorf("imap: %s: the server has no %s: %w", what, extension, errors.ErrUnsupported)
	}
	return nil
}
