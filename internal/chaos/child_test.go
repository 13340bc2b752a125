package chaos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

const taskVariable = "POSTBAG_CHAOS_TASK"

func TestMain(m *testing.M) {
	if s := os.Getenv(taskVariable); s != "" {
		if err := child(s); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// told is what a child tells of an event.
type told struct {
	Account     string
	Kind        retrieval.EventKind
	Did         bool // something
	Failed      int
	Quarantined int
	Held        int
	Err         string
}

// child watches all accounts until its standard input ends, and tells each end
// of a run on its standard output.
func child(s string) error {
	var t task
	if err := json.Unmarshal([]byte(s), &t); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	err := t.watch(ctx, json.NewEncoder(os.Stdout))
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// watch watches the accounts of each sink, all with one ledger.
func (t *task) watch(ctx context.Context, out *json.Encoder) error {
	ledger, err := disk.OpenLedger(filepath.Join(t.Dir, "ledger"))
	if err != nil {
		return err
	}
	defer ledger.Close()
	var mu sync.Mutex
	o := &retrieval.WatchOptions{
		Poll: 2 * time.Second, Resync: 2 * time.Second, Heartbeat: 5 * time.Second, PerHost: 12, AtOnce: 12,
		Observe: func(e retrieval.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == retrieval.RunEnds || e.Kind == retrieval.GivenUp {
				out.Encode(tellOf(e))
			}
		},
	}
	folders := make(map[string][]retrieval.Account)
	sinks := make(map[string]retrieval.Sink)
	for i := range t.Accounts {
		a, err := t.account(i)
		if err != nil {
			return err
		}
		dir := t.folderOf(i)
		if sinks[dir] == nil {
			if sinks[dir], err = roleOf(i).open(dir); err != nil {
				return err
			}
			defer sinks[dir].(io.Closer).Close()
		}
		folders[dir] = append(folders[dir], a)
	}
	ended := make(chan error)
	for dir, accounts := range folders {
		go func() { ended <- retrieval.Watch(ctx, sinks[dir], ledger, o, accounts...) }()
	}
	var errs []error
	for range folders {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

func tellOf(e retrieval.Event) told {
	r := &e.Report
	t := told{Account: e.Account, Kind: e.Kind, Failed: r.Failed, Quarantined: r.Quarantined, Held: r.Held}
	t.Did = r.Delivered+r.Deleted+r.Reflagged+r.Discarded+r.Acted+r.Sent+r.Rematched+r.Failed > 0
	if e.Err != nil {
		t.Err = e.Err.Error()
	}
	return t
}
