package disk

import (
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

// FuzzRecord: any octets make a record that survives a round trip, or an error.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{2, 1})
	f.Add(encodeRecord(&retrieval.Record{UID: "uid", Stage: retrieval.Intended}))
	f.Add(encodeRecord(&retrieval.Record{UID: "uid", Stage: retrieval.Doomed, Ref: "postbag-00", Flags: []retrieval.Flag{retrieval.FlagSeen, "x"}, Since: time.Unix(1_700_000_000, 5)}))
	f.Add([]byte{1, 2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add(encodeRecord(&retrieval.Record{UID: "uid", Stage: retrieval.Settled, Print: retrieval.Print{1}, Email: "e", Size: 5, Deletes: 1, Attempts: 2, Retry: time.Unix(1, 1), Twin: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(b) - checksumSize; n > 0 && n%2 == 0 { // half of them with a checksum that is right
			b = binary.BigEndian.AppendUint32(b[:n:n], checksum("uid", b[:n]))
		}
		rec, err := decodeRecord("uid", b)
		if err != nil {
			if !reflect.DeepEqual(rec, retrieval.Record{}) {
				t.Fatalf("an error and %v", rec)
			}
			return
		}
		again, err := decodeRecord("uid", encodeRecord(&rec))
		if err != nil || !reflect.DeepEqual(again, rec) {
			t.Fatalf("%v became %v, %v", rec, again, err)
		}
	})
}
