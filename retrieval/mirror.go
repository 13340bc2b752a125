package retrieval

import (
	"context"
	"errors"
)

// mirror brings delivered copies in step with the server. The records follow
// the copies: a crash in between does the same work again, to no effect.
func (r *run) mirror(ctx context.Context, reflags []reflag, discards []Record) error {
	if len(reflags)+len(discards) == 0 {
		return nil
	}
	mir, ok := r.sink.(Mirrorer)
	if !ok {
		return unsupported("a sink that cannot follow the server")
	}
	var recs []Record
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
			return sinkError(&MessageError{rec.UID, err})
		}
		rec.Flags = f.flags
		recs = append(recs, rec)
	}
	var gone []UID
	for _, rec := range discards {
		switch err := mir.Discard(ctx, rec.Ref); {
		case err == nil:
			r.report.Discarded++
		case !errors.Is(err, ErrGone):
			return sinkError(&MessageError{rec.UID, err})
		}
		gone = append(gone, rec.UID)
	}
	if f, ok := r.sink.(Flusher); ok {
		if err := f.Flush(ctx); err != nil {
			return sinkError(err)
		}
	}
	return r.update(ctx, Change{Put: recs, Forget: gone})
}

// setFlagsHere gives a copy the server's flags. Where changes here count, those
// that were made since the inventory are left as they are.
func (r *run) setFlagsHere(ctx context.Context, mir Mirrorer, f reflag) (string, error) {
	if inv, ok := r.sink.(Inventory); ok && r.a.Upstream.Flags {
		return inv.ChangeFlags(ctx, f.Ref, without(f.flags, f.Flags), without(f.Flags, f.flags))
	}
	return mir.SetFlags(ctx, f.Ref, f.flags)
}
