package disk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// delivery is a message that waits in tmp for the next Flush.
type delivery struct {
	name    string // under which it will be delivered
	tmp     string // its file until then
	letters string // its flags
	file    string // where it was moved to
}

// batch is what becomes durable together at the next Flush.
type batch struct {
	items  []*delivery
	byName map[string]*delivery
	dirty  map[string]bool // folders whose entries have changed
	syncs  sync.WaitGroup

	mu  sync.Mutex
	err error // of a sync; the first
}

// add begins to make a file durable, by sync. done is called when it is, and
// closed.
func (b *batch) add(item *delivery, f *os.File, sync func(*os.File) error, done func()) {
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
func (b *batch) again(path string) error {
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
func (b *batch) touch(folder string) {
	if b.dirty == nil {
		b.dirty = make(map[string]bool)
	}
	b.dirty[folder] = true
}

// drop takes a delivery back.
func (b *batch) drop(name string) {
	os.Remove(b.byName[name].tmp)
	b.byName[name].tmp = ""
	delete(b.byName, name)
}

// wait waits until no file is being made durable, and returns what went wrong.
func (b *batch) wait() error {
	b.syncs.Wait()
	return b.err
}

// flush ends the batch, well or with nothing in the Maildir.
func (d *Maildir) flush(ctx context.Context) error {
	err := d.batch.wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = d.publish()
	}
	if err == nil {
		err = d.syncFolders()
	}
	if err != nil {
		d.abandon()
		return err
	}
	d.batch = batch{}
	return nil
}

// publish moves what is durable to where mail programs see it.
func (d *Maildir) publish() error {
	for _, item := range d.batch.items {
		if item.tmp == "" {
			continue // discarded
		}
		to := filepath.Join("new", item.name)
		if item.letters != "" {
			to = filepath.Join("cur", item.name+infoMark+item.letters)
		}
		file := filepath.Join(d.dir, to)
		if err := d.mayReplace(item, file); err != nil {
			return err
		}
		if err := os.Rename(item.tmp, file); err != nil {
			return err
		}
		item.file = file
		d.batch.touch(filepath.Dir(item.file))
		d.copies.put(item.name, to)
	}
	return nil
}

// mayReplace is an error if another process has meanwhile delivered another
// message under the same name. The next delivery finds that and takes a name of
// its own.
func (d *Maildir) mayReplace(item *delivery, file string) error {
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f, err := os.Open(item.tmp)
	if err != nil {
		return err
	}
	defer f.Close()
	same, err := sameContent(f, file)
	if err == nil && !same {
		d.copies.files = nil // it does not know of this one
		err = &fs.PathError{Op: "deliver", Path: file, Err: fs.ErrExist}
	}
	return ignoreMissing(err)
}

// syncFolders makes durable what was added, renamed and removed. The folder
// cur goes first: a message that moves there must not be lost between two.
func (d *Maildir) syncFolders() error {
	for _, sub := range []string{"cur", "new"} {
		folder := filepath.Join(d.dir, sub)
		if !d.batch.dirty[folder] {
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
func (d *Maildir) abandon() {
	for _, item := range d.batch.items {
		if item.file != "" {
			os.Remove(item.file)
			d.copies.drop(item.name)
		} else if item.tmp != "" {
			os.Remove(item.tmp)
		}
	}
	d.batch = batch{}
}
