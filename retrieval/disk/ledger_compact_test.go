package disk_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// loose returns the path of a ledger most of whose records were forgotten.
func loose(t *testing.T) string {
	t.Helper()
	path := writeLedger(t, filled(t))
	l := openLedger(t, path)
	var uids []retrieval.UID
	for uid := range load(t, l, inbox) {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	forget(t, l, inbox, uids[100:]...)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLedgerCompact(t *testing.T) {
	path := loose(t)
	before, _ := os.Stat(path)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	l := openLedger(t, link)
	p := openPage(t, l, inbox)
	want, err := p.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := os.Lstat(path)
	if err != nil || after.Size() >= before.Size()/2 || after.Mode() != 0o640 {
		t.Errorf("%d octets of mode %v, %v; before %d", after.Size(), after.Mode(), err, before.Size())
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is %v, %v", fi.Mode(), err)
	}
	if got, err := p.Load(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("a page that was open holds another state, %v", err)
	}
	if _, err := disk.OpenLedger(path); !errors.Is(err, retrieval.ErrLocked) {
		t.Errorf("the new file is not locked: %v", err)
	}
	if err := p.Update(t.Context(), retrieval.Change{Put: []retrieval.Record{{UID: "new", Stage: retrieval.Settled}}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := load(t, openLedger(t, path), inbox); len(got) != len(want.Records)+1 {
		t.Errorf("%d records, want %d", len(got), len(want.Records)+1)
	}
}

// Whenever Compact is killed there is a whole ledger, and nothing is left of
// the other after the next opening. F129.
func TestLedgerCompactKilled(t *testing.T) {
	path := loose(t)
	l := openLedger(t, path)
	want := state(t, l, inbox)
	var steps []string
	var left []string // folders
	l.OnStep(func(step string) {
		dir := t.TempDir()
		if err := os.CopyFS(filepath.Join(dir, "killed"), os.DirFS(filepath.Dir(path))); err != nil {
			t.Fatal(err)
		}
		steps, left = append(steps, step), append(left, filepath.Join(dir, "killed"))
	})
	if err := l.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"begun", "made", "copied", "written", "renamed"}; !slices.Equal(steps, want) {
		t.Errorf("the steps are %q, want %q", steps, want)
	}
	for i, dir := range left {
		l := openLedger(t, filepath.Join(dir, "ledger"))
		if got := state(t, l, inbox); !reflect.DeepEqual(got, want) {
			t.Errorf("killed when %s: another state", steps[i])
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Errorf("killed when %s: there are %v, %v", steps[i], files, err)
		}
		if err := l.Compact(t.Context()); err != nil {
			t.Errorf("killed when %s, and again: %v", steps[i], err)
		}
	}
}

func TestLedgerBackup(t *testing.T) {
	l := openLedger(t, writeLedger(t, filled(t)))
	copied := filepath.Join(t.TempDir(), "copy")
	if err := l.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	want := state(t, l, inbox)
	put(t, l, inbox, retrieval.Record{UID: "later", Stage: retrieval.Settled})
	if got := state(t, openLedger(t, copied), inbox); !reflect.DeepEqual(got, want) {
		t.Error("the copy holds another state")
	}
	before, _ := os.ReadFile(copied)
	if err := l.Backup(t.Context(), copied); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v, want fs.ErrExist", err)
	}
	if after, _ := os.ReadFile(copied); !bytes.Equal(after, before) {
		t.Error("the file that was there has changed")
	}
	l.Close()
	if err := l.Backup(t.Context(), copied+"2"); err == nil {
		t.Error("of a closed ledger: no error")
	}
	if files, _ := os.ReadDir(filepath.Dir(copied)); len(files) != 1 {
		t.Errorf("there are %v", files)
	}
}

func TestLedgerForgetBox(t *testing.T) {
	path := writeLedger(t, small(t))
	l := openLedger(t, path)
	p := openPage(t, l, inbox)
	if err := l.Forget(t.Context(), inbox); !errors.Is(err, retrieval.ErrLocked) {
		t.Errorf("while its page is open: %v, want ErrLocked", err)
	}
	p.Close()
	for range 2 {
		if err := l.Forget(t.Context(), inbox); err != nil {
			t.Fatal(err)
		}
	}
	boxes, err := l.Boxes(t.Context())
	if err != nil || len(boxes) != 4 || slices.Contains(boxes, inbox) {
		t.Errorf("%v, %v, want the four others", boxes, err)
	}
	l.Close()
	if got := load(t, openLedger(t, path), inbox); len(got) != 0 {
		t.Errorf("%d records are there again", len(got))
	}
}
