package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	if dir := os.Getenv(syncFailsEnv); dir != "" {
		err := deliverAndRemember(t.Context(), dir)
		fmt.Printf("EIO: %v (%v)\n", errors.Is(err, syscall.EIO), err)
		ledgerAfterEIO(t, dir)
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	for name, path := range map[string]string{
		"the ledger":          "ledger",
		"the folder of both":  ".",
		"the Maildir":         "mail",
		"the Maildir's new":   "mail/new",
		"a compacted ledger":  ".ledger.compact",
		"the folder of files": "mail/tmp",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), strace, "-f", "-o", filepath.Join(t.TempDir(), "calls"),
				"-P", filepath.Join(dir, path), "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO",
				os.Args[0], "-test.run=^TestSyncFails$", "-test.v")
			cmd.Env = append(os.Environ(), syncFailsEnv+"="+dir)
			out, err := cmd.CombinedOutput()
			if bytes.Contains(out, []byte("ptrace")) {
				t.Skipf("strace may not trace: %s", out)
			}
			if failed := !bytes.Contains(out, []byte("EIO: false")); err != nil || failed == (path == "mail/tmp") {
				t.Fatalf("%v: %s", err, out)
			}
			acked := bytes.Count(out, []byte("acked"))
			if _, err := lookAfterCut(t, dir, acked); err != nil {
				t.Errorf("after %d batches that were acknowledged: %v", acked, err)
			}
		})
	}
}

// ledgerAfterEIO wants a ledger whose first change fails to fail from then on.
func ledgerAfterEIO(t *testing.T, dir string) {
	l, err := disk.OpenLedger(filepath.Join(dir, "ledger"))
	if err != nil {
		return
	}
	defer l.Close()
	p := openPage(t, l, retrieval.Box{Account: "another"})
	if err := p.Update(t.Context(), retrieval.Change{Cursor: []byte("c")}); !errors.Is(err, syscall.EIO) {
		return // another path's syncs fail
	}
	if st, err := p.Load(t.Context()); !errors.Is(err, syscall.EIO) {
		t.Errorf("Load after an Update that the disk failed: %v, %v, want EIO", st, err)
	}
	if err := p.Update(t.Context(), retrieval.Change{}); !errors.Is(err, syscall.EIO) {
		t.Errorf("Update after one that the disk failed: %v, want EIO", err)
	}
}
