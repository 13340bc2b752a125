package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func openLedger(t testing.TB, path string) *disk.Ledger {
	t.Helper()
	l, err := disk.OpenLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func load(t *testing.T, l *disk.Ledger, box retrieval.Box) map[retrieval.UID]retrieval.Record {
	t.Helper()
	recs, err := l.Load(t.Context(), box)
	if err != nil {
		t.Fatal(err)
	}
	return recs
}

func TestLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, path)
	if got := load(t, l, inbox); len(got) != 0 {
		t.Errorf("a new ledger holds %v", got)
	}
	since := time.Unix(1_700_000_000, 123_456_789)
	want := make(map[retrieval.UID]retrieval.Record)
	for i, uid := range []retrieval.UID{"1.1", "a/b", "\x00\xff", "ü", retrieval.UID(strings.Repeat("~", 70))} {
		want[uid] = retrieval.Record{UID: uid, Stage: retrieval.Stage(i%3 + 1), Ref: "ref\x00" + string(uid), Since: since}
	}
	want["no time"] = retrieval.Record{UID: "no time", Stage: retrieval.Doomed, Flags: []retrieval.Flag{retrieval.FlagSeen, "", "ü"}, Since: time.Unix(-62135596800, 0)}
	for _, rec := range want {
		if err := l.Put(t.Context(), inbox, rec); err != nil {
			t.Fatal(err)
		}
	}
	other := retrieval.Box{Account: inbox.Account + "I", Mailbox: "NBOX"}
	if err := l.Put(t.Context(), other, retrieval.Record{UID: "1.1", Stage: retrieval.Settled}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Put(t.Context(), inbox); err == nil {
		t.Error("Put after Close is no error")
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", fi.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}

	l = openLedger(t, path)
	if got := load(t, l, inbox); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if !load(t, l, inbox)["no time"].Since.IsZero() {
		t.Error("the zero time is not kept")
	}
	if err := l.Forget(t.Context(), inbox, "1.1", "never there", "a/b"); err != nil {
		t.Fatal(err)
	}
	if err := l.Forget(t.Context(), retrieval.Box{Account: "never there"}, "1"); err != nil {
		t.Fatal(err)
	}
	delete(want, "1.1")
	delete(want, "a/b")
	if got := load(t, l, inbox); !reflect.DeepEqual(got, want) {
		t.Errorf("after Forget\ngot  %v\nwant %v", got, want)
	}
	if got := load(t, l, other); len(got) != 1 {
		t.Errorf("the other mailbox has %v", got)
	}
}

// A Put is all or nothing.
func TestLedgerTransaction(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger"))
	err := l.Put(t.Context(), inbox, retrieval.Record{UID: "1", Stage: retrieval.Settled}, retrieval.Record{UID: "", Stage: retrieval.Settled})
	if err == nil {
		t.Error("an empty UID is no error")
	}
	if got := load(t, l, inbox); len(got) != 0 {
		t.Errorf("half of a transaction is there: %v", got)
	}
}

func TestLedgerConcurrency(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger"))
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 5 {
				if err := l.Put(t.Context(), inbox, retrieval.Record{UID: retrieval.UID(fmt.Sprint(w, i)), Stage: retrieval.Settled}); err != nil {
					t.Error(err)
				}
				if _, err := l.Load(t.Context(), inbox); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(load(t, l, inbox)); got != 40 {
		t.Errorf("%d records, want 40", got)
	}
}

const childEnv = "POSTBAG_TEST_LEDGER"

func TestLedgerLocked(t *testing.T) {
	if path := os.Getenv(childEnv); path != "" {
		_, err := disk.OpenLedger(path)
		fmt.Printf("locked=%v %v\n", errors.Is(err, retrieval.ErrLocked), err)
		return
	}
	path := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, path)
	if _, err := disk.OpenLedger(path); !errors.Is(err, retrieval.ErrLocked) {
		t.Errorf("in the same process: %v, want ErrLocked", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLedgerLocked$")
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("locked=true ledger "+path+": in use by another process")) {
		t.Errorf("in another process: %v, %s", err, out)
	}
	l.Close()
	openLedger(t, path)
}

// filled returns the octets of a ledger with many records.
func filled(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, path)
	var recs []retrieval.Record
	for i := range 2000 {
		recs = append(recs, retrieval.Record{UID: retrieval.UID(fmt.Sprint("1.", i)), Stage: retrieval.Settled, Ref: fmt.Sprintf("postbag-%032x", i)})
	}
	err := l.Put(t.Context(), inbox, recs...)
	for i := range 20 { // so that what every open reads is not at the end
		err = errors.Join(err, l.Forget(t.Context(), inbox, recs[i].UID))
	}
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// usedSize returns how much of a bbolt file is in use.
func usedSize(t *testing.T, data []byte) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "used")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var size int
	db.View(func(tx *bbolt.Tx) error { size = int(tx.Size()); return nil })
	return size
}

// withoutFreeList makes bbolt panic while it opens the file for writing.
func withoutFreeList(data []byte) []byte {
	data = bytes.Clone(data)
	for at := 0; at < len(data); at += os.Getpagesize() {
		if flags := data[at+8 : at+10]; flags[0] == 0x10 { // after the page's number
			flags[0] = 0x02
		}
	}
	return data
}

func TestNotALedger(t *testing.T) {
	dir := t.TempDir()
	whole := filled(t)
	foreign := filepath.Join(dir, "foreign")
	db, err := bbolt.Open(foreign, 0o600, &bbolt.Options{NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
	db.Close()
	foreignData, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "not a ledger"},
		{"text", []byte("From: me\n"), "not a ledger"},
		{"noise", noise, "not a ledger"},
		{"zeros", make([]byte, 1<<16), "not a ledger"},
		{"of another program", foreignData, "not a ledger"},
		{"of a later version", bytes.ReplaceAll(whole, []byte("ledger 1"), []byte("ledger 2")), `"ledger 2"`},
		{"cut by its last page", whole[:usedSize(t, whole)-os.Getpagesize()], "damaged"},
		{"list of free pages lost", withoutFreeList(whole), "damaged"},
		{"cut in half", whole[:len(whole)/2], "damaged"},
		{"cut to one page", whole[:os.Getpagesize()], "damaged"},
		{"cut within a page", whole[:5*os.Getpagesize()+100], "damaged"},
		{"cut to some octets", whole[:100], "not a ledger"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger")
			if err := os.WriteFile(path, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := disk.OpenLedger(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "ledger "+path+": ") {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, tt.data) {
				t.Error("the file was changed")
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			openLedger(t, path) // the lock is not held
		})
	}
	for path, want := range map[string]string{
		dir:                                 "not a file",
		"/dev/null":                         "not a file",
		filepath.Join(dir, "no", "folder"):  "no such file",
		filepath.Join(foreign, "in a file"): "not a directory",
	} {
		if _, err := disk.OpenLedger(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// Octets that have changed in a ledger end in an error or go unnoticed, but
// never in a panic or a hang.
func TestDamagedLedger(t *testing.T) {
	whole := filled(t)
	path := filepath.Join(t.TempDir(), "ledger")
	rnd := rand.New(rand.NewPCG(1, 2))
	opened, failed := 0, 0
	for range 150 {
		data := bytes.Clone(whole)
		for range 1 + rnd.IntN(40) {
			at := rnd.IntN(len(data)/64) * 64 // where the headers are, more often
			data[at+rnd.IntN(64)] = byte(rnd.Uint32())
			data[at+8+rnd.IntN(8)] ^= 1 << rnd.IntN(8)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := disk.OpenLedger(path)
		if errors.Is(err, retrieval.ErrLocked) {
			t.Fatal("a damaged ledger is still locked after Close")
		}
		if err != nil {
			continue
		}
		opened++
		_, err = l.Load(t.Context(), inbox)
		err = errors.Join(err, l.Put(t.Context(), inbox, retrieval.Record{UID: "new", Stage: retrieval.Settled}))
		if err = errors.Join(err, l.Forget(t.Context(), inbox, "1.5", "1.1000")); err != nil {
			failed++
		}
		l.Close()
	}
	t.Logf("of 150 damaged ledgers %d could be opened, and %d of those failed later", opened, failed)
	if opened == 0 || failed == 0 {
		t.Error("the damage is too great, or too small")
	}
}
