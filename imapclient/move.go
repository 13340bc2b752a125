package imapclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
)

// MoveOptions are for servers that cannot move. The zero value, and nil, are
// safe.
type MoveOptions struct {
	// EmulateExpunge moves even where the server has neither MOVE nor UIDPLUS,
	// with the risks of [Client.ExpungeEmulated].
	EmulateExpunge bool
}

// Move moves messages of the open mailbox to another (RFC 6851). UIDs that are
// gone are passed over.
//
// Without MOVE it copies; when the server has agreed to that, it marks with
// \Deleted what was copied, and expunges just that. If that ends early there are
// copies in both mailboxes, but none is lost. A server that has neither MOVE nor
// UIDPLUS gets no command at all, and the error is [errors.ErrUnsupported],
// unless the options say otherwise.
//
// Sets of more than 8000 octets are moved in parts, and an error may come after
// some were moved, or copied; Copied tells where these copies are. A mailbox that
// does not exist is [ErrNoMailbox].
func (c *Client) Move(ctx context.Context, set Set, mailbox string, o *MoveOptions) (Copied, error) {
	if o == nil {
		o = new(MoveOptions)
	}
	if err := checkName("the mailbox name", mailbox); err != nil {
		return Copied{}, err
	}
	end, err := c.beginSelected(ctx)
	if err != nil {
		return Copied{}, err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return Copied{}, err
	}
	if c.box.ReadOnly { // a server without MOVE would copy
		return Copied{}, errors.New("imap: MOVE: the mailbox is open for reading only")
	}
	move := c.move
	if !c.offers("MOVE") {
		if !c.offers("UIDPLUS") && !o.EmulateExpunge {
			return Copied{}, fmt.Errorf("imap: MOVE: the server has neither MOVE nor UIDPLUS: %w", errors.ErrUnsupported)
		}
		move = c.copyAndExpunge
		if set, err = c.present(set); err != nil {
			return Copied{}, err
		}
	}
	var all Copied
	for _, part := range set.split() {
		some, err := move(part, mailbox)
		all.add(some)
		if err != nil {
			return all.sorted(), err
		}
	}
	return all.sorted(), nil
}

// move is UID MOVE. go-imap's would, if it did not know of MOVE, lose messages
// that it could not copy.
func (c *Client) move(set Set, mailbox string) (Copied, error) {
	var told Copied
	err := c.run("UID MOVE", set.String()+" "+c.mailbox(mailbox), func(r *response) (bool, error) {
		// RFC 6851 section 4.3: it comes before the first EXPUNGE.
		// QUIRK: Exchange leaves the OK out.
		if word := r.word(); word != "OK" && word != "[COPYUID" {
			return false, nil
		} else if word != "OK" {
			r.pos = 2
		}
		code, args, _ := splitCode(r.rest())
		if code != "COPYUID" {
			return false, nil
		}
		told.add(parseCopied(args))
		return true, r.kept(nil)
	})
	if err == nil && c.code == "COPYUID" {
		told.add(parseCopied(c.codeArgs))
	}
	return told, err
}

// copyAndExpunge moves messages that are there.
func (c *Client) copyAndExpunge(set Set, mailbox string) (Copied, error) {
	copied, err := c.copy(set, mailbox)
	if err != nil {
		return Copied{}, err
	}
	if copied.UIDValidity != 0 {
		set = set.both(copied.Sources())
	}
	marked := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := c.store(set, marked); err != nil {
		return copied, err
	}
	return copied, c.expungeEmulated(set)
}

// present returns the messages of a set that are there. Those below the first
// UID that was free when the mailbox was opened are left as they are: if they
// are gone, no others come in their place. But a message that arrives after a
// copy must not be expunged as if it had been copied.
func (c *Client) present(set Set) (Set, error) {
	if n := len(set.ranges); n == 0 || set.ranges[n-1].last < c.box.UIDNext {
		return set, nil
	}
	c.longest = maxSearchLine
	found, err := c.search(&Query{UIDs: &set}, new(SearchOptions))
	if err != nil {
		return Set{}, err
	}
	return found.UIDs, nil
}
