package disk_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"go.etcd.io/bbolt"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// repaired repairs a ledger of these octets and returns what is in the new
// one, which must be sound.
func repaired(t *testing.T, data []byte) (disk.Repaired, map[retrieval.Box]retrieval.State) {
	t.Helper()
	from := writeLedger(t, data)
	to := filepath.Join(t.TempDir(), "repaired")
	rep, err := disk.Repair(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(from); !bytes.Equal(after, data) {
		t.Fatal("the damaged file was changed")
	}
	got, err := contents(to, t)
	if err != nil {
		t.Fatal(err)
	}
	return rep, got
}

func boxReport(rep disk.Repaired, box retrieval.Box) (found disk.RepairedBox) {
	for _, b := range rep.Boxes {
		if b.Box == box {
			found = b
		}
	}
	return found
}

func TestRepair(t *testing.T) {
	data := small(t)
	want, err := contents(writeLedger(t, data), t)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("whole", func(t *testing.T) {
		rep, got := repaired(t, data)
		if !reflect.DeepEqual(got, want) || len(rep.Problems) > 0 || rep.LostBoxes != 0 || !rep.SameStore {
			t.Errorf("%+v", rep)
		}
		if b := boxReport(rep, inbox); b.Records != 149 || b.Lost != 0 || b.CursorLost {
			t.Errorf("%+v", b)
		}
	})
	t.Run("of the first version", func(t *testing.T) {
		rep, got := repaired(t, ledger1(t))
		if len(got[annIMAP].Records) != 99 || rep.SameStore || boxReport(rep, annIMAP).Lost != -1 {
			t.Errorf("%d records, %+v", len(got[annIMAP].Records), rep)
		}
	})
	t.Run("a record", func(t *testing.T) {
		spoilt, err := os.ReadFile(edit(t, data, func(_, records *bbolt.Bucket) error {
			v := bytes.Clone(records.Get([]byte("1.100")))
			v[5] ^= 1
			return records.Put([]byte("1.100"), v)
		}))
		if err != nil {
			t.Fatal(err)
		}
		rep, got := repaired(t, spoilt)
		// The last transaction, that of edit, has spoilt it; the one before
		// had it whole.
		b := boxReport(rep, inbox)
		if len(got[inbox].Records) != 149 || b.Older != 1 || !b.CursorLost || got[inbox].Cursor != nil || len(rep.Problems) == 0 {
			t.Errorf("%d records, %+v", len(got[inbox].Records), b)
		}
		if got[inbox].Store != want[inbox].Store || got[inbox].Clock != want[inbox].Clock {
			t.Error("identity or clock is not kept")
		}
	})
	t.Run("each page", func(t *testing.T) {
		lost, all := 0, 0
		for at := 2 * os.Getpagesize(); at < usedSize(t, data); at += os.Getpagesize() {
			spoilt := bytes.Clone(data)
			clear(spoilt[at : at+os.Getpagesize()])
			from, to := writeLedger(t, spoilt), filepath.Join(t.TempDir(), "repaired")
			rep, err := disk.Repair(t.Context(), from, to)
			if errors.Is(err, retrieval.ErrStateLost) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := contents(to, t)
			if err != nil {
				t.Fatal(err)
			}
			said := rep.LostBoxes != 0 || !rep.SameStore
			for _, b := range rep.Boxes {
				said = said || b.Lost != 0 || b.Older > 0
			}
			switch {
			case reflect.DeepEqual(got, want):
				all++
			case said:
				lost++
			default:
				t.Errorf("page at %d: nothing said of a loss: %+v", at, rep)
			}
			for box, st := range got {
				for uid, r := range st.Records {
					if w, ok := want[box].Records[uid]; ok && !reflect.DeepEqual(r, w) {
						t.Errorf("page at %d: the record of %s is %v, want %v", at, uid, r, w)
					}
				}
			}
		}
		t.Logf("of the pages %d are no loss, %d are", all, lost)
		if all == 0 || lost == 0 {
			t.Error("the test does not reach all that it is to show")
		}
	})
	t.Run("tail", func(t *testing.T) {
		big := filled(t)
		some := 0
		for cut := 1; cut < usedSize(t, big)/os.Getpagesize(); cut++ {
			from, to := writeLedger(t, big[:usedSize(t, big)-cut*os.Getpagesize()]), filepath.Join(t.TempDir(), "repaired")
			rep, err := disk.Repair(t.Context(), from, to)
			if errors.Is(err, retrieval.ErrStateLost) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := contents(to, t)
			n := len(got[inbox].Records)
			if b := boxReport(rep, inbox); err != nil || len(rep.Problems) == 0 || b.Records != n || n < 1980 && rep.LostBoxes == 0 && b.Lost == 0 {
				t.Errorf("%d pages cut: %d records of 1980, %v: %+v", cut, n, err, rep)
			}
			if n > 0 {
				some++
			}
		}
		t.Logf("something was read of %d of %d", some, usedSize(t, big)/os.Getpagesize())
	})
	t.Run("nothing", func(t *testing.T) {
		for _, junk := range [][]byte{nil, []byte("From: me\n"), make([]byte, 1<<16)} {
			to := filepath.Join(t.TempDir(), "repaired")
			_, err := disk.Repair(t.Context(), writeLedger(t, junk), to)
			wantLost(t, err)
			if _, err := os.Lstat(to); err == nil {
				t.Error("there is a new ledger")
			}
		}
	})
	t.Run("refused", func(t *testing.T) {
		from := writeLedger(t, data)
		if _, err := disk.Repair(t.Context(), from, from); !errors.Is(err, fs.ErrExist) {
			t.Errorf("onto itself: %v, want fs.ErrExist", err)
		}
		openLedger(t, from)
		if _, err := disk.Repair(t.Context(), from, from+"2"); !errors.Is(err, retrieval.ErrLocked) {
			t.Errorf("in use: %v, want ErrLocked", err)
		}
		later := bytes.ReplaceAll(data, []byte("ledger 2"), []byte("ledger 3"))
		if _, err := disk.Repair(t.Context(), writeLedger(t, later), from+"2"); !errors.As(err, new(*disk.VersionError)) {
			t.Errorf("of a later version: %v, want VersionError", err)
		}
	})
}

// FuzzRepair: any octets in the place of some of a ledger's end in a sound
// ledger or an error.
func FuzzRepair(f *testing.F) {
	data, err := os.ReadFile(filepath.Join("testdata", "ledger-1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(0), []byte(nil))
	f.Add(uint16(4096/8), []byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(uint16(3*4096/8+1), []byte{1, 0, 255, 255})
	f.Fuzz(func(t *testing.T, at uint16, octets []byte) {
		spoilt := bytes.Clone(data)
		copy(spoilt[min(int(at)*8, len(spoilt)):], octets)
		from, to := writeLedger(t, spoilt), filepath.Join(t.TempDir(), "repaired")
		if _, err := contents(from, t); err != nil && !errors.Is(err, retrieval.ErrStateLost) && !errors.As(err, new(*disk.VersionError)) {
			t.Errorf("opened: %v", err)
		}
		if err := os.WriteFile(from, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := disk.Repair(t.Context(), from, to); err != nil {
			return
		}
		if _, err := contents(to, t); err != nil {
			t.Errorf("repaired: %v", err)
		}
	})
}
