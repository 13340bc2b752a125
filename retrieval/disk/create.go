package disk

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// createLedger makes a ledger, and lets f put something into it. It is made
// under a name of its own, so that one that is half made is never taken for
// one. If there is a file already the error is fs.ErrExist.
func createLedger(path string, f func(tx *bbolt.Tx) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ledger-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	tmp.Close()
	db, err := bbolt.Open(tmp.Name(), 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket(markBucket); err != nil {
			return err
		}
		if _, err := tx.CreateBucket(boxesBucket); err != nil {
			return err
		}
		return errors.Join(mark(tx), f(tx))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return publish(tmp.Name(), path)
}

// publish gives a file its name, unless another one has it.
func publish(tmp, path string) error {
	err := os.Link(tmp, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(tmp, path) // a file system without links
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// mark makes a database a ledger of this version, with a new identity.
func mark(tx *bbolt.Tx) error {
	b := tx.Bucket(markBucket)
	if err := b.Put(formatKey, format); err != nil {
		return err
	}
	if err := b.Put(storeKey, []byte(newIdentity())); err != nil {
		return err
	}
	return countBoxes(tx, 0)
}

// newIdentity returns 24 random hexadecimal digits and 8 of their checksum.
func newIdentity() string {
	var id [12]byte
	rand.Read(id[:])
	return signed(hex.EncodeToString(id[:]))
}

func signed(id string) string { return fmt.Sprintf("%s%08x", id, checksum("", []byte(id))) }

// isIdentity tells whether an identity is as it was made.
func isIdentity(store string) bool {
	return len(store) == 32 && store == signed(store[:24])
}
