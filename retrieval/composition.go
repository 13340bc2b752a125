package retrieval

import (
	"context"
	"io"
	"slices"
)

// composed is a sink that [Tee], [Route], [DropUnless] or [RejectUnless] has
// made.
type composed interface{ composition() *inner }

// isShared tells whether several runs may use a sink at the same time.
func isShared(s Sink) bool {
	if _, ok := s.(Batcher); ok {
		return true
	}
	if c, ok := s.(composed); ok {
		for _, part := range c.composition().parts {
			if !isShared(part) {
				return false
			}
		}
		return true
	}
	_, flushes := s.(Flusher)
	return !flushes
}

// batchOf returns a sink for one run alone, as far as it can be, and what ends
// it.
func batchOf(s Sink) (batch Sink, end func()) {
	if b, ok := s.(Batcher); ok {
		batch = b.Batch()
		return batch, func() {
			if c, ok := batch.(io.Closer); ok {
				c.Close()
			}
		}
	}
	c, ok := s.(composed)
	if !ok {
		return s, func() {}
	}
	var own parts
	var ends []func()
	for _, part := range c.composition().parts {
		batch, end := batchOf(part)
		own = append(own, batch)
		ends = append(ends, end)
	}
	return c.composition().with(own), func() {
		for _, end := range ends {
			end()
		}
	}
}

// An asker asks a [Finder] whether it has a delivery.
type asker func(ctx context.Context, s Sink, box Box, intent Record) (ref string, found bool, err error)

// find is the asker of a run.
func find(ctx context.Context, s Sink, box Box, intent Record) (ref string, found bool, err error) {
	return s.(Finder).Find(ctx, box, intent)
}

// look is the asker of a dry run: it has no effect, or only such as a Finder has
// that is not a [Looker].
func look(ctx context.Context, s Sink, box Box, intent Record) (ref string, found bool, err error) {
	if c, ok := s.(composed); ok {
		return c.composition().look(ctx, box, intent)
	}
	if l, ok := s.(Looker); ok {
		return l.Look(ctx, box, intent)
	}
	return find(ctx, s, box, intent)
}

// isWitness tells whether all that a sink holds is in witnesses.
func isWitness(s Sink) bool {
	if c, ok := s.(composed); ok {
		return !slices.ContainsFunc(c.composition().parts, func(part Sink) bool { return !isWitness(part) })
	}
	_, ok := s.(Witness)
	return ok
}

// witnessesOf returns the witnesses in a sink.
func witnessesOf(s Sink) (ws []Witness) {
	if w, ok := s.(Witness); ok {
		return []Witness{w}
	}
	if c, ok := s.(composed); ok {
		for _, part := range c.composition().parts {
			ws = append(ws, witnessesOf(part)...)
		}
	}
	return ws
}
