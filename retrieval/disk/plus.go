package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"example.com/postbag/retrieval"
)

// MaildirPlus is a Maildir++ tree: a [Maildir] for each mailbox, in the folders
// that Dovecot and Courier look for. It is all that a Maildir is, and takes the
// messages of each mailbox to where they belong; a whole account is mirrored by
// an account whose Mailboxes are "*".
//
// INBOX is the tree's own folder and "Work/2024" the folder ".Work.2024" in it.
// What a server calls a mailbox is never a path: whatever is not harmless in a
// name is escaped, and a name that is too long is cut and told apart by a hash.
// Two mailboxes whose names differ only in case need a file system that tells
// these apart; on another, the second is an error.
//
// A folder is made by the first run over its mailbox. The mailboxes of several
// accounts may be in one tree: those of the same name share a folder.
type MaildirPlus struct {
	dir string
	o   MaildirPlusOptions
	own *MaildirPlusBatch

	mu     sync.Mutex
	closed bool
	open   map[string]*plusFolder // by name
	recent []string               // names of open ones, the least recently taken first
}

// MaildirPlusOptions are how a tree is laid out. The zero value is how Dovecot
// does it, for a server with "/" between levels.
type MaildirPlusOptions struct {
	// Delimiter is between the levels of the mailboxes' names; empty is "/".
	Delimiter string

	// UTF8: names of folders are in UTF-8 instead of modified UTF-7 (Courier
	// since 5.0, or Dovecot with UTF-8 in its mail_location).
	UTF8 bool

	// MaxOpen is how many folders are kept in mind that no run works with; 0
	// is 64.
	MaxOpen int
}

// plusFolder is an open folder of a tree.
type plusFolder struct {
	maildir *Maildir
	users   int
}

// OpenMaildirPlus opens the tree in the folder dir, whose own Maildir it makes
// as [OpenMaildir] does. Nil options are the defaults.
func OpenMaildirPlus(dir string, o *MaildirPlusOptions) (*MaildirPlus, error) {
	t := &MaildirPlus{dir: dir, open: make(map[string]*plusFolder)}
	if o != nil {
		t.o = *o
	}
	if t.o.Delimiter == "" {
		t.o.Delimiter = "/"
	}
	if t.o.MaxOpen <= 0 {
		t.o.MaxOpen = 64
	}
	t.own = t.newBatch()
	if _, err := t.take(""); err != nil {
		return nil, err
	}
	t.release("")
	return t, nil
}

// Close closes every folder: what was delivered since the last Flush is
// dropped. Closing twice is no error.
func (t *MaildirPlus) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	var errs []error
	for _, f := range t.open {
		errs = append(errs, f.maildir.Close())
	}
	clear(t.open)
	t.recent = nil
	return errors.Join(errs...)
}

// folder returns the name of the folder of a mailbox.
func (t *MaildirPlus) folder(box retrieval.Box) string {
	return plusName(box.Mailbox, t.o.Delimiter, t.o.UTF8)
}

// take opens a folder for somebody, who has to release it.
func (t *MaildirPlus) take(name string) (*Maildir, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, wrap(fs.ErrClosed)
	}
	f := t.open[name]
	if f == nil {
		d, err := t.openFolder(name)
		if err != nil {
			return nil, err
		}
		f = &plusFolder{maildir: d}
		t.open[name] = f
	}
	f.users++
	t.recent = append(slices.DeleteFunc(t.recent, func(n string) bool { return n == name }), name)
	return f.maildir, nil
}

// release gives a folder back. The least recently taken ones that nobody has are
// closed if there are too many.
func (t *MaildirPlus) release(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.open[name]; f != nil {
		f.users--
	}
	t.recent = slices.DeleteFunc(t.recent, func(name string) bool {
		f := t.open[name]
		if f == nil || f.users > 0 || len(t.open) <= t.o.MaxOpen {
			return f == nil
		}
		f.maildir.Close()
		delete(t.open, name)
		return true
	})
}

// has tells whether there is a folder.
func (t *MaildirPlus) has(name string) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false, wrap(fs.ErrClosed)
	}
	if t.open[name] != nil || !isPlusName(name) {
		return true, nil // or an error, as take has it
	}
	_, err := os.Lstat(filepath.Join(t.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, wrap(err)
}

// openFolder opens the Maildir of a folder, and makes it if it is not there.
func (t *MaildirPlus) openFolder(name string) (*Maildir, error) {
	if name == "" {
		return OpenMaildir(t.dir)
	}
	if !isPlusName(name) {
		return nil, wrap(fmt.Errorf("%q is no folder of a tree", name))
	}
	dir := filepath.Join(t.dir, name)
	if _, err := os.Stat(filepath.Join(dir, "maildirfolder")); err == nil {
		return OpenMaildir(dir) // whose name was looked at when it was made
	}
	d, err := OpenMaildir(dir)
	if err != nil {
		return nil, err
	}
	if err = t.found(name); err == nil {
		err = markFolder(dir)
	}
	if err != nil {
		d.Close()
		return nil, wrap(err)
	}
	return d, nil
}

// found makes sure that a folder has its own name, not another one in which
// the case of letters differs.
func (t *MaildirPlus) found(name string) error {
	found := false
	err := eachName(t.dir, func(entry string) error {
		found = found || entry == name
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("%q: this file system takes it for a folder that is spelled otherwise", name)
	}
	return err
}

// markFolder marks a folder as one of a tree, for those who deliver: quotas and
// the like are with the tree.
func markFolder(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "maildirfolder"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncFolder(dir)
}

// plusRef is the name of a message within the tree, and splitRef its inverse.
func plusRef(folder, ref string) string { return folder + "/" + ref }

func splitRef(ref string) (folder, inner string, ok bool) {
	folder, inner, ok = strings.Cut(ref, "/")
	return folder, inner, ok && isPlusName(folder)
}

// Batch implements [retrieval.Batcher].
func (t *MaildirPlus) Batch() retrieval.Sink { return t.newBatch() }

// Deliver is [Maildir.Deliver], in the folder of the message's mailbox.
func (t *MaildirPlus) Deliver(ctx context.Context, m *retrieval.Message) (ref string, err error) {
	return t.own.Deliver(ctx, m)
}

// Flush is [Maildir.Flush] of all folders.
func (t *MaildirPlus) Flush(ctx context.Context) error { return t.own.Flush(ctx) }

// Find is [Maildir.Find], in the folder of the mailbox.
func (t *MaildirPlus) Find(ctx context.Context, box retrieval.Box, intent retrieval.Record) (ref string, found bool, err error) {
	return t.own.Find(ctx, box, intent)
}

// SetFlags is [Maildir.SetFlags].
func (t *MaildirPlus) SetFlags(ctx context.Context, ref string, flags []retrieval.Flag) (newRef string, err error) {
	return t.own.SetFlags(ctx, ref, flags)
}

// Discard is [Maildir.Discard].
func (t *MaildirPlus) Discard(ctx context.Context, ref string) error { return t.own.Discard(ctx, ref) }

// Owns implements [retrieval.Inventory].
func (t *MaildirPlus) Owns(box retrieval.Box, ref string) bool {
	folder, inner, ok := splitRef(ref)
	return ok && folder == t.folder(box) && isOurs(inner)
}

// Copies is [Maildir.Copies] of the folder of the mailbox. What was moved to
// another folder of the tree was removed from this one.
func (t *MaildirPlus) Copies(ctx context.Context, box retrieval.Box) (map[string][]retrieval.Flag, error) {
	return t.own.Copies(ctx, box)
}

// Keeps is [Maildir.Keeps].
func (t *MaildirPlus) Keeps(f retrieval.Flag) bool { return hasLetter(f) }

// ChangeFlags is [Maildir.ChangeFlags].
func (t *MaildirPlus) ChangeFlags(ctx context.Context, ref string, add, remove []retrieval.Flag) (newRef string, err error) {
	return t.own.ChangeFlags(ctx, ref, add, remove)
}

// Witnessed is [Maildir.Witnessed], in the folder of the mailbox. A folder that
// was removed with all that was in it knows no store.
func (t *MaildirPlus) Witnessed(ctx context.Context, box retrieval.Box) (store string, err error) {
	return t.own.Witnessed(ctx, box)
}

// Note is [Maildir.Note], in the folder of the mailbox.
func (t *MaildirPlus) Note(ctx context.Context, box retrieval.Box, store string) error {
	return t.own.Note(ctx, box, store)
}
