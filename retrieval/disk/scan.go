package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"example.com/postbag/retrieval"
)

// scan is what a ledger's file holds, read without trust in any of it.
type scan struct {
	format, store string
	noLedger      bool
	boxes         uint64 // that there should be, if known
	counted       bool

	// box is told of a mailbox, and returns what is told of its records and
	// then of its end. head is nil if it cannot be read.
	box func(key []byte, h *head) (record func(uid, value []byte), end func())

	// hours, if not nil, is told before that of the hours of an account.
	hours func(key []byte, hours []retrieval.Hour)
}

// read goes through a file from one of its roots.
func (s *scan) read(t *tree) {
	top := make(map[string][]byte)
	t.root(func(e entry) {
		if e.sub {
			top[string(e.key)] = append([]byte(nil), e.value...)
		}
	})
	marks, boxes := top[string(markBucket)], top[string(boxesBucket)]
	s.noLedger = marks == nil || boxes == nil
	if marks != nil {
		t.bucket(marks, 1, s.mark)
	}
	if boxes != nil {
		found := uint64(0)
		t.bucket(boxes, 1, func(e entry) {
			if e.sub {
				found++
				s.readBox(t, append([]byte(nil), e.key...), append([]byte(nil), e.value...))
			}
		})
		if s.counted && found != s.boxes {
			t.bad(fmt.Errorf("%d mailboxes of %d are there", found, s.boxes))
		}
	}
	t.free()
}

// isLater tells whether a format is that of a later version.
func isLater(f string) bool {
	v, ok := strings.CutPrefix(f, "ledger ")
	n, err := strconv.Atoi(v)
	return ok && err == nil && n > 2
}

func (s *scan) mark(e entry) {
	switch string(e.key) {
	case string(formatKey):
		s.format = string(e.value)
	case string(storeKey):
		s.store = string(e.value)
	case string(boxCountKey):
		if len(e.value) == 8 {
			s.boxes, s.counted = binary.BigEndian.Uint64(e.value), true
		}
	}
}

// depth of the pages of a mailbox: far enough below those that lead to it for
// none to be overwritten.
const boxDepth = maxDepth / 4

func (s *scan) readBox(t *tree, key, value []byte) {
	if s.format == format1 {
		record, end := s.box(key, nil)
		t.bucket(value, boxDepth, func(e entry) { record(e.key, e.value) })
		end()
		return
	}
	var h *head
	var records []byte
	t.bucket(value, boxDepth, func(e entry) {
		switch {
		case string(e.key) == string(headKey) && !e.sub:
			if got, err := decodeHead(key, e.value); err == nil {
				h = &got
			}
		case string(e.key) == string(hoursKey) && !e.sub:
			hours, err := decodeHours(key, e.value)
			if err != nil {
				t.bad(err)
			} else if s.hours != nil {
				s.hours(key, hours)
			}
		case string(e.key) == string(recordsBucket) && e.sub:
			records = append([]byte(nil), e.value...)
		default:
			t.bad(fmt.Errorf("mailbox %.100q: it has %.20q", key, e.key))
		}
	})
	if h == nil {
		t.bad(fmt.Errorf("mailbox %.100q: its head is damaged", key))
	}
	record, end := s.box(key, h)
	if records == nil {
		t.bad(fmt.Errorf("mailbox %.100q: it has no records", key))
	} else {
		t.bucket(records, 2*boxDepth, func(e entry) { record(e.key, e.value) })
	}
	end()
}

// check refuses a file that is no ledger, or not as it was written.
func (l *Ledger) check() error {
	fi, err := l.file.Stat()
	if err != nil {
		return err
	}
	return checkFile(l.file, fi.Size())
}

// maxProblems is how many of a file's problems an error tells.
const maxProblems = 10

func checkFile(r io.ReaderAt, size int64) error {
	metas := readMetas(r)
	if len(metas) == 0 {
		return lost(errors.New("not a ledger, or a damaged one: it has no valid root"))
	}
	var problems []error
	more := 0
	bad := func(err error) {
		if len(problems) < maxProblems {
			problems = append(problems, err)
		} else {
			more++
		}
	}
	s := new(scan)
	s.box = func(key []byte, h *head) (func(uid, value []byte), func()) { return s.checkBox(key, h, bad) }
	t := newTree(r, size, metas[0], bad)
	s.read(t)
	switch {
	case s.noLedger && problems == nil:
		return lost(errors.New("not a ledger, but a database of another program"))
	case isLater(s.format) && problems == nil:
		return &VersionError{Found: s.format, Known: string(format)}
	case s.format == format1:
	case s.format != string(format) || !isIdentity(s.store) || !s.counted:
		bad(fmt.Errorf("its mark is %q, %q", s.format, s.store))
	}
	if more > 0 {
		problems = append(problems, fmt.Errorf("and %d more", more))
	}
	if problems != nil {
		return lost(fmt.Errorf("damaged: %w", errors.Join(problems...)))
	}
	return nil
}

func (s *scan) checkBox(key []byte, h *head, bad func(error)) (record func(uid, value []byte), end func()) {
	var found head
	if _, err := boxOf(key); err != nil {
		bad(err)
	}
	record = func(uid, value []byte) {
		if s.format == format1 {
			if _, err := decodeRecord1(retrieval.UID(uid), value); err != nil {
				bad(err)
			}
			return
		}
		found.add(value)
		if end := len(value) - checksumSize; end < 1 || checksum(string(uid), value[:end]) != storedChecksum(value) {
			bad(fmt.Errorf("message %q: %w", uid, errBadRecord))
		}
	}
	return record, func() {
		if h == nil {
			return
		}
		if err := h.compare(found); err != nil {
			bad(fmt.Errorf("mailbox %.100q: %w", key, err))
		}
	}
}
