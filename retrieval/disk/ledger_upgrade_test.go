package disk_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// testdata/ledger-1 was written by the first version of this package.
var (
	annIMAP = retrieval.Box{Account: "imap://ann@mail.example", Mailbox: "INBOX"}
	annPOP3 = retrieval.Box{Account: "pop3://ann@mail.example", Mailbox: "INBOX"}
)

func ledger1(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "ledger-1"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wantLedger1(t *testing.T, l *disk.Ledger) {
	t.Helper()
	want := make(map[retrieval.UID]retrieval.Record)
	for i := range 99 {
		r := retrieval.Record{UID: retrieval.UID(fmt.Sprintf("3857529045.%d", i+1)), Stage: retrieval.Stage(i%3 + 1), Since: time.Unix(1_700_000_000+int64(i), int64(i)*1001).UTC()}
		if i%3 > 0 {
			r.Ref, r.Delivered = fmt.Sprintf("postbag-%032x", i), r.Since
		}
		for j := range i % 4 {
			r.Flags = append(r.Flags, []retrieval.Flag{`\Seen`, "$Forwarded", "keyword"}[j])
		}
		want[r.UID] = r
	}
	if got := load(t, l, annIMAP); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	got := load(t, l, annPOP3)
	if rec := got["\x00\xffuidl"]; len(got) != 1 || rec.Stage != retrieval.Settled || rec.Ref != "a\nb" {
		t.Errorf("the other mailbox has %v", got)
	}
}

// F129: a ledger of the first version, up, down and up again.
func TestLedgerUpgrade(t *testing.T) {
	t.Run("read only", func(t *testing.T) {
		path := writeLedger(t, ledger1(t))
		l, err := disk.ReadLedger(path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		wantLedger1(t, l)
		if err := change(t, l, annIMAP, retrieval.Change{Cursor: []byte("c")}); err == nil {
			t.Error("Update is no error")
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, ledger1(t)) {
			t.Error("the file was changed")
		}
	})
	t.Run("upgrade", func(t *testing.T) {
		path := writeLedger(t, ledger1(t))
		l := openLedger(t, path)
		wantLedger1(t, l)
		store := state(t, l, annIMAP).Store
		put(t, l, annIMAP, retrieval.Record{UID: "new", Stage: retrieval.Doomed, Size: 1})
		forget(t, l, annIMAP, "new")
		l.Close()
		l = openLedger(t, path)
		wantLedger1(t, l)
		if err := l.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if again := state(t, l, annIMAP).Store; len(store) != 32 || again != store {
			t.Errorf("the identity is %q, then %q", store, again)
		}
	})
	t.Run("downgrade", func(t *testing.T) {
		// The first version's program looks for the bucket "boxes" and then
		// compares the format, which it prints.
		path := writeLedger(t, ledger1(t))
		openLedger(t, path).Close()
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.View(func(tx *bbolt.Tx) error {
			if got := tx.Bucket([]byte("postbag")).Get([]byte("format")); tx.Bucket([]byte("boxes")) == nil || string(got) != "ledger 2" {
				t.Errorf("the format is %q", got)
			}
			return nil
		})
	})
	t.Run("round trip", func(t *testing.T) { // back to a copy, and up again
		path := writeLedger(t, ledger1(t))
		openLedger(t, path).Close()
		if err := os.WriteFile(path, ledger1(t), 0o600); err != nil {
			t.Fatal(err)
		}
		wantLedger1(t, openLedger(t, path))
	})
	t.Run("damaged", func(t *testing.T) { // every record's first octet
		data := ledger1(t)
		n := 0
		for at := 0; at+9 < len(data); at++ {
			if bytes.HasPrefix(data[at:], []byte("postbag-")) {
				spoilt := bytes.Clone(data)
				spoilt[at-1] = 0xff // the length
				path := writeLedger(t, spoilt)
				if _, err := disk.OpenLedger(path); err != nil {
					wantLost(t, err)
					n++
				}
			}
		}
		if n < 60 {
			t.Errorf("%d of 66 found", n)
		}
	})
}
