package disk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"example.com/postbag/retrieval"
)

// delivery is a message that waits in tmp for the next Flush.
type delivery struct {
	name    string // under which it will be delivered
	tmp     string // its file until then
	letters string // its flags
	file    string // where it was moved to
}

// MaildirBatch is a [Maildir] in the hands of one of several runs that use it
// at the same time: what becomes durable at its Flush, or is dropped when that
// fails, is what it was given, and nobody else's.
type MaildirBatch struct {
	d      *Maildir
	items  []*delivery
	byName map[string]*delivery
	dirty  map[string]bool // folders whose entries have changed
	syncs  sync.WaitGroup

	mu  sync.Mutex
	err error // of a sync; the first
}

// newBatch returns a batch of its own. d.mu is held, or d is not yet in use.
func (d *Maildir) newBatch() *MaildirBatch {
	b := &MaildirBatch{d: d}
	d.open[b] = true
	return b
}

// Batch implements [retrieval.Batcher].
func (d *Maildir) Batch() retrieval.Sink {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.newBatch()
}

// Close ends a batch: what was delivered since its last Flush is dropped.
// Closing twice is no error.
func (b *MaildirBatch) Close() error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	b.wait()
	b.abandon()
	delete(b.d.open, b)
	return nil
}

// Deliver is [Maildir.Deliver].
func (b *MaildirBatch) Deliver(ctx context.Context, m *retrieval.Message) (ref string, err error) {
	ref, err = b.deliver(ctx, m)
	if err != nil {
		return "", wrap(err)
	}
	return ref, nil
}

// Flush is [Maildir.Flush].
func (b *MaildirBatch) Flush(ctx context.Context) error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if b.d.closed {
		return wrap(fs.ErrClosed) // which has dropped what was delivered
	}
	return wrap(b.flush(ctx))
}

// Witnessed is [Maildir.Witnessed].
func (b *MaildirBatch) Witnessed(ctx context.Context, box retrieval.Box) (store string, err error) {
	return b.d.Witnessed(ctx, box)
}

// Note is [Maildir.Note].
func (b *MaildirBatch) Note(ctx context.Context, box retrieval.Box, store string) error {
	return b.d.Note(ctx, box, store)
}

// add begins to make a file durable, by sync. done is called when it is, and
// closed.
func (b *MaildirBatch) add(item *delivery, f *os.File, sync func(*os.File) error, done func()) {
	if b.byName == nil {
		b.byName = make(map[string]*delivery)
	}
	b.items = append(b.items, item)
	b.byName[item.name] = item
	b.syncs.Go(func() {
		defer done()
		if err := errors.Join(sync(f), f.Close()); err != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.err == nil {
				b.err = err
			}
		}
	})
}

// again makes a file durable that is in the Maildir already. Its folder
// follows at Flush.
func (b *MaildirBatch) again(path string) error {
	b.touch(filepath.Dir(path))
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a mail program has moved it: it is durable
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// touch notes that entries of a folder have changed.
func (b *MaildirBatch) touch(folder string) {
	if b.dirty == nil {
		b.dirty = make(map[string]bool)
	}
	b.dirty[folder] = true
}

// drop takes a delivery back.
func (b *MaildirBatch) drop(name string) {
	os.Remove(b.byName[name].tmp)
	b.byName[name].tmp = ""
	delete(b.byName, name)
}

// wait waits until no file is being made durable, and returns what went wrong.
func (b *MaildirBatch) wait() error {
	b.syncs.Wait()
	return b.err
}

// flush ends the batch, well or with nothing in the Maildir.
func (b *MaildirBatch) flush(ctx context.Context) error {
	err := b.wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = b.publish()
	}
	if err == nil {
		err = b.syncFolders()
	}
	if err != nil {
		b.abandon()
		return err
	}
	b.clear()
	return nil
}

// clear begins another batch.
func (b *MaildirBatch) clear() {
	b.items, b.byName, b.dirty, b.err = nil, nil, nil, nil
}

// publish moves what is durable to where mail programs see it.
func (b *MaildirBatch) publish() error {
	for _, item := range b.items {
		if item.tmp == "" {
			continue // discarded
		}
		to := filepath.Join("new", item.name)
		if item.letters != "" {
			to = filepath.Join("cur", item.name+infoMark+item.letters)
		}
		file := filepath.Join(b.d.dir, to)
		there, err := b.d.isThere(item, file)
		if err != nil {
			return err
		}
		if there { // and is not ours to take back
			if err := b.again(file); err != nil {
				return err
			}
			os.Remove(item.tmp)
			item.tmp = ""
			b.d.copies.put(item.name, to)
			continue
		}
		if err := os.Rename(item.tmp, file); err != nil {
			return err
		}
		item.file = file
		b.touch(filepath.Dir(item.file))
		b.d.copies.put(item.name, to)
	}
	return nil
}

// isThere tells whether another process has meanwhile delivered the message. It
// is an error if that is another message under the same name: the next delivery
// finds it and takes a name of its own.
func (d *Maildir) isThere(item *delivery, file string) (bool, error) {
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	f, err := os.Open(item.tmp)
	if err != nil {
		return false, err
	}
	defer f.Close()
	same, err := sameContent(f, file)
	if err == nil && !same {
		d.copies.files = nil // it does not know of this one
		err = &fs.PathError{Op: "deliver", Path: file, Err: fs.ErrExist}
	}
	return same, ignoreMissing(err)
}

// syncFolders makes durable what was added, renamed and removed. The folder
// cur goes first: a message that moves there must not be lost between two.
func (b *MaildirBatch) syncFolders() error {
	for _, sub := range []string{"cur", "new"} {
		folder := filepath.Join(b.d.dir, sub)
		if !b.dirty[folder] {
			continue
		}
		if err := syncFolder(folder); err != nil {
			return err
		}
	}
	return nil
}

// abandon removes what the batch has written. It is best effort: what cannot
// be removed from tmp is removed later, and what stays in new or cur is whole.
func (b *MaildirBatch) abandon() {
	for _, item := range b.items {
		if item.file != "" {
			os.Remove(item.file)
			b.d.copies.drop(item.name)
		} else if item.tmp != "" {
			os.Remove(item.tmp)
		}
	}
	b.clear()
}
