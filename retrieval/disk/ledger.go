package disk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"example.com/postbag/retrieval"
)

// Ledger is a [retrieval.Store] in one file, of any number of accounts. One
// process has it at a time.
type Ledger struct {
	path string
	db   *bbolt.DB
	file *os.File // of db

	mu  sync.Mutex
	err error // that the file is damaged, once that is known
}

// The file is a bbolt database of two buckets. One is its mark, the other has
// a bucket for each mailbox, and in that a record for each UID.
var (
	markBucket  = []byte("postbag")
	boxesBucket = []byte("boxes")
	formatKey   = []byte("format")
	format      = []byte("ledger 1")
)

const lockPatience = 200 * time.Millisecond

// OpenLedger opens the ledger in a file, which only its owner may read, and
// makes it if there is none; its folder must be there. If another process has
// it open the error is [retrieval.ErrLocked]. A file that is not a ledger, or
// a damaged one, is an error and stays as it is; so is an empty file, because
// it may be what is left of one.
func OpenLedger(path string) (*Ledger, error) {
	l := &Ledger{path: path}
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = createLedger(path)
	}
	if err == nil {
		err = l.open()
	}
	if err != nil {
		return nil, l.wrap(err)
	}
	return l, nil
}

// createLedger makes a ledger under a name of its own, so that one that is
// half made is never taken for one.
func createLedger(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".ledger-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	f.Close()
	db, err := bbolt.Open(f.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		mark, err := tx.CreateBucket(markBucket)
		if err != nil {
			return err
		}
		if _, err := tx.CreateBucket(boxesBucket); err != nil {
			return err
		}
		return mark.Put(formatKey, format)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	err = os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(f.Name(), path) // a file system without links
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err // and if it exists: another process was faster
	}
	return syncFolder(filepath.Dir(path))
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
		return errors.New("not a ledger: the file is empty (remove it to begin a new ledger)")
	}
	if err := l.openAs(true); err != nil {
		return err
	}
	err = errors.Join(l.check(fi.Size()), l.close())
	if err != nil {
		return err
	}
	return l.openAs(false)
}

func (l *Ledger) openAs(readOnly bool) error {
	err := guard(func() (err error) {
		l.db, err = bbolt.Open(l.path, 0o600, &bbolt.Options{
			Timeout:      lockPatience,
			ReadOnly:     readOnly,
			NoStatistics: true,
			FreelistType: bbolt.FreelistMapType,
			OpenFile: func(name string, flag int, perm os.FileMode) (f *os.File, err error) {
				l.file, err = os.OpenFile(name, flag&^os.O_CREATE, perm)
				return l.file, err
			},
		})
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return retrieval.ErrLocked
	case errors.As(err, new(damageError)):
		l.abandon()
	case err != nil && !errors.As(err, new(*fs.PathError)) && !errors.As(err, new(syscall.Errno)):
		return fmt.Errorf("not a ledger, or a damaged one: %w", err)
	}
	return err
}

// check refuses a file that is no ledger or has lost its end.
func (l *Ledger) check(size int64) error {
	return l.guarded(func() error {
		return l.db.View(func(tx *bbolt.Tx) error {
			if tx.Size() > size {
				return fmt.Errorf("damaged: %d octets of %d are left", size, tx.Size())
			}
			mark := tx.Bucket(markBucket)
			if mark == nil || tx.Bucket(boxesBucket) == nil {
				return errors.New("not a ledger, but a database of another program")
			}
			if got := mark.Get(formatKey); string(got) != string(format) {
				return fmt.Errorf("its format is %q, this program knows %q", got, format)
			}
			return nil
		})
	})
}

// Load implements [retrieval.Store].
func (l *Ledger) Load(ctx context.Context, box retrieval.Box) (map[retrieval.UID]retrieval.Record, error) {
	recs := make(map[retrieval.UID]retrieval.Record)
	err := l.transact(ctx, (*bbolt.DB).View, func(boxes *bbolt.Bucket) error {
		b := boxes.Bucket(boxKey(box))
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			uid := retrieval.UID(k)
			rec, err := decodeRecord(uid, v)
			recs[uid] = rec
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return recs, nil
}

// Put implements [retrieval.Store].
func (l *Ledger) Put(ctx context.Context, box retrieval.Box, recs ...retrieval.Record) error {
	return l.transact(ctx, (*bbolt.DB).Update, func(boxes *bbolt.Bucket) error {
		b, err := boxes.CreateBucketIfNotExists(boxKey(box))
		if err != nil {
			return err
		}
		for _, rec := range recs {
			if err := b.Put([]byte(rec.UID), encodeRecord(rec)); err != nil {
				return fmt.Errorf("message %q: %w", rec.UID, err)
			}
		}
		return nil
	})
}

// Forget implements [retrieval.Store].
func (l *Ledger) Forget(ctx context.Context, box retrieval.Box, uids ...retrieval.UID) error {
	return l.transact(ctx, (*bbolt.DB).Update, func(boxes *bbolt.Bucket) error {
		b := boxes.Bucket(boxKey(box))
		if b == nil {
			return nil
		}
		for _, uid := range uids {
			if err := b.Delete([]byte(uid)); err != nil {
				return fmt.Errorf("message %q: %w", uid, err)
			}
		}
		return nil
	})
}

// Close ends the work with the file. Closing twice is no error.
func (l *Ledger) Close() error { return l.wrap(l.close()) }

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

func (l *Ledger) transact(ctx context.Context, kind func(*bbolt.DB, func(*bbolt.Tx) error) error, f func(boxes *bbolt.Bucket) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return l.wrap(l.guarded(func() error {
		return kind(l.db, func(tx *bbolt.Tx) error { return f(tx.Bucket(boxesBucket)) })
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

// guard makes errors of the ways in which bbolt fails on a damaged file: it
// panics, or it reads memory behind the end of the file.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damageError{r}
		}
	}()
	return f()
}

type damageError struct{ cause any }

func (e damageError) Error() string { return fmt.Sprintf("damaged: %v", e.cause) }

// boxKey is the name of the bucket of a mailbox.
func boxKey(box retrieval.Box) []byte {
	key := binary.AppendUvarint(nil, uint64(len(box.Account)))
	return append(append(key, box.Account...), box.Mailbox...)
}
