package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

const syncFailsEnv = "POSTBAG_TEST_SYNCFAILS"

// TestSyncFails has strace make the syncs of one file or folder fail, as a
// dying disk does. Whoever waits for such a sync gets the error, and what is
// recorded as settled is there whole. A ledger that could not be written is
// not used again until it has been read again: the system may show what never
// came to the disk. F119, F120.
func TestSyncFails(t *testing.T) {
	if name, dir, ok := strings.Cut(os.Getenv(syncFailsEnv), " "); ok {
		no := map[string]syscall.Errno{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC}[name]
		err := deliverAndRemember(t.Context(), dir)
		fmt.Printf("failed: %v (%v)\n", errors.Is(err, no), err)
		ledgerAfter(t, dir, no)
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	for name, tt := range map[string]struct{ path, no, calls string }{
		"the ledger":           {"ledger", "EIO", "fsync,fdatasync"},
		"the ledger, for room": {"ledger", "ENOSPC", "fdatasync"}, // of a file system that finds out late
		"the folder of both":   {".", "EIO", "fsync,fdatasync"},
		"the Maildir":          {"mail", "EIO", "fsync,fdatasync"},
		"the Maildir's new":    {"mail/new", "EIO", "fsync,fdatasync"},
		"a compacted ledger":   {".ledger.compact", "EIO", "fsync,fdatasync"},
		"the folder of files":  {"mail/tmp", "EIO", "fsync,fdatasync"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), strace, "-f", "-o", filepath.Join(t.TempDir(), "calls"),
				"-P", filepath.Join(dir, tt.path), "-e", "trace="+tt.calls, "-e", "inject="+tt.calls+":error="+tt.no,
				os.Args[0], "-test.run=^TestSyncFails$", "-test.v")
			cmd.Env = append(os.Environ(), syncFailsEnv+"="+tt.no+" "+dir)
			out, err := cmd.CombinedOutput()
			if bytes.Contains(out, []byte("ptrace")) {
				t.Skipf("strace may not trace: %s", out)
			}
			if failed := !bytes.Contains(out, []byte("failed: false")); err != nil || failed == (tt.path == "mail/tmp") {
				t.Fatalf("%v: %s", err, out)
			}
			acked := bytes.Count(out, []byte("acked"))
			if _, err := lookAfterCut(t, dir, acked); err != nil {
				t.Errorf("after %d batches that were acknowledged: %v", acked, err)
			}
		})
	}
}

// ledgerAfter wants a ledger whose first change fails to fail from then on.
func ledgerAfter(t *testing.T, dir string, no syscall.Errno) {
	l, err := disk.OpenLedger(filepath.Join(dir, "ledger"))
	if err != nil {
		return
	}
	defer l.Close()
	p := openPage(t, l, retrieval.Box{Account: "another"})
	if err := p.Update(t.Context(), retrieval.Change{Cursor: []byte("c")}); !errors.Is(err, no) {
		return // another path's syncs fail
	}
	if st, err := p.Load(t.Context()); !errors.Is(err, no) {
		t.Errorf("Load after an Update that the disk failed: %v, %v, want that", st, err)
	}
	if err := p.Update(t.Context(), retrieval.Change{}); !errors.Is(err, no) {
		t.Errorf("Update after one that the disk failed: %v, want that", err)
	}
}
