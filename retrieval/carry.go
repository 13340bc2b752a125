package retrieval

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// carry carries to the server what was changed here, and returns the view as it
// is then. What could not be carried is not in it: neither side follows the
// other there until the next run.
//
// Flags are stored first and recorded then, and before that, that they are about
// to be: after a crash in between it is known who has changed what. Removals are recorded first, as [Doomed], and proven by
// the message's absence from a listing.
func (r *run) carry(ctx context.Context, v view) (view, error) {
	u := r.a.Upstream
	if !u.any() {
		return v, nil
	}
	inv, srv := r.sink.(Inventory), r.r.(upstreamer)
	flags, err := inv.Copies(ctx, r.box)
	if err != nil {
		return v, sinkError(err)
	}
	c := &carrier{
		run: r, srv: srv, aside: make(map[UID]bool),
		changes: changesHere(u, v, here{flags, func(ref string) bool { return inv.Owns(r.box, ref) }, inv.Keeps, srv.keeps}),
	}
	r.report.Held += c.waiting
	if err := c.compared(ctx); err != nil {
		return v, err
	}
	if r.dry() {
		r.carried = c.foretell()
		return c.rest(v), nil
	}
	for _, step := range []func(context.Context) error{c.note, c.here, c.restored, c.sending, c.store, c.removals} {
		if err := step(ctx); err != nil {
			return v, err
		}
	}
	return c.rest(v), nil
}

// carried is what a dry run says of carrying.
type carried struct {
	sent    []UID // whose changes here would be carried to the server
	removed []UID // what would be removed there, as here
	discard []UID // whose copies, marked as deleted, would go after that
}

// foretell tells what would be carried.
func (c *carrier) foretell() (f carried) {
	for _, st := range c.stores {
		f.sent = append(f.sent, st.uids...)
	}
	f.removed = uidsOf(c.remove)
	if c.a.trash() != "" {
		f.removed = append(uidsOf(c.repeat), f.removed...)
	}
	for _, uid := range f.removed {
		c.aside[uid] = true
	}
	if !c.a.Upstream.Only {
		f.discard = uidsOf(c.discard)
	}
	for uid := range c.agreed {
		c.known[uid] = c.with(uid)
	}
	for _, uid := range c.anew {
		delete(c.known, uid)
	}
	return f
}

// carrier is the state of carry. Its methods are in the order of the work.
type carrier struct {
	*run
	*changes
	srv   upstreamer
	aside map[UID]bool // not to be planned for in this run
}

func (c *carrier) record(ctx context.Context, recs ...Record) error {
	return c.update(ctx, Change{Put: recs})
}

// note records what needs nothing else.
func (c *carrier) note(ctx context.Context) error {
	stored := make(map[UID]bool)
	for _, st := range c.stores {
		for _, uid := range st.uids {
			stored[uid] = true
		}
	}
	if err := c.record(ctx, c.changes.put...); err != nil {
		return err
	}
	var recs []Record
	for uid := range c.agreed {
		if !stored[uid] {
			recs = append(recs, c.with(uid))
		}
	}
	for _, uid := range c.anew {
		delete(c.known, uid) // its record is overwritten by the intent
	}
	return c.record(ctx, recs...)
}

// with returns the record of a message with the flags that both sides have.
func (c *carrier) with(uid UID) Record {
	rec := c.known[uid]
	if flags, ok := c.agreed[uid]; ok {
		rec.Flags, rec.Sending = flags, nil
	}
	return rec
}

// here changes copies: it removes those that are marked as deleted and whose
// messages are gone, and takes the mark away where the message is wanted there.
func (c *carrier) here(ctx context.Context) error {
	if !c.a.Upstream.Only && len(c.discard) > 0 {
		if err := c.mirror(ctx, nil, c.discard); err != nil {
			return err
		}
	}
	if len(c.revive) == 0 {
		return nil
	}
	for i := range c.revive {
		rec := &c.revive[i]
		ref, err := c.sink.(Inventory).ChangeFlags(ctx, rec.Ref, nil, []Flag{FlagDeleted})
		switch {
		case err == nil:
			rec.Ref = ref
		case !errors.Is(err, ErrGone): // that is for the next run
			return sinkError(&MessageError{rec.UID, err})
		}
	}
	return c.settle(ctx, c.revive, nil)
}

// restored settles again what was to be removed and is here once more.
func (c *carrier) restored(ctx context.Context) error {
	if len(c.restore) == 0 {
		return nil
	}
	for i := range c.restore {
		c.restore[i].Stage, c.restore[i].Deletes = Settled, 0
	}
	if len(c.unmark) > 0 {
		if err := SetFlags(ctx, c.r, RemoveFlags, []Flag{FlagDeleted}, c.unmark...); err != nil {
			return err
		}
	}
	return c.record(ctx, c.restore...)
}

// sending records which flags are about to change on the server, lest it look, if
// the run is cut short, as if somebody had changed them there.
func (c *carrier) sending(ctx context.Context) error {
	var recs []Record
	for _, st := range c.stores {
		for _, uid := range st.uids {
			rec := c.known[uid]
			rec.Sending = slices.Concat(st.add, st.remove)
			recs = append(recs, rec)
		}
	}
	return c.record(ctx, recs...)
}

// store stores changed flags.
func (c *carrier) store(ctx context.Context) error {
	for _, st := range c.stores {
		stored, err := c.change(ctx, st)
		if err != nil {
			return err
		}
		recs := make([]Record, len(stored))
		for i, uid := range stored {
			recs[i] = c.with(uid)
		}
		if err := c.record(ctx, recs...); err != nil {
			return err
		}
		c.report.Sent += len(stored)
	}
	return nil
}

// change makes one change, and returns for which messages it was made. The
// other ones are set aside.
func (c *carrier) change(ctx context.Context, st flagChange) ([]UID, error) {
	stored := st.uids
	var changed []UID
	var err error
	if len(st.add) > 0 {
		changed, err = c.srv.setFlagsUnlessChanged(ctx, AddFlags, st.add, stored...)
		stored = c.leave(stored, changed)
	}
	switch {
	case err != nil || len(st.remove) == 0 || len(stored) == 0:
	case len(st.add) > 0: // of these it is known that nobody else has changed them
		err = SetFlags(ctx, c.r, RemoveFlags, st.remove, stored...)
	default:
		changed, err = c.srv.setFlagsUnlessChanged(ctx, RemoveFlags, st.remove, stored...)
		stored = c.leave(stored, changed)
	}
	if err != nil {
		return nil, c.refused(ctx, err, stored)
	}
	return stored, nil
}

// leave sets messages aside, and returns the others.
func (c *carrier) leave(uids, changed []UID) []UID {
	if len(changed) == 0 {
		return uids
	}
	c.open = true
	for _, uid := range changed {
		c.aside[uid] = true
	}
	return slices.DeleteFunc(slices.Clone(uids), func(uid UID) bool { return c.aside[uid] })
}

// refused sets messages aside whose change the server did not accept. The
// others go on, unless the session is over.
func (c *carrier) refused(ctx context.Context, err error, uids []UID) error {
	if errors.Is(err, ErrSession) || ctx.Err() != nil {
		return err
	}
	for _, uid := range uids {
		c.report.fail(&MessageError{uid, err})
	}
	c.leave(uids, uids)
	return nil
}

// rest is the view without what was set aside, and with the flags that the
// server has now.
func (c *carrier) rest(v view) view {
	if len(c.aside)+len(c.target) == 0 {
		return v
	}
	listed := make([]Summary, 0, len(v.listed))
	for _, s := range v.listed {
		if c.aside[s.UID] {
			continue
		}
		if flags, ok := c.target[s.UID]; ok {
			s.Flags = flags
		}
		listed = append(listed, s)
	}
	v.listed = listed
	if len(c.aside) > 0 { // nor is it gone
		v.known = maps.Clone(v.known)
		maps.DeleteFunc(v.known, func(uid UID, _ Record) bool { return c.aside[uid] })
	}
	return v
}
