package disk

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Compact gives the room back that forgotten records took: it writes the
// ledger anew and puts the new file in the old one's place. A crash leaves the
// one or the other, whole. Transactions wait meanwhile; the new file is
// locked as the old one was.
func (l *Ledger) Compact(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	l.using.Lock()
	defer l.using.Unlock()
	return l.wrap(l.guarded(l.compact))
}

func (l *Ledger) compact() error {
	if l.readOnly {
		return errors.New("opened to be read only")
	}
	fi, err := l.file.Stat()
	if err != nil {
		return err
	}
	if err := checkFile(l.file, fi.Size()); err != nil {
		return err // bbolt would copy what it does not see to be wrong
	}
	path, err := filepath.EvalSymlinks(l.path)
	if err != nil {
		return err
	}
	name, err := compactName(l.path)
	if err != nil {
		return err
	}
	l.did("begun")
	db, file, err := l.copyTo(name, fi.Mode().Perm())
	if err != nil {
		os.Remove(name)
		return err
	}
	l.did("written")
	if err := os.Rename(name, path); err != nil {
		db.Close()
		os.Remove(name)
		return err
	}
	l.did("renamed")
	old := l.db
	l.db, l.file = db, file
	return errors.Join(syncFolder(filepath.Dir(path)), old.Close())
}

// copyTo writes a durable copy to a file of a name, and leaves it open.
func (l *Ledger) copyTo(name string, mode os.FileMode) (*bbolt.DB, *os.File, error) {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	err = f.Chmod(mode)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, nil, err
	}
	db, file, err := openDB(name, false)
	if err != nil {
		return nil, nil, err
	}
	db.NoSync = true
	l.did("made")
	err = bbolt.Compact(db, l.db, compactStep)
	l.did("copied")
	db.NoSync = false
	if err == nil {
		err = db.Sync()
	}
	if err == nil {
		var fi os.FileInfo
		if fi, err = file.Stat(); err == nil {
			err = checkFile(file, fi.Size())
		}
	}
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return db, file, nil
}

// compactStep is how many octets a transaction of a copy has: it is in memory.
const compactStep = 64 << 20

func (l *Ledger) did(step string) {
	if l.step != nil {
		l.step(step)
	}
}

// compactName is the name under which Compact writes. Who has the ledger open
// for writing has this one too.
func compactName(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".compact"), err
}
