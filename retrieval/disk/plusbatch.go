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

	mu    sync.Mutex
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

// of returns the batch that a message is in, and the message's name there.
func (b *MaildirPlusBatch) of(ref string) (m *MaildirBatch, folder, inner string, err error) {
	folder, inner, ok := splitRef(ref)
	if !ok {
		return nil, "", "", wrap(goneError(ref))
	}
	m, err = b.in(folder)
	return m, folder, inner, err
}

// Deliver is [MaildirPlus.Deliver].
func (b *MaildirPlusBatch) Deliver(ctx context.Context, msg *retrieval.Message) (ref string, err error) {
	folder := b.t.folder(msg.Box)
	m, err := b.in(folder)
	if err != nil {
		return "", err
	}
	if ref, err = m.Deliver(ctx, msg); err != nil {
		return "", err
	}
	return plusRef(folder, ref), nil
}

// Flush is [MaildirPlus.Flush]. If it fails, some of the folders may be durable
// all the same; the others are as if nothing had been delivered.
func (b *MaildirPlusBatch) Flush(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	for folder, m := range b.taken {
		if err == nil {
			err = m.Flush(ctx)
		}
		m.Close() // drops what was not flushed
		b.t.release(folder)
	}
	clear(b.taken)
	return err
}

// Close ends a batch: what was delivered since its last Flush is dropped.
// Closing twice is no error.
func (b *MaildirPlusBatch) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for folder, m := range b.taken {
		m.Close()
		b.t.release(folder)
	}
	clear(b.taken)
	return nil
}

// Find is [MaildirPlus.Find].
func (b *MaildirPlusBatch) Find(ctx context.Context, box retrieval.Box, intent retrieval.Record) (ref string, found bool, err error) {
	folder := b.t.folder(box)
	m, err := b.in(folder)
	if err != nil {
		return "", false, err
	}
	if ref, found, err = m.Find(ctx, box, intent); err != nil || !found {
		return "", false, err
	}
	return plusRef(folder, ref), true, nil
}

// SetFlags is [MaildirPlus.SetFlags].
func (b *MaildirPlusBatch) SetFlags(ctx context.Context, ref string, flags []retrieval.Flag) (newRef string, err error) {
	m, folder, inner, err := b.of(ref)
	if err != nil {
		return "", err
	}
	if inner, err = m.SetFlags(ctx, inner, flags); err != nil {
		return "", err
	}
	return plusRef(folder, inner), nil
}

// Discard is [MaildirPlus.Discard].
func (b *MaildirPlusBatch) Discard(ctx context.Context, ref string) error {
	m, _, inner, err := b.of(ref)
	if err != nil {
		return err
	}
	return m.Discard(ctx, inner)
}

// Copies is [MaildirPlus.Copies].
func (b *MaildirPlusBatch) Copies(ctx context.Context, box retrieval.Box) (map[string][]retrieval.Flag, error) {
	folder := b.t.folder(box)
	m, err := b.in(folder)
	if err != nil {
		return nil, err
	}
	found, err := m.Copies(ctx, box)
	if err != nil {
		return nil, err
	}
	all := make(map[string][]retrieval.Flag, len(found))
	for inner, flags := range found {
		all[plusRef(folder, inner)] = flags
	}
	return all, nil
}

// Keeps is [MaildirPlus.Keeps].
func (b *MaildirPlusBatch) Keeps(f retrieval.Flag) bool { return hasLetter(f) }

// ChangeFlags is [MaildirPlus.ChangeFlags].
func (b *MaildirPlusBatch) ChangeFlags(ctx context.Context, ref string, add, remove []retrieval.Flag) (newRef string, err error) {
	m, folder, inner, err := b.of(ref)
	if err != nil {
		return "", err
	}
	if inner, err = m.ChangeFlags(ctx, inner, add, remove); err != nil {
		return "", err
	}
	return plusRef(folder, inner), nil
}

// Witnessed is [MaildirPlus.Witnessed].
func (b *MaildirPlusBatch) Witnessed(ctx context.Context, box retrieval.Box) (store string, err error) {
	m, err := b.in(b.t.folder(box))
	if err != nil {
		return "", err
	}
	return m.Witnessed(ctx, box)
}

// Note is [MaildirPlus.Note].
func (b *MaildirPlusBatch) Note(ctx context.Context, box retrieval.Box, store string) error {
	m, err := b.in(b.t.folder(box))
	if err != nil {
		return err
	}
	return m.Note(ctx, box, store)
}
