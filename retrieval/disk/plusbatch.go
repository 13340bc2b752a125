package disk

import (
	"context"
	"sync"

	"example.com/postbag/retrieval"
)

// MaildirPlusBatch is a [MaildirPlus] in the hands of one of several runs, as
// [MaildirBatch] is of a Maildir.
type MaildirPlusBatch struct {
	t *MaildirPlus

	use   sync.RWMutex             // held while a folder is worked with, alone by who ends all
	mu    sync.Mutex               // of what follows
	taken map[string]*MaildirBatch // folders that have something to flush
}

func (t *MaildirPlus) newBatch() *MaildirPlusBatch {
	return &MaildirPlusBatch{t: t, taken: make(map[string]*MaildirBatch)}
}

// in returns the batch of a folder, which is kept until Flush.
func (b *MaildirPlusBatch) in(folder string) (*MaildirBatch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.taken[folder]; m != nil {
		return m, nil
	}
	d, err := b.t.take(folder)
	if err != nil {
		return nil, err
	}
	m := d.Batch().(*MaildirBatch)
	b.taken[folder] = m
	return m, nil
}

// with lets f work with a folder. Until it is done Flush waits, which would end
// the folder's batch under its hands.
func (b *MaildirPlusBatch) with(folder string, f func(m *MaildirBatch) error) error {
	b.use.RLock()
	defer b.use.RUnlock()
	m, err := b.in(folder)
	if err != nil {
		return err
	}
	return f(m)
}

// within is with, for work that makes no folder: f is left out if there is none.
func (b *MaildirPlusBatch) within(folder string, f func(m *MaildirBatch) error) error {
	if there, err := b.t.has(folder); err != nil || !there {
		return err
	}
	return b.with(folder, f)
}

// change lets f change a message, whose name it is given and returns.
func (b *MaildirPlusBatch) change(ref string, f func(m *MaildirBatch, inner string) (string, error)) (newRef string, err error) {
	folder, inner, ok := splitRef(ref)
	if !ok {
		return "", wrap(goneError(ref))
	}
	gone := true
	err = b.within(folder, func(m *MaildirBatch) (err error) {
		gone = false
		inner, err = f(m, inner)
		return err
	})
	if gone && err == nil {
		err = wrap(goneError(ref))
	}
	if err != nil {
		return "", err
	}
	return plusRef(folder, inner), nil
}

// Deliver is [MaildirPlus.Deliver].
func (b *MaildirPlusBatch) Deliver(ctx context.Context, msg *retrieval.Message) (ref string, err error) {
	folder := b.t.folder(msg.Box)
	err = b.with(folder, func(m *MaildirBatch) (err error) {
		ref, err = m.Deliver(ctx, msg)
		return err
	})
	if err != nil {
		return "", err
	}
	return plusRef(folder, ref), nil
}

// Flush is [MaildirPlus.Flush]. If it fails, some of the folders may be durable
// all the same; the others are as if nothing had been delivered.
func (b *MaildirPlusBatch) Flush(ctx context.Context) error {
	return b.finish(func(m *MaildirBatch) error { return m.Flush(ctx) })
}

// Close ends a batch: what was delivered since its last Flush is dropped.
// Closing twice is no error.
func (b *MaildirPlusBatch) Close() error {
	return b.finish(func(*MaildirBatch) error { return nil })
}

// finish gives all folders back, after f, of which the first error ends it.
func (b *MaildirPlusBatch) finish(f func(*MaildirBatch) error) (err error) {
	b.use.Lock()
	defer b.use.Unlock()
	for folder, m := range b.taken {
		if err == nil {
			err = f(m)
		}
		m.Close() // drops what was not flushed
		b.t.release(folder)
	}
	clear(b.taken)
	return err
}

// Find is [MaildirPlus.Find].
func (b *MaildirPlusBatch) Find(ctx context.Context, box retrieval.Box, intent retrieval.Record) (ref string, found bool, err error) {
	folder := b.t.folder(box)
	err = b.within(folder, func(m *MaildirBatch) (err error) {
		ref, found, err = m.Find(ctx, box, intent)
		return err
	})
	if err != nil || !found {
		return "", false, err
	}
	return plusRef(folder, ref), true, nil
}

// SetFlags is [MaildirPlus.SetFlags].
func (b *MaildirPlusBatch) SetFlags(ctx context.Context, ref string, flags []retrieval.Flag) (newRef string, err error) {
	return b.change(ref, func(m *MaildirBatch, inner string) (string, error) { return m.SetFlags(ctx, inner, flags) })
}

// Discard is [MaildirPlus.Discard].
func (b *MaildirPlusBatch) Discard(ctx context.Context, ref string) error {
	_, err := b.change(ref, func(m *MaildirBatch, inner string) (string, error) { return inner, m.Discard(ctx, inner) })
	return err
}

// Owns is [MaildirPlus.Owns].
func (b *MaildirPlusBatch) Owns(box retrieval.Box, ref string) bool { return b.t.Owns(box, ref) }

// Copies is [MaildirPlus.Copies].
func (b *MaildirPlusBatch) Copies(ctx context.Context, box retrieval.Box) (all map[string][]retrieval.Flag, err error) {
	folder := b.t.folder(box)
	err = b.within(folder, func(m *MaildirBatch) error {
		found, err := m.Copies(ctx, box)
		if err != nil {
			return err
		}
		all = make(map[string][]retrieval.Flag, len(found))
		for inner, flags := range found {
			all[plusRef(folder, inner)] = flags
		}
		return nil
	})
	return all, err
}

// Keeps is [MaildirPlus.Keeps].
func (b *MaildirPlusBatch) Keeps(f retrieval.Flag) bool { return hasLetter(f) }

// ChangeFlags is [MaildirPlus.ChangeFlags].
func (b *MaildirPlusBatch) ChangeFlags(ctx context.Context, ref string, add, remove []retrieval.Flag) (newRef string, err error) {
	return b.change(ref, func(m *MaildirBatch, inner string) (string, error) { return m.ChangeFlags(ctx, inner, add, remove) })
}

// Witnessed is [MaildirPlus.Witnessed].
func (b *MaildirPlusBatch) Witnessed(ctx context.Context, box retrieval.Box) (store string, err error) {
	err = b.within(b.t.folder(box), func(m *MaildirBatch) (err error) {
		store, err = m.Witnessed(ctx, box)
		return err
	})
	return store, err
}

// Note is [MaildirPlus.Note].
func (b *MaildirPlusBatch) Note(ctx context.Context, box retrieval.Box, store string) error {
	return b.with(b.t.folder(box), func(m *MaildirBatch) error { return m.Note(ctx, box, store) })
}
