package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// TestLedgerFaults is F129: what a ledger does when its file is not what it was.
func TestLedgerFaults(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"truncated tail":              faultTruncated,
		"flipped bit at every page":   faultFlipped,
		"zero-filled block":           faultZeros,
		"duplicate record":            faultDuplicate,
		"record of another":           faultForeignRecord,
		"missing record":              faultMissing,
		"missing mailbox":             faultMissingBox,
		"record of a later version":   faultLaterRecord,
		"two accounts at a user@host": faultTwoAccounts,
		"missing file with a witness": faultMissingFile,
		"another ledger":              faultWrongLedger,
	} {
		t.Run(name, test)
	}
}

// small returns a ledger with a few mailboxes and pages of every kind, whose
// last transaction took a record away.
func small(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, path)
	var recs []retrieval.Record
	for i := range 150 {
		recs = append(recs, retrieval.Record{UID: retrieval.UID(fmt.Sprint("1.", 100+i)), Stage: retrieval.Settled, Ref: fmt.Sprintf("postbag-%032x", i), Size: int64(i)})
	}
	clock := retrieval.Clock{Time: time.Unix(1_700_000_000, 1).UTC(), Wall: time.Unix(1_700_000_001, 2).UTC()}
	if err := change(t, l, inbox, retrieval.Change{Put: recs, Cursor: []byte("cursor"), Clock: &clock}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		put(t, l, retrieval.Box{Account: "another", Mailbox: fmt.Sprint(i)}, recs[i])
	}
	day := []retrieval.Hour{{Begins: time.Unix(1_700_000_400, 0).UTC(), Octets: 1 << 33}, {Begins: time.Unix(1_700_004_000, 0).UTC(), Octets: 7}}
	if err := change(t, l, retrieval.Box{Account: inbox.Account}, retrieval.Change{Hours: day, Clock: &clock}); err != nil {
		t.Fatal(err)
	}
	forget(t, l, inbox, recs[149].UID)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// whole is what all mailboxes of a ledger hold, or the error.
func contents(path string, t *testing.T) (map[retrieval.Box]retrieval.State, error) {
	t.Helper()
	l, err := disk.OpenLedger(path)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	boxes, err := l.Boxes(t.Context())
	if err != nil {
		return nil, err
	}
	all := make(map[retrieval.Box]retrieval.State)
	for _, box := range boxes {
		p := openPage(t, l, box)
		st, err := p.Load(t.Context())
		if err != nil {
			return nil, err
		}
		all[box] = st
	}
	return all, nil
}

func wantLost(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, retrieval.ErrStateLost) {
		t.Errorf("%v, want ErrStateLost", err)
	}
}

func faultTruncated(t *testing.T) {
	data := small(t)
	for n := 0; n < usedSize(t, data); n += 512 {
		path := writeLedger(t, data[:n])
		_, err := contents(path, t)
		if !errors.Is(err, retrieval.ErrStateLost) {
			t.Fatalf("of %d octets %d are left: %v, want ErrStateLost", len(data), n, err)
		}
		if after, _ := os.ReadFile(path); len(after) != n {
			t.Fatal("the file was changed")
		}
	}
}

// faultFlipped changes a bit in each 16 octets of the file, so that every
// field of every page has its turn. If the newest root is hit bbolt takes the
// one before: the ledger is as before its last transaction, which is what a
// crash in it would have left.
func faultFlipped(t *testing.T) {
	data := small(t)
	want, err := contents(writeLedger(t, data), t)
	if err != nil {
		t.Fatal(err)
	}
	found, harmless, before := 0, 0, 0
	path := writeLedger(t, data)
	step := 37
	if testing.Short() {
		step = 149
	}
	for at := 0; at < usedSize(t, data); at += step {
		data[at] ^= 1 << (at % 8)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		data[at] ^= 1 << (at % 8)
		switch got, err := contents(path, t); {
		case errors.Is(err, retrieval.ErrStateLost), errors.As(err, new(*disk.VersionError)):
			found++
		case err != nil:
			t.Fatalf("octet %d: %v, want ErrStateLost", at, err)
		case reflect.DeepEqual(got, want):
			harmless++
		case len(got[inbox].Records) == 150 && at < 2*os.Getpagesize():
			before++
		default:
			t.Fatalf("octet %d: the ledger opens and holds something else", at)
		}
	}
	t.Logf("%d flips found, %d where nothing is, %d in the newest root", found, harmless, before)
	if found == 0 || harmless == 0 || before == 0 {
		t.Error("the test does not reach all that it is to show")
	}
}

func faultZeros(t *testing.T) {
	data := small(t)
	want, err := contents(writeLedger(t, data), t)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < usedSize(t, data); at += 512 {
		spoilt := bytes.Clone(data)
		clear(spoilt[at : at+512])
		got, err := contents(writeLedger(t, spoilt), t)
		root := at < 2*os.Getpagesize() && len(got[inbox].Records) == 150
		if !errors.Is(err, retrieval.ErrStateLost) && !root && !reflect.DeepEqual(got, want) {
			t.Errorf("octets from %d: %v, and another state", at, err)
		}
	}
}

// edit changes a ledger as no ledger does, below its checksums.
func edit(t *testing.T, data []byte, f func(boxes, records *bbolt.Bucket) error) string {
	t.Helper()
	path := writeLedger(t, data)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		boxes := tx.Bucket([]byte("boxes"))
		key := append([]byte{byte(len(inbox.Account))}, inbox.Account+inbox.Mailbox...)
		return f(boxes, boxes.Bucket(key).Bucket([]byte("records")))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func faultDuplicate(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger"))
	put(t, l, inbox, retrieval.Record{UID: "1", Stage: retrieval.Intended}, retrieval.Record{UID: "1", Stage: retrieval.Settled})
	if got := load(t, l, inbox); len(got) != 1 || got["1"].Stage != retrieval.Settled {
		t.Errorf("%v, want the later one", got)
	}
	_, err := contents(edit(t, small(t), func(_, records *bbolt.Bucket) error {
		return records.Put([]byte("1.1000"), slices.Clone(records.Get([]byte("1.100"))))
	}), t)
	wantLost(t, err)
}

func faultForeignRecord(t *testing.T) {
	_, err := contents(edit(t, small(t), func(_, records *bbolt.Bucket) error {
		return records.Put([]byte("1.100"), slices.Clone(records.Get([]byte("1.101"))))
	}), t)
	wantLost(t, err)
}

func faultMissing(t *testing.T) {
	_, err := contents(edit(t, small(t), func(_, records *bbolt.Bucket) error { return records.Delete([]byte("1.100")) }), t)
	wantLost(t, err)
}

func faultMissingBox(t *testing.T) {
	_, err := contents(edit(t, small(t), func(boxes, _ *bbolt.Bucket) error { return boxes.DeleteBucket([]byte("\x07another1")) }), t)
	wantLost(t, err)
}

func faultLaterRecord(t *testing.T) {
	_, err := contents(edit(t, small(t), func(_, records *bbolt.Bucket) error {
		v := slices.Clone(records.Get([]byte("1.100")))
		v[0]++
		return records.Put([]byte("1.100"), v)
	}), t)
	wantLost(t, err)
}

func faultTwoAccounts(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger"))
	boxes := []retrieval.Box{{Account: "imap://joe@mail.example.com:993", Mailbox: "INBOX"}, {Account: "pop3://joe@mail.example.com:995", Mailbox: "INBOX"}}
	for i, box := range boxes {
		put(t, l, box, retrieval.Record{UID: "1", Stage: retrieval.Settled, Ref: fmt.Sprint(i)})
	}
	for i, box := range boxes {
		if got := load(t, l, box)["1"].Ref; got != fmt.Sprint(i) {
			t.Errorf("%v has the record %q", box, got)
		}
	}
}

// The file is gone: a new one has an identity that the Maildir does not know.
// That Run does nothing then is shown where Run is.
func faultMissingFile(t *testing.T) {
	d := newMaildir(t)
	path := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, path)
	d.note(inbox, state(t, l, inbox).Store)
	l.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	d.open()
	noted, err := d.Witnessed(t.Context(), inbox)
	if store := state(t, openLedger(t, path), inbox).Store; err != nil || noted == "" || noted == store {
		t.Errorf("the Maildir knows %q, %v, the new ledger is %q", noted, err, store)
	}
}

// Another account's ledger is a good one, and again the Maildir tells.
func faultWrongLedger(t *testing.T) {
	d := newMaildir(t)
	dir := t.TempDir()
	mine, other := openLedger(t, filepath.Join(dir, "mine")), openLedger(t, filepath.Join(dir, "other"))
	d.note(inbox, state(t, mine, inbox).Store)
	if st := state(t, other, inbox); st.Store == state(t, mine, inbox).Store {
		t.Error("two ledgers are the same store")
	}
	d.wantNote(inbox, state(t, mine, inbox).Store)
}
