package disk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/postbag/retrieval/disk"
)

// A mailbox whose name is like that of a spool is a mailbox.
func TestMboxNamedLikeSpool(t *testing.T) {
	m := newMbox(t, nil)
	const mail = "From a\nx\n\n"
	for _, suffix := range []string{".postbag-old", ".postbag-0123456789abcdef", ".postbag-0123456789ABCDEF"} {
		if err := os.WriteFile(m.path+suffix, []byte(mail), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.deliver("1", "x")
	m.flush()
	m.want("x")
	for _, suffix := range []string{".postbag-old", ".postbag-0123456789abcdef", ".postbag-0123456789ABCDEF"} {
		if data, err := os.ReadFile(m.path + suffix); err != nil || string(data) != mail {
			t.Errorf("%s is %q, %v", suffix, data, err)
		}
	}
}

// What another program writes without a lock while an append fails is not taken
// back with it.
func TestMboxTakesBackItsOwn(t *testing.T) {
	m := newMbox(t, nil)
	const before, foreign = "From a\nx\n\n", "From z\nfrom elsewhere\n\n"
	m.write(before)
	m.deliver("1", strings.Repeat("a line\n", 100))
	m.FailSync(func(name string) error {
		if name != m.path {
			return nil
		}
		m.write(m.file()[:len(before)+20] + foreign) // a disk that is full, and another program
		return errSync
	})
	if err := m.Flush(t.Context()); err == nil {
		t.Fatal("Flush has not failed")
	}
	if got := m.file(); !strings.HasSuffix(got, foreign) {
		t.Errorf("the mailbox is %q, and has lost the other program's message", got)
	}
}

// What was appended is another program's to change: a crash later does not bring
// it to mind.
func TestMboxForgetsWhatItAppended(t *testing.T) {
	m := newMbox(t, nil)
	m.write("From a\nx\n")
	m.deliver("1", "y\n")
	m.flush()
	spool, err := os.ReadFile(filepath.Join(filepath.Dir(m.path), m.beside()[0]))
	if err != nil {
		t.Fatal(err)
	}
	const after = "From a\nx\n\n" // a mail program has removed the message
	m.lay(after, string(spool))
	if n := m.found(); n != 0 || m.file() != after {
		t.Errorf("%d found, and the mailbox is %q, want %q", n, m.file(), after)
	}
}

// Mailboxes of one name may have their spools in one folder.
func TestMboxSharedWork(t *testing.T) {
	work := t.TempDir()
	o := &disk.MboxOptions{Work: work}
	a := newMbox(t, o)
	const before = "From a\nx\n\n"
	a.write(before)
	a.deliver("1", strings.Repeat("a line\n", 100))
	var torn, spool string
	a.FailSync(func(name string) error {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		if name != a.path {
			spool = string(data)
			return nil
		}
		torn = string(data[:len(data)-10])
		return errSync
	})
	a.Flush(t.Context())
	entries, err := os.ReadDir(work)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	a.Close()
	a.write(torn)
	if err := os.WriteFile(filepath.Join(work, entries[0].Name()), []byte(spool), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newMbox(t, o) // of the same name, in another folder
	b.deliver("2", "y")
	b.flush()
	b.want("y")
	a.open(o)
	if n := a.found(); n != 0 || a.file() != before {
		t.Errorf("%d found, and the mailbox is %q, want %q", n, a.file(), before)
	}
}
