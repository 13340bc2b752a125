package disk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"example.com/postbag/retrieval"
)

// Ledger is a [retrieval.Store] in one file, of any number of accounts. One
// process has it at a time, and in that any number of goroutines.
//
// What is in the file is covered by checksums and counts: a ledger that has
// lost something, or in which an octet has changed, is
// [retrieval.ErrStateLost] when it is opened or read.
type Ledger struct {
	path     string
	readOnly bool

	using sync.RWMutex // by transactions; Compact exchanges what follows
	db    *bbolt.DB
	file  *os.File // of db

	mu    sync.Mutex
	err   error // that the file is damaged, once that is known
	torn  error // of the disk, after which nobody knows what is on it
	taken map[retrieval.Box]*page

	step func(string) // told of the steps of Compact, in tests
}

const lockPatience = 200 * time.Millisecond

// OpenLedger opens the ledger in a file, which only its owner may read, and
// makes it if there is none; its folder must be there. If another process has
// it open the error is [retrieval.ErrLocked].
//
// A file that is not a ledger, or a damaged one, is [retrieval.ErrStateLost]
// and stays as it is; so is an empty file, because it may be what is left of
// one. A ledger of an earlier version of this package is made one of the
// present version, one of a later version is a [*VersionError].
func OpenLedger(path string) (*Ledger, error) {
	l := &Ledger{path: path}
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = createLedger(path, func(*bbolt.Tx) error { return nil })
		if errors.Is(err, fs.ErrExist) {
			err = nil // another process was faster
		}
	}
	if err == nil {
		err = l.open()
	}
	if err != nil {
		return nil, l.wrap(err)
	}
	return l, nil
}

// ReadLedger opens the ledger in a file to read it only: Update of its pages
// is an error. Any number of processes may do that at a time, while none has
// it open for writing. Nothing is changed in the file, whatever its version.
func ReadLedger(path string) (*Ledger, error) {
	l := &Ledger{path: path, readOnly: true}
	if err := l.open(); err != nil {
		return nil, l.wrap(err)
	}
	return l, nil
}

// VersionError is the error about a ledger that a later version of this
// package has written.
type VersionError struct {
	Found string // what the file says
	Known string // what this program knows
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("its format is %q, this program knows %q", e.Found, e.Known)
}

// open looks at the file before it opens it for writing, because bbolt may
// write to a file of another program at once.
func (l *Ledger) open() error {
	fi, err := os.Stat(l.path)
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return errors.New("not a file")
	}
	if fi.Size() == 0 {
		return lost(errors.New("not a ledger: the file is empty (remove it to begin a new ledger)"))
	}
	if err := l.openAs(true); err != nil {
		return err
	}
	err = l.guarded(l.check)
	if l.readOnly && err == nil {
		return nil
	}
	if err := errors.Join(err, l.close()); err != nil {
		return err
	}
	if err := l.openAs(false); err != nil {
		return err
	}
	if err := l.guarded(l.prepare); err != nil {
		l.close()
		return err
	}
	return nil
}

func (l *Ledger) openAs(readOnly bool) error {
	err := guard(func() (err error) {
		l.db, l.file, err = openDB(l.path, readOnly)
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return retrieval.ErrLocked
	case errors.As(err, new(damageError)):
		l.abandon()
	case err != nil && !errors.As(err, new(*fs.PathError)) && !errors.As(err, new(syscall.Errno)):
		return lost(fmt.Errorf("not a ledger, or a damaged one: %w", err))
	case err == nil:
		return l.stillThere()
	}
	return err
}

// openDB opens a file that is there. The file is returned also with an error.
func openDB(path string, readOnly bool) (db *bbolt.DB, file *os.File, err error) {
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      lockPatience,
		ReadOnly:     readOnly,
		NoStatistics: true,
		FreelistType: bbolt.FreelistMapType,
		OpenFile: func(name string, flag int, perm os.FileMode) (f *os.File, err error) {
			file, err = os.OpenFile(name, flag&^os.O_CREATE, perm)
			return file, err
		},
	})
	return db, file, err
}

// stillThere finds out whether the file that was locked is the one of that
// name: another process may have compacted it meanwhile.
func (l *Ledger) stillThere() error {
	mine, err := l.file.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Stat(l.path); err == nil && !os.SameFile(mine, there) {
			err = retrieval.ErrLocked
		}
	}
	if err != nil {
		l.db.Close()
	}
	return err
}

// prepare makes a ledger that was opened for writing one of this version, and
// removes what a compaction left that a crash has ended.
func (l *Ledger) prepare() error {
	err := l.db.View(func(tx *bbolt.Tx) error {
		if formatOf(tx) == format1 {
			return errUpgrade
		}
		return nil
	})
	if err == errUpgrade {
		err = l.db.Update(upgrade)
	}
	if err != nil {
		return err
	}
	if path, err := compactName(l.path); err == nil {
		os.Remove(path)
	}
	return nil
}

var errUpgrade = errors.New("a ledger of the first version")

// Close ends the work with the file; its pages are of no use then. Closing
// twice is no error.
func (l *Ledger) Close() error {
	l.using.Lock()
	defer l.using.Unlock()
	return l.wrap(l.close())
}

func (l *Ledger) close() error {
	if l.damage() == nil {
		return l.db.Close()
	}
	l.abandon()
	return nil
}

// abandon lets go of a file in which bbolt has panicked. It may hold locks in
// memory for ever, and closing would wait for them.
func (l *Ledger) abandon() {
	unlock(l.file)
	l.file.Close()
}

type transaction func(*bbolt.DB, func(*bbolt.Tx) error) error

// transact runs f in a transaction.
func (l *Ledger) transact(ctx context.Context, kind transaction, f func(tx *bbolt.Tx) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	l.using.RLock()
	defer l.using.RUnlock()
	return l.wrap(l.guarded(func() error {
		if err := l.mistrust(nil); err != nil {
			return err
		}
		return l.mistrust(typed(kind(l.db, f)))
	}))
}

// guarded is guard, and remembers damage.
func (l *Ledger) guarded(f func() error) error {
	if err := l.damage(); err != nil {
		return err
	}
	err := guard(f)
	if errors.As(err, new(damageError)) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.err = err
	}
	return err
}

// mistrust returns err, and after an error of the disk that error for ever: the
// system may have thrown away what it could not write, and show it all the
// same. What there is shows when the ledger is opened again.
func (l *Ledger) mistrust(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.torn == nil && (errors.Is(err, syscall.EIO) || isSyncError(err)) {
		l.torn = fmt.Errorf("the disk has failed, and the ledger is to be opened again: %w", err)
	}
	return cmp.Or(l.torn, err)
}

// isSyncError tells whether what bbolt had written did not come to the disk, for
// want of room, say: that is the one call whose error it returns as it is.
func isSyncError(err error) bool {
	_, is := err.(syscall.Errno)
	return is
}

func (l *Ledger) damage() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *Ledger) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ledger %s: %w", l.path, err)
}
