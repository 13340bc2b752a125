package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// filled returns the octets of a ledger with many records.
func filled(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	l := openLedger(t, path)
	var recs []retrieval.Record
	for i := range 2000 {
		recs = append(recs, retrieval.Record{UID: retrieval.UID(fmt.Sprint("1.", i)), Stage: retrieval.Settled, Ref: fmt.Sprintf("postbag-%032x", i)})
	}
	put(t, l, inbox, recs...)
	for i := range 20 { // so that what every open reads is not at the end
		forget(t, l, inbox, recs[i].UID)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// stateOf returns what a ledger of these octets says of the inbox.
func stateOf(t *testing.T, data []byte) retrieval.State {
	t.Helper()
	l := openLedger(t, writeLedger(t, data))
	defer l.Close()
	return state(t, l, inbox)
}

func writeLedger(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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

// F129: files that are no ledger, or one of a later version.
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
		{"of a later version", bytes.ReplaceAll(whole, []byte("ledger 2"), []byte("ledger 3")), `"ledger 3"`},
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
			later := errors.As(err, new(*disk.VersionError))
			if later != (tt.name == "of a later version") || errors.Is(err, retrieval.ErrStateLost) == later {
				t.Errorf("%v: of a later version: %v, ErrStateLost: %v", err, later, !later)
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

// Octets that have changed in a ledger end in ErrStateLost, or are where
// nothing is: never in a panic, a hang or another state. F129.
func TestDamagedLedger(t *testing.T) {
	whole := filled(t)
	path := filepath.Join(t.TempDir(), "ledger")
	rnd := rand.New(rand.NewPCG(1, 2))
	opened := 0
	want := stateOf(t, whole)
	for range 150 {
		data := bytes.Clone(whole)
		for range 1 + rnd.IntN(3) {
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
			if !errors.Is(err, retrieval.ErrStateLost) {
				t.Errorf("%v, want ErrStateLost", err)
			}
			continue
		}
		opened++
		if got := state(t, l, inbox); !reflect.DeepEqual(got, want) {
			t.Errorf("damage at which the ledger opens has changed what is in it")
		}
		put(t, l, inbox, retrieval.Record{UID: "new", Stage: retrieval.Settled})
		forget(t, l, inbox, "1.5", "1.1000")
		l.Close()
	}
	t.Logf("of 150 damaged ledgers %d could be opened", opened)
	if opened == 0 || opened == 150 {
		t.Error("the damage is too great, or too small")
	}
}
