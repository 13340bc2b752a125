package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"example.com/postbag/retrieval"
)

// A record in the ledger, under its UID:
//
//	version       1 octet, 1
//	stage         uvarint
//	since         varint seconds since 1970, uvarint nanoseconds
//	ref           uvarint length, octets
//	flags         uvarint count, for each uvarint length, octets
//
// Varints are those of encoding/binary.
const recordVersion = 1

func encodeRecord(r retrieval.Record) []byte {
	b := make([]byte, 0, 64)
	b = append(b, recordVersion)
	b = binary.AppendUvarint(b, uint64(r.Stage))
	b = binary.AppendVarint(b, r.Since.Unix())
	b = binary.AppendUvarint(b, uint64(r.Since.Nanosecond()))
	b = appendString(b, r.Ref)
	b = binary.AppendUvarint(b, uint64(len(r.Flags)))
	for _, f := range r.Flags {
		b = appendString(b, string(f))
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeRecord is the inverse of encodeRecord. A record that a later version
// has written is an error, as is anything else that it does not understand:
// to guess could cost a message.
func decodeRecord(uid retrieval.UID, b []byte) (retrieval.Record, error) {
	if len(b) == 0 || b[0] != recordVersion {
		return retrieval.Record{}, fmt.Errorf("message %q: unknown kind of record %.4x", uid, b)
	}
	d := decoder{rest: b[1:]}
	r := retrieval.Record{UID: uid, Stage: retrieval.Stage(d.number())}
	seconds, nanoseconds := d.signed(), d.number()
	r.Since = time.Unix(seconds, int64(nanoseconds))
	r.Ref = d.string()
	for n := d.number(); n > 0 && !d.bad; n-- {
		r.Flags = append(r.Flags, retrieval.Flag(d.string()))
	}
	if d.bad || len(d.rest) > 0 || nanoseconds >= uint64(time.Second) || r.Stage < retrieval.Intended || r.Stage > retrieval.Doomed {
		return retrieval.Record{}, fmt.Errorf("message %q: %w", uid, errBadRecord)
	}
	return r, nil
}

var errBadRecord = errors.New("damaged record")

// decoder takes values off the front of rest, until one is bad.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) signed() int64 {
	v, n := binary.Varint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) string() string {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

func (d *decoder) skip(n int) {
	if n <= 0 {
		d.bad = true
		n = 0
	}
	d.rest = d.rest[n:]
}
