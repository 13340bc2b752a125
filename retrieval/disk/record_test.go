package disk

import (
	"reflect"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

// FuzzRecord: any octets make a record that survives a round trip, or an error.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{2, 1})
	f.Add(encodeRecord(retrieval.Record{Stage: retrieval.Intended}))
	f.Add(encodeRecord(retrieval.Record{Stage: retrieval.Doomed, Ref: "postbag-00", Flags: []retrieval.Flag{retrieval.FlagSeen, "x"}, Since: time.Unix(1_700_000_000, 5)}))
	f.Add([]byte{1, 2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := decodeRecord("uid", b)
		if err != nil {
			if !reflect.DeepEqual(rec, retrieval.Record{}) {
				t.Fatalf("an error and %v", rec)
			}
			return
		}
		again, err := decodeRecord("uid", encodeRecord(rec))
		if err != nil || !reflect.DeepEqual(again, rec) {
			t.Fatalf("%v became %v, %v", rec, again, err)
		}
	})
}
