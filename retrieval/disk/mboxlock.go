package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"example.com/postbag/retrieval"
)

// LockError is the error of a mailbox that another program has locked for
// longer than [MboxOptions].Patience. It is a [retrieval.ErrLocked].
type LockError struct {
	Path string // of the mailbox
	Lock string // "fcntl", "flock", "dotlock"; "spool": the file beside the mailbox
}

func (e *LockError) Error() string {
	return fmt.Sprintf("%s: another program holds a lock on it (%s)", e.Path, e.Lock)
}

// Is tells that target is [retrieval.ErrLocked].
func (e *LockError) Is(target error) bool { return target == retrieval.ErrLocked }

const (
	// staleDotlock is the age at which a dotlock counts as left by a crash.
	// Programs that hold one for longer have to touch it.
	staleDotlock = 5 * time.Minute

	firstWait, longestWait = 10 * time.Millisecond, time.Second
)

// mboxLock is a mailbox that is open and locked.
type mboxLock struct {
	f   *os.File
	dot *os.File // nil if the folder lets nobody like us make one
}

var errReplaced = errors.New("the file was replaced")

// lock opens the mailbox and locks it: fcntl first, then flock, then the
// dotlock, none of which waits. If one is taken all are given up before the
// next attempt, so that programs which lock in another order never wait for
// each other.
func (m *Mbox) lock(ctx context.Context) (*mboxLock, error) {
	patience := time.NewTimer(m.patience)
	defer patience.Stop()
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		l, err := m.tryLock()
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, retrieval.ErrLocked) && err != errReplaced {
			return nil, err
		}
		select {
		case <-time.After(wait):
		case <-patience.C:
			return nil, err
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), err)
		}
	}
}

func (m *Mbox) tryLock() (*mboxLock, error) {
	f, err := m.openFile()
	if err != nil {
		return nil, err
	}
	l := &mboxLock{f: f}
	held, err := lockFile(f)
	if err == nil && held == "" {
		l.dot, held, err = dotlock(m.path)
	}
	if err == nil && held != "" {
		err = &LockError{m.path, held}
	}
	if err == nil {
		err = l.isAt(m.path)
	}
	if err == nil {
		err = checkMbox(f)
	}
	if err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

// openFile opens the mailbox, or makes it.
func (m *Mbox) openFile() (*os.File, error) {
	for range 5 {
		// Without waiting for anybody, should it be a pipe.
		f, err := os.OpenFile(m.path, os.O_RDWR|os.O_APPEND|noFollow|syscall.O_NONBLOCK, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		f, err = os.OpenFile(m.path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue // another program was faster, or it is a link to nowhere
		}
		if err == nil {
			if err = syncFolder(folderOf(m.path)); err != nil {
				f.Close()
			}
		}
		return f, err
	}
	return nil, &fs.PathError{Op: "open", Path: m.path, Err: fs.ErrNotExist}
}

// isAt tells whether the file is still the one that has the name: mail
// programs replace mailboxes, and who waited for the old one must not write
// there.
func (l *mboxLock) isAt(path string) error {
	mine, err := l.f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(mine, there) {
		return errReplaced
	}
	return err
}

// checkMbox tells whether a file is an mbox, or empty, or so short that it may
// be what a crash has left of one.
func checkMbox(f *os.File) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%s: %w: not a regular file", f.Name(), ErrNotMbox)
	}
	start := make([]byte, len(fromMark))
	n, err := f.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return err
	}
	if string(start[:n]) != fromMark[:n] {
		return fmt.Errorf("%s: %w", f.Name(), ErrNotMbox)
	}
	return nil
}

func (l *mboxLock) size() (int64, error) {
	fi, err := l.f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// markNew makes the file look as one that has mail which nobody has read:
// changed after it was read last. It is a courtesy to shells and mail
// programs; if it cannot be, nothing is lost.
func (l *mboxLock) markNew() {
	now := time.Now()
	os.Chtimes(l.f.Name(), now.Add(-time.Second), now)
}

// release gives up all locks, in the reverse order.
func (l *mboxLock) release() {
	if l.dot != nil {
		mine, err := l.dot.Stat()
		there, err2 := os.Lstat(l.dot.Name())
		if err == nil && err2 == nil && os.SameFile(mine, there) {
			os.Remove(l.dot.Name())
		}
		l.dot.Close()
	}
	l.f.Close()
}

// dotlock makes the file that says to all programs, on every host, that the
// mailbox is in use. held is not empty if it is there. Where the folder lets
// us make no file there is no dotlock, as is usual for the spools of a system.
func dotlock(mbox string) (dot *os.File, held string, err error) {
	path := mbox + ".lock"
	for range 2 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		switch {
		case err == nil:
			fmt.Fprintf(f, "%d\n", os.Getpid()) // for people and liblockfile
			return f, "", nil
		case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
			return nil, "", nil
		case !errors.Is(err, fs.ErrExist):
			return nil, "", err
		}
		if broken, err := breakDotlock(path); err != nil || !broken {
			return nil, "dotlock", err
		}
	}
	return nil, "dotlock", nil
}

// breakDotlock removes a dotlock that is too old to be in use. It is moved
// away first, and put back if that was not the one it had looked at.
func breakDotlock(path string) (bool, error) {
	old, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil || time.Since(old.ModTime()) < staleDotlock {
		return false, err
	}
	away := fmt.Sprintf("%s.stale-%d-%d", path, os.Getpid(), time.Now().UnixNano())
	if err := os.Rename(path, away); err != nil {
		return errors.Is(err, fs.ErrNotExist), ignoreMissing(err)
	}
	moved, err := os.Lstat(away)
	if err != nil {
		return false, ignoreMissing(err)
	}
	if !os.SameFile(old, moved) || !moved.ModTime().Equal(old.ModTime()) {
		os.Link(away, path)
		os.Remove(away)
		return false, nil
	}
	return true, ignoreMissing(os.Remove(away))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
