package disk

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// spool is the file in which messages wait for Flush, as they will stand in
// the mbox. Before anything is appended it is durable, and its header says
// where that will be: so that after a crash what stands there can be compared
// with what should. Whoever uses a spool holds a lock on it.
type spool struct {
	f   *os.File
	end int64 // of the last whole message
}

// spoolHeader is the length of a spool's header, which is one line of text.
const spoolHeader = 128

func newSpool(folder, prefix, mbox string) (*spool, error) {
	for range 5 {
		path := filepath.Join(folder, fmt.Sprintf("%s%016x", prefix, rand.Uint64()))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		s := &spool{f: f, end: spoolHeader}
		held, err := lockFile(f)
		if err == nil {
			err = s.cut(spoolHeader)
		}
		if err == nil {
			err = syncFolder(folder)
		}
		if err != nil {
			s.remove()
			return nil, err
		}
		// Before it was locked another program may have taken it for one
		// that a crash left.
		if held == "" && (&mboxLock{f: f}).isAt(path) == nil {
			return s, nil
		}
		s.remove()
	}
	return nil, &LockError{mbox, "spool"}
}

// cut forgets what comes after end.
func (s *spool) cut(end int64) error {
	s.end = end
	return s.f.Truncate(end)
}

// empty forgets everything, also what the header says: it would be compared
// with what other programs have made of the mailbox since.
func (s *spool) empty() error {
	return errors.Join(s.f.Truncate(0), s.cut(spoolHeader))
}

func (s *spool) remove() {
	os.Remove(s.f.Name())
	s.f.Close()
}

// spoolWriter adds to a spool.
type spoolWriter struct{ s *spool }

func (w *spoolWriter) Write(p []byte) (int, error) {
	n, err := w.s.f.WriteAt(p, w.s.end)
	w.s.end += int64(n)
	return n, err
}

// appending is what a spool's header says: pad line ends and then length
// octets of the spool go to offset in the mbox.
type appending struct {
	offset      int64
	pad, length int64
}

func (a appending) end() int64 { return a.offset + a.pad + a.length }

const (
	appendingMark   = "postbag mbox "
	appendingFormat = appendingMark + "1: offset %d, line ends %d, octets %d"
)

func (a appending) String() string {
	s := fmt.Sprintf(appendingFormat, a.offset, a.pad, a.length)
	s += fmt.Sprintf(", sum %08x", crc32.Checksum([]byte(s), castagnoli))
	return fmt.Sprintf("%-*s\n", spoolHeader-1, s)
}

// readAppending reads the header of a spool; ok is false if nothing was
// appended from it, or its header was not written to the end.
func readAppending(f *os.File) (a appending, ok bool) {
	header := make([]byte, spoolHeader)
	if _, err := f.ReadAt(header, 0); err != nil {
		return a, false
	}
	if _, err := fmt.Sscanf(string(header), appendingFormat, &a.offset, &a.pad, &a.length); err != nil {
		return a, false
	}
	return a, a.String() == string(header) && a.offset >= 0 && a.pad >= 0 && a.length >= 0
}

// content returns what was to be appended.
func (a appending) content(spool *os.File) io.Reader {
	return io.MultiReader(strings.NewReader(strings.Repeat("\n", int(min(a.pad, 2)))), io.NewSectionReader(spool, spoolHeader, a.length))
}

// append appends the spool to the mbox and makes that durable, or leaves the
// mbox as it was.
func (m *Mbox) append(l *mboxLock) error {
	size, err := l.size()
	if err != nil {
		return err
	}
	if size > 0 && size < int64(len(fromMark)) {
		return fmt.Errorf("%s: %w", m.path, ErrNotMbox)
	}
	a := appending{offset: size, length: m.spool.end - spoolHeader}
	if a.pad, err = missingEnds(l.f, size); err != nil {
		return err
	}
	if _, err := m.spool.f.WriteAt([]byte(a.String()), 0); err != nil {
		return err
	}
	if err := m.sync(m.spool.f); err != nil {
		return err
	}
	err = m.copySpool(l, a)
	if err != nil {
		return errors.Join(err, m.takeBack(l, a))
	}
	return nil
}

func (m *Mbox) copySpool(l *mboxLock, a appending) error {
	if _, err := io.Copy(l.f, a.content(m.spool.f)); err != nil {
		return err
	}
	l.markNew()
	if err := m.sync(l.f); err != nil {
		return err
	}
	size, err := l.size()
	if err == nil && size != a.end() {
		err = fmt.Errorf("%s: another program wrote to it without a lock", m.path)
	}
	return err
}

// takeBack makes the mbox as long as it was, unless another program has
// added something. An fsync that failed once says nothing when it succeeds
// later, so whether the octets are gone for good is not known: they are not
// counted as delivered, and are looked for again.
func (m *Mbox) takeBack(l *mboxLock, a appending) error {
	ours, _, err := a.isAtEnd(l, m.spool.f)
	if err != nil || !ours {
		return err
	}
	return errors.Join(l.f.Truncate(a.offset), l.f.Sync())
}

// missingEnds returns how many line ends are needed before a From_ line.
func missingEnds(f *os.File, size int64) (int64, error) {
	if size == 0 {
		return 0, nil
	}
	tail := make([]byte, min(size, 3))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return 0, err
	}
	switch s := string(tail); {
	case strings.HasSuffix(s, "\n\n"), strings.HasSuffix(s, "\n\r\n"):
		return 0, nil
	case strings.HasSuffix(s, "\n"):
		return 1, nil
	}
	return 2, nil
}
