package retrieval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
)

// Tee returns a sink that delivers each message into all of sinks. The message
// is read once, and passed on as it comes to all of them at a time; the
// slowest sets the pace. They must not wait for each other.
//
// If one fails the message has failed: the others are told that it was cut
// short ([ErrTruncated]), unless they have all of it already. A later [Run]
// does not give it again to those that have it, if all of sinks are Finders.
// Of several errors those that end a run count first, then [ErrDeferred], then
// [ErrRejected].
//
// The sink is a [Flusher] if any of sinks is, and a [Finder] or [Mirrorer] if
// all are. A flag is set and a message discarded wherever it still is; it is
// [ErrGone] when it is nowhere. It is no [Inventory]: where copies differ, nobody
// can tell which of them was changed, so [Upstream] refuses it with an
// [errors.ErrUnsupported].
func Tee(sinks ...Sink) Sink {
	if len(sinks) == 0 {
		panic("retrieval: Tee of no sinks")
	}
	t := &tee{parts: slices.Clone(sinks), has: make(map[teeKey][]teeCopy)}
	return t.parts.as(t, func(p parts) Sink { return Tee(p...) })
}

type tee struct {
	parts parts

	mu  sync.Mutex
	has map[teeKey][]teeCopy // what was found in some parts and not in all
}

type teeKey struct {
	box        Box
	uid        UID
	headerOnly bool // a part that has the header section lacks the message
}

// teeCopy is a part's copy of a message that not all have.
type teeCopy struct {
	ref   string
	found bool
}

// errOther ends a message for the sinks that did nothing wrong.
var errOther = fmt.Errorf("another sink failed: %w", ErrTruncated)

// Deliver implements [Sink].
func (t *tee) Deliver(parent context.Context, m *Message) (string, error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	d := &teeDelivery{tee: t, copies: t.known(m), results: make([]teeResult, len(t.parts)), cancel: cancel}
	d.pipes = make([]*io.PipeWriter, len(t.parts))
	ends := make([]*io.PipeReader, len(t.parts))
	for i := range t.parts {
		if !d.copies[i].found {
			ends[i], d.pipes[i] = io.Pipe()
		}
	}
	for i, part := range t.parts { // each of which looks at all the pipes
		if r := ends[i]; r != nil {
			d.running.Go(func() { d.run(ctx, i, part, m.again(r), r) })
		}
	}
	readErr := d.copy(m)
	d.running.Wait()
	return d.result(parent, readErr)
}

// known returns what is known of a message that was looked for.
func (t *tee) known(m *Message) []teeCopy {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := teeKey{m.Box, m.UID, m.HeaderOnly}
	copies := t.has[key]
	delete(t.has, key)
	if copies == nil || !m.Redelivery {
		return make([]teeCopy, len(t.parts))
	}
	return copies
}

// teeDelivery is one message on its way into all parts.
type teeDelivery struct {
	*tee
	copies  []teeCopy
	pipes   []*io.PipeWriter // nil: the part has it
	results []teeResult      // each written by its part
	running sync.WaitGroup
	cancel  context.CancelCauseFunc
}

type teeResult struct {
	ref      string
	err      error
	panicked any
	returned bool // neither panicked nor called runtime.Goexit
}

// run delivers into one part. Whatever ends it, nobody waits for it after that.
func (d *teeDelivery) run(ctx context.Context, i int, part Sink, m *Message, r *io.PipeReader) {
	res := &d.results[i]
	defer func() {
		if !res.returned {
			res.panicked = recover()
		}
		if res.err != nil || !res.returned {
			d.cancel(errOther)
			for j, w := range d.pipes {
				if w != nil && j != i {
					w.CloseWithError(errOther)
				}
			}
		}
		r.Close()
	}()
	res.ref, res.err = part.Deliver(ctx, m)
	res.returned = true
}

// copy passes the message on, and returns what went wrong with reading it.
func (d *teeDelivery) copy(m *Message) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := m.Read(buf)
		if n == 0 && err == nil {
			continue
		}
		listening := 0
		for _, w := range d.pipes {
			if w == nil || n == 0 {
				continue
			}
			// The error is that the part has enough.
			if _, err := w.Write(buf[:n]); err == nil {
				listening++
			}
		}
		if err == nil && listening > 0 {
			continue
		}
		end := err
		if err == nil || err == io.EOF {
			end, err = nil, nil
		}
		for _, w := range d.pipes {
			if w != nil {
				w.CloseWithError(end) // nil is io.EOF
			}
		}
		return err
	}
}

// result puts the parts' results together.
func (d *teeDelivery) result(ctx context.Context, readErr error) (string, error) {
	var refs []string
	var own, all []error
	for i, res := range d.results {
		switch {
		case d.pipes[i] == nil:
			refs = append(refs, d.copies[i].ref)
			continue
		case res.panicked != nil:
			panic(res.panicked)
		case !res.returned:
			runtime.Goexit()
		}
		refs, all = append(refs, res.ref), append(all, res.err)
		if !errors.Is(res.err, errOther) && !(errors.Is(res.err, context.Canceled) && ctx.Err() == nil) {
			own = append(own, res.err) // not for another's sake
		}
	}
	if readErr != nil {
		return "", readErr
	}
	if err := worst(own); err != nil {
		return "", err
	}
	if err := worst(all); err != nil {
		return "", err
	}
	return joinRefs(refs...), nil
}

// Find implements [Finder]. A message that only some parts have is not found;
// they are remembered for its redelivery.
func (t *tee) Find(ctx context.Context, box Box, intent Record) (string, bool, error) {
	copies, refs, err := t.ask(ctx, find, box, intent)
	if err != nil {
		return "", false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := teeKey{box, intent.UID, intent.HeaderOnly}
	delete(t.has, key)
	switch len(refs) {
	case len(t.parts):
		return joinRefs(refs...), true, nil
	case 0:
	default:
		t.has[key] = copies
	}
	return "", false, nil
}

func (t *tee) look(ctx context.Context, box Box, intent Record) (string, bool, error) {
	_, refs, err := t.ask(ctx, look, box, intent)
	if err != nil || len(refs) < len(t.parts) {
		return "", false, err
	}
	return joinRefs(refs...), true, nil
}

// ask finds out which parts have a message, and their names for it.
func (t *tee) ask(ctx context.Context, ask asker, box Box, intent Record) (copies []teeCopy, refs []string, err error) {
	copies = make([]teeCopy, len(t.parts))
	for i, part := range t.parts {
		ref, found, err := ask(ctx, part, box, intent)
		if err != nil {
			return nil, nil, err
		}
		if found {
			copies[i] = teeCopy{ref, true}
			refs = append(refs, ref)
		}
	}
	return copies, refs, nil
}

// SetFlags implements [Mirrorer].
func (t *tee) SetFlags(ctx context.Context, ref string, flags []Flag) (string, error) {
	refs, err := splitRef(ref, len(t.parts))
	if err != nil {
		return "", err
	}
	err = t.each(func(i int, m Mirrorer) error {
		changed, err := m.SetFlags(ctx, refs[i], flags)
		if err == nil {
			refs[i] = changed
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return joinRefs(refs...), nil
}

// Discard implements [Mirrorer].
func (t *tee) Discard(ctx context.Context, ref string) error {
	refs, err := splitRef(ref, len(t.parts))
	if err != nil {
		return err
	}
	return t.each(func(i int, m Mirrorer) error { return m.Discard(ctx, refs[i]) })
}

// each lets f change the copy of each part. It is gone if it is everywhere.
func (t *tee) each(f func(i int, m Mirrorer) error) error {
	var gone error
	n := 0
	for i, part := range t.parts {
		switch err := f(i, part.(Mirrorer)); {
		case errors.Is(err, ErrGone):
			gone = err
			n++
		case err != nil:
			return err
		}
	}
	if n < len(t.parts) {
		return nil
	}
	return gone
}
