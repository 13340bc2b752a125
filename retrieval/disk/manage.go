package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"example.com/postbag/retrieval"
)

// Boxes returns the mailboxes that the ledger knows, in no order that means
// anything. One without a name stands for the account itself.
func (l *Ledger) Boxes(ctx context.Context) ([]retrieval.Box, error) {
	var boxes []retrieval.Box
	err := l.transact(ctx, (*bbolt.DB).View, func(tx *bbolt.Tx) error {
		return tx.Bucket(boxesBucket).ForEachBucket(func(k []byte) error {
			box, err := boxOf(k)
			boxes = append(boxes, box)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return boxes, nil
}

// Forget removes all that is remembered of a mailbox, so that every message
// in it is a new one. A mailbox that is not there is no error; while its page
// is open the error is [retrieval.ErrLocked].
func (l *Ledger) Forget(ctx context.Context, box retrieval.Box) error {
	p, err := l.Open(ctx, box)
	if err != nil {
		return err
	}
	defer p.Close()
	return l.transact(ctx, (*bbolt.DB).Update, func(tx *bbolt.Tx) error {
		err := tx.Bucket(boxesBucket).DeleteBucket(boxKey(box))
		if errors.Is(err, bolterrors.ErrBucketNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return countBoxes(tx, -1)
	})
}

// Check reads the whole file and compares what is in it with its checksums
// and counts. What it finds is [retrieval.ErrStateLost]. Opening a ledger does
// the same.
func (l *Ledger) Check(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	l.using.Lock() // no transaction changes what is being read
	defer l.using.Unlock()
	return l.wrap(l.guarded(l.check))
}

// Backup writes a copy of the ledger, as it is between two transactions, to a
// new file. The copy has the same identity ([retrieval.State.Store]): put back
// in the ledger's place it is taken for the ledger. What was delivered since
// is delivered again then, but for a [Maildir] that still has it.
func (l *Ledger) Backup(ctx context.Context, path string) error {
	if err := l.backup(ctx, path); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

func (l *Ledger) backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ledger-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = l.copyWhole(ctx, f)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return publish(f.Name(), path)
}

// copyWhole copies the file while no transaction is under way.
func (l *Ledger) copyWhole(ctx context.Context, f *os.File) error {
	if err := l.Check(ctx); err != nil {
		return err
	}
	l.using.Lock()
	defer l.using.Unlock()
	if err := l.db.View(func(*bbolt.Tx) error { return nil }); err != nil {
		return l.wrap(err) // closed
	}
	fi, err := l.file.Stat()
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.NewSectionReader(l.file, 0, fi.Size()))
	return err
}
