package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func TestTeeErrors(t *testing.T) {
	full := errors.New("disk is full")
	rejected := fmt.Errorf("no such user: %w", retrieval.ErrRejected)
	deferred := fmt.Errorf("busy: %w", retrieval.ErrDeferred)
	early := func(err error) retrieval.Sink {
		return retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { return err })
	}
	// waiting ends only when its context does.
	waiting := retrieval.SinkFunc(func(ctx context.Context, _ *retrieval.Message) error {
		<-ctx.Done()
		return ctx.Err()
	})
	for _, tt := range []struct {
		name  string
		other retrieval.Sink
		two   retrieval.Sink
		want  error
		not   error
		has   bool // the collector beside them has the message
	}{
		{"none", early(nil), early(nil), nil, nil, true},
		{"before the message", early(full), early(nil), full, nil, false},
		{"after the message", &collector{err: rejected}, early(nil), rejected, nil, true},
		{"rejected, the other waits", early(rejected), waiting, retrieval.ErrRejected, context.Canceled, false},
		{"rejected and deferred", &collector{err: rejected}, &collector{err: deferred}, deferred, retrieval.ErrRejected, true},
		{"rejected and full", &collector{err: rejected}, &collector{err: full}, full, retrieval.ErrRejected, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := new(collector)
			data := strings.Repeat("line\r\n", 100_000)
			_, err := retrieval.Tee(tt.other, c, tt.two).Deliver(t.Context(), letter("1", data))
			if !errors.Is(err, tt.want) || tt.not != nil && errors.Is(err, tt.not) {
				t.Errorf("%v, want %v and not %v", err, tt.want, tt.not)
			}
			if has := len(c.mails) > 0; has && (!tt.has || c.mails[0] != data) || tt.want == nil && !has {
				t.Errorf("the other sink has %d messages", len(c.mails))
			}
		})
	}
	t.Run("of reading", func(t *testing.T) {
		c := new(collector)
		body := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(retrieval.ErrTruncated))
		_, err := retrieval.Tee(c, early(nil)).Deliver(t.Context(), retrieval.NewMessage(testBox, retrieval.Summary{UID: "1"}, body))
		if !errors.Is(err, retrieval.ErrTruncated) || len(c.mails) > 0 {
			t.Errorf("%v, %q, want ErrTruncated and nothing", err, c.mails)
		}
	})
}

// The message is not held in memory, whoever is slow.
func TestTeeStreams(t *testing.T) {
	const size = 64 << 20
	count := func(ctx context.Context, m *retrieval.Message) error {
		n, err := io.Copy(io.Discard, m)
		if err == nil && n != size {
			err = fmt.Errorf("%d octets, want %d", n, size)
		}
		return err
	}
	slow := func(ctx context.Context, m *retrieval.Message) error {
		return count(ctx, retrieval.NewMessage(m.Box, m.Summary, iotest.HalfReader(m)))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m := retrieval.NewMessage(testBox, retrieval.Summary{UID: "1"}, io.LimitReader(zeros{}, size))
	if _, err := retrieval.Tee(retrieval.SinkFunc(count), retrieval.SinkFunc(slow)).Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("%d octets allocated for a message of %d", took, size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// After a crash that left a message in one of two sinks it is in each once.
func TestTeeRecovers(t *testing.T) {
	dir := t.TempDir()
	open := func() (*disk.Mbox, *disk.Mbox) {
		var two [2]*disk.Mbox
		for i := range two {
			m, err := disk.OpenMbox(filepath.Join(dir, fmt.Sprint(i)), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.Close() })
			two[i] = m
		}
		return two[0], two[1]
	}
	since := time.Now()
	a, b := open()
	if _, err := retrieval.Tee(a, b).Deliver(t.Context(), letter("1", "one")); err != nil {
		t.Fatal(err)
	}
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Close() // the crash
	a, b = open()
	sink := retrieval.Tee(forgetful{a}, forgetful{b}).(interface {
		retrieval.Sink
		retrieval.Flusher
		retrieval.Finder
	})
	intent := retrieval.Record{UID: "1", Since: since}
	if ref, found, err := sink.Find(t.Context(), testBox, intent); found || err != nil {
		t.Fatalf("Find = %q, %v, %v, although one has nothing", ref, found, err)
	}
	again := letter("1", "one")
	again.Redelivery = true
	ref, err := sink.Deliver(t.Context(), again)
	if err == nil {
		err = sink.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if got := mboxMails(t, filepath.Join(dir, fmt.Sprint(i))); len(got) != 1 || got[0] != "one" {
			t.Errorf("the sink %d has %q, want the message once", i, got)
		}
	}
	if found, ok, err := sink.Find(t.Context(), testBox, intent); !ok || err != nil || found != ref {
		t.Errorf("Find = %q, %v, %v, want %q", found, ok, err, ref)
	}
	// Without a crash the next message of that name is a new one.
	if _, err := sink.Deliver(t.Context(), letter("1", "another")); err != nil {
		t.Fatal(err)
	}
	if err := sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := mboxMails(t, filepath.Join(dir, "0")); len(got) != 2 {
		t.Errorf("the first sink has %q, want both", got)
	}
}

// forgetful does not look for a message that comes again.
type forgetful struct{ *disk.Mbox }

func (f forgetful) Deliver(ctx context.Context, m *retrieval.Message) (string, error) {
	return f.Mbox.Deliver(ctx, retrieval.NewMessage(m.Box, m.Summary, m))
}

// When one part's Flush fails the others drop what they had.
func TestTeeFlushFails(t *testing.T) {
	dir := t.TempDir()
	d, err := disk.OpenMaildir(filepath.Join(dir, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	full := errors.New("disk is full")
	failing := &failingFlush{err: full}
	sink := retrieval.Tee(failing, d).(retrieval.Flusher)
	if _, err := sink.(retrieval.Sink).Deliver(t.Context(), letter("1", "x")); err != nil {
		t.Fatal(err)
	}
	if err := sink.Flush(t.Context()); !errors.Is(err, full) {
		t.Errorf("%v, want the part's error", err)
	}
	failing.err = nil
	if err := sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "mail", "new", "*")); len(found) > 0 {
		t.Errorf("%q are delivered, although Flush failed", found)
	}
}

type failingFlush struct {
	collector
	err error
}

func (f *failingFlush) Flush(context.Context) error { return f.err }

func mboxMails(t *testing.T, path string) (all []string) {
	t.Helper()
	for m, err := range readMbox(t, path) {
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
	return all
}
