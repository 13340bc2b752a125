package retrieval_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"example.com/postbag/retrieval"
)

// TestCrashBothWays stops a run that has changes to carry both ways before its
// nth effect, for every n, and lets clean runs follow. Then both sides must be
// equal, and no message lost that one side wants.
func TestCrashBothWays(t *testing.T) {
	for _, trash := range []string{"", "Trash"} {
		t.Run(trash, func(t *testing.T) {
			points := 0
			for n := 0; crashBothWays(t, n, trash); n++ {
				points++
			}
			if points < 20 {
				t.Errorf("only %d crash points: does the fuse see every effect?", points)
			}
			t.Logf("%d crash points", points)
		})
	}
}

func crashBothWays(t *testing.T, n int, trash string) bool {
	b, on := twoWay(t, 9, nil)
	b.server.Create("Trash")
	b.acct.Upstream.Trash = trash
	b.mark(on[0].Data, "S")
	b.server.SetFlags(on[0].UID, retrieval.FlagFlagged)
	b.mark(on[1].Data, "RS")
	b.remove(on[2].Data)
	b.mark(on[3].Data, "T")
	b.server.Delete(on[4].UID)
	b.remove(on[5].Data)
	b.server.SetFlags(on[5].UID, retrieval.FlagSeen)
	b.mark(on[6].Data, "T")
	b.server.SetFlags(on[6].UID, retrieval.FlagSeen)
	b.server.SetFlags(on[7].UID, retrieval.FlagDeleted)
	b.server.Deliver([]byte("Subject: 9\r\n\r\nnew\r\n"))
	blown := b.crash(n)
	b.sync()
	b.sync()
	b.wantBoth("0:FS 1:RS 5:S 6:S 7:T 8: 9:")
	if got := len(b.server.ContentsOf("Trash")); trash != "" && got != 2 {
		t.Fatalf("crash point %d: %d messages in the trash, want 2", n, got)
	}
	return blown
}

// A mark that another client takes away again, after a run that was to set it on
// the copy was cut short, is no removal.
func TestCrashMarked(t *testing.T) {
	for _, trash := range []string{"", "Trash"} {
		for n := 0; ; n++ {
			b, on := twoWay(t, 3, nil)
			b.server.Create("Trash")
			b.acct.Upstream.Trash = trash
			b.server.SetFlags(on[1].UID, retrieval.FlagDeleted)
			blown := b.crash(n)
			b.server.SetFlags(on[1].UID)
			b.sync()
			b.sync()
			b.wantBoth("0: 1: 2:")
			if !blown {
				break
			}
		}
	}
}

// Nor is it one if nothing was carried to the server when the run was cut short, and
// is from then on.
func TestCrashMarkedOneWay(t *testing.T) {
	for n := 0; ; n++ {
		b, on := twoWay(t, 3, nil)
		both := b.acct.Upstream
		b.acct.Upstream = retrieval.Upstream{}
		b.server.SetFlags(on[1].UID, retrieval.FlagDeleted)
		blown := b.crash(n)
		b.acct.Upstream = both
		b.server.SetFlags(on[1].UID)
		b.sync()
		b.sync()
		b.wantBoth("0: 1: 2:")
		if !blown {
			return
		}
	}
}

// Flags that are changed back after a run was cut short, which was to carry their
// change, stay as they were changed last.
func TestCrashFlagsChangedBack(t *testing.T) {
	for n := 0; ; n++ {
		b, on := twoWay(t, 4, nil)
		b.mark(on[0].Data, "S")
		b.mark(on[1].Data, "R")
		b.server.SetFlags(on[2].UID, retrieval.FlagFlagged)
		blown := b.crash(n)
		b.mark(on[0].Data, "")
		b.server.SetFlags(on[2].UID)
		b.sync()
		b.sync()
		b.wantBoth("0: 1:R 2: 3:")
		if !blown {
			return
		}
	}
}

// hookedBothWays is a hookedSink that is kept in step both ways.
type hookedBothWays struct {
	hookedSink
	retrieval.Inventory
	retrieval.Witness
}

func (s *hookedBothWays) ChangeFlags(ctx context.Context, ref string, add, remove []retrieval.Flag) (string, error) {
	if err := s.before("changeflags"); err != nil {
		return "", err
	}
	return s.Inventory.ChangeFlags(ctx, ref, add, remove)
}

func (s *hookedBothWays) Note(ctx context.Context, box retrieval.Box, store string) error {
	if err := s.before("note"); err != nil {
		return err
	}
	return s.Witness.Note(ctx, box, store)
}

// crash runs up to the nth effect. It tells whether there was one.
func (b *box) crash(n int) bool {
	b.t.Helper()
	f := &fuse{left: n}
	sound := b.acct
	defer func() { b.acct = sound }()
	b.acct.Dial = f.dial
	_, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
		all := s.(bothWays)
		return &hookedBothWays{hookedSink{all, func(string) error { return f.burn() }}, all, all}, &fusedStore{st, f}
	})
	blown := f.blown()
	if !blown && err != nil {
		b.t.Fatalf("crash point %d, which is beyond the end: %v", n, err)
	}
	return blown
}

// A Maildir that was lost is filled again, also if that takes two runs.
func TestCrashLostMaildir(t *testing.T) {
	for n := 0; ; n++ {
		b, _ := twoWay(t, 3, nil)
		if err := os.Rename(filepath.Join(b.dir, "mail"), filepath.Join(b.dir, "elsewhere")); err != nil {
			t.Fatal(err)
		}
		blown := b.crash(n)
		b.sync()
		b.wantBoth("0: 1: 2:")
		if !blown {
			return
		}
	}
}

// A message whose header section was delivered alone, and that is to be
// delivered as a whole now, is not forgotten on the way.
func TestCrashRaisedLimit(t *testing.T) {
	for n := 0; ; n++ {
		b := newBox(t, retrieval.IMAP, nil)
		b.acct.Limits.MessageSize = 100
		msgs := mails(5)
		b.server.Deliver(msgs...)
		b.sync()
		b.acct.Limits.MessageSize = 0
		blown := b.crash(n)
		b.sync()
		b.wantFiles(msgs...)
		if !blown {
			return
		}
	}
}
