package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// tinyDisk mounts a file system of 256 KiB and 64 files.
func tinyDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k,nr_inodes=64"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// F119: a full disk takes no part of a message, and what it had stays.
func TestFullDisk(t *testing.T) {
	d := &maildir{T: t, dir: filepath.Join(tinyDisk(t), "mail")}
	d.open()
	small := d.deliver("1", "small")
	_, err := d.Deliver(t.Context(), message("2", strings.Repeat("x", 300<<10)))
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("%v, want ENOSPC", err)
	}
	if n := len(d.list("tmp")); n != 1 {
		t.Errorf("%d files in tmp, want the small one alone", n)
	}
	d.flush()
	d.want("new/" + small + "=small")
	d.deliver("3", strings.Repeat("y", 200<<10)) // what the large one took is free
	d.flush()

	// No file can be made any more.
	for err = nil; err == nil; {
		var f *os.File
		if f, err = os.CreateTemp(d.dir, ""); err == nil {
			f.Close()
		}
	}
	if _, err := d.Deliver(t.Context(), message("4", "x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want ENOSPC", err)
	}
}

// F119: a transaction that does not fit changes nothing, nor does a compaction.
func TestFullDiskForLedger(t *testing.T) {
	dir := tinyDisk(t)
	l, err := disk.OpenLedger(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rec := retrieval.Record{UID: "1", Stage: retrieval.Settled, Ref: "small"}
	put(t, l, inbox, rec)
	want := state(t, l, inbox)
	big := retrieval.Record{UID: "2", Stage: retrieval.Settled, Ref: strings.Repeat("r", 300<<10)}
	if err := change(t, l, inbox, retrieval.Change{Put: []retrieval.Record{rec, big}, Cursor: []byte("c")}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want ENOSPC", err)
	}
	if st := state(t, l, inbox); !reflect.DeepEqual(st, want) {
		t.Errorf("%v, want what was put first", st)
	}
	fillDisk(t, dir)
	if err := l.Compact(t.Context()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Compact: %v, want ENOSPC", err)
	}
	if err := l.Backup(t.Context(), filepath.Join(dir, "backup")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Backup: %v, want ENOSPC", err)
	}
	d, err := os.ReadDir(dir)
	if err != nil || len(d) != 2 {
		t.Errorf("there are %v, %v, want the ledger and the filler", d, err)
	}
	if _, err := disk.OpenLedger(filepath.Join(dir, "another")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("OpenLedger: %v, want ENOSPC", err)
	}
	if st := state(t, l, inbox); !reflect.DeepEqual(st, want) {
		t.Errorf("%v, want what was put first", st)
	}
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	put(t, l, inbox, retrieval.Record{UID: "3", Stage: retrieval.Settled}) // as if nothing had been
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(load(t, openLedger(t, filepath.Join(dir, "ledger")), inbox)); n != 2 {
		t.Errorf("%d records, want 2", n)
	}
}

// fillDisk leaves no room.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1024))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// F122, F129: folders that cannot be written.
func TestReadOnlyDisk(t *testing.T) {
	dir := tinyDisk(t)
	d := &maildir{T: t, dir: filepath.Join(dir, "mail")}
	d.open()
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot make a disk read-only: %v", err)
	}
	if _, err := d.Deliver(t.Context(), message("1", "x")); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Deliver: %v, want EROFS", err)
	}
	if _, err := disk.OpenMaildir(filepath.Join(dir, "other")); !errors.Is(err, syscall.EROFS) {
		t.Errorf("OpenMaildir: %v, want EROFS", err)
	}
	if _, err := disk.OpenLedger(filepath.Join(dir, "ledger")); !errors.Is(err, syscall.EROFS) {
		t.Errorf("OpenLedger: %v, want EROFS", err)
	}
}

// F121, F122: a Maildir whose folders are on two file systems, or that lets
// nothing into one of them: nothing is lost, and nothing half there.
func TestMaildirAcrossDisks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mount func(dir string) error
		want  error
	}{
		{"new is another disk", func(dir string) error {
			return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k")
		}, syscall.EXDEV},
		{"new is read-only", func(dir string) error {
			return errors.Join(syscall.Mount(dir, dir, "", syscall.MS_BIND, ""), syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""))
		}, syscall.EXDEV}, // a bind mount is that too
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newMaildir(t)
			at := filepath.Join(d.dir, "new")
			if err := tt.mount(at); err != nil {
				t.Skipf("cannot mount: %v", err)
			}
			t.Cleanup(func() { syscall.Unmount(at, syscall.MNT_DETACH) })
			d.deliver("1", "to cur", retrieval.FlagSeen)
			d.deliver("2", "to new")
			if err := d.Flush(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if left := d.list("tmp", "new", "cur"); len(left) > 0 {
				t.Errorf("%q are left", left)
			}
			if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
			a, b := d.deliver("1", "to cur", retrieval.FlagSeen), d.deliver("2", "to new")
			d.flush()
			d.want("cur/"+a+":2,S=to cur", "new/"+b+"=to new")
		})
	}
}
