package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

var account = retrieval.Box{Account: inbox.Account}

func day(n int) []retrieval.Hour {
	var hours []retrieval.Hour
	for i := range n {
		hours = append(hours, retrieval.Hour{Begins: time.Unix(1_700_000_000+3600*int64(i), int64(i)).UTC(), Octets: int64(i+1) << 32})
	}
	return hours
}

func setHours(t *testing.T, l *disk.Ledger, hours []retrieval.Hour) {
	t.Helper()
	if err := change(t, l, account, retrieval.Change{Hours: hours}); err != nil {
		t.Fatal(err)
	}
}

// F139: the next process knows what was received, as does one that looks at it,
// a compacted ledger, a backup and a repaired one.
func TestLedgerHours(t *testing.T) {
	const env = "POSTBAG_TEST_LEDGER_HOURS"
	if path := os.Getenv(env); path != "" {
		l := openLedger(t, path)
		fmt.Printf("got %v\n", state(t, l, account).Hours)
		setHours(t, l, day(3))
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger")
	l := openLedger(t, path)
	put(t, l, inbox, retrieval.Record{UID: "1", Stage: retrieval.Settled})
	setHours(t, l, day(25))
	if err := change(t, l, account, retrieval.Change{Hours: []retrieval.Hour{{Octets: -1}}}); err == nil {
		t.Error("fewer than no octets are no error")
	}
	l.Close()

	cmd := exec.Command(os.Args[0], "-test.run=^TestLedgerHours$")
	cmd.Env = append(os.Environ(), env+"="+path)
	out, err := cmd.CombinedOutput()
	if want := fmt.Sprintf("got %v\n", day(25)); err != nil || !bytes.Contains(out, []byte(want)) {
		t.Fatalf("another process: %v, %s, want %s", err, out, want)
	}

	l = openLedger(t, path)
	if err := l.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Backup(t.Context(), path+".copy"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := disk.Repair(t.Context(), path, path+".repaired"); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".copy", path + ".repaired"} {
		l := openLedger(t, file)
		if got := state(t, l, account).Hours; !reflect.DeepEqual(got, day(3)) {
			t.Errorf("%s has %v, want %v", filepath.Base(file), got, day(3))
		}
		if st := state(t, l, inbox); st.Hours != nil || len(st.Records) != 1 {
			t.Errorf("%s has for a mailbox %v", filepath.Base(file), st)
		}
		l.Close()
	}
}

// Hours that are damaged are found out, and repaired by forgetting them.
func TestLedgerHoursDamaged(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"a bit":         func(b []byte) []byte { b[3] ^= 1; return b },
		"cut":           func(b []byte) []byte { return b[:len(b)-1] },
		"empty":         func([]byte) []byte { return []byte{} },
		"later version": func(b []byte) []byte { b[0]++; return b },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ledger")
			l := openLedger(t, path)
			put(t, l, inbox, retrieval.Record{UID: "1", Stage: retrieval.Settled})
			setHours(t, l, day(2))
			l.Close()
			db, err := bbolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				boxes := tx.Bucket([]byte("boxes"))
				return boxes.ForEachBucket(func(k []byte) error {
					b := boxes.Bucket(k)
					if v := b.Get([]byte("hours")); v != nil {
						return b.Put([]byte("hours"), spoil(bytes.Clone(v)))
					}
					return nil
				})
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			_, err = disk.OpenLedger(path)
			wantLost(t, err)
			if rep, err := disk.Repair(t.Context(), path, path+".repaired"); err != nil || len(rep.Problems) == 0 {
				t.Fatalf("%+v, %v", rep, err)
			}
			l = openLedger(t, path+".repaired")
			if st := state(t, l, account); len(st.Hours) > 0 {
				t.Errorf("repaired to %v", st.Hours)
			}
			if st := state(t, l, inbox); len(st.Records) != 1 {
				t.Errorf("a mailbox was repaired to %v", st)
			}
		})
	}
}
