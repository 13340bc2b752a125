package retrieval_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// After a crash on the way to the whole message, the header section that was
// delivered before is not taken for it, even if it looks younger: its file was
// restored from a backup, or the clock was wrong then.
func TestHeaderIsNotTheMessage(t *testing.T) {
	later := time.Now().Add(48 * time.Hour)
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			big := mails(31)[30]
			b.server.Deliver(big)
			b.acct.Limits.MessageSize = 200
			if rep, err := b.run(); err != nil || rep.HeaderOnly != 1 {
				t.Fatalf("%+v, %v", rep, err)
			}
			for name := range b.files() {
				if err := os.Chtimes(filepath.Join(b.dir, "mail", name), later, later); err != nil {
					t.Fatal(err)
				}
			}
			b.acct.Limits.MessageSize = 0
			crash := errors.New("crash")
			_, err := b.runWith(func(sink retrieval.Sink, store retrieval.Store) (retrieval.Sink, retrieval.Store) {
				m := sink.(*disk.Maildir)
				return struct {
					failing
					retrieval.Finder
					retrieval.Flusher
				}{failing{crash}, m, m}, store
			})
			if !errors.Is(err, crash) {
				t.Fatal(err)
			}
			if _, err := b.run(); err != nil {
				t.Fatal(err)
			}
			b.wantFiles(big)
		})
	}
}

// failing is a sink that takes nothing.
type failing struct{ err error }

func (f failing) Deliver(context.Context, *retrieval.Message) (string, error) { return "", f.err }
