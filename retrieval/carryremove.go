package retrieval

import (
	"context"
	"slices"
	"time"
)

// compared takes what is to be removed on the server for new where it is another
// message now than the one that was removed here, as far as header sections tell.
// What was marked there by an earlier run is the plan's business: see settledOnly.
func (c *carrier) compared(ctx context.Context) error {
	again := c.repeat
	if c.a.trash() == "" {
		again = nil
	}
	same, err := c.areSame(ctx, uidsOf(slices.Concat(c.remove, again)))
	if err != nil {
		return err
	}
	isOther := func(rec Record) bool { is, known := same[rec.UID]; return known && !is }
	for _, rec := range slices.Concat(c.remove, again) {
		if isOther(rec) {
			c.anew = append(c.anew, rec.UID)
		}
	}
	for _, recs := range []*[]Record{&c.remove, &c.repeat} {
		*recs = slices.DeleteFunc(*recs, func(rec Record) bool {
			if c.isHeld(rec) {
				c.aside[rec.UID] = true
			}
			return isOther(rec) || c.isHeld(rec)
		})
	}
	return nil
}

// removals removes from the server what was removed here.
func (c *carrier) removals(ctx context.Context) error {
	if len(c.remove) > 0 {
		doomed := slices.Clone(c.remove)
		for i := range doomed {
			doomed[i].Stage, doomed[i].Missed = Doomed, time.Time{}
		}
		if err := c.record(ctx, doomed...); err != nil {
			return err
		}
	}
	if c.a.trash() != "" {
		return c.throw(ctx)
	}
	if len(c.remove) == 0 {
		return nil // what an earlier run doomed is the plan's business
	}
	uids := uidsOf(c.remove)
	changed, err := c.srv.setFlagsUnlessChanged(ctx, AddFlags, []Flag{FlagDeleted}, uids...)
	if err != nil {
		changed = uids
		if err := c.refused(ctx, err, uids); err != nil {
			return err
		}
	}
	// What somebody has changed meanwhile is looked at again in the next run.
	marked := c.leave(uids, changed)
	if err := c.unDoom(ctx); err != nil {
		return err
	}
	for _, uid := range marked {
		c.aside[uid] = true
		c.doomed = append(c.doomed, uid)
	}
	c.report.Sent += len(marked)
	return nil
}

// unDoom settles again what was set aside rather than marked on the server.
func (c *carrier) unDoom(ctx context.Context) error {
	var recs []Record
	for _, rec := range c.remove {
		if c.aside[rec.UID] {
			recs = append(recs, rec)
		}
	}
	return c.record(ctx, recs...)
}

// throw moves what is to be removed to the mailbox for that. What a server has
// still after it was moved again and again is left alone, or there would be
// ever more copies.
func (c *carrier) throw(ctx context.Context) error {
	recs := slices.Clone(c.remove)
	for i := range recs {
		recs[i].Stage, recs[i].Missed = Doomed, time.Time{}
	}
	for _, rec := range c.repeat {
		if rec.Deletes <= stubborn {
			recs = append(recs, rec)
			continue
		}
		c.aside[rec.UID] = true
		c.report.fail(&MessageError{rec.UID, ErrUndeleted})
	}
	if len(recs) == 0 {
		return nil
	}
	uids := uidsOf(recs)
	if err := Move(ctx, c.r, c.a.trash(), uids...); err != nil {
		// They stay doomed: they are moved as soon as the server lets them.
		return c.refused(ctx, err, uids)
	}
	for i := range recs {
		recs[i].Deletes++
		c.aside[recs[i].UID] = true
	}
	c.report.Sent += len(recs)
	return c.record(ctx, recs...)
}
