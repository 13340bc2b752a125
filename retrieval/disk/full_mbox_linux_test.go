package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/postbag/retrieval/disk"
)

// F119 for the mbox: whatever does not fit, what was there stays to the octet.
func TestFullDiskForMbox(t *testing.T) {
	t.Run("while a message comes", func(t *testing.T) {
		m := &mbox{T: t, path: filepath.Join(tinyDisk(t), "mail")}
		m.open(nil)
		m.deliver("1", "small")
		if _, err := m.Deliver(t.Context(), message("2", strings.Repeat("x", 300<<10))); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%v, want ENOSPC", err)
		}
		m.deliver("3", "small too")
		m.flush()
		m.want("small", "small too")
	})
	t.Run("while it is appended", func(t *testing.T) {
		m := &mbox{T: t, path: filepath.Join(tinyDisk(t), "mail")}
		m.open(nil)
		m.deliver("1", "small")
		m.flush()
		before := m.file()
		m.deliver("2", strings.Repeat("x", 150<<10)) // twice that does not fit
		if err := m.Flush(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%v, want ENOSPC", err)
		}
		if m.file() != before {
			t.Errorf("the mailbox has %d octets, want the %d as before", len(m.file()), len(before))
		}
		m.deliver("3", "small too")
		m.flush()
		m.want("small", "small too")
	})
	t.Run("while it is appended, to another file system", func(t *testing.T) {
		m := &mbox{T: t, path: filepath.Join(tinyDisk(t), "mail")}
		m.open(&disk.MboxOptions{Work: t.TempDir()})
		m.deliver("1", "small")
		m.flush()
		m.deliver("2", strings.Repeat("x", 300<<10))
		if err := m.Flush(t.Context()); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%v, want ENOSPC", err)
		}
		m.want("small")
	})
	t.Run("read-only", func(t *testing.T) {
		dir := tinyDisk(t)
		m := &mbox{T: t, path: filepath.Join(dir, "mail")}
		m.open(nil)
		m.deliver("1", "small")
		m.flush()
		m.Close()
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skipf("cannot make a disk read-only: %v", err)
		}
		for _, name := range []string{"mail", "other"} {
			if _, err := disk.OpenMbox(filepath.Join(dir, name), nil); !errors.Is(err, syscall.EROFS) {
				t.Errorf("OpenMbox of %s: %v, want EROFS", name, err)
			}
		}
	})
}

// A folder that lets nobody like us make files, as those of system spools:
// there is no dotlock, and Work says where the messages wait.
func TestMboxInOthersFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may make files anywhere")
	}
	dir := t.TempDir()
	m := &mbox{T: t, path: filepath.Join(dir, "mail")}
	m.write("")
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	m.open(&disk.MboxOptions{Work: t.TempDir()})
	m.deliver("1", "x")
	m.flush()
	m.want("x")
}
