package disk

import (
	"encoding/binary"
	"fmt"

	"example.com/postbag/retrieval"
)

const hoursVersion = 1

// encodeHours writes what the ledger keeps of the hours of an account's day:
//
//	version    1 octet, 1
//	and for each hour:
//	begins     time
//	octets     uvarint
//	and at last:
//	checksum   4 octets, CRC-32C over the bucket's name, "hours" and all of the above
func encodeHours(key []byte, hours []retrieval.Hour) []byte {
	b := []byte{hoursVersion}
	for _, h := range hours {
		b = appendTime(b, h.Begins)
		b = binary.AppendUvarint(b, uint64(h.Octets))
	}
	return binary.BigEndian.AppendUint32(b, hoursChecksum(key, b))
}

// decodeHours is the inverse of encodeHours. No octets at all are no hours.
func decodeHours(key, b []byte) ([]retrieval.Hour, error) {
	if b == nil {
		return nil, nil
	}
	bad := lost(fmt.Errorf("damaged hours of an account %.8x", b))
	end := len(b) - checksumSize
	if end < 1 || b[0] != hoursVersion || hoursChecksum(key, b[:end]) != storedChecksum(b) {
		return nil, bad
	}
	var hours []retrieval.Hour
	d := decoder{rest: b[1:end]}
	for len(d.rest) > 0 && !d.bad {
		hours = append(hours, retrieval.Hour{Begins: d.moment(), Octets: int64(d.number())})
	}
	if d.bad {
		return nil, bad
	}
	return hours, nil
}

func hoursChecksum(key, b []byte) uint32 { return checksum(string(key)+string(hoursKey), b) }

// setHours does what [retrieval.Change] says of hours.
func (b *ledgerBox) setHours(hours []retrieval.Hour) error {
	switch {
	case hours == nil:
		return nil
	case len(hours) == 0:
		return b.b.Delete(hoursKey)
	}
	for _, h := range hours {
		if h.Octets < 0 {
			return fmt.Errorf("an hour of %d octets", h.Octets)
		}
	}
	return b.b.Put(hoursKey, encodeHours(b.key, hours))
}
