package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"example.com/postbag/retrieval"
)

// A record in the ledger, under its UID:
//
//	version       1 octet, 2
//	has           uvarint, the sum of the has… below that apply
//	stage         uvarint
//	and of these what it has, in this order:
//	since         time
//	ref           uvarint length, octets
//	flags         uvarint count, for each uvarint length, octets
//	delivered     time
//	received      time
//	size          varint
//	print         16 octets
//	email         uvarint length, octets
//	vanished      time
//	deletes       varint
//	attempts      varint
//	retry         time
//	missed        time
//	following     as flags
//	sending       as flags
//	and at last:
//	checksum      4 octets, CRC-32C over the UID and all of the above
//
// A time is a varint, seconds since 1970, and a uvarint, nanoseconds. Varints
// are those of encoding/binary, and the checksum's octets go from the highest
// to the lowest.
const (
	recordVersion = 2
	checksumSize  = 4
)

const (
	hasSince = 1 << iota
	hasRef
	hasFlags
	hasDelivered
	hasReceived
	hasSize
	hasTwin
	hasHeaderOnly
	hasDue
	hasPrint
	hasEmail
	hasVanished
	hasDeletes
	hasAttempts
	hasRetry
	hasMissed
	hasSeeded
	hasFollowing
	hasSending
	hasUnknown
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func encodeRecord(r *retrieval.Record) []byte {
	e := encoder{b: make([]byte, 0, 128)}
	e.time(hasSince, r.Since)
	e.text(hasRef, r.Ref)
	e.flags(hasFlags, r.Flags)
	e.time(hasDelivered, r.Delivered)
	e.time(hasReceived, r.Received)
	e.number(hasSize, r.Size)
	e.mark(hasTwin, r.Twin)
	e.mark(hasHeaderOnly, r.HeaderOnly)
	e.mark(hasDue, r.Due)
	if r.Print != (retrieval.Print{}) {
		e.has |= hasPrint
		e.b = append(e.b, r.Print[:]...)
	}
	e.text(hasEmail, r.Email)
	e.time(hasVanished, r.Vanished)
	e.number(hasDeletes, int64(r.Deletes))
	e.number(hasAttempts, int64(r.Attempts))
	e.time(hasRetry, r.Retry)
	e.time(hasMissed, r.Missed)
	e.mark(hasSeeded, r.Seeded)
	e.flags(hasFollowing, r.Following)
	e.flags(hasSending, r.Sending)

	b := make([]byte, 0, len(e.b)+16)
	b = append(b, recordVersion)
	b = binary.AppendUvarint(b, e.has)
	b = binary.AppendUvarint(b, uint64(r.Stage))
	b = append(b, e.b...)
	return binary.BigEndian.AppendUint32(b, checksum(string(r.UID), b))
}

func checksum(uid string, b []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, []byte(uid)), castagnoli, b)
}

// storedChecksum returns the checksum at the end of a record.
func storedChecksum(b []byte) uint32 {
	if len(b) < checksumSize {
		return 0
	}
	return binary.BigEndian.Uint32(b[len(b)-checksumSize:])
}

// decodeRecord is the inverse of encodeRecord. A record that a later version
// has written is an error, as is anything else that it does not understand:
// to guess could cost a message.
func decodeRecord(uid retrieval.UID, b []byte) (retrieval.Record, error) {
	r, err := decodeFields(uid, b)
	if err != nil {
		return retrieval.Record{}, lost(fmt.Errorf("message %q: %w", uid, err))
	}
	return r, nil
}

func decodeFields(uid retrieval.UID, b []byte) (r retrieval.Record, err error) {
	if len(b) == 0 || b[0] != recordVersion {
		return r, fmt.Errorf("unknown kind of record %.4x", b)
	}
	end := len(b) - checksumSize
	if end < 1 || checksum(string(uid), b[:end]) != storedChecksum(b) {
		return r, errBadRecord
	}
	d := decoder{rest: b[1:end]}
	d.has = d.number()
	if d.has >= hasUnknown {
		return r, fmt.Errorf("unknown kind of record %.4x", b)
	}
	r = retrieval.Record{UID: uid, Stage: retrieval.Stage(d.number())}
	r.Since = d.time(hasSince)
	r.Ref = d.text(hasRef)
	r.Flags = d.flags(hasFlags)
	r.Delivered = d.time(hasDelivered)
	r.Received = d.time(hasReceived)
	r.Size = d.value(hasSize)
	r.Twin = d.has&hasTwin != 0
	r.HeaderOnly = d.has&hasHeaderOnly != 0
	r.Due = d.has&hasDue != 0
	if d.has&hasPrint != 0 {
		d.octets(r.Print[:])
	}
	r.Email = d.text(hasEmail)
	r.Vanished = d.time(hasVanished)
	r.Deletes = int(d.value(hasDeletes))
	r.Attempts = int(d.value(hasAttempts))
	r.Retry = d.time(hasRetry)
	r.Missed = d.time(hasMissed)
	r.Seeded = d.has&hasSeeded != 0
	r.Following = d.flags(hasFollowing)
	r.Sending = d.flags(hasSending)
	if d.bad || len(d.rest) > 0 || !known(r.Stage) {
		return r, errBadRecord
	}
	return r, nil
}

var errBadRecord = errors.New("damaged record")

func known(s retrieval.Stage) bool { return s >= retrieval.Intended && s <= retrieval.Doomed }
