package disk_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

var errSync = errors.New("the test's fsync failed")

// crashed returns the state that a crash leaves in the middle of an append:
// a mailbox with what was there and all that was to be appended, and the spool
// beside it.
func crashed(t *testing.T, before string) (m *mbox, spool, after string) {
	t.Helper()
	m = newMbox(t, nil)
	m.write(before)
	m.deliver("1", "one\r\nFrom x\r\n")
	m.deliver("2", "two without end")
	m.FailSync(func(name string) error {
		if name != m.path {
			return nil
		}
		after = m.file() // all is written, and not yet durable
		data, err := os.ReadFile(filepath.Join(filepath.Dir(m.path), m.beside()[1]))
		if err != nil {
			t.Fatal(err)
		}
		spool = string(data)
		return errSync
	})
	if err := m.Flush(t.Context()); !errors.Is(err, errSync) {
		t.Fatal(err)
	}
	m.Close()
	if !strings.HasPrefix(after, before) || len(after) < len(before)+100 || !strings.HasPrefix(spool, "postbag mbox") {
		t.Fatalf("a crash that left\n%q\n%q", after, spool)
	}
	return m, spool, after
}

// lay puts the state of a crash on the disk, and opens it.
func (m *mbox) lay(file, spool string) {
	m.Helper()
	m.Mbox.Close()
	m.write(file)
	if err := os.WriteFile(m.path+".postbag-0123456789abcdef", []byte(spool), 0o600); err != nil {
		m.Fatal(err)
	}
	m.open(nil)
}

// found tells which of the two deliveries Find finds.
func (m *mbox) found() (n int) {
	m.Helper()
	for _, uid := range []retrieval.UID{"1", "2"} {
		_, found, err := m.Find(m.Context(), inbox, retrieval.Record{UID: uid, Since: time.Now().Add(-time.Hour)})
		if err != nil {
			m.Fatal(err)
		}
		if found {
			n++
		}
	}
	return n
}

// looked tells which of the two deliveries Look finds.
func (m *mbox) looked() (n int) {
	m.Helper()
	for _, uid := range []retrieval.UID{"1", "2"} {
		_, found, err := m.Look(m.Context(), inbox, retrieval.Record{UID: uid, Since: time.Now().Add(-time.Hour)})
		if err != nil {
			m.Fatal(err)
		}
		if found {
			n++
		}
	}
	return n
}

// TestMboxCrash stops an append after each octet: what was appended in part
// goes, what was there stays, and the next delivery makes it whole. F125.
func TestMboxCrash(t *testing.T) {
	for _, tt := range []struct {
		name, before string
		was          []string
	}{
		{"empty", "", nil},
		{"mail", "From a\nx\n\n", []string{"x\n"}},
		{"no empty line", "From a\nx\n", []string{"x\n"}},
		{"no line end", "From a\nx", []string{"x\n"}}, // it gets one before the next From_ line
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, spool, after := crashed(t, tt.before)
			m = &mbox{T: t, path: m.path, Mbox: m.Mbox}
			all := append(tt.was, "one\r\nFrom x\r\n", "two without end")
			for cut := len(tt.before); cut < len(after); cut++ {
				m.lay(after[:cut], spool)
				if n := m.looked(); n != 0 || m.file() != after[:cut] || len(m.beside()) != 1 {
					t.Fatalf("cut at %d: looked for, %d are found, and the mailbox is %q, beside it %q", cut, n, m.file(), m.beside())
				}
				if n := m.found(); n != 0 || m.file() != tt.before {
					t.Fatalf("cut at %d: %d found, the mailbox is %q, want %q", cut, n, m.file(), tt.before)
				}
				if cut%17 != 0 {
					continue // each takes some fsyncs
				}
				m.deliver("1", "one\r\nFrom x\r\n")
				m.deliver("2", "two without end")
				m.flush()
				m.want(all...)
			}
			m.lay(after, spool)
			if n := m.looked(); n != 2 {
				t.Fatalf("after a whole append: looked for, %d are found", n)
			}
			if n := m.found(); n != 2 || m.file() != after {
				t.Fatalf("after a whole append: %d found, the mailbox is %q", n, m.file())
			}
			m.flush()
			m.want(all...)
		})
	}
}

// TestMboxCrashThenOthers has another program go on before we come back: not
// an octet of it may be lost, and what is cut short is not found.
func TestMboxCrashThenOthers(t *testing.T) {
	const before = "From a\nx\n\n"
	m, spool, after := crashed(t, before)
	for _, tt := range []struct {
		name, file string
		found      int
	}{
		{"appended", after[:len(before)+138] + "\n\nFrom b Thu Nov 26 01:15:17 2026\ny\n\n", 0},
		{"appended in the middle of a line", after[:len(before)+40] + "From b Thu Nov 26 01:15:17 2026\ny\n\n", 0},
		{"appended little", after[:len(before)+138] + "F", 0},
		{"appended to a whole one", after + "From b Thu Nov 26 01:15:17 2026\ny\n\n", 2},
		{"appended when the second was cut", after[:len(after)-5] + "\n\nFrom b Thu Nov 26 01:15:17 2026\ny\n\n", 1},
		{"removed a message", strings.TrimPrefix(after, before), 2},
		{"removed a message, and appended as much", strings.TrimPrefix(after, before) + "From b\ny\n\n", 2},
		{"removed all", "", 0},
		{"appended instead", before + "From b Thu Nov 26 01:15:17 2026\ny\n\n", 0},
		{"marked as read", strings.ReplaceAll(after, "\none", "\nStatus: RO\n\none"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &mbox{T: t, path: m.path, Mbox: m.Mbox}
			m.lay(tt.file, spool)
			looked := m.looked()
			n := m.found()
			if looked != n {
				t.Errorf("looked for, %d are found; then %d", looked, n)
			}
			if got := m.file(); got != tt.file {
				t.Errorf("the mailbox is\n%q, want\n%q", got, tt.file)
			}
			if tt.name != "marked as read" && n != tt.found {
				t.Errorf("%d found, want %d", n, tt.found)
			}
			if left := m.beside(); len(left) > 0 {
				t.Errorf("%q are left", left)
			}
		})
	}
}

// TestMboxPowerCut leaves blocks of NULs where the disk did not get to.
func TestMboxPowerCut(t *testing.T) {
	const before = "From a\nx\n\n"
	m, spool, after := crashed(t, before)
	nul := func(from, to int) string {
		return after[:from] + strings.Repeat("\x00", to-from) + after[to:]
	}
	for name, file := range map[string]string{
		"all":        nul(len(before), len(after)),
		"the first":  nul(len(before), len(before)+64),
		"the last":   nul(len(after)-8, len(after)),
		"cut, and a": nul(len(before)+20, len(before)+64)[:len(after)-3],
	} {
		t.Run(name, func(t *testing.T) {
			m := &mbox{T: t, path: m.path, Mbox: m.Mbox}
			m.lay(file, spool)
			if n := m.found(); n != 0 || m.file() != before {
				t.Errorf("%d found, the mailbox is %q, want %q", n, m.file(), before)
			}
		})
	}
	t.Run("of the spool", func(t *testing.T) {
		m := &mbox{T: t, path: m.path, Mbox: m.Mbox}
		for cut := 0; cut < len(spool); cut += 7 {
			m.lay(before, spool[:cut]) // the append had not begun
			if n := m.found(); n != 0 || m.file() != before {
				t.Fatalf("%d octets of the spool: %d found, the mailbox is %q", cut, n, m.file())
			}
		}
	})
}

// F120: an fsync that fails once is a delivery that failed, even if the next
// one says that all is well.
func TestMboxSyncFails(t *testing.T) {
	for _, which := range []string{"spool", "spool's header", "mbox"} {
		t.Run(which, func(t *testing.T) {
			m := newMbox(t, nil)
			m.deliver("1", "first")
			m.flush()
			before := m.file()
			n := 0
			m.FailSync(func(name string) error {
				n++
				if which == "spool" && n == 1 || which == "spool's header" && n == 2 || which == "mbox" && n == 3 {
					return errSync
				}
				return nil
			})
			m.deliver("2", "second")
			if err := m.Flush(t.Context()); !errors.Is(err, errSync) {
				t.Fatalf("%v, want the error of fsync", err)
			}
			if m.file() != before {
				t.Errorf("the mailbox is %q, want %q", m.file(), before)
			}
			m.flush()
			m.want("first")
			m.deliver("2", "second")
			m.flush()
			m.want("first", "second")
		})
	}
}

// What Find finds is made durable by the next Flush, even if nothing else is.
func TestMboxFindThenFlush(t *testing.T) {
	m := newMbox(t, nil)
	m.deliver("1", "x")
	m.flush()
	synced := 0
	m.FailSync(func(string) error { synced++; return nil })
	m.flush()
	if synced != 0 {
		t.Errorf("%d fsyncs with nothing to do", synced)
	}
	if _, found, err := m.Find(t.Context(), inbox, retrieval.Record{UID: "1"}); !found || err != nil {
		t.Fatal(found, err)
	}
	m.flush()
	if synced != 1 {
		t.Errorf("%d fsyncs after Find, want 1", synced)
	}
	m.flush()
	if synced != 1 {
		t.Errorf("%d fsyncs, want no further one", synced)
	}
}

// A spool that another program uses is not a crash's.
func TestMboxLivingSpool(t *testing.T) {
	a := newMbox(t, nil)
	b := &mbox{T: t, path: a.path}
	b.open(nil)
	a.deliver("1", "a")
	b.deliver("2", "b")
	a.flush()
	b.flush()
	a.deliver("3", "c")
	a.flush()
	a.want("a", "b", "c")
}

// Work may be a folder of one's own, when the mailbox's does not let us.
func TestMboxWork(t *testing.T) {
	work := t.TempDir()
	m := newMbox(t, &disk.MboxOptions{Work: work})
	m.deliver("1", "x")
	m.flush()
	m.want("x")
	if names := m.beside(); len(names) > 0 {
		t.Errorf("%q are beside the mailbox", names)
	}
	if entries, err := os.ReadDir(work); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v are in the work folder", entries, err)
	}
}

// The shells' and mail programs' sign of new mail: changed after it was read.
func TestMboxLooksNew(t *testing.T) {
	m := newMbox(t, nil)
	m.deliver("1", "x")
	before := time.Now().Add(-2 * time.Second)
	if err := os.Chtimes(m.path, time.Now().Add(time.Hour), time.Time{}); err != nil {
		t.Fatal(err)
	}
	m.flush()
	accessed, modified := times(t, m.path)
	if !accessed.Before(modified) || modified.Before(before) {
		t.Errorf("read %v, changed %v", accessed, modified)
	}
}

// A message of any size takes the same memory.
func TestMboxLargeMessage(t *testing.T) {
	m := newMbox(t, nil)
	const lines = 1 << 20
	head := "Subject: large\r\n\r\n"
	msg := retrieval.NewMessage(inbox, retrieval.Summary{UID: "1"}, io.MultiReader(strings.NewReader(head), &repeat{line: "From line to line\r\n", n: lines}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := m.Deliver(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	m.flush()
	runtime.ReadMemStats(&after)
	// The reader of this test takes as much as the message is large.
	if took, most := after.TotalAlloc-before.TotalAlloc, uint64(lines*len("From line to line\r\n")+4<<20); took > most {
		t.Errorf("%d octets allocated, want at most %d", took, most)
	}
	f, err := os.Open(m.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for msg, err := range disk.ReadMbox(f) {
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, msg)
		if want := int64(len(head) + lines*len("From line to line\r\n")); n != want || err != nil {
			t.Errorf("%d octets, %v, want %d", n, err, want)
		}
	}
}

// repeat is a line, n times.
type repeat struct {
	line string
	n    int
	rest string
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		k := min(r.n, 1000)
		r.n -= k
		r.rest = strings.Repeat(r.line, k)
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
