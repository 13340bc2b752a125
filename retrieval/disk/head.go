package disk

import (
	"encoding/binary"
	"fmt"

	"example.com/postbag/retrieval"
)

// head is what the ledger keeps of a mailbox besides the records:
//
//	version    1 octet, 1
//	count      uvarint, of records
//	sum        8 octets, of their checksums
//	clock      time, time: what it shows, the machine's clock
//	cursor     uvarint length, octets
//	checksum   4 octets, CRC-32C over the bucket's name and all of the above
//
// Count and sum tell when records are missing.
type head struct {
	count, sum uint64
	clock      retrieval.Clock
	cursor     []byte
}

const headVersion = 1

func (h *head) add(record []byte) {
	h.count++
	h.sum += uint64(storedChecksum(record))
}

func (h *head) remove(record []byte) {
	h.count--
	h.sum -= uint64(storedChecksum(record))
}

// compare compares with what was found.
func (h *head) compare(found head) error {
	if h.count != found.count {
		return lost(fmt.Errorf("damaged: %d records of %d are there", found.count, h.count))
	}
	if h.sum != found.sum {
		return lost(fmt.Errorf("damaged: of %d records some are not as they were", h.count))
	}
	return nil
}

func encodeHead(key []byte, h head) []byte {
	b := make([]byte, 0, 64+len(h.cursor))
	b = append(b, headVersion)
	b = binary.AppendUvarint(b, h.count)
	b = binary.BigEndian.AppendUint64(b, h.sum)
	b = appendTime(b, h.clock.Time)
	b = appendTime(b, h.clock.Wall)
	b = appendString(b, string(h.cursor))
	return binary.BigEndian.AppendUint32(b, checksum(string(key), b))
}

func decodeHead(key, b []byte) (h head, err error) {
	end := len(b) - checksumSize
	if end < 1 || b[0] != headVersion || checksum(string(key), b[:end]) != storedChecksum(b) {
		return head{}, lost(fmt.Errorf("damaged head of a mailbox %.8x", b))
	}
	d := decoder{rest: b[1:end]}
	h.count = d.number()
	var sum [8]byte
	d.octets(sum[:])
	h.sum = binary.BigEndian.Uint64(sum[:])
	h.clock.Time, h.clock.Wall = d.moment(), d.moment()
	h.cursor = []byte(d.string())
	if d.bad || len(d.rest) > 0 {
		return head{}, lost(fmt.Errorf("damaged head of a mailbox %.8x", b))
	}
	return h, nil
}
