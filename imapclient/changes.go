package imapclient

import (
	"context"
	"errors"
)

// Cursor is how far a mailbox has been followed. The zero value is not at all.
type Cursor struct {
	UIDValidity   uint32
	UIDNext       uint32 // every message below it is known, or gone
	HighestModSeq uint64 // 0: the server has no CONDSTORE here
}

// Changes is what has happened in a mailbox since a [Cursor].
type Changes struct {
	Mailbox *Mailbox

	// New are the messages that were not there.
	New []Summary

	// Newest is the newest of the known messages, if new ones were asked for. It
	// costs nothing but its row, and a server that was restored from a backup, and
	// has given UIDs once more, shows in it that it is another message.
	Newest Summary

	// Changed are known messages whose flags are others now; where the server
	// cannot tell (Partial), or is not believed, all that are known. Only UID and
	// Flags are set; but where the mailbox was listed as a whole, everything is.
	// Size is -1 if it is not.
	Changed []Summary

	// Vanished are the known messages that are gone.
	Vanished Set

	// Partial says that the server has no CONDSTORE.
	Partial bool

	// Cursor is what to go on from next time.
	Cursor Cursor
}

// ErrRenumbered: the mailbox has another UIDVALIDITY than before. UIDs from
// before name nothing (RFC 9051 section 2.3.1.1).
var ErrRenumbered = errors.New("the mailbox has been renumbered")

// Changes opens a mailbox for reading and tells what has happened in it since
// a cursor. known are the UIDs of the messages that were there. What it costs
// depends on the server:
//
//   - With QRESYNC (RFC 7162) one round trip, and one more if there are new
//     messages; what is sent is what has changed.
//   - With CONDSTORE one round trip if nothing has changed, else one for each of
//     new messages, flags, and (with ESEARCH in few octets) those that are gone.
//   - Without both, one round trip and some 30 octets for every known message,
//     and one more if there are new ones.
//
// ENABLE takes one more the first time in a session. With a zero cursor every
// message is new. A mailbox that has been renumbered is [ErrRenumbered]. A
// server that tells of changes which do not add up to what it says is in the
// mailbox is not believed, and asked for everything. So is one that says that
// the next UID is lower than it was: if the listing does not contradict, it was
// restored from a backup, and the cursor goes back with it.
func (c *Client) Changes(ctx context.Context, mailbox string, since Cursor, known Set) (*Changes, error) {
	return c.changesSince(ctx, mailbox, since, known, true)
}

// SelectChanges is [Client.Changes], and opens the mailbox for writing.
func (c *Client) SelectChanges(ctx context.Context, mailbox string, since Cursor, known Set) (*Changes, error) {
	return c.changesSince(ctx, mailbox, since, known, false)
}

func (c *Client) changesSince(ctx context.Context, mailbox string, since Cursor, known Set, readOnly bool) (*Changes, error) {
	end, err := c.beginNamed(ctx, mailbox)
	if err != nil {
		return nil, err
	}
	defer end()
	c.longest = maxSearchLine // all that has vanished may be in one
	f := &following{c: c, since: since, known: known}
	if err := f.open(mailbox, readOnly); err != nil {
		return nil, err
	}
	if err := f.follow(); err != nil {
		return nil, err
	}
	return f.changes(), nil
}
