package retrieval_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	"example.com/postbag/retrieval/retrievaltest"
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

// A sink of a Tee that got the header section, when another one did not, still gets
// the message.
func TestTeeHeaderIsNotTheMessage(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			big, too := mails(31)[30], mails(30)[29]
			b.server.Deliver(big, too) // the second one has the first sink flush
			first := b.contents()[0].UID
			other, err := disk.OpenMaildir(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			tee := func(refuses error) func(retrieval.Sink, retrieval.Store) (retrieval.Sink, retrieval.Store) {
				return func(sink retrieval.Sink, store retrieval.Store) (retrieval.Sink, retrieval.Store) {
					second := struct {
						refusing
						retrieval.Finder
						retrieval.Flusher
					}{refusing{other, first, refuses}, other, other}
					return retrieval.Tee(sink, second), store
				}
			}
			b.acct.Limits.MessageSize = 200
			if rep, err := b.runWith(tee(retrieval.ErrDeferred)); err != nil || rep.Failed != 1 {
				t.Fatalf("%+v, %v", rep, err)
			}
			b.acct.Limits.MessageSize = 0
			if rep, err := b.runWith(tee(nil)); err != nil || rep.Delivered != 2 {
				t.Fatalf("%+v, %v", rep, err)
			}
			whole := 0
			for _, data := range b.files() {
				if bytes.Equal(data, big) {
					whole++
				}
			}
			if whole != 1 {
				t.Errorf("the message is in the first sink %d times, and %d times on the server", whole, len(b.contents()))
			}
		})
	}
}

// refusing is a sink that reads a message, and then fails if err is not nil.
type refusing struct {
	retrieval.Sink
	uid retrieval.UID
	err error
}

func (r refusing) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	if r.err == nil || m.UID != r.uid {
		return r.Sink.Deliver(ctx, m)
	}
	if _, err := io.Copy(io.Discard, m); err != nil {
		return "", err
	}
	return "", r.err
}

// A message that was only asked about, for the filter, when the line was lost was
// never on its way: an older one that had its name is not taken for it.
func TestAskedAboutIsNotDelivered(t *testing.T) {
	b := newBox(t, retrieval.POP3, retrieval.DownloadAndDelete)
	b.server.Deliver(mails(1)...)
	uid := b.contents()[0].UID
	older := fmt.Appendf(nil, "Subject: older\r\n\r\nx\r\n")
	store := new(retrieval.Memory)
	run := func(a retrieval.Account) (retrieval.Report, error) {
		return b.runWith(func(sink retrieval.Sink, _ retrieval.Store) (retrieval.Sink, retrieval.Store) {
			d := sink.(*disk.Maildir)
			if _, err := d.Deliver(t.Context(), retrieval.NewMessage(a.Box(), retrieval.Summary{UID: uid}, bytes.NewReader(older))); err != nil {
				t.Fatal(err)
			}
			if err := d.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.acct = a
			return sink, store
		})
	}
	sound := b.acct
	sound.Filter.Envelope = func(retrieval.Summary, *message.Envelope) bool { return true }
	cut := retrievaltest.Cut(retrievaltest.AfterCommand("TOP", 1))
	if _, err := run(retrievaltest.Faulty(t, sound, cut)); !errors.Is(err, retrieval.ErrSession) {
		t.Fatal(err)
	}
	if rep, err := run(sound); err != nil || rep.Delivered != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
	b.wantFiles(older, mails(1)[0])
}
