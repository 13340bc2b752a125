package disk

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// makeFolder makes a folder that lasts, unless it is there.
func makeFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		fi, err := os.Stat(path)
		if err == nil && !fi.IsDir() {
			err = &fs.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
		}
		return err
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(filepath.Clean(path)))
}

// syncFolder makes the entries of a folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // a file system that has no such thing
	}
	return err
}

// sameContent compares a file with the one at path.
func sameContent(f *os.File, path string) (bool, error) {
	if fi, err := os.Lstat(path); err != nil || !fi.Mode().IsRegular() {
		return false, err // to open a pipe would wait for its other end
	}
	other, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer other.Close()
	fi, err := f.Stat()
	if err != nil {
		return false, err
	}
	oi, err := other.Stat()
	if err != nil || !oi.Mode().IsRegular() || fi.Size() != oi.Size() {
		return false, err
	}
	a, b := make([]byte, bufferSize), make([]byte, bufferSize)
	for at := int64(0); at < fi.Size(); at += bufferSize {
		n := min(bufferSize, fi.Size()-at)
		if _, err := f.ReadAt(a[:n], at); err != nil {
			return false, err
		}
		if _, err := other.ReadAt(b[:n], at); err != nil {
			return false, err
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return false, nil
		}
	}
	return true, nil
}
