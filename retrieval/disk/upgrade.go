package disk

import (
	"fmt"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
)

// format1 is what the first version wrote: no identity, and in the bucket of a
// mailbox the records, under their UIDs.
const format1 = "ledger 1"

// upgrade makes a ledger of the present version of one of the first, in one
// transaction. The first version's program refuses it from then on, in words
// that say why.
func upgrade(tx *bbolt.Tx) error {
	boxes := tx.Bucket(boxesBucket)
	var keys [][]byte
	err := boxes.ForEachBucket(func(k []byte) error {
		keys = append(keys, append([]byte(nil), k...))
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		recs, err := readRecords1(boxes.Bucket(key))
		if err != nil {
			return err
		}
		if err := boxes.DeleteBucket(key); err != nil {
			return err
		}
		b, err := makeBox(boxes, key)
		if err != nil {
			return err
		}
		ch := retrieval.Change{Put: make([]retrieval.Record, 0, len(recs))}
		for _, r := range recs {
			ch.Put = append(ch.Put, r)
		}
		if err := b.change(ch); err != nil {
			return err
		}
	}
	if err := countBoxes(tx, len(keys)); err != nil {
		return err
	}
	return mark(tx)
}

func readRecords1(b *bbolt.Bucket) (map[retrieval.UID]retrieval.Record, error) {
	recs := make(map[retrieval.UID]retrieval.Record)
	err := b.ForEach(func(k, v []byte) error {
		uid := retrieval.UID(k)
		rec, err := decodeRecord1(uid, v)
		recs[uid] = rec
		return err
	})
	return recs, err
}

// decodeRecord1 reads a record of the first version:
//
//	version       1 octet, 1
//	stage         uvarint
//	since         time
//	ref           uvarint length, octets
//	flags         uvarint count, for each uvarint length, octets
func decodeRecord1(uid retrieval.UID, b []byte) (retrieval.Record, error) {
	if len(b) == 0 || b[0] != 1 {
		return retrieval.Record{}, lost(fmt.Errorf("message %q: unknown kind of record %.4x", uid, b))
	}
	d := decoder{rest: b[1:]}
	r := retrieval.Record{UID: uid, Stage: retrieval.Stage(d.number()), Since: d.moment(), Ref: d.string(), Flags: d.flagList()}
	if d.bad || len(d.rest) > 0 || !known(r.Stage) {
		return retrieval.Record{}, lost(fmt.Errorf("message %q: %w", uid, errBadRecord))
	}
	if r.Stage != retrieval.Intended {
		r.Delivered = r.Since // about as long ago
	}
	return r, nil
}
