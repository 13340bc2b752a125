package retrieval

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"example.com/postbag/imapclient"
)

// carries implements upstreamer.
func (s *imapSession) carries(ctx context.Context, removals bool, trash string) error {
	if err := s.writable(); err != nil && !s.dry {
		return fmt.Errorf("carrying changes to the server: %w", err)
	}
	switch {
	case !removals:
	case trash == "" && !s.Features().ExactDelete:
		return unsupported("carrying removals to a server that cannot remove single messages (no UIDPLUS)")
	case trash != "":
		return s.canMove(ctx, trash)
	}
	return nil
}

// canMove tells what there is against moving messages to a mailbox.
func (s *imapSession) canMove(ctx context.Context, mailbox string) error {
	if !s.caps.Has("MOVE") && !s.Features().ExactDelete {
		return unsupported("moving messages on a server without MOVE and UIDPLUS")
	}
	if _, err := s.c.Status(ctx, mailbox, imapclient.StatusUIDValidity); err != nil {
		return s.failure(fmt.Errorf("the mailbox %q that messages are to be moved to: %w", mailbox, err))
	}
	return nil
}

// keeps implements upstreamer. A server that does not say what it keeps keeps
// everything (RFC 9051 section 6.3.2), and so may one that has opened the mailbox
// for reading, for a dry run: it keeps nothing now.
func (s *imapSession) keeps(f Flag) bool {
	kept := s.box.PermanentFlags
	if kept == nil || len(kept) == 0 && s.box.ReadOnly {
		return true
	}
	return slices.ContainsFunc(kept, func(k string) bool {
		return strings.EqualFold(k, string(f)) || k == `\*` && !strings.HasPrefix(string(f), `\`)
	})
}

// setFlagsUnlessChanged implements upstreamer.
func (s *imapSession) setFlagsUnlessChanged(ctx context.Context, op FlagOp, flags []Flag, uids ...UID) (changed []UID, err error) {
	since := s.next.HighestModSeq
	if since == 0 || !s.caps.Has("CONDSTORE") && !s.caps.Has("QRESYNC") {
		return nil, s.SetFlags(ctx, op, flags, uids...)
	}
	wire := make([]string, 0, len(flags))
	for _, f := range flags {
		wire = append(wire, string(f))
	}
	numbers := s.numbers(uids)
	set, err := s.c.SetFlagsUnlessChanged(ctx, since, imapclient.FlagOp(op), wire, imapclient.UIDs(numbers...))
	if err != nil {
		return nil, s.failure(err)
	}
	for _, n := range numbers {
		if set.Has(n) {
			changed = append(changed, s.uid(n))
		}
	}
	return changed, nil
}
