package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

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

func openPage(t testing.TB, l *disk.Ledger, box retrieval.Box) retrieval.Page {
	t.Helper()
	p, err := l.Open(t.Context(), box)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func state(t testing.TB, l *disk.Ledger, box retrieval.Box) retrieval.State {
	t.Helper()
	p := openPage(t, l, box)
	defer p.Close()
	st, err := p.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func load(t testing.TB, l *disk.Ledger, box retrieval.Box) map[retrieval.UID]retrieval.Record {
	t.Helper()
	return state(t, l, box).Records
}

func change(t testing.TB, l *disk.Ledger, box retrieval.Box, ch retrieval.Change) error {
	t.Helper()
	p := openPage(t, l, box)
	defer p.Close()
	return p.Update(t.Context(), ch)
}

func put(t testing.TB, l *disk.Ledger, box retrieval.Box, recs ...retrieval.Record) {
	t.Helper()
	if err := change(t, l, box, retrieval.Change{Put: recs}); err != nil {
		t.Fatal(err)
	}
}

func forget(t testing.TB, l *disk.Ledger, box retrieval.Box, uids ...retrieval.UID) {
	t.Helper()
	if err := change(t, l, box, retrieval.Change{Forget: uids}); err != nil {
		t.Fatal(err)
	}
}

func TestLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, path)
	if st := state(t, l, inbox); len(st.Records) != 0 || st.Cursor != nil || st.Clock != (retrieval.Clock{}) || len(st.Store) != 32 {
		t.Errorf("a new ledger holds %v", st)
	}
	since := time.Unix(1_700_000_000, 123_456_789).UTC()
	want := make(map[retrieval.UID]retrieval.Record)
	for i, uid := range []retrieval.UID{"1.1", "a/b", "\x00\xff", "ü", retrieval.UID(strings.Repeat("~", 70))} {
		want[uid] = retrieval.Record{UID: uid, Stage: retrieval.Stage(i%3 + 1), Ref: "ref\x00" + string(uid), Since: since}
	}
	want["no time"] = retrieval.Record{UID: "no time", Stage: retrieval.Doomed, Flags: []retrieval.Flag{retrieval.FlagSeen, "", "ü"}}
	want["all"] = retrieval.Record{
		UID: "all", Stage: retrieval.Settled, Ref: "r", Flags: []retrieval.Flag{"f"}, Since: since, Delivered: since.Add(1), Size: 1 << 40,
		Print: retrieval.Print{1, 15: 2}, Email: "M1", Twin: true, Seeded: true, HeaderOnly: true, Due: true, Received: since.Add(7), Vanished: since.Add(2), Missed: since.Add(9), Deletes: 3, Attempts: 4, Retry: since.Add(-1),
	}
	for _, rec := range want {
		put(t, l, inbox, rec)
	}
	clock := retrieval.Clock{Time: since.Add(5), Wall: since.Add(6)}
	if err := change(t, l, inbox, retrieval.Change{Cursor: []byte("c\x00"), Clock: &clock}); err != nil {
		t.Fatal(err)
	}
	other := retrieval.Box{Account: inbox.Account + "I", Mailbox: "NBOX"}
	put(t, l, other, retrieval.Record{UID: "1.1", Stage: retrieval.Settled})
	store := state(t, l, inbox).Store
	p := openPage(t, l, inbox)
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Update(t.Context(), retrieval.Change{}); err == nil {
		t.Error("Update after Close is no error")
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", fi.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}

	l = openLedger(t, path)
	wantState := retrieval.State{Store: store, Records: want, Cursor: []byte("c\x00"), Clock: clock}
	if got := state(t, l, inbox); !reflect.DeepEqual(got, wantState) {
		t.Errorf("got  %v\nwant %v", got, wantState)
	}
	forget(t, l, inbox, "1.1", "never there", "a/b")
	forget(t, l, retrieval.Box{Account: "never there"}, "1")
	delete(want, "1.1")
	delete(want, "a/b")
	if got := load(t, l, inbox); !reflect.DeepEqual(got, want) {
		t.Errorf("after Forget\ngot  %v\nwant %v", got, want)
	}
	if got := load(t, l, other); len(got) != 1 {
		t.Errorf("the other mailbox has %v", got)
	}
	another := openLedger(t, filepath.Join(t.TempDir(), "another"))
	if state(t, another, inbox).Store == store {
		t.Error("two ledgers have the same identity")
	}
}

// What cannot be read again is refused, and nothing of its change is there.
func TestLedgerTransaction(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger"))
	for name, bad := range map[string]retrieval.Record{
		"no UID":        {Stage: retrieval.Settled},
		"long UID":      {UID: retrieval.UID(strings.Repeat("u", 1<<16)), Stage: retrieval.Settled},
		"no stage":      {UID: "2"},
		"unknown stage": {UID: "2", Stage: retrieval.Doomed + 1},
	} {
		err := change(t, l, inbox, retrieval.Change{Put: []retrieval.Record{{UID: "1", Stage: retrieval.Settled}, bad}, Cursor: []byte("c")})
		if err == nil {
			t.Errorf("%s is no error", name)
		}
		if st := state(t, l, inbox); len(st.Records) != 0 || st.Cursor != nil {
			t.Errorf("%s: half of a transaction is there: %v", name, st)
		}
	}
}

// Pages of many mailboxes are used at a time, each by one.
func TestLedgerConcurrency(t *testing.T) {
	l := openLedger(t, filepath.Join(t.TempDir(), "ledger"))
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			box := retrieval.Box{Account: "a", Mailbox: fmt.Sprint(w)}
			for i := range 5 {
				if err := change(t, l, box, retrieval.Change{Put: []retrieval.Record{{UID: retrieval.UID(fmt.Sprint(w, i)), Stage: retrieval.Settled}}}); err != nil {
					t.Error(err)
				}
			}
			if n := len(load(t, l, box)); n != 5 {
				t.Errorf("%d records, want 5", n)
			}
		})
	}
	wg.Wait()
	boxes, err := l.Boxes(t.Context())
	if err != nil || len(boxes) != 8 {
		t.Errorf("%v, %v, want 8 mailboxes", boxes, err)
	}
}

const childEnv = "POSTBAG_TEST_LEDGER"

// F76: who comes second, from here or from another process, is told.
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
