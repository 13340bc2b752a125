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

var testBox = retrieval.Box{Account: "pop3://joe@mail.example.com", Mailbox: "INBOX"}

func mail(uid, data string) *retrieval.Message {
	return retrieval.NewMessage(testBox, retrieval.Summary{UID: retrieval.UID(uid), Size: int64(len(data))}, strings.NewReader(data))
}

// collector takes all it is given.
type collector struct {
	mails []string
	err   error // returned after the whole message was read
	ref   string
}

func (c *collector) Deliver(_ context.Context, m *retrieval.Message) (string, error) {
	data, err := io.ReadAll(m)
	if err != nil {
		return "", err
	}
	if c.err != nil {
		return "", c.err
	}
	c.mails = append(c.mails, string(data))
	return c.ref, nil
}

func discardAll(context.Context, *retrieval.Message) error { return nil }

type (
	flusher  struct{ retrieval.Flusher }
	finder   struct{ retrieval.Finder }
	mirrorer struct{ retrieval.Mirrorer }
)

// sinksByAbility are a sink of each combination.
var sinksByAbility = map[string]retrieval.Sink{
	"": retrieval.SinkFunc(discardAll),
	"F": struct {
		retrieval.Sink
		flusher
	}{},
	"N": struct {
		retrieval.Sink
		finder
	}{},
	"M": struct {
		retrieval.Sink
		mirrorer
	}{},
	"FN": struct {
		retrieval.Sink
		flusher
		finder
	}{},
	"FM": struct {
		retrieval.Sink
		flusher
		mirrorer
	}{},
	"NM": struct {
		retrieval.Sink
		finder
		mirrorer
	}{},
	"FNM": struct {
		retrieval.Sink
		flusher
		finder
		mirrorer
	}{},
}

func abilities(s retrieval.Sink) (all string) {
	if _, ok := s.(retrieval.Flusher); ok {
		all += "F"
	}
	if _, ok := s.(retrieval.Finder); ok {
		all += "N"
	}
	if _, ok := s.(retrieval.Mirrorer); ok {
		all += "M"
	}
	return all
}

// A composed sink can what its parts can, for type assertions too.
func TestAbilities(t *testing.T) {
	all := func(*retrieval.Head) bool { return true }
	for a, one := range sinksByAbility {
		for b, two := range sinksByAbility {
			want := ""
			for _, c := range "FNM" {
				inA, inB := strings.ContainsRune(a, c), strings.ContainsRune(b, c)
				if inA && inB || c == 'F' && (inA || inB) {
					want += string(c)
				}
			}
			if got := abilities(retrieval.Tee(one, two)); got != want {
				t.Errorf("a Tee of %q and %q is %q, want %q", a, b, got, want)
			}
			if got := abilities(retrieval.Route(map[string]retrieval.Sink{"1": one, "2": two}, nil)); got != want {
				t.Errorf("a Route to %q and %q is %q, want %q", a, b, got, want)
			}
		}
		if got := abilities(retrieval.DropUnless(one, all)); got != a {
			t.Errorf("DropUnless of %q is %q", a, got)
		}
		if got := abilities(retrieval.RejectUnless(one, all)); got != a {
			t.Errorf("RejectUnless of %q is %q", a, got)
		}
	}
}

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
			_, err := retrieval.Tee(tt.other, c, tt.two).Deliver(t.Context(), mail("1", data))
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
	if _, err := retrieval.Tee(a, b).Deliver(t.Context(), mail("1", "one")); err != nil {
		t.Fatal(err)
	}
	if err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Close() // the crash
	a, b = open()
	sink := retrieval.Tee(a, b).(interface {
		retrieval.Sink
		retrieval.Flusher
		retrieval.Finder
	})
	intent := retrieval.Record{UID: "1", Since: since}
	if ref, found, err := sink.Find(t.Context(), testBox, intent); found || err != nil {
		t.Fatalf("Find = %q, %v, %v, although one has nothing", ref, found, err)
	}
	again := mail("1", "one")
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
	if _, err := sink.Deliver(t.Context(), mail("1", "another")); err != nil {
		t.Fatal(err)
	}
	if err := sink.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := mboxMails(t, filepath.Join(dir, "0")); len(got) != 2 {
		t.Errorf("the first sink has %q, want both", got)
	}
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
	if _, err := sink.(retrieval.Sink).Deliver(t.Context(), mail("1", "x")); err != nil {
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

func bySubject(h *retrieval.Head) bool { return strings.Contains(string(h.Header), "Subject: wanted") }

func TestFilter(t *testing.T) {
	const wanted, not = "Subject: wanted\r\n\r\nbody\r\n", "Subject: other\r\n\r\nSubject: wanted\r\n"
	t.Run("DropUnless", func(t *testing.T) {
		c := &collector{ref: "inner"}
		sink := retrieval.DropUnless(c, bySubject)
		m := mail("2", not)
		ref, err := sink.Deliver(t.Context(), m)
		if err != nil || ref == "inner" || m.Octets() != int64(len(not)) {
			t.Errorf("dropped as %q, %v, after %d octets", ref, err, m.Octets())
		}
		if ref, err := sink.Deliver(t.Context(), mail("1", wanted)); ref != "inner" || err != nil {
			t.Errorf("%q, %v, want the inner sink's name", ref, err)
		}
		if len(c.mails) != 1 || c.mails[0] != wanted {
			t.Errorf("the sink has %q", c.mails)
		}
	})
	t.Run("RejectUnless", func(t *testing.T) {
		c := new(collector)
		sink := retrieval.RejectUnless(c, bySubject)
		if _, err := sink.Deliver(t.Context(), mail("2", not)); !errors.Is(err, retrieval.ErrRejected) {
			t.Errorf("%v, want ErrRejected", err)
		}
		if _, err := sink.Deliver(t.Context(), mail("1", wanted)); err != nil {
			t.Error(err)
		}
		if len(c.mails) != 1 || c.mails[0] != wanted {
			t.Errorf("the sink has %q", c.mails)
		}
	})
	t.Run("a dropped message is cut short", func(t *testing.T) {
		for _, n := range []int{3, len(not) - 3} {
			body := io.MultiReader(strings.NewReader(not[:n]), iotest.ErrReader(retrieval.ErrTruncated))
			_, err := retrieval.DropUnless(new(collector), bySubject).Deliver(t.Context(), retrieval.NewMessage(testBox, retrieval.Summary{UID: "1"}, body))
			if !errors.Is(err, retrieval.ErrTruncated) {
				t.Errorf("after %d octets: %v, want ErrTruncated", n, err)
			}
		}
	})
	t.Run("a dropped message is gone", func(t *testing.T) {
		d, err := disk.OpenMaildir(filepath.Join(t.TempDir(), "mail"))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		sink := retrieval.DropUnless(d, bySubject)
		ref, err := sink.Deliver(t.Context(), mail("2", not))
		if err != nil {
			t.Fatal(err)
		}
		if err := sink.(retrieval.Mirrorer).Discard(t.Context(), ref); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("Discard: %v, want ErrGone", err)
		}
		if _, err := sink.(retrieval.Mirrorer).SetFlags(t.Context(), ref, nil); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("SetFlags: %v, want ErrGone", err)
		}
	})
}

// The header is what there is of it, whatever it looks like, and no octet of
// the message is lost over it.
func TestHead(t *testing.T) {
	long := strings.Repeat("X: y\r\n", 100_000)
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", ""},
		{"no body", "A: b\r\n\r\n", "A: b\r\n\r\n"},
		{"body", "A: b\r\n\r\nbody", "A: b\r\n\r\n"},
		{"LF", "A: b\n\nbody\n\n", "A: b\n\n"},
		{"no header", "\r\nbody", "\r\n"},
		{"no end", "A: b\r\nC: d", "A: b\r\nC: d"},
		{"of 8 KiB", strings.Repeat("X: y\r\n", 1400) + "\r\nbody", strings.Repeat("X: y\r\n", 1400) + "\r\n"},
		{"too long", long + "\r\nbody", long[:256<<10]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var head string
			c := new(collector)
			sink := retrieval.DropUnless(c, func(h *retrieval.Head) bool {
				head = string(h.Header)
				return h.UID == "1" && h.Box == testBox
			})
			if _, err := sink.Deliver(t.Context(), mail("1", tt.data)); err != nil {
				t.Fatal(err)
			}
			if head != tt.want {
				t.Errorf("header %.100q (%d octets), want %.100q (%d)", head, len(head), tt.want, len(tt.want))
			}
			if len(c.mails) != 1 || c.mails[0] != tt.data {
				t.Errorf("the sink has %.100q", c.mails)
			}
		})
	}
}

func TestRoute(t *testing.T) {
	dir := t.TempDir()
	sinks := make(map[string]retrieval.Sink)
	for _, name := range []string{"work", "home:1", ""} {
		d, err := disk.OpenMaildir(filepath.Join(dir, "at"+name))
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		sinks[name] = d
	}
	to := ""
	sink := retrieval.Route(sinks, func(*retrieval.Head) string { return to }).(maildir)
	for i, name := range []string{"work", "home:1", ""} {
		to = name
		uid := fmt.Sprint(i)
		since := time.Now()
		ref, err := sink.Deliver(t.Context(), mail(uid, name))
		if err == nil {
			err = sink.Flush(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "at"+name, "new", "*"))
		if len(files) != 1 {
			t.Errorf("%q: delivered are %q", name, files)
		}
		to = "elsewhere"
		if found, ok, err := sink.Find(t.Context(), testBox, retrieval.Record{UID: retrieval.UID(uid), Since: since}); found != ref || !ok || err != nil {
			t.Errorf("%q: Find = %q, %v, %v, want %q", name, found, ok, err, ref)
		}
		ref, err = sink.SetFlags(t.Context(), ref, []retrieval.Flag{retrieval.FlagSeen})
		if err == nil {
			err = sink.Discard(t.Context(), ref)
		}
		if err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if err := sink.Discard(t.Context(), ref); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("%q: discarded twice: %v, want ErrGone", name, err)
		}
	}
	if _, err := sink.Deliver(t.Context(), mail("9", "x")); !errors.Is(err, retrieval.ErrDeferred) {
		t.Errorf("a sink that is not there: %v, want ErrDeferred", err)
	}
	for _, ref := range []string{"", "work", "4:work", "9:elsewhere1:x", "4:work99:x", "4:work-1:x", "4:work1:x1:y", "999999999999999999999:x"} {
		if err := sink.Discard(t.Context(), ref); !errors.Is(err, retrieval.ErrGone) {
			t.Errorf("Discard of %q: %v, want ErrGone", ref, err)
		}
	}
}
