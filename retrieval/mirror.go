package retrieval

import (
	"context"
	"errors"
	"slices"
)

// mirror brings delivered copies in step with the server. The records follow
// the copies: a crash in between does the same work again, to no effect. That flags
// are about to change is recorded before, lest it look as if somebody had changed
// them here. When the sink fails, what it has done until then is recorded.
func (r *run) mirror(ctx context.Context, reflags []reflag, discards []Record) error {
	if len(reflags)+len(discards) == 0 {
		return nil
	}
	mir, ok := r.sink.(Mirrorer)
	if !ok {
		return unsupported("a sink that cannot follow the server")
	}
	if err := r.update(ctx, Change{Put: r.following(reflags)}); err != nil {
		return err
	}
	recs, failed := r.reflag(ctx, mir, reflags)
	var gone []UID
	for _, rec := range discards {
		if failed != nil {
			break
		}
		switch err := mir.Discard(ctx, rec.Ref); {
		case err == nil:
			r.report.Discarded++
			gone = append(gone, rec.UID)
		case errors.Is(err, ErrGone):
			gone = append(gone, rec.UID)
		default:
			failed = sinkError(&MessageError{rec.UID, err})
		}
	}
	if f, ok := r.sink.(Flusher); ok {
		if err := f.Flush(ctx); err != nil {
			return errors.Join(failed, sinkError(err))
		}
	}
	return errors.Join(failed, r.update(ctx, Change{Put: recs, Forget: gone}))
}

// following returns the records of copies that are to get other flags. Where
// nothing is carried to the server it is the mark \Deleted alone that must never
// be mistaken.
func (r *run) following(reflags []reflag) (recs []Record) {
	for _, f := range reflags {
		rec := f.Record
		rec.Following = slices.DeleteFunc(differing(rec.Flags, f.flags), func(f Flag) bool {
			return !r.a.Upstream.any() && !sameFlag(f, FlagDeleted)
		})
		if len(rec.Following) > 0 {
			recs = append(recs, rec)
		}
	}
	return recs
}

// reflag gives copies the server's flags, and returns their records, up to an
// error.
func (r *run) reflag(ctx context.Context, mir Mirrorer, reflags []reflag) (recs []Record, err error) {
	for _, f := range reflags {
		rec := f.Record
		ref, err := r.setFlagsHere(ctx, mir, f)
		switch {
		case err == nil:
			rec.Ref = ref
			r.report.Reflagged++
		case errors.Is(err, ErrGone):
			r.report.Skipped++ // removed here: there is nothing to mark
		default:
			return recs, sinkError(&MessageError{rec.UID, err})
		}
		rec.Flags, rec.Following = f.flags, nil
		recs = append(recs, rec)
	}
	return recs, nil
}

// setFlagsHere gives a copy the server's flags. Where changes here count, those
// that were made since the inventory are left as they are.
func (r *run) setFlagsHere(ctx context.Context, mir Mirrorer, f reflag) (string, error) {
	if inv, ok := r.sink.(Inventory); ok && r.a.Upstream.Flags {
		return inv.ChangeFlags(ctx, f.Ref, without(f.flags, f.Flags), without(f.Flags, f.flags))
	}
	return mir.SetFlags(ctx, f.Ref, f.flags)
}
