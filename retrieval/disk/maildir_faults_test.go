package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

func (d *maildir) find(uid string, since time.Time) bool {
	d.Helper()
	_, found, err := d.Find(d.Context(), inbox, retrieval.Record{UID: retrieval.UID(uid), Since: since})
	if err != nil {
		d.Fatal(err)
	}
	return found
}

// F120: an fsync that fails is a delivery that failed.
func TestMaildirSyncFails(t *testing.T) {
	d := newMaildir(t)
	d.FailSync(func(string) error { return syscall.EIO })
	d.deliver("1", "a")
	d.FailSync(func(string) error { return nil })
	d.deliver("2", "b")
	if err := d.Flush(t.Context()); !errors.Is(err, syscall.EIO) {
		t.Fatalf("%v, want EIO", err)
	}
	if left := d.list("tmp", "new", "cur"); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
	d.flush()
	d.want()
	a, b := d.deliver("1", "a"), d.deliver("2", "b")
	d.flush()
	d.want("new/"+a+"=a", "new/"+b+"=b")
}

// F122: what may be wrong with the folders and names of a Maildir.
func TestMaildirFolders(t *testing.T) {
	for _, sub := range []string{"tmp", "new", "cur"} {
		t.Run(sub+" goes missing", func(t *testing.T) {
			d := newMaildir(t)
			d.deliver("1", "a", retrieval.FlagSeen)
			d.flush()
			if err := os.RemoveAll(filepath.Join(d.dir, sub)); err != nil {
				t.Fatal(err)
			}
			_, err := d.Deliver(t.Context(), message("2", "b"))
			if err == nil {
				_, err = d.Deliver(t.Context(), message("3", "c", retrieval.FlagSeen))
			}
			if err == nil {
				err = d.Flush(t.Context())
			}
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v, want fs.ErrNotExist", err)
			}
			d.open() // makes it again
			d.deliver("1", "a", retrieval.FlagSeen)
			d.deliver("2", "b")
			d.deliver("3", "c", retrieval.FlagSeen)
			d.flush()
			if all := d.list("new", "cur"); len(all) != 3 {
				t.Errorf("%q are there, want 3", all)
			}
		})
		t.Run(sub+" is a link to a folder", func(t *testing.T) {
			d := newMaildir(t)
			at := filepath.Join(d.dir, sub)
			if err := errors.Join(os.Rename(at, at+"-real"), os.Symlink(sub+"-real", at)); err != nil {
				t.Fatal(err)
			}
			d.open()
			a := d.deliver("1", "a")
			d.flush()
			d.want("new/" + a + "=a")
		})
		t.Run(sub+" is a link to nowhere", func(t *testing.T) {
			d := newMaildir(t)
			at := filepath.Join(d.dir, sub)
			if err := errors.Join(os.Remove(at), os.Symlink("nowhere", at)); err != nil {
				t.Fatal(err)
			}
			if _, err := disk.OpenMaildir(d.dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v, want fs.ErrNotExist", err)
			}
		})
	}
	for name, put := range map[string]func(path string) error{
		"pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":   func(path string) error { return os.Symlink("nowhere", path) },
	} {
		t.Run("the name is that of a "+name, func(t *testing.T) {
			d := newMaildir(t)
			ref := d.deliver("1", "a")
			d.Close()
			if err := put(filepath.Join(d.dir, "new", ref)); err != nil {
				t.Fatal(err)
			}
			d.open()
			other := d.deliver("1", "a")
			d.flush()
			data, err := os.ReadFile(filepath.Join(d.dir, "new", other))
			if other == ref || string(data) != "a" {
				t.Errorf("delivered as %q: %q, %v", other, data, err)
			}
		})
	}
}

// F122: two processes on one Maildir.
func TestMaildirTogether(t *testing.T) {
	t.Run("the same message", func(t *testing.T) {
		a, b := newMaildir(t), &maildir{T: t}
		b.dir = a.dir
		b.open()
		ref := a.deliver("1", "x")
		if other := b.deliver("1", "x"); other != ref {
			t.Errorf("called %q and %q", ref, other)
		}
		a.flush()
		b.flush()
		a.want("new/" + ref + "=x")
	})
	t.Run("another message of that UID", func(t *testing.T) {
		a, b := newMaildir(t), &maildir{T: t}
		b.dir = a.dir
		b.open()
		one := a.deliver("1", "x")
		b.deliver("1", "y")
		a.flush()
		if err := b.Flush(t.Context()); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v, want fs.ErrExist", err)
		}
		a.want("new/" + one + "=x")
		two := b.deliver("1", "y")
		b.flush()
		a.want("new/"+one+"=x", "new/"+two+"=y")
	})
}

// F123: what a mail program does between the delivery and our coming back.
func TestMaildirMailProgram(t *testing.T) {
	for _, tt := range []struct {
		name  string
		does  func(d *maildir, ref string) error
		found bool
	}{
		{"moves it to cur", func(d *maildir, ref string) error {
			return os.Rename(filepath.Join(d.dir, "new", ref), filepath.Join(d.dir, "cur", ref+":2,"))
		}, true},
		{"marks it", func(d *maildir, ref string) error {
			return os.Rename(filepath.Join(d.dir, "new", ref), filepath.Join(d.dir, "cur", ref+":2,RST"))
		}, true},
		// That it was here is known to nobody: the message comes once more,
		// rather than be lost.
		{"deletes it", func(d *maildir, ref string) error {
			return os.Remove(filepath.Join(d.dir, "new", ref))
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newMaildir(t)
			since := time.Now()
			ref := d.deliver("1", "a")
			d.flush()
			if err := tt.does(d, ref); err != nil {
				t.Fatal(err)
			}
			d.open()
			if found := d.find("1", since); found != tt.found {
				t.Errorf("found %v, want %v", found, tt.found)
			}
			d.deliver("1", "a")
			d.flush()
			if all := d.list("new", "cur"); len(all) != 1 {
				t.Errorf("%q are there, want one", all)
			}
		})
	}
}

// F124: the clock was put back between intent and delivery, so that Find does
// not find it. It comes again, and is there once all the same. Names hold no
// host, and so nothing that a host's name could spoil.
func TestClockBackwards(t *testing.T) {
	since := time.Now()
	past := func(t *testing.T, f func(t *testing.T)) {
		synctest.Test(t, f) // where it is the year 2000
	}
	t.Run("Maildir", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "mail")
		past(t, func(t *testing.T) {
			d := &maildir{T: t, dir: dir}
			d.open()
			d.deliver("1", "a")
			d.flush()
		})
		d := &maildir{T: t, dir: dir}
		d.open()
		if d.find("1", since) {
			t.Error("found what is from before the intent")
		}
		d.deliver("1", "a")
		d.flush()
		if all := d.list("new", "cur"); len(all) != 1 {
			t.Errorf("%q are there, want one", all)
		}
	})
	t.Run("mbox", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "mail")
		past(t, func(t *testing.T) {
			m := &mbox{T: t, path: path}
			m.open(nil)
			m.deliver("1", "a")
			m.flush()
		})
		m := &mbox{T: t, path: path}
		m.open(nil)
		if _, found, err := m.Find(t.Context(), inbox, retrieval.Record{UID: "1", Since: since}); found || err != nil {
			t.Errorf("found %v, %v, which is from before the intent", found, err)
		}
		msg := message("1", "a")
		msg.Redelivery = true
		if _, err := m.Deliver(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
		m.flush()
		m.want("a")
		msg = message("1", "another of that name")
		msg.Redelivery = true
		if _, err := m.Deliver(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
		m.flush()
		m.want("a", "another of that name")
	})
}
