package disk

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

func folderOf(path string) string { return filepath.Dir(filepath.Clean(path)) }

// spoolPrefix is how the names of a mailbox's spools begin. In a folder that is
// not the mailbox's there may be those of another one that has the same name.
func spoolPrefix(work, mbox string) string {
	prefix := filepath.Base(mbox) + ".postbag-"
	folder := resolved(folderOf(mbox))
	if resolved(work) == folder {
		return prefix
	}
	sum := sha256.Sum256([]byte(folder))
	return prefix + hex.EncodeToString(sum[:4]) + "-"
}

// resolved is the one name of a folder that may have several, as far as can be
// found out.
func resolved(folder string) string {
	if abs, err := filepath.Abs(folder); err == nil {
		folder = abs
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	return folder
}

// isSpoolName tells whether newSpool makes such names.
func (m *Mbox) isSpoolName(name string) bool {
	digits, ok := strings.CutPrefix(name, m.prefix)
	return ok && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == ""
}

// isSpool tells whether a file is a spool, whose header may be as a crash has
// left it, and no mailbox that somebody has given such a name.
func isSpool(f *os.File) (bool, error) {
	start := make([]byte, len(appendingMark))
	n, err := f.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	start = start[:n]
	return len(bytes.Trim(start, "\x00")) == 0 || string(start) == appendingMark, nil
}

// recover looks for spools that crashed programs have left, and takes what
// they had appended in part off the mbox's end.
func (m *Mbox) recover(l *mboxLock) error {
	mbox, err := l.f.Stat()
	if err != nil {
		return err
	}
	return m.eachSpool(mbox, os.O_RDWR, func(f *os.File) error {
		if lock, err := lockFile(f); lock != "" || err != nil {
			return err // in use
		}
		if ours, err := isSpool(f); !ours || err != nil {
			return err
		}
		if a, ok := readAppending(f); ok {
			if err := m.cutTorn(l, f, a); err != nil {
				return err
			}
		}
		return ignoreMissing(os.Remove(f.Name()))
	})
}

// eachSpool opens what may be another program's spool for the mbox.
func (m *Mbox) eachSpool(mbox os.FileInfo, mode int, do func(f *os.File) error) error {
	return eachName(m.work, func(name string) error {
		path := filepath.Join(m.work, name)
		if !m.isSpoolName(name) || m.spool != nil && path == m.spool.f.Name() {
			return nil
		}
		fi, err := os.Lstat(path)
		if err != nil || !fi.Mode().IsRegular() || !mayHaveLeft(fi, mbox) {
			return ignoreMissing(err)
		}
		f, err := os.OpenFile(path, mode|noFollow|syscall.O_NONBLOCK, 0)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		return do(f)
	})
}

// soundEnd returns where the mbox would end after recover, or is going to end
// if what is being appended now is not counted.
func (m *Mbox) soundEnd(mbox *os.File) (int64, error) {
	fi, err := mbox.Stat()
	if err != nil {
		return 0, err
	}
	end := fi.Size()
	return end, m.eachSpool(fi, os.O_RDONLY, func(f *os.File) error {
		a, ok := readAppending(f)
		if !ok {
			return nil
		}
		ours, whole, err := a.isAtEnd(&mboxLock{f: mbox}, f)
		if err == nil && ours && !whole {
			end = min(end, a.offset)
		}
		return err
	})
}

// cutTorn cuts the mbox where a crashed program began to append, if nothing
// but a part of what it appended is there.
func (m *Mbox) cutTorn(l *mboxLock, spool *os.File, a appending) error {
	ours, whole, err := a.isAtEnd(l, spool)
	if err != nil || !ours || whole {
		return err
	}
	if err := l.f.Truncate(a.offset); err != nil {
		return err
	}
	return m.sync(l.f)
}

// isAtEnd tells whether the mbox ends with what was appended, or with a part of
// it, and nothing else is behind that. Blocks that a power cut has lost read as
// NULs.
func (a appending) isAtEnd(l *mboxLock, spool *os.File) (ours, whole bool, err error) {
	size, err := l.size()
	if err != nil || size <= a.offset || size > a.end() {
		return false, false, err // nothing was appended, or another program went on behind it
	}
	got := bufio.NewReaderSize(io.NewSectionReader(l.f, a.offset, size-a.offset), bufferSize)
	want := bufio.NewReaderSize(a.content(spool), bufferSize)
	whole = size == a.end()
	for range size - a.offset {
		g, err := got.ReadByte()
		if err != nil {
			return false, false, err
		}
		w, err := want.ReadByte()
		if err != nil || g != w && g != 0 {
			return false, false, nil // another program's
		}
		whole = whole && g == w
	}
	return true, whole, nil
}
