package disk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

const powerCutEnv = "POSTBAG_TEST_POWERCUT"

const powerCutBatches, powerCutBatch = 4, 3

// TestPowerCut has a process deliver mail and remember it, as retrieval.Run
// does, while strace records what it asks of the file system. The record is
// played into a model of a disk on which only that is sure to last which was
// synced: the content of files by fsync of the file, names by fsync of the
// folder. After each call the power is cut, and what is left is looked at: as
// little as may be, and what chance leaves of the rest. F119.
func TestPowerCut(t *testing.T) {
	if dir := os.Getenv(powerCutEnv); dir != "" {
		if err := deliverAndRemember(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		return
	}
	calls := traced(t)
	model := newDiskModel()
	rnd := rand.New(rand.NewPCG(1, 2))
	acked, cuts, settled := 0, 0, 0
	for i, c := range calls {
		if c.name == "write" && strings.HasPrefix(c.data, "acked") {
			acked++
			continue
		}
		if !model.play(c) {
			continue
		}
		for _, luck := range []func() bool{func() bool { return false }, func() bool { return true }, func() bool { return rnd.IntN(2) == 0 }} {
			cuts++
			dir := t.TempDir()
			if err := model.leave(dir, luck); err != nil {
				t.Fatal(err)
			}
			n, err := lookAfterCut(t, dir, acked)
			if err != nil {
				t.Fatalf("after call %d of %d, %s of %s, with %d batches acknowledged: %v", i, len(calls), c.name, c.path, acked, err)
			}
			settled = max(settled, n)
			os.RemoveAll(dir)
		}
	}
	t.Logf("%d cuts after %d calls", cuts, len(calls))
	if acked != powerCutBatches || settled != powerCutBatches*powerCutBatch {
		t.Errorf("%d batches acknowledged, %d messages settled: is every call seen?", acked, settled)
	}
}

func powerCutMessage(i int) string {
	return strings.Repeat(fmt.Sprintf("message %d\r\n", i), 900*(i%3)+1)
}

// deliverAndRemember is what the process does. It says when a batch is done.
func deliverAndRemember(ctx context.Context, dir string) error {
	d, err := disk.OpenMaildir(filepath.Join(dir, "mail"))
	if err != nil {
		return err
	}
	defer d.Close()
	l, err := disk.OpenLedger(filepath.Join(dir, "ledger"))
	if err != nil {
		return err
	}
	defer l.Close()
	p, err := l.Open(ctx, inbox)
	if err != nil {
		return err
	}
	st, err := p.Load(ctx)
	if err != nil {
		return err
	}
	if err := d.Note(ctx, inbox, st.Store); err != nil {
		return err
	}
	for b := range powerCutBatches {
		if b == 2 {
			if err := l.Compact(ctx); err != nil {
				return err
			}
		}
		var recs []retrieval.Record
		for i := range powerCutBatch {
			recs = append(recs, retrieval.Record{UID: retrieval.UID(fmt.Sprint(b*powerCutBatch + i)), Stage: retrieval.Intended})
		}
		if err := p.Update(ctx, retrieval.Change{Put: recs}); err != nil {
			return err
		}
		for i := range recs {
			body := powerCutMessage(b*powerCutBatch + i)
			if recs[i].Ref, err = d.Deliver(ctx, message(string(recs[i].UID), body)); err != nil {
				return err
			}
			recs[i].Stage = retrieval.Settled
		}
		if err := d.Flush(ctx); err != nil {
			return err
		}
		if err := p.Update(ctx, retrieval.Change{Put: recs}); err != nil {
			return err
		}
		os.Stdout.WriteString("acked\n")
	}
	return nil
}

// lookAfterCut opens what a power cut has left. Of the batches, acked were
// acknowledged before. It returns how many messages are settled.
func lookAfterCut(t *testing.T, dir string, acked int) (settled int, err error) {
	path := filepath.Join(dir, "ledger")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && acked == 0 {
		return 0, nil
	}
	l, err := disk.OpenLedger(path)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	st := state(t, l, inbox)
	for uid, r := range st.Records {
		if r.Stage != retrieval.Settled {
			continue
		}
		settled++
		var i int
		fmt.Sscan(string(uid), &i)
		data, err := os.ReadFile(filepath.Join(dir, "mail", "new", r.Ref))
		if err != nil || string(data) != powerCutMessage(i) {
			return 0, fmt.Errorf("message %s is settled, and its file has %d octets of %d, %v", uid, len(data), len(powerCutMessage(i)), err)
		}
	}
	if want := acked * powerCutBatch; settled < want {
		return 0, fmt.Errorf("%d messages are settled, want %d", settled, want)
	}
	if acked > 0 {
		d, err := disk.OpenMaildir(filepath.Join(dir, "mail"))
		if err != nil {
			return 0, err
		}
		defer d.Close()
		if store, err := d.Witnessed(t.Context(), inbox); err != nil || store != st.Store {
			return 0, fmt.Errorf("the Maildir knows the store %q, %v, it is %q", store, err, st.Store)
		}
	}
	return settled, wholeMail(filepath.Join(dir, "mail", "new"))
}

// wholeMail makes sure that whatever is in new is a whole message.
func wholeMail(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		whole := false
		for i := range powerCutBatches * powerCutBatch {
			whole = whole || string(data) == powerCutMessage(i)
		}
		if !whole {
			return fmt.Errorf("%s in new has %d octets, which are no whole message", f.Name(), len(data))
		}
	}
	return nil
}

// traced runs the process under strace.
func traced(t *testing.T) []fileCall {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	dir := t.TempDir()
	log := filepath.Join(t.TempDir(), "calls")
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-y", "-xx", "-s", "1000000", "-o", log,
		"-e", "trace=openat,write,pwrite64,ftruncate,fsync,fdatasync,renameat,renameat2,rename,linkat,unlinkat,mkdirat",
		os.Args[0], "-test.run=^TestPowerCut$")
	cmd.Env = append(os.Environ(), powerCutEnv+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		if bytes.Contains(out, []byte("ptrace")) {
			t.Skipf("strace may not trace: %s", out)
		}
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return parseTrace(t, string(data), dir)
}
