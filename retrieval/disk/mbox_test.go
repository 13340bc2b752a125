package disk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// mbox is an mbox under test.
type mbox struct {
	*testing.T
	*disk.Mbox
	path string
}

func newMbox(t *testing.T, o *disk.MboxOptions) *mbox {
	t.Helper()
	m := &mbox{T: t, path: filepath.Join(t.TempDir(), "mail")}
	m.open(o)
	return m
}

func (m *mbox) open(o *disk.MboxOptions) {
	m.Helper()
	b, err := disk.OpenMbox(m.path, o)
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { b.Close() })
	m.Mbox = b
}

func (m *mbox) deliver(uid, body string) string {
	m.Helper()
	ref, err := m.Deliver(m.Context(), message(uid, body))
	if err != nil {
		m.Fatal(err)
	}
	return ref
}

func (m *mbox) flush() {
	m.Helper()
	if err := m.Flush(m.Context()); err != nil {
		m.Fatal(err)
	}
}

func (m *mbox) file() string {
	m.Helper()
	data, err := os.ReadFile(m.path)
	if err != nil {
		m.Fatal(err)
	}
	return string(data)
}

func (m *mbox) write(data string) {
	m.Helper()
	if err := os.WriteFile(m.path, []byte(data), 0o600); err != nil {
		m.Fatal(err)
	}
}

// want fails unless a reader finds these messages, in this order.
func (m *mbox) want(bodies ...string) {
	m.Helper()
	got := bodiesOf(m.T, m.file())
	if !slices.Equal(got, bodies) {
		m.Fatalf("the mbox holds\n%.1000q\nwant\n%.1000q\nin the file\n%.2000q", got, bodies, m.file())
	}
}

// beside returns the names of the files beside the mbox.
func (m *mbox) beside() []string {
	m.Helper()
	entries, err := os.ReadDir(filepath.Dir(m.path))
	if err != nil {
		m.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != filepath.Base(m.path) {
			names = append(names, e.Name())
		}
	}
	return names
}

func bodiesOf(t *testing.T, file string) []string {
	t.Helper()
	var bodies []string
	for msg, err := range disk.ReadMbox(strings.NewReader(file)) {
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(msg)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
	return bodies
}

const mboxMail = "Return-Path: <joe@example.com>\r\nSubject: x\r\n\r\nFrom the start\r\n>From here\r\n>>> From\r\n.\r\n"

func TestMboxForm(t *testing.T) {
	received := time.Date(2026, 2, 3, 4, 5, 6, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		name string
		o    *disk.MboxOptions
		want string
	}{
		{"LF", nil, "Return-Path: <joe@example.com>\nSubject: x\n\n>From the start\n>>From here\n>>> From\n.\n\n"},
		{"CRLF", &disk.MboxOptions{KeepCRLF: true}, "Return-Path: <joe@example.com>\r\nSubject: x\r\n\r\n>From the start\r\n>>From here\r\n>>> From\r\n.\r\n\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMbox(t, tt.o)
			ref, err := m.Deliver(t.Context(), retrieval.NewMessage(inbox, retrieval.Summary{UID: "1", Received: received}, strings.NewReader(mboxMail)))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.file(); got != "" {
				t.Errorf("%q is in the mbox before Flush", got)
			}
			m.flush()
			line, rest, _ := strings.Cut(m.file(), "\n")
			if !strings.HasPrefix(line, "From joe@example.com Tue Feb  3 03:05:06 2026 remote from "+ref+".") || rest != tt.want {
				t.Errorf("the file is\n%q\n%q, want\n%q", line, rest, tt.want)
			}
			for msg, err := range disk.ReadMbox(strings.NewReader(m.file())) {
				if err != nil || msg.Sender != "joe@example.com" || !msg.Date.Equal(received) || msg.Ref != ref {
					t.Errorf("read as %+v, %v", msg, err)
				}
			}
			m.want(mboxMail)
			fi, err := os.Stat(m.path)
			if err != nil || fi.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v, want mode 600", fi.Mode(), err)
			}
			m.Close()
			if left := m.beside(); len(left) > 0 {
				t.Errorf("%q are left beside the mbox", left)
			}
		})
	}
}

func TestMboxSender(t *testing.T) {
	for _, tt := range []struct{ header, want string }{
		{"Return-Path: <joe@example.com>", "joe@example.com"},
		{"Received: x\r\nreturn-path:joe@example.com", "joe@example.com"},
		{"Return-Path: <>", "MAILER-DAEMON"},
		{"Subject: x", "MAILER-DAEMON"},
		{"Subject: x\r\n\r\nReturn-Path: <joe@example.com>", "MAILER-DAEMON"},
		{"Return-Path: <a b@example.com>", "MAILER-DAEMON"},
		{"Return-Path: <a\x00b@example.com>", "MAILER-DAEMON"},
		{"Return-Path: <j\u00f6rg@example.com>", "MAILER-DAEMON"},
		{"Return-Path: <" + strings.Repeat("x", 200) + ">", "MAILER-DAEMON"},
		{"Return-Path: <joe@example.com>\rFrom x", "MAILER-DAEMON"},
	} {
		m := newMbox(t, nil)
		m.deliver("1", tt.header+"\r\n\r\n")
		m.flush()
		if sender, _, _ := strings.Cut(strings.TrimPrefix(m.file(), "From "), " "); sender != tt.want {
			t.Errorf("%.60q: sender %q, want %q", tt.header, sender, tt.want)
		}
		m.want(tt.header + "\r\n\r\n")
	}
}

// awkwardBodies are messages whose octets an mbox does not keep by itself.
var awkwardBodies = []string{
	"", "\n", "\r\n", "\r", "\r\r\n", "\n\n\n", "\r\n\r\n\r\n", "x", "x\r", "x\n", "x\r\n", "x\r\n\r\n", "x\r\n\n", "x\n\r\n",
	"From ", "From x", ">From ", ">>From x\r\n", "From\r\n", "Fro", ">", ">>", ">\n", ">F", "> From x\r\n",
	"a\r\nb\nc\r\nd\n", "a\nb\r\n", "a\r\nFrom b\nFrom c\r\n", "\x00\r\n\x00", "a\rFrom b\r\n", "a\r\n\r\nFrom b\r\n\r\nFrom c",
	"From nobody Thu Nov 26 01:15:17 2026 remote from postbag-00000000000000000000000000000000.0000000000000000.00000000ffffffffe\n\n",
	strings.Repeat(">", 100_000) + "From x\r\n", strings.Repeat(">", 100_000) + "\r\n", strings.Repeat(">", 65536) + "From x",
	strings.Repeat("x", 65535) + "\r\nFrom y\r\n", strings.Repeat("x", 65536) + "\r\nFrom y\r\n", strings.Repeat("line\r\n", 20_000) + "\nFrom z",
}

// F125: From_ lines of any kind, and texts without a line end, come back.
func TestMboxRoundTrip(t *testing.T) {
	for _, o := range []*disk.MboxOptions{nil, {KeepCRLF: true}} {
		m := newMbox(t, o)
		for i, body := range awkwardBodies {
			m.deliver(fmt.Sprint(i), body)
			if i%5 == 0 {
				m.flush()
			}
		}
		m.flush()
		m.want(awkwardBodies...)
	}
}

func FuzzMbox(f *testing.F) {
	for _, body := range awkwardBodies {
		if len(body) < 1000 {
			f.Add([]byte(body), []byte("a\r\n"), false)
		}
	}
	f.Fuzz(func(t *testing.T, one, two []byte, keep bool) {
		m := newMbox(t, &disk.MboxOptions{KeepCRLF: keep})
		for i, body := range [][]byte{one, two, one} {
			msg := retrieval.NewMessage(inbox, retrieval.Summary{UID: retrieval.UID(fmt.Sprint(i))}, iotest.OneByteReader(bytes.NewReader(body)))
			if _, err := m.Deliver(t.Context(), msg); err != nil {
				t.Fatal(err)
			}
		}
		m.flush()
		m.want(string(one), string(two), string(one))
		for i := range 3 {
			if _, found, err := m.Find(t.Context(), inbox, retrieval.Record{UID: retrieval.UID(fmt.Sprint(i))}); !found || err != nil {
				t.Fatalf("message %d: found %v, %v", i, found, err)
			}
		}
	})
}

// FuzzReadMbox reads any file: it ends, and what it yields is no longer than
// the file with a CR for each line.
func FuzzReadMbox(f *testing.F) {
	f.Add([]byte("From joe\nx\n\nFrom joe\n>From\n"))
	f.Add([]byte("From joe Thu Nov 26 01:15:17 2026 remote from postbag-00000000000000000000000000000000.0000000000000000.0000000000000001n\n\n\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		n := 0
		for msg, err := range disk.ReadMbox(bytes.NewReader(file)) {
			if err != nil {
				break
			}
			body, _ := io.ReadAll(msg)
			n += len(body)
		}
		if most := len(file) + bytes.Count(file, []byte("\n")); n > most {
			t.Errorf("%d octets from a file of %d", n, len(file))
		}
	})
}

// What other programs have written is read as mboxrd has it.
func TestReadMboxOfOthers(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       []string
		err        error
	}{
		{"empty", "", nil, nil},
		{"one", "From a@b Thu Nov 26 01:15:17 2026\nSubject: x\n\n>From y\n\n", []string{"Subject: x\n\nFrom y\n"}, nil},
		{"no line end", "From a\nx", []string{"x"}, nil},
		{"no empty line", "From a\nx\nFrom b\ny\n", []string{"x\n", "y\n"}, nil},
		{"From_ line alone", "From a", []string{""}, nil},
		{"long From_ line", "From " + strings.Repeat("a", 200_000) + "\nx\n\nFrom b\ny\n\n", []string{"x\n", "y\n"}, nil},
		{"no mbox", "Subject: x\n", nil, disk.ErrNotMbox},
		{"short and no mbox", "Fro", nil, disk.ErrNotMbox},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for msg, err := range disk.ReadMbox(iotest.OneByteReader(strings.NewReader(tt.file))) {
				if !errors.Is(err, tt.err) {
					t.Fatalf("%v, want %v", err, tt.err)
				}
				if err != nil {
					return
				}
				body, err := io.ReadAll(msg)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(body))
			}
			if tt.err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%.200q, want %.200q, %v", got, tt.want, tt.err)
			}
		})
	}
	broken := errors.New("broken")
	for _, file := range []string{"", "From a\n", "From a\nx\n"} {
		var last error
		for _, err := range disk.ReadMbox(io.MultiReader(strings.NewReader(file), iotest.ErrReader(broken))) {
			last = err
		}
		if !errors.Is(last, broken) {
			t.Errorf("%q and a read error: %v", file, last)
		}
	}
	for range disk.ReadMbox(strings.NewReader("From a\nx\n\nFrom b\ny\n")) {
		break // leaves nothing behind
	}
}

func TestMboxCloses(t *testing.T) {
	m := newMbox(t, nil)
	m.deliver("1", "dropped")
	for range 2 {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left := m.beside(); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
	m.want()
	if _, err := m.Deliver(t.Context(), message("1", "x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Deliver after Close: %v, want fs.ErrClosed", err)
	}
	if err := m.Flush(t.Context()); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Flush after Close: %v, want fs.ErrClosed", err)
	}
}

func TestMboxFind(t *testing.T) {
	m := newMbox(t, nil)
	since := time.Now()
	find := func(uid string, since time.Time) string {
		t.Helper()
		ref, found, err := m.Find(t.Context(), inbox, retrieval.Record{UID: retrieval.UID(uid), Since: since})
		if err != nil || found != (ref != "") {
			t.Fatalf("Find = %q, %v, %v", ref, found, err)
		}
		return ref
	}
	one, two := m.deliver("1", mboxMail), m.deliver("2", mboxMail)
	if got := find("1", since); got != "" {
		t.Errorf("found %q before Flush", got)
	}
	m.flush()
	if a, b := find("1", since), find("2", since); a != one || b != two {
		t.Errorf("found %q and %q, want %q and %q", a, b, one, two)
	}
	if got := find("1", time.Now()); got != "" {
		t.Errorf("found %q, which was delivered before the intent", got)
	}
	// A mail program sorts, and marks in the header what was read.
	at := strings.LastIndex(m.file(), "From joe")
	m.write(m.file()[at:] + strings.Replace(m.file()[:at], "Subject", "Status: RO\nSubject", 1))
	if a, b := find("1", since), find("2", since); a != one || b != two {
		t.Errorf("after a mail program: found %q and %q, want %q and %q", a, b, one, two)
	}
	again := m.deliver("1", mboxMail)
	m.flush()
	if again == one {
		t.Errorf("two deliveries are called %q", one)
	}
	m.write(m.file()[:len(m.file())-5]) // the last one is cut
	if got := find("1", since); got != one {
		t.Errorf("found %q, want %q: the other is cut short", got, one)
	}
	os.Remove(m.path)
	if got := find("1", since); got != "" {
		t.Errorf("found %q in a mailbox that was removed", got)
	}
}

func TestMboxCancelled(t *testing.T) {
	m := newMbox(t, nil)
	m.deliver("1", "x")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := m.Deliver(ctx, message("2", "x"))
	_, _, err2 := m.Find(ctx, inbox, retrieval.Record{UID: "1"})
	for what, err := range map[string]error{"Deliver": err, "Find": err2, "Flush": m.Flush(ctx)} {
		if !errors.Is(err, cause) {
			t.Errorf("%s: %v, want the cause", what, err)
		}
	}
	m.flush()
	m.want()
}
