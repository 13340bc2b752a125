package disk

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"example.com/postbag/retrieval"
)

// Maildir is a folder of messages, one a file, as mail programs know it:
// https://cr.yp.to/proto/maildir.html. It is a [retrieval.Sink], Flusher,
// Finder, Mirrorer, Inventory and Witness. Its methods may be called from several goroutines.
//
// A message is written to tmp and appears in new (or in cur, if it has flags)
// at [Maildir.Flush], when its content is durable. Mail programs and other
// deliveries may use the folder at the same time.
//
// The file's name is derived from account, mailbox and UID, and never holds
// an octet of them. Its flags are the letters that mail programs use: D for
// \Draft, F for \Flagged, P for $Forwarded, R for \Answered, S for \Seen, T
// for \Deleted. Other flags have no letter; letters that mail programs have
// added are kept.
type Maildir struct {
	dir     string
	buffers sync.Pool     // of *bufio.Writer
	syncing chan struct{} // holds one element for each fsync under way
	sync    func(*os.File) error

	mu     sync.Mutex
	closed bool
	copies index
	own    *MaildirBatch          // what its own methods work on
	open   map[*MaildirBatch]bool // all
	debris map[string][]string    // files in tmp that a crash left, by message
}

const (
	syncsAtOnce = 8
	bufferSize  = 64 << 10
	debrisAge   = 36 * time.Hour // after which the specification lets anyone clean up
)

// OpenMaildir opens the Maildir in the folder dir. It makes the folder and
// those within it, for their owner alone, unless they are there; the folder
// that dir is in must be. What crashed deliveries left in tmp is removed
// after 36 hours, or as soon as the message is delivered again.
func OpenMaildir(dir string) (*Maildir, error) {
	d := &Maildir{dir: dir, syncing: make(chan struct{}, syncsAtOnce), sync: (*os.File).Sync, open: make(map[*MaildirBatch]bool)}
	d.own = d.newBatch()
	d.buffers.New = func() any { return bufio.NewWriterSize(nil, bufferSize) }
	d.copies.dir = dir
	err := makeFolder(dir)
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err == nil {
			err = makeFolder(filepath.Join(dir, sub))
		}
	}
	if err == nil {
		err = d.clean()
	}
	if err != nil {
		return nil, wrap(err)
	}
	return d, nil
}

// Deliver writes the message to tmp. It shows in the Maildir, durably, after
// [Maildir.Flush]. The name returned keeps naming the message when mail
// programs change its flags.
//
// A message whose file is there already, with the same content, does not get
// a second one; flags that it comes with are set. If the content differs,
// because the server used a UID again, both are kept.
func (d *Maildir) Deliver(ctx context.Context, m *retrieval.Message) (ref string, err error) {
	return d.own.Deliver(ctx, m)
}

func (b *MaildirBatch) deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	d := b.d
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	name := uniqueName(m.Box, m.UID)
	f, err := d.write(name, m)
	if err != nil {
		return "", err
	}
	select {
	case d.syncing <- struct{}{}: // with the message here: it may be long in coming
	case <-ctx.Done():
		f.Close()
		os.Remove(f.Name())
		return "", context.Cause(ctx)
	}
	done := func() { <-d.syncing }
	d.mu.Lock()
	defer d.mu.Unlock()
	name, there, err := b.claim(name, f)
	if err != nil || there != "" {
		f.Close()
		os.Remove(f.Name())
		done()
		if err == nil {
			err = b.confirm(name, there, letters(m.Flags))
		}
		return name, err
	}
	b.add(&delivery{name: name, tmp: f.Name(), letters: letters(m.Flags)}, f, d.sync, done)
	return name, nil
}

// write makes a file in tmp that holds the message, not yet durable.
func (d *Maildir) write(name string, m *retrieval.Message) (*os.File, error) {
	tmp := filepath.Join(d.dir, "tmp", fmt.Sprintf("%s.%016x", name, rand.Uint64()))
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	w := d.buffers.Get().(*bufio.Writer)
	defer d.buffers.Put(w)
	w.Reset(f)
	_, err = m.WriteTo(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		// By this clock, with which Find compares: the one that file systems
		// stamp files with lags some milliseconds behind.
		now := time.Now()
		err = os.Chtimes(tmp, now, now)
	}
	if err != nil {
		f.Close()
		os.Remove(tmp)
		return nil, err
	}
	return f, nil
}

// claim decides under which name the file f will be delivered: name, or one
// with a number behind it if another content has that. If the same content is
// there already, it returns where.
func (b *MaildirBatch) claim(name string, f *os.File) (claimed, there string, err error) {
	d := b.d
	if d.closed {
		return "", "", fs.ErrClosed
	}
	for _, old := range d.debris[name] {
		os.Remove(old)
	}
	delete(d.debris, name)
	for n := 1; n <= d.copies.highest || claimed == ""; {
		numbered := numberedName(name, n)
		if b.isElsewhere(numbered) {
			n++
			continue
		}
		there, err := b.where(numbered)
		if err != nil {
			return "", "", err
		}
		if there == "" {
			claimed = cmp.Or(claimed, numbered)
			n++
			continue
		}
		switch same, err := sameContent(f, there); {
		case errors.Is(err, fs.ErrNotExist):
			// A mail program has moved it: look again.
		case err != nil:
			return "", "", err
		case same:
			return numbered, there, nil
		default:
			n++
		}
	}
	return claimed, "", nil
}

// isElsewhere tells whether a message of that name waits in another batch,
// which may yet drop it.
func (b *MaildirBatch) isElsewhere(name string) bool {
	for o := range b.d.open {
		if o != b && o.byName[name] != nil {
			return true
		}
	}
	return false
}

// where returns the path of a message that is in the Maildir or will be after
// the next Flush, or nothing.
func (b *MaildirBatch) where(name string) (string, error) {
	if item := b.byName[name]; item != nil {
		return item.tmp, nil
	}
	path, _, err := b.d.copies.find(name, false)
	return path, err
}

// confirm takes a file that was there already for the message that was to be
// delivered.
func (b *MaildirBatch) confirm(name, path, letters string) error {
	if b.byName[name] == nil {
		if err := b.again(path); err != nil {
			return err
		}
	}
	if letters == "" {
		return nil
	}
	return b.setLetters(name, letters)
}

// Flush implements [retrieval.Flusher]: the files that were written are made
// durable together, then they are moved to new or cur, then these folders are
// made durable. After an error none of the messages is in the Maildir.
func (d *Maildir) Flush(ctx context.Context) error { return d.own.Flush(ctx) }

// Close drops what was delivered since the last Flush, and waits until no
// file is in use. Closing twice is no error.
func (d *Maildir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for b := range d.open {
		b.wait()
		b.abandon()
	}
	return nil
}

// clean removes what crashed deliveries have left in tmp long ago, and notes
// what may be from a crash.
func (d *Maildir) clean() error {
	d.debris = make(map[string][]string)
	return eachName(filepath.Join(d.dir, "tmp"), func(file string) error {
		name, _, ok := strings.Cut(file, ".")
		if !ok || !isOurs(name) {
			return nil
		}
		path := filepath.Join(d.dir, "tmp", file)
		fi, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case time.Since(fi.ModTime()) < debrisAge:
			d.debris[name] = append(d.debris[name], path)
			return nil
		}
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}
