package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"example.com/postbag/retrieval"
)

// Find implements [retrieval.Finder]: it looks for a file that was delivered
// at the intent's time or later, wherever mail programs have moved it within
// the Maildir.
func (d *Maildir) Find(ctx context.Context, box retrieval.Box, intent retrieval.Record) (ref string, found bool, err error) {
	return d.own.Find(ctx, box, intent)
}

// SetFlags implements [retrieval.Mirrorer]. A message that gets its first
// flags moves from new to cur. Letters that stand for none of our flags stay.
func (d *Maildir) SetFlags(ctx context.Context, ref string, flags []retrieval.Flag) (newRef string, err error) {
	return d.own.SetFlags(ctx, ref, flags)
}

// Discard implements [retrieval.Mirrorer].
func (d *Maildir) Discard(ctx context.Context, ref string) error { return d.own.Discard(ctx, ref) }

// Find is [Maildir.Find].
func (b *MaildirBatch) Find(ctx context.Context, box retrieval.Box, intent retrieval.Record) (ref string, found bool, err error) {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	name := uniqueName(box, intent.UID)
	for n := 1; n == 1 || n <= b.d.copies.highest; n++ {
		numbered := numberedName(name, n)
		path, fi, err := b.d.copies.find(numbered, true)
		if err == nil && (path == "" || fi.ModTime().Before(intent.Since)) {
			continue
		}
		if err == nil {
			err = b.again(path)
		}
		if err != nil {
			return "", false, wrap(err)
		}
		return numbered, true, nil
	}
	return "", false, nil
}

// SetFlags is [Maildir.SetFlags].
func (b *MaildirBatch) SetFlags(ctx context.Context, ref string, flags []retrieval.Flag) (newRef string, err error) {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if err := b.setLetters(ref, letters(flags)); err != nil {
		return "", wrap(err)
	}
	return ref, nil
}

// Discard is [Maildir.Discard].
func (b *MaildirBatch) Discard(ctx context.Context, ref string) error {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	if b.byName[ref] != nil {
		b.drop(ref)
		return nil
	}
	return wrap(b.change(ref, func(path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		b.touch(filepath.Dir(path))
		b.d.copies.drop(ref)
		return nil
	}))
}

func (b *MaildirBatch) setLetters(ref, letters string) error {
	return b.relabel(ref, func(old string) string { return mergeLetters(old, letters) })
}

// relabel gives the file of a message the letters that f makes of those that it
// has just then.
func (b *MaildirBatch) relabel(ref string, f func(old string) string) error {
	if item := b.byName[ref]; item != nil {
		item.letters = f(item.letters)
		return nil
	}
	return b.change(ref, func(path string) error {
		file := filepath.Base(path)
		sub := filepath.Base(filepath.Dir(path))
		_, old, _ := splitName(file)
		merged := f(old)
		to := filepath.Join("cur", ref+infoMark+merged)
		if sub == "new" && merged == "" || to == filepath.Join(sub, file) {
			return nil
		}
		if err := os.Rename(path, filepath.Join(b.d.dir, to)); err != nil {
			return err
		}
		b.touch(filepath.Dir(path))
		b.touch(filepath.Join(b.d.dir, "cur"))
		b.d.copies.put(ref, to)
		return nil
	})
}

// change lets f change the file of a message, again if a mail program was
// faster.
func (b *MaildirBatch) change(ref string, f func(path string) error) error {
	for range 5 {
		path, _, err := b.d.copies.find(ref, true)
		if err != nil {
			return err
		}
		if path == "" {
			break
		}
		if err := f(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return goneError(ref)
}

// goneError is a [retrieval.ErrGone] about the Maildir, not the server.
type goneError string

func (e goneError) Error() string { return fmt.Sprintf("%q is not there any more", string(e)) }

func (e goneError) Is(target error) bool { return target == retrieval.ErrGone }

// wrap says where an error comes from.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("maildir: %w", err)
}
