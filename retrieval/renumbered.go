package retrieval

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// enough is the share of messages, in percent, that Rematch has to know again.
const enough = 80

// isRenumbered tells why what is known seems to speak of another numbering.
func (r *run) isRenumbered(ctx context.Context, listed []Summary) (why string, err error) {
	if gen := r.r.Features().Generation; gen != "" {
		for uid := range r.known {
			if !strings.HasPrefix(string(uid), gen+".") {
				return fmt.Sprintf("known is %s, now it is generation %s", uid, gen), nil
			}
		}
		return "", nil
	}
	c := r.census(listed)
	if !c.isOdd() {
		return "", nil
	}
	// Many are gone and many have come. Are they the same?
	const sample = 20
	same, looked := 0, 0
	for _, print := range r.prints(ctx, r.r.Headers, c.fresh[:min(sample, len(c.fresh))], &err) {
		looked++
		if c.missing[print] {
			same++
		}
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported) || err == nil && (looked == 0 || c.unprinted > len(c.missing)):
		if !c.isVeryOdd() {
			return "", nil
		}
		// There is no way to look: better to stop than to take all of them twice.
	case err != nil:
		return "", err
	case same*2 < looked:
		return "", nil
	}
	return fmt.Sprintf("of %d known messages %d are gone, and %d others have come", c.expected, c.gone, len(c.fresh)), nil
}

// census compares a listing with what is known of settled messages.
type census struct {
	fresh     []UID // listed, and not known
	expected  int   // known; those that vanished before count too, as an empty listing may have come first
	gone      int   // of those, not listed
	goneNow   int   // of those, since the last run
	expectNow int   // known, and there at the last run

	missing   map[Print]bool // of those that are gone
	unprinted int            // of those that are gone, how many have none
}

func (r *run) census(listed []Summary) census {
	c := census{missing: make(map[Print]bool)}
	there := make(map[UID]bool, len(listed))
	for _, s := range listed {
		there[s.UID] = true
		if r.known[s.UID].Stage == 0 {
			c.fresh = append(c.fresh, s.UID)
		}
	}
	for uid, rec := range r.known {
		if rec.Stage != Settled {
			continue
		}
		c.expected++
		if rec.Vanished.IsZero() {
			c.expectNow++
		}
		if there[uid] {
			continue
		}
		c.gone++
		if rec.Vanished.IsZero() {
			c.goneNow++
		}
		if rec.Print == (Print{}) {
			c.unprinted++
		} else {
			c.missing[rec.Print] = true
		}
	}
	return c
}

// isOdd tells whether it is worth a look: many are gone, or all, and about as
// many have come.
func (c *census) isOdd() bool {
	return c.gone > 0 && len(c.fresh)*2 >= c.gone && (c.gone == c.expected || c.gone > max(massive, c.expected*3/10))
}

// isVeryOdd tells whether that alone is proof enough.
func (c *census) isVeryOdd() bool {
	return c.goneNow > max(massive, c.expectNow*3/10) && len(c.fresh) >= c.goneNow/2
}

// renumbered follows the rule for a mailbox whose messages have other names, or
// whose numbers went back.
func (r *run) renumbered(ctx context.Context, listed []Summary, why string, back bool) error {
	old := make([]UID, 0, len(r.known))
	for uid := range r.known {
		old = append(old, uid)
	}
	err := fmt.Errorf("%w: %s", ErrRenumbered, why)
	switch r.a.Reset {
	case Refetch:
		clear(r.known)
		return r.update(ctx, Change{Forget: old, Cursor: []byte{}})
	case Reseed:
		clear(r.known)
		return r.seed(ctx, listed, old)
	case Rematch:
		if back {
			err = r.rematchBack(ctx, listed, why)
		} else {
			err = r.rematch(ctx, listed, old, why)
		}
	}
	if back && errors.Is(err, ErrRenumbered) {
		return errors.Join(err, r.update(ctx, Change{Cursor: wentBackNote}))
	}
	return err
}

// rematch finds out which listed message is which known one. Two that look
// the same are not guessed at: they are new, unless their names are the old ones.
func (r *run) rematch(ctx context.Context, listed []Summary, old []UID, why string) error {
	var err error
	sums := make(map[UID]Summary, len(listed))
	for _, s := range listed {
		sums[s.UID] = s
	}
	matched := make(map[UID]Record)
	now := make(map[Print][]UID)
	for uid, print := range r.prints(ctx, r.r.Headers, namesOf(listed), &err) {
		if rec, ok := r.known[uid]; ok && rec.Stage >= Settled && rec.Print == print {
			matched[uid] = rec
		} else {
			now[print] = append(now[print], uid)
		}
	}
	if err != nil {
		return err
	}
	byPrint := make(map[Print][]Record)
	expected := 0
	for uid, rec := range r.known {
		if rec.Stage < Settled || rec.Twin {
			continue
		}
		if rec.Vanished.IsZero() {
			expected++
		}
		if _, is := matched[uid]; !is && rec.Print != (Print{}) {
			byPrint[rec.Print] = append(byPrint[rec.Print], rec)
		}
	}
	for print, uids := range now {
		if recs := byPrint[print]; len(recs) == 1 && len(uids) == 1 {
			matched[uids[0]] = recs[0].as(sums[uids[0]])
		}
	}
	if least := min(expected, len(listed)); len(matched)*100 < least*enough {
		return fmt.Errorf("%w: %s; of %d messages only %d are known again", ErrRenumbered, why, len(listed), len(matched))
	}
	r.known = matched
	r.report.Rematched += len(matched)
	return r.update(ctx, Change{Put: slices.Collect(maps.Values(matched)), Forget: old, Cursor: []byte{}})
}
