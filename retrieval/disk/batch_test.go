package disk_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// A Flush that fails, or a batch that ends, drops what that run delivered and
// nothing that others did.
func TestBatches(t *testing.T) {
	dir := t.TempDir()
	d, err := disk.OpenMaildir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var _ retrieval.Batcher = d
	one, two := d.Batch(), d.Batch()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for i, s := range []retrieval.Sink{one, two, d} {
		if _, err := s.Deliver(t.Context(), message("same", []string{"first", "second", "third"}[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.(retrieval.Flusher).Flush(cancelled); err == nil {
		t.Fatal("a cancelled Flush came to its end")
	}
	wantNew(t, dir)
	if err := two.(retrieval.Flusher).Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantNew(t, dir, "second")
	if err := two.(*disk.MaildirBatch).Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantNew(t, dir, "second", "third")
	if left, _ := os.ReadDir(filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("tmp holds %v", left)
	}
}

// A Flush after Close makes nothing durable, and does not say that it did.
func TestFlushAfterClose(t *testing.T) {
	for _, tt := range []struct {
		name string
		open func(dir string) (retrieval.Sink, error)
	}{
		{"Maildir", func(dir string) (retrieval.Sink, error) { return disk.OpenMaildir(dir) }},
		{"MaildirPlus", func(dir string) (retrieval.Sink, error) { return disk.OpenMaildirPlus(dir, nil) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := tt.open(filepath.Join(t.TempDir(), "mail"))
			if err != nil {
				t.Fatal(err)
			}
			b := d.(retrieval.Batcher).Batch()
			for _, s := range []retrieval.Sink{d, b} {
				if _, err := s.Deliver(t.Context(), message("1", "x")); err != nil {
					t.Fatal(err)
				}
			}
			d.(io.Closer).Close()
			for _, s := range []retrieval.Sink{d, b} {
				if err := s.(retrieval.Flusher).Flush(t.Context()); !errors.Is(err, fs.ErrClosed) {
					t.Errorf("Flush of %T = %v, want ErrClosed", s, err)
				}
			}
		})
	}
}

// What another process has delivered meanwhile stays when a Flush fails that was
// to deliver the same.
func TestAbandonsItsOwn(t *testing.T) {
	dir := t.TempDir()
	var both [2]*disk.Maildir
	for i := range both {
		d, err := disk.OpenMaildir(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		both[i] = d
	}
	for _, d := range both {
		if _, err := d.Deliver(t.Context(), message("same", "x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := both[1].Deliver(t.Context(), message("z", "y")); err != nil {
		t.Fatal(err)
	}
	if err := both[0].Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost, err := filepath.Glob(filepath.Join(dir, "tmp", "*"))
	if err != nil || len(lost) != 2 {
		t.Fatal(lost, err)
	}
	for _, tmp := range lost {
		if data, _ := os.ReadFile(tmp); string(data) == "y" {
			os.Remove(tmp) // so that Flush fails behind the first
		}
	}
	if err := both[1].Flush(t.Context()); err == nil {
		t.Fatal("Flush has not failed")
	}
	wantNew(t, dir, "x")
}

// A message that is delivered while another goroutine flushes is in one flush or
// in the next.
func TestDeliverWhileFlushing(t *testing.T) {
	tree, err := disk.OpenMaildirPlus(filepath.Join(t.TempDir(), "mail"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if _, err := tree.Deliver(t.Context(), message("1", "x")); err != nil {
		t.Fatal(err)
	}
	reading, flushed := make(chan struct{}), make(chan error, 1)
	go func() {
		<-reading
		flushed <- tree.Flush(t.Context())
	}()
	slow := iotest.OneByteReader(&signalling{Reader: strings.NewReader("y"), read: reading, flushed: flushed})
	if _, err := tree.Deliver(t.Context(), retrieval.NewMessage(inbox, retrieval.Summary{UID: "2"}, slow)); err != nil {
		t.Fatal(err)
	}
	if err := tree.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if copies, err := tree.Copies(t.Context(), inbox); err != nil || len(copies) != 2 {
		t.Errorf("%v, %v, want two messages", copies, err)
	}
}

// signalling lets a Flush begin before its first octet, and gives it the time to
// come to an end if it can.
type signalling struct {
	io.Reader
	read    chan struct{}
	flushed chan error
	once    sync.Once
}

func (s *signalling) Read(p []byte) (int, error) {
	s.once.Do(func() {
		close(s.read)
		for range 1000 {
			if len(s.flushed) > 0 {
				break
			}
			runtime.Gosched()
		}
	})
	return s.Reader.Read(p)
}

// A file that somebody has called the two thousand millionth message of a UID is
// none, and does not let every delivery look for the others.
func TestHighNumber(t *testing.T) {
	dir := t.TempDir()
	d, err := disk.OpenMaildir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.WriteFile(filepath.Join(dir, "cur", "postbag-"+strings.Repeat("0", 32)+"-2000000000:2,S"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if copies, err := d.Copies(t.Context(), inbox); err != nil || len(copies) != 0 {
		t.Fatalf("%v, %v", copies, err)
	}
	if _, err := d.Deliver(t.Context(), message("1", "x")); err != nil {
		t.Fatal(err)
	}
}

func wantNew(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, "new", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		have[string(data)] = true
	}
	if len(have) != len(want) {
		t.Fatalf("new holds %v, want %q", have, want)
	}
	for _, w := range want {
		if !have[w] {
			t.Fatalf("new holds %v, want %q", have, want)
		}
	}
}

// Messages that come slowly, or not at all, do not hold up the other runs.
func TestSlowMessagesHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d, err := disk.OpenMaildir(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var slow sync.WaitGroup
		var ends []*io.PipeWriter
		for i := range 20 {
			r, w := io.Pipe()
			ends = append(ends, w)
			slow.Go(func() {
				b := d.Batch().(*disk.MaildirBatch)
				defer b.Close()
				b.Deliver(t.Context(), retrieval.NewMessage(retrieval.Box{Account: "a", Mailbox: "b"}, retrieval.Summary{UID: retrieval.UID(rune('a' + i))}, r))
			})
		}
		synctest.Wait()
		if _, err := d.Deliver(t.Context(), message("quick", "quick")); err != nil {
			t.Error(err)
		}
		if err := d.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		wantNew(t, dir, "quick")
		for _, w := range ends {
			w.CloseWithError(io.ErrUnexpectedEOF)
		}
		slow.Wait()
	})
}
