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
	store := &imap.StoreFlags{Silent: true}
	switch op {
	case AddFlags:
		store.Op = imap.StoreFlagsAdd
	case RemoveFlags:
		store.Op = imap.StoreFlagsDel
	case ReplaceFlags:
		store.Op = imap.StoreFlagsSet
	default:
		return fmt.Errorf("imap: no flag operation %d", op)
	}
	for _, f := range flags {
		if !isFlag([]byte(f)) || f == `\*` {
			return fmt.Errorf("imap: %q is not a flag", f)
		}
		store.Flags = append(store.Flags, imap.Flag(f))
	}
	if len(flags) == 0 && op != ReplaceFlags {
		return nil
	}
	end, err := c.beginSelected(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, set := range UIDs(uids...).split() {
		err := c.engineRun("UID STORE", nil, func(e *goimap.Client) error {
			return e.Store(set.uidSet(), store, nil).Close()
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
// [errors.ErrUnsupported]. RFC 4315 section 2.1.
func (c *Client) Expunge(ctx context.Context, uids ...uint32) error {
	end, err := c.beginSelected(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := c.needCapabilities(); err != nil {
		return err
	}
	if !c.caps.Has("UIDPLUS") && !c.caps.Has("IMAP4REV2") {
		return fmt.Errorf("imap: UID EXPUNGE: the server has no UIDPLUS: %w", errors.ErrUnsupported)
	}
	for _, set := range UIDs(uids...).split() {
		err := c.engineRun("UID EXPUNGE", nil, func(e *goimap.Client) error {
			return e.UIDExpunge(set.uidSet()).Close()
		})
		if err != nil {
			return err
		}
	}
	return nil
}
