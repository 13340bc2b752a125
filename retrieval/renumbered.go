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
	there := make(map[UID]bool, len(listed))
	var fresh []UID
	for _, s := range listed {
		there[s.UID] = true
		if r.known[s.UID].Stage == 0 {
			fresh = append(fresh, s.UID)
		}
	}
	expected := 0
	missing := make(map[Print]bool)
	unprinted := 0
	for uid, rec := range r.known {
		if rec.Stage != Settled || !rec.Vanished.IsZero() {
			continue
		}
		expected++
		if there[uid] {
			continue
		}
		if rec.Print == (Print{}) {
			unprinted++
		} else {
			missing[rec.Print] = true
		}
	}
	gone := len(missing) + unprinted
	if gone <= max(massive, expected*3/10) || len(fresh) < gone/2 {
		return "", nil
	}
	// Many are gone and many have come. Are they the same?
	const sample = 20
	same, looked := 0, 0
	for _, print := range r.prints(ctx, r.r.Headers, fresh[:min(sample, len(fresh))], &err) {
		looked++
		if missing[print] {
			same++
		}
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported) || err == nil && unprinted > len(missing):
		err = nil // no way to look: better to stop than to take all of them twice
	case err != nil:
		return "", err
	case same*2 < looked:
		return "", nil
	}
	return fmt.Sprintf("of %d known messages %d are gone, and %d others have come", expected, gone, len(fresh)), nil
}

// renumbered follows the rule for a mailbox whose messages have other names.
func (r *run) renumbered(ctx context.Context, listed []Summary, why string) error {
	old := make([]UID, 0, len(r.known))
	for uid := range r.known {
		old = append(old, uid)
	}
	switch r.a.Reset {
	case Refetch:
		clear(r.known)
		return r.update(ctx, Change{Forget: old, Cursor: []byte{}})
	case Reseed:
		clear(r.known)
		return r.seed(ctx, listed, old)
	case Rematch:
		return r.rematch(ctx, listed, old, why)
	}
	return fmt.Errorf("%w: %s", ErrRenumbered, why)
}

// rematch finds out which listed message is which known one. Two that look
// the same are not guessed at: they are new, unless their names are the old ones.
func (r *run) rematch(ctx context.Context, listed []Summary, old []UID, why string) error {
	var err error
	uids := make([]UID, len(listed))
	for i, s := range listed {
		uids[i] = s.UID
	}
	matched := make(map[UID]Record)
	now := make(map[Print][]UID)
	for uid, print := range r.prints(ctx, r.r.Headers, uids, &err) {
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
			rec := recs[0]
			rec.UID = uids[0]
			matched[rec.UID] = rec
		}
	}
	if least := min(expected, len(listed)); len(matched)*100 < least*enough {
		return fmt.Errorf("%w: %s; of %d messages only %d are known again", ErrRenumbered, why, len(listed), len(matched))
	}
	r.known = matched
	r.report.Rematched += len(matched)
	return r.update(ctx, Change{Put: slices.Collect(maps.Values(matched)), Forget: old, Cursor: []byte{}})
}
