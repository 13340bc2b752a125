package disk

import (
	"bufio"
	"context"
	"io"
	"os"
	"syscall"
	"time"

	"example.com/postbag/retrieval"
)

// Find implements [retrieval.Finder]: it looks through the mailbox for a
// delivery that was made at the intent's time or later, and is whole. Mail
// programs may have moved it within the mailbox and changed its header.
func (m *Mbox) Find(ctx context.Context, box retrieval.Box, intent retrieval.Record) (ref string, found bool, err error) {
	if err := m.enter(ctx); err != nil {
		return "", false, wrapMbox(err)
	}
	defer m.leave()
	ref, err = m.find(ctx, uniqueName(box, intent.UID), sinceIntent(intent))
	return ref, ref != "", wrapMbox(err)
}

// find returns the name of a whole message that is one of those meant.
func (m *Mbox) find(ctx context.Context, id string, meant func(mboxCopy) bool) (string, error) {
	l, err := m.lock(ctx)
	if err != nil {
		return "", err
	}
	defer l.release()
	if err := m.recover(l); err != nil {
		return "", err
	}
	if err := m.index.update(l.f); err != nil {
		return "", err
	}
	ref, err := m.whole(l.f, m.index.size, id, meant)
	m.dirty = m.dirty || ref != "" // it may be from a program that had not yet made it durable
	return ref, err
}

// Look is Find without an effect: it takes no lock, and what a crash has left
// is passed over and stays. [retrieval.Looker].
func (m *Mbox) Look(ctx context.Context, box retrieval.Box, intent retrieval.Record) (ref string, found bool, err error) {
	if err := m.enter(ctx); err != nil {
		return "", false, wrapMbox(err)
	}
	defer m.leave()
	f, err := os.OpenFile(m.path, os.O_RDONLY|noFollow|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", false, wrapMbox(ignoreMissing(err))
	}
	defer f.Close()
	if err := m.index.update(f); err != nil {
		return "", false, wrapMbox(err)
	}
	end, err := m.soundEnd(f)
	if err == nil {
		ref, err = m.whole(f, end, uniqueName(box, intent.UID), sinceIntent(intent))
	}
	return ref, ref != "", wrapMbox(err)
}

// whole returns the name of a whole message before end that is one of those
// meant, as the index has them.
func (m *Mbox) whole(f *os.File, end int64, id string, meant func(mboxCopy) bool) (string, error) {
	for _, c := range m.index.copies[id] {
		if c.offset >= end || !meant(c) {
			continue
		}
		whole, err := isWhole(f, c.offset, end)
		if err != nil {
			return "", err
		}
		if whole {
			return (&fromLine{id: id, made: c.made}).ref(), nil
		}
	}
	return "", nil
}

// sinceIntent means what was delivered at an intent's time or later.
func sinceIntent(intent retrieval.Record) func(mboxCopy) bool {
	return func(c mboxCopy) bool { return !time.Unix(0, c.made).Before(intent.Since) }
}

// isWhole tells whether the message at an offset is what was delivered, and
// not the rest that a crash has left of it.
func isWhole(f *os.File, offset, size int64) (bool, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, offset, size-offset), bufferSize)
	msg, err := nextMessage(r)
	if err != nil {
		return false, err
	}
	var sum messageSum
	if _, err := io.Copy(&sum, msg); err != nil {
		return false, err
	}
	return sum.value() == msg.line.sum, nil
}

// mboxIndex knows where our deliveries are in a mailbox, as long as that does
// not change.
type mboxIndex struct {
	file   os.FileInfo
	size   int64
	copies map[string][]mboxCopy // by id
}

type mboxCopy struct {
	offset int64
	made   int64
	sum    uint32
}

// update reads the mailbox, unless it is as it was.
func (x *mboxIndex) update(f *os.File) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if x.file != nil && os.SameFile(x.file, fi) && x.file.Size() == fi.Size() && x.file.ModTime().Equal(fi.ModTime()) {
		return nil
	}
	copies := make(map[string][]mboxCopy)
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, fi.Size()), bufferSize)
	start := true // of a line
	for at := int64(0); ; {
		line, err := r.ReadSlice('\n')
		if start && len(line) >= len(fromMark) && string(line[:len(fromMark)]) == fromMark {
			if l := parseFrom(line); l.id != "" {
				copies[l.id] = append(copies[l.id], mboxCopy{at, l.made, l.sum})
			}
		}
		start = err == nil
		at += int64(len(line))
		if err == io.EOF {
			break
		}
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
	}
	x.file, x.size, x.copies = fi, fi.Size(), copies
	return nil
}
