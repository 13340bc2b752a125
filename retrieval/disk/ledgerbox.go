package disk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
)

// The file is a bbolt database of two buckets. "postbag" is its mark:
//
//	format   "ledger 2"
//	store    the identity, made up when the file was
//	boxes    8 octets, of how many mailboxes it has records
//
// "boxes" has a bucket for each mailbox, and that has
//
//	head     see [head]
//	hours    see [encodeHours]; not there if there are none
//	records  a bucket with a record for each UID
//
// A program that knows nothing of hours reads and writes the rest.
var (
	markBucket    = []byte("postbag")
	formatKey     = []byte("format")
	format        = []byte("ledger 2")
	storeKey      = []byte("store")
	boxCountKey   = []byte("boxes")
	boxesBucket   = []byte("boxes")
	headKey       = []byte("head")
	hoursKey      = []byte("hours")
	recordsBucket = []byte("records")
)

// fill is how full pages are made. UIDs mostly come in order, or nearly.
const fill = 0.9

func formatOf(tx *bbolt.Tx) string {
	if b := tx.Bucket(markBucket); b != nil {
		return string(b.Get(formatKey))
	}
	return ""
}

// boxKey is the name of the bucket of a mailbox.
func boxKey(box retrieval.Box) []byte {
	key := binary.AppendUvarint(nil, uint64(len(box.Account)))
	return append(append(key, box.Account...), box.Mailbox...)
}

// boxOf is the inverse of boxKey.
func boxOf(key []byte) (retrieval.Box, error) {
	d := decoder{rest: key}
	account := d.string()
	if d.bad {
		return retrieval.Box{}, lost(fmt.Errorf("damaged name of a mailbox %.100q", key))
	}
	return retrieval.Box{Account: account, Mailbox: string(d.rest)}, nil
}

// ledgerBox is a mailbox in a transaction that writes.
type ledgerBox struct {
	b, records *bbolt.Bucket
	key        []byte
	head       head
}

// openBox opens the bucket of a mailbox, and makes it if there is none.
func openBox(tx *bbolt.Tx, key []byte) (*ledgerBox, error) {
	boxes := tx.Bucket(boxesBucket)
	b := boxes.Bucket(key)
	if b == nil {
		if err := countBoxes(tx, 1); err != nil {
			return nil, err
		}
		return makeBox(boxes, key)
	}
	h, err := decodeHead(key, b.Get(headKey))
	records := b.Bucket(recordsBucket)
	if err == nil && records == nil {
		err = lost(errors.New("damaged: a mailbox without records"))
	}
	if err != nil {
		return nil, err
	}
	return &ledgerBox{b, records, key, h}, nil
}

func makeBox(boxes *bbolt.Bucket, key []byte) (*ledgerBox, error) {
	b, err := boxes.CreateBucket(key)
	if err != nil {
		return nil, err
	}
	records, err := b.CreateBucket(recordsBucket)
	if err != nil {
		return nil, err
	}
	return &ledgerBox{b, records, key, head{}}, nil
}

// change does what [retrieval.Page.Update] does.
func (b *ledgerBox) change(ch retrieval.Change) error {
	b.records.FillPercent = fill
	for _, uid := range ch.Forget {
		if err := b.forget([]byte(uid)); err != nil {
			return fmt.Errorf("message %q: %w", uid, err)
		}
	}
	order := make([]*retrieval.Record, len(ch.Put))
	for i := range ch.Put {
		order[i] = &ch.Put[i]
	}
	slices.SortStableFunc(order, func(r, s *retrieval.Record) int { return strings.Compare(string(r.UID), string(s.UID)) })
	for _, r := range order {
		if err := b.put(r); err != nil {
			return fmt.Errorf("message %q: %w", r.UID, err)
		}
	}
	if ch.Cursor != nil {
		b.head.cursor = ch.Cursor
	}
	if ch.Clock != nil {
		b.head.clock = *ch.Clock
	}
	if err := b.setHours(ch.Hours); err != nil {
		return err
	}
	return b.b.Put(headKey, encodeHead(b.key, b.head))
}

func (b *ledgerBox) forget(uid []byte) error {
	old := b.records.Get(uid)
	if old == nil {
		return nil
	}
	b.head.remove(old)
	return b.records.Delete(uid)
}

func (b *ledgerBox) put(r *retrieval.Record) error {
	if !known(r.Stage) {
		return fmt.Errorf("there is no stage %d", r.Stage)
	}
	uid, v := []byte(r.UID), encodeRecord(r)
	if old := b.records.Get(uid); old != nil {
		b.head.remove(old)
	}
	b.head.add(v)
	return b.records.Put(uid, v)
}

// countBoxes notes that there are n more mailboxes.
func countBoxes(tx *bbolt.Tx, n int) error {
	mark := tx.Bucket(markBucket)
	var count uint64
	if v := mark.Get(boxCountKey); len(v) == 8 {
		count = binary.BigEndian.Uint64(v)
	}
	return mark.Put(boxCountKey, binary.BigEndian.AppendUint64(nil, count+uint64(n)))
}

// readBox reads all of a mailbox.
func readBox(tx *bbolt.Tx, key []byte) (retrieval.State, error) {
	st := retrieval.State{Store: string(tx.Bucket(markBucket).Get(storeKey))}
	b := tx.Bucket(boxesBucket).Bucket(key)
	if b == nil {
		st.Records = make(map[retrieval.UID]retrieval.Record)
		return st, nil
	}
	var err error
	if formatOf(tx) == format1 {
		st.Records, err = readRecords1(b)
		return st, err
	}
	h, err := decodeHead(key, b.Get(headKey))
	if err != nil {
		return st, err
	}
	records := b.Bucket(recordsBucket)
	if records == nil {
		return st, lost(errors.New("damaged: a mailbox without records"))
	}
	st.Records = make(map[retrieval.UID]retrieval.Record, min(h.count, 1<<24))
	found := head{}
	err = records.ForEach(func(k, v []byte) error {
		uid := retrieval.UID(k)
		rec, err := decodeRecord(uid, v)
		st.Records[uid] = rec
		found.add(v)
		return err
	})
	if err == nil {
		err = h.compare(found)
	}
	if len(h.cursor) > 0 {
		st.Cursor = bytes.Clone(h.cursor)
	}
	st.Clock = h.clock
	if err == nil {
		st.Hours, err = decodeHours(key, b.Get(hoursKey))
	}
	return st, err
}
