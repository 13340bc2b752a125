package imapclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"
)

// FlagOp is how [Client.SetFlags] changes flags.
type FlagOp int

// The ways to change flags (RFC 9051 section 6.4.6).
const (
	AddFlags FlagOp = iota
	RemoveFlags
	ReplaceFlags
)

// SetFlags changes the flags of messages. UIDs that are gone are passed over.
// A flag that is none, such as one with a space, is an error and nothing is
// sent.
func (c *Client) SetFlags(ctx context.Context, op FlagOp, flags []string, uids ...uint32) error {
	change, err := flagChange(op, flags)
	if err != nil || change == nil {
		return err
	}
	end, err := c.beginSelected(ctx)
	if err != nil {
		return err
	}
	defer end()
	return c.inParts(UIDs(uids...), func(part Set) error { return c.store(part, change) })
}

// inParts gives a command for each part of a set that fits into a line. What is
// refused for one is asked for the next all the same; the error is the first.
func (c *Client) inParts(set Set, do func(part Set) error) (refused error) {
	for _, part := range set.split() {
		err := do(part)
		if err != nil && (c.conn.Err() != nil || !errors.As(err, new(*Error))) {
			return err
		}
		if refused == nil {
			refused = err
		}
	}
	return refused
}

// SetFlagsUnlessChanged is SetFlags for the messages whose mod-sequence is not
// above since, and returns the others, which another client has changed
// meanwhile; with an error, as far as is known. Mod-sequences are told by [Client.Select] and [Client.Status]. A
// server without CONDSTORE is [errors.ErrUnsupported] and nothing is sent. RFC
// 7162 section 3.1.3.
func (c *Client) SetFlagsUnlessChanged(ctx context.Context, since uint64, op FlagOp, flags []string, set Set) (changed Set, err error) {
	change, err := flagChange(op, flags)
	switch {
	case err != nil || change == nil:
		return Set{}, err
	case since == 0 || since >= 1<<63:
		return Set{}, fmt.Errorf("imap: %d is no mod-sequence", since)
	}
	end, err := c.beginSelected(ctx)
	if err != nil {
		return Set{}, err
	}
	defer end()
	if err := c.needs("CONDSTORE", "STORE"); err != nil {
		return Set{}, err
	}
	for _, part := range set.split() {
		err := c.engineRun("UID STORE", nil, func(e *goimap.Client) error {
			return e.Store(part.uidSet(), change, &imap.StoreOptions{UnchangedSince: since}).Close()
		})
		// NO [MODIFIED] says that others of the messages are gone.
		var refused *Error
		if err != nil && !(errors.As(err, &refused) && refused.Code == "MODIFIED") {
			return changed, err
		}
		if c.code != "MODIFIED" {
			continue
		}
		some, err := parseSet(c.codeArgs)
		if err != nil {
			return changed, malformed("UID STORE")
		}
		changed = normal(append(changed.ranges, some.both(part).ranges...))
	}
	return changed, nil
}

// flagChange returns a change as go-imap has it, nil for one that changes
// nothing.
func flagChange(op FlagOp, flags []string) (*imap.StoreFlags, error) {
	store := &imap.StoreFlags{Silent: true}
	switch op {
	case AddFlags:
		store.Op = imap.StoreFlagsAdd
	case RemoveFlags:
		store.Op = imap.StoreFlagsDel
	case ReplaceFlags:
		store.Op = imap.StoreFlagsSet
	default:
		return nil, fmt.Errorf("imap: no flag operation %d", op)
	}
	for _, f := range flags {
		if !isFlag([]byte(f)) || f == `\*` {
			return nil, fmt.Errorf("imap: %q is not a flag", f)
		}
		store.Flags = append(store.Flags, imap.Flag(f))
	}
	if len(flags) == 0 && op != ReplaceFlags {
		return nil, nil
	}
	return store, nil
}

func (c *Client) store(set Set, change *imap.StoreFlags) error {
	for _, part := range set.split() {
		err := c.engineRun("UID STORE", nil, func(e *goimap.Client) error {
			return e.Store(part.uidSet(), change, nil).Close()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Expunge removes the messages named by uids that have the flag \Deleted, and
// no others. A server that cannot do that (it has neither UIDPLUS nor
// IMAP4rev2) gets no command at all, and the error is
// [errors.ErrUnsupported]; see [Client.ExpungeEmulated]. RFC 4315 section 2.1.
func (c *Client) Expunge(ctx context.Context, uids ...uint32) error {
	end, err := c.beginSelected(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := c.needs("UIDPLUS", "UID EXPUNGE"); err != nil {
		return err
	}
	return c.inParts(UIDs(uids...), c.expunge)
}

func (c *Client) expunge(set Set) error {
	for _, part := range set.split() {
		err := c.engineRun("UID EXPUNGE", nil, func(e *goimap.Client) error {
			return e.UIDExpunge(part.uidSet()).Close()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ExpungeEmulated is Expunge for servers that cannot do that. Of the messages
// that others have marked it takes the flag \Deleted away, lets the server
// expunge what is marked, and gives the flag back. It is not safe: a message
// that another client marks just then is removed with the rest, and if the
// connection breaks, those that were marked before may not be any more. Where
// the server has UIDPLUS it is Expunge.
func (c *Client) ExpungeEmulated(ctx context.Context, uids ...uint32) error {
	end, err := c.beginSelected(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return err
	}
	return c.expungeEmulated(UIDs(uids...))
}

func (c *Client) expungeEmulated(set Set) error {
	if c.offers("UIDPLUS") {
		return c.expunge(set)
	}
	c.longest = maxSearchLine
	found, err := c.search(&Query{Flags: []string{`\Deleted`}}, new(SearchOptions))
	if err != nil {
		return err
	}
	if len(found.UIDs.both(set).ranges) == 0 {
		return nil
	}
	others := found.UIDs.without(set)
	change := &imap.StoreFlags{Op: imap.StoreFlagsDel, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	err = c.store(others, change)
	if err == nil {
		err = c.engineRun("EXPUNGE", nil, func(e *goimap.Client) error { return e.Expunge().Close() })
	}
	change.Op = imap.StoreFlagsAdd
	return errors.Join(err, c.store(others, change))
}
