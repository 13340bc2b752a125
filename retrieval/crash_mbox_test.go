package retrieval_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// TestCrashMbox is TestCrash with an mbox, which finds what was delivered.
func TestCrashMbox(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			points := 0
			for crashMboxAt(t, points, p) {
				points++
			}
			if points < 15 {
				t.Errorf("only %d crash points: does the fuse see every effect?", points)
			}
			t.Logf("%d crash points", points)
		})
	}
}

// crashMboxAt reports whether the run was long enough to be stopped at n.
func crashMboxAt(t *testing.T, n int, p retrieval.Protocol) bool {
	b := newBox(t, p, retrieval.DownloadAndDelete)
	msgs := mails(6)
	b.server.Deliver(msgs...)
	path := filepath.Join(b.dir, "mbox")
	run := func(f *fuse) error {
		m, err := disk.OpenMbox(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		_, err = b.runWith(func(_ retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
			return &fusedMbox{m, f}, &fusedStore{st, f}
		})
		return err
	}
	f := &fuse{left: n}
	sound := b.acct.Dial
	b.acct.Dial = f.dial
	err := run(f)
	if !f.blown() && err != nil {
		t.Fatalf("crash point %d, which is beyond the end: %v", n, err)
	}
	b.acct.Dial = sound
	if err := run(&fuse{left: -1}); err != nil {
		t.Fatalf("crash point %d: the run after it: %v", n, err)
	}
	var want []string
	for _, m := range msgs {
		want = append(want, string(m))
	}
	got := mboxMails(t, path)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(b.contents()) != 0 {
		t.Fatalf("crash point %d: %d messages %.300q, want %d; on the server %d", n, len(got), got, len(want), len(b.contents()))
	}
	return f.blown()
}

// fusedMbox burns the fuse before each effect.
type fusedMbox struct {
	*disk.Mbox
	f *fuse
}

func (m *fusedMbox) Deliver(ctx context.Context, msg *retrieval.Message) (string, error) {
	if err := m.f.burn(); err != nil {
		return "", err
	}
	return m.Mbox.Deliver(ctx, msg)
}

func (m *fusedMbox) Flush(ctx context.Context) error {
	if err := m.f.burn(); err != nil {
		return err
	}
	return m.Mbox.Flush(ctx)
}
