package retrieval

import (
	"context"
	"errors"
)

// After is what is done with a message on an IMAP server when it is settled,
// at the end of the run. It is done once, also if that takes another run.
type After struct {
	// Flags are given to it: [FlagSeen], or a keyword.
	Flags []Flag

	// MoveTo is the mailbox that it is moved to, which must exist. It needs
	// MOVE or UIDPLUS. It is never one of [Account.Mailboxes].
	MoveTo string
}

func (a After) any() bool { return len(a.Flags) > 0 || a.MoveTo != "" }

// movesTo tells whether a mailbox is the one that messages are moved to.
func (a *Account) movesTo(mailbox string) bool {
	return a.After.MoveTo != "" && isSameMailbox(mailbox, a.After.MoveTo)
}

// checkAfter refuses, before anything is sent, what does not go together.
func (a *Account) checkAfter() error {
	_, mirror, deletes := a.policy().needs()
	switch {
	case !a.After.any():
		return nil
	case a.Protocol == POP3:
		return unsupported("account: flags and mailboxes with POP3, after delivery or ever,")
	case deletes:
		return errors.New("account: a policy that deletes leaves nothing to be done after delivery")
	case len(a.Mailboxes) == 0 && a.movesTo(a.Mailbox):
		return errors.New("account: what is moved to where it came from would be new there")
	case mirror && a.After.MoveTo != "":
		return errors.New("account: what ServerSync moves away it would discard here")
	}
	return nil
}

// canAct finds out whether what is to be done afterwards can be done, before
// anything is delivered.
func (r *run) canAct(ctx context.Context, pl *plan) error {
	s, ok := r.r.(*imapSession)
	if !ok || r.a.After.MoveTo == "" || len(pl.deliver)+len(pl.act) == 0 {
		return nil
	}
	if err := s.writable(); err != nil && !r.dry() {
		return err
	}
	return s.canMove(ctx, r.a.After.MoveTo)
}

// act carries out the account's After for settled messages, and records that
// it is done. A message that is gone needs nothing any more.
func (r *run) act(ctx context.Context, recs []Record) error {
	if len(recs) == 0 {
		return nil
	}
	uids := make([]UID, len(recs))
	for i := range recs {
		uids[i] = recs[i].UID
	}
	if r.a.After.any() {
		if err := r.after(ctx, uids); err != nil {
			r.report.Failed += len(recs)
			return err
		}
		r.report.Acted += len(recs)
	}
	done := make([]Record, 0, len(recs))
	for _, uid := range uids {
		rec := r.known[uid] // which may have got other flags since it was planned
		rec.Due = false
		done = append(done, rec)
	}
	return r.update(ctx, Change{Put: done})
}

func (r *run) after(ctx context.Context, uids []UID) error {
	if flags := r.a.After.Flags; len(flags) > 0 {
		if err := SetFlags(ctx, r.r, AddFlags, flags, uids...); err != nil {
			return err
		}
	}
	if r.a.After.MoveTo != "" {
		return Move(ctx, r.r, r.a.After.MoveTo, uids...)
	}
	return nil
}
