package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
)

// Repaired is what [Repair] could read, and what it could not.
type Repaired struct {
	Boxes []RepairedBox

	// LostBoxes is how many mailboxes are lost as a whole, -1 if nobody knows.
	LostBoxes int

	// SameStore tells that the ledger's identity was read. Otherwise the new
	// one has another, and a [retrieval.Witness] will say so.
	SameStore bool

	// Problems are what is wrong with the file, the first of it.
	Problems []error
}

// RepairedBox is what [Repair] could read of a mailbox.
type RepairedBox struct {
	Box     retrieval.Box
	Records int // copied

	// Lost is how many records were not copied, -1 if nobody knows. Their
	// messages count as new.
	Lost int

	// Older is how many of those copied come from the last but one
	// transaction: what the last one said of them is lost.
	Older int

	// CursorLost tells that the mailbox has to be listed in full. It always
	// has if records are lost.
	CursorLost bool
}

// Repair copies what can be read of a damaged ledger to a new one. A record
// is copied as it was written or not at all. The damaged file stays as it is,
// and no process may have it open for writing meanwhile: the error would be
// [retrieval.ErrLocked].
func Repair(ctx context.Context, from, to string) (Repaired, error) {
	rep, err := repair(ctx, from, to)
	if err != nil {
		return Repaired{}, fmt.Errorf("repair: %w", err)
	}
	return rep, nil
}

func repair(ctx context.Context, from, to string) (Repaired, error) {
	if _, err := os.Lstat(to); err == nil {
		return Repaired{}, &fs.PathError{Op: "create", Path: to, Err: fs.ErrExist}
	}
	f, err := os.Open(from)
	if err != nil {
		return Repaired{}, err
	}
	defer f.Close()
	if !lockToRead(f) {
		return Repaired{}, retrieval.ErrLocked
	}
	fi, err := f.Stat()
	if err != nil {
		return Repaired{}, err
	}
	s, err := salvageFile(f, fi)
	if err != nil {
		return Repaired{}, err
	}
	if err := context.Cause(ctx); err != nil {
		return Repaired{}, err
	}
	if err := createLedger(to, s.write); err != nil {
		return Repaired{}, err
	}
	return s.report(), nil
}

// salvage is what was read of a damaged ledger.
type salvage struct {
	scan     scan
	boxes    []*salvagedBox
	byKey    map[string]*salvagedBox
	hours    map[string][]retrieval.Hour // by key
	problems []error
	older    bool // reading from the older root
}

type salvagedBox struct {
	key     []byte
	box     retrieval.Box
	head    *head
	records map[string]retrieval.Record
	found   head
	older   int
}

func salvageFile(f *os.File, fi fs.FileInfo) (*salvage, error) {
	s := &salvage{byKey: make(map[string]*salvagedBox), hours: make(map[string][]retrieval.Hour)}
	s.scan.box, s.scan.hours = s.box, s.hoursOf
	metas := readMetas(f)
	for i, m := range metas {
		s.older = i > 0
		if s.older && s.whole() {
			break
		}
		first := s.scan
		s.scan = scan{format: first.format, box: s.box, hours: s.hoursOf}
		s.scan.read(newTree(f, fi.Size(), m, s.bad))
		if s.older { // the newest word counts
			if isIdentity(first.store) {
				s.scan.store = first.store
			}
			if first.counted {
				s.scan.boxes, s.scan.counted = first.boxes, true
			}
		}
	}
	switch {
	case len(metas) == 0:
		return nil, lost(errors.New("nothing can be read: the file has no valid root"))
	case isLater(s.scan.format):
		return nil, &VersionError{Found: s.scan.format, Known: string(format)}
	case len(s.boxes) == 0 && s.scan.format == "":
		return nil, lost(errors.New("nothing can be read, or it is not a ledger"))
	}
	return s, nil
}

func (s *salvage) bad(err error) {
	if !s.older && len(s.problems) < maxProblems {
		s.problems = append(s.problems, err)
	}
}

// whole tells whether nothing is known to be missing.
func (s *salvage) whole() bool {
	for _, b := range s.boxes {
		if b.lost() != 0 {
			return false
		}
	}
	return isIdentity(s.scan.store) && s.scan.counted && s.scan.boxes == uint64(len(s.boxes))
}

// hoursOf keeps the hours of an account, as they were last. Lost ones cost
// nothing here: the account may receive some more in a day than it should.
func (s *salvage) hoursOf(key []byte, hours []retrieval.Hour) {
	if s.hours[string(key)] == nil {
		s.hours[string(key)] = hours
	}
}

func (s *salvage) box(key []byte, h *head) (record func(uid, value []byte), end func()) {
	end = func() {}
	b := s.byKey[string(key)]
	if b == nil {
		box, err := boxOf(key)
		if err != nil {
			s.bad(err)
			return func(uid, value []byte) {}, end
		}
		b = &salvagedBox{key: bytes.Clone(key), box: box, head: h, records: make(map[string]retrieval.Record)}
		s.byKey[string(key)] = b
		s.boxes = append(s.boxes, b)
	} else if s.older && b.lost() == 0 {
		return func(uid, value []byte) {}, end
	}
	decode := decodeRecord
	if s.scan.format == format1 {
		decode = decodeRecord1
	}
	return func(uid, value []byte) {
		rec, err := decode(retrieval.UID(uid), value)
		if err != nil {
			s.bad(err)
			return
		}
		if _, ok := b.records[string(uid)]; ok {
			return
		}
		b.records[string(uid)] = rec
		b.found.add(value)
		if s.older {
			b.older++
		}
	}, end
}

// lost returns how many records are missing, -1 if that is not known.
func (b *salvagedBox) lost() int {
	if b.head == nil || b.head.count < uint64(len(b.records)) {
		return -1
	}
	if n := b.head.count - uint64(len(b.records)); n > 0 {
		return int(n)
	}
	if b.older > 0 || b.head.compare(b.found) != nil {
		return -1
	}
	return 0
}

// write fills the new ledger.
func (s *salvage) write(tx *bbolt.Tx) error {
	if isIdentity(s.scan.store) {
		if err := tx.Bucket(markBucket).Put(storeKey, []byte(s.scan.store)); err != nil {
			return err
		}
	}
	for _, b := range s.boxes {
		ch := retrieval.Change{Put: make([]retrieval.Record, 0, len(b.records)), Hours: s.hours[string(b.key)]}
		for _, rec := range b.records {
			ch.Put = append(ch.Put, rec)
		}
		if b.head != nil {
			ch.Clock = &b.head.clock
			if b.lost() == 0 {
				ch.Cursor = b.head.cursor
			}
		}
		nb, err := openBox(tx, b.key)
		if err == nil {
			err = nb.change(ch)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *salvage) report() Repaired {
	rep := Repaired{Problems: s.problems, SameStore: isIdentity(s.scan.store), LostBoxes: -1}
	for _, b := range s.boxes {
		lost := b.lost()
		rep.Boxes = append(rep.Boxes, RepairedBox{
			Box: b.box, Records: len(b.records), Lost: lost, Older: b.older,
			CursorLost: b.head == nil || lost != 0 && len(b.head.cursor) > 0,
		})
	}
	if s.scan.counted && s.scan.boxes >= uint64(len(s.boxes)) {
		rep.LostBoxes = int(s.scan.boxes) - len(s.boxes)
	}
	return rep
}
