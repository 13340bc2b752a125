package imapclient

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/postbag/message"
)

// Items are what [Client.Fetch] asks for of each message, beside its UID.
type Items struct {
	Flags     bool
	Received  bool // INTERNALDATE
	Size      bool // RFC822.SIZE
	Envelope  bool
	Structure bool // BODYSTRUCTURE

	// Fields are the names of header fields, such as "List-Id".
	Fields []string

	// The rest is [errors.ErrUnsupported] with servers that lack the extension.

	Preview   bool // the first words of the text: PREVIEW, RFC 8970
	ModSeq    bool // MODSEQ, CONDSTORE, RFC 7162
	Saved     bool // when the message came into this mailbox: SAVEDATE, RFC 8514
	ObjectIDs bool // EMAILID and THREADID: OBJECTID, RFC 8474
	Gmail     bool // X-GM-MSGID, X-GM-THRID and X-GM-LABELS: X-GM-EXT-1

	// PreviewLazy is Preview where the server need not read the message for it,
	// and an empty one elsewhere. Preview, if both are set, comes everywhere.
	PreviewLazy bool

	// Gone asks for a [MessageError] with [ErrGone] for each UID that the
	// server says nothing of. It is for sets of at most a million UIDs, not
	// for [All].
	Gone bool
}

// Info is what a server says of a message: of the [Items] those that were
// asked for. Text is decoded, valid UTF-8 and in one line.
type Info struct {
	Summary

	// Envelope has References only if Items.Fields name them.
	Envelope  *message.Envelope
	Structure *Part

	// Header holds the header fields that were asked for, as they are in the
	// message, and the empty line behind them; at most 1 MiB.
	Header []byte

	Preview  string // empty if the server could not make one, or had none made
	ModSeq   uint64
	Saved    time.Time // in UTC, zero if the server does not know
	EmailID  string
	ThreadID string // empty if the message is in no thread
	Gmail    Gmail

	// Missing names what was asked for and not told, or not so that it could
	// be understood: "ENVELOPE", "BODYSTRUCTURE".
	Missing []string
}

// Gmail is what Gmail says of a message beyond IMAP.
type Gmail struct {
	MessageID uint64
	ThreadID  uint64
	Labels    []string // without the label of the mailbox itself; system labels begin with "\\"
}

const (
	maxHeader = 1 << 20 // octets of header fields
	maxGone   = 1 << 20 // UIDs
)

// set returns the items that are asked for.
func (o *Items) set() item {
	var s item
	for _, i := range []struct {
		wanted bool
		item   item
	}{
		{o.Flags, flagsItem},
		{o.Received, receivedItem},
		{o.Size, sizeItem},
		{o.Envelope, envelopeItem},
		{o.Structure, structureItem},
		{len(o.Fields) > 0, fieldsItem},
		{o.Preview || o.PreviewLazy, previewItem},
		{o.ModSeq, modSeqItem},
		{o.Saved, savedItem},
		{o.ObjectIDs, emailItem | threadItem},
		{o.Gmail, gmailMessageItem | gmailThreadItem | labelsItem},
	} {
		if i.wanted {
			s |= i.item
		}
	}
	return s
}

// wire returns the items as they are asked for. All fields are in one
// section: QUIRK: Yahoo refuses two.
func (o *Items) wire() string {
	names := []string{"UID"}
	asked := o.set()
	for _, w := range wireItems {
		switch {
		case asked&w.item == 0:
		case w.item == fieldsItem:
			names = append(names, "BODY.PEEK[HEADER.FIELDS ("+strings.ToUpper(strings.Join(o.Fields, " "))+")]")
		case w.item == previewItem && !o.Preview:
			names = append(names, "PREVIEW (LAZY)") // RFC 8970 section 3.1
		default:
			names = append(names, w.name)
		}
	}
	return "(" + strings.Join(names, " ") + ")"
}

// check refuses what could be read as another command.
func (o *Items) check() error {
	for _, f := range o.Fields {
		if !isAtom([]byte(f)) || strings.ContainsAny(f, ":[]") {
			return fmt.Errorf("imap: %q is not the name of a header field", f)
		}
	}
	return nil
}

// supports tells what the server lacks of what the items need.
func (c *Client) supports(o *Items) error {
	asked := o.set()
	for _, w := range wireItems {
		if asked&w.item == 0 || w.capability == "" {
			continue
		}
		if err := c.needCapabilities(); err != nil {
			return err
		}
		if !c.caps.Has(w.capability) && !(w.item == modSeqItem && c.caps.Has("QRESYNC")) { // which includes it
			return fmt.Errorf("imap: UID FETCH: the server has no %s: %w", w.capability, errors.ErrUnsupported)
		}
	}
	return nil
}
