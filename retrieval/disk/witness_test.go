package disk_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

var _ retrieval.Witness = (*disk.Maildir)(nil)

func (d *maildir) note(box retrieval.Box, store string) {
	d.Helper()
	if err := d.Note(d.Context(), box, store); err != nil {
		d.Fatal(err)
	}
}

func (d *maildir) wantNote(box retrieval.Box, store string) {
	d.Helper()
	got, err := d.Witnessed(d.Context(), box)
	if err != nil || got != store {
		d.Fatalf("witnessed of %v: %q, %v, want %q", box, got, err, store)
	}
}

// notes returns the paths of the notes.
func (d *maildir) notes() []string {
	d.Helper()
	paths, err := filepath.Glob(filepath.Join(d.dir, "postbag-*.store"))
	if err != nil {
		d.Fatal(err)
	}
	return paths
}

func TestWitness(t *testing.T) {
	archive := retrieval.Box{Account: inbox.Account, Mailbox: "Archive"}
	t.Run("missing", func(t *testing.T) {
		d := newMaildir(t)
		d.wantNote(inbox, "")
		d.note(inbox, "a")
		os.Remove(d.notes()[0])
		d.wantNote(inbox, "")
	})
	t.Run("noted", func(t *testing.T) {
		d := newMaildir(t)
		d.note(inbox, "a")
		d.note(archive, "b\n\x00\xff\"")
		d.open()
		d.wantNote(inbox, "a")
		d.wantNote(archive, "b\n\x00\xff\"")
		d.wantNote(retrieval.Box{Account: inbox.Account + "I", Mailbox: "NBOX"}, "")
	})
	t.Run("foreign", func(t *testing.T) { // of another store: told as it is, and replaced
		d := newMaildir(t)
		d.note(inbox, "a")
		d.note(inbox, "other")
		d.wantNote(inbox, "other")
		if n := len(d.notes()); n != 1 {
			t.Errorf("%d notes of one mailbox", n)
		}
	})
	t.Run("empty identity", func(t *testing.T) {
		d := newMaildir(t)
		d.note(inbox, "a")
		d.note(inbox, "")
		d.wantNote(inbox, "")
	})
	t.Run("too long", func(t *testing.T) {
		d := newMaildir(t)
		if err := d.Note(t.Context(), inbox, strings.Repeat("x", 5000)); err == nil {
			t.Error("no error")
		}
		d.wantNote(inbox, "")
	})
	t.Run("not in the way of mail", func(t *testing.T) {
		d := newMaildir(t)
		d.note(inbox, "a")
		ref := d.deliver("1", "x")
		d.flush()
		d.want("new/" + ref + "=x")
		if tmp := d.list("tmp"); len(tmp) > 0 {
			t.Errorf("left in tmp: %q", tmp)
		}
		fi, err := os.Stat(d.notes()[0])
		if err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v, want mode 0600", fi.Mode(), err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		d := newMaildir(t)
		d.Close()
		if err := d.Note(t.Context(), inbox, "a"); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%v, want fs.ErrClosed", err)
		}
	})
	t.Run("several at once", func(t *testing.T) {
		d := newMaildir(t)
		other, err := disk.OpenMaildir(d.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		var wg sync.WaitGroup
		for i, m := range []*disk.Maildir{d.Maildir, other} {
			wg.Go(func() {
				for range 10 {
					if err := m.Note(t.Context(), retrieval.Box{Account: "a", Mailbox: string(rune('a' + i))}, "x"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		d.wantNote(retrieval.Box{Account: "a", Mailbox: "a"}, "x")
		d.wantNote(retrieval.Box{Account: "a", Mailbox: "b"}, "x")
	})
}

// A note that cannot be trusted is an error, never "no store".
func TestWitnessDamaged(t *testing.T) {
	for name, spoil := range map[string]func(path string, data []byte) error{
		"empty":  func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) },
		"cut":    func(path string, data []byte) error { return os.WriteFile(path, data[:len(data)-1], 0o600) },
		"longer": func(path string, data []byte) error { return os.WriteFile(path, append(data, '\n'), 0o600) },
		"huge": func(path string, data []byte) error {
			return os.WriteFile(path, append(data, make([]byte, 1<<20)...), 0o600)
		},
		"not ours":    func(path string, _ []byte) error { return os.WriteFile(path, []byte("From: me\n"), 0o600) },
		"a later one": func(path string, data []byte) error { data[14] = '2'; return os.WriteFile(path, data, 0o600) },
		"symlink": func(path string, data []byte) error {
			elsewhere := filepath.Join(filepath.Dir(path), "elsewhere")
			return errors.Join(os.WriteFile(elsewhere, data, 0o600), os.Remove(path), os.Symlink(elsewhere, path))
		},
		"folder": func(path string, _ []byte) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newMaildir(t)
			d.note(inbox, "a")
			path := d.notes()[0]
			data, err := os.ReadFile(path)
			if err == nil {
				err = spoil(path, data)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := d.Witnessed(t.Context(), inbox); err == nil || got != "" {
				t.Errorf("%q, %v, want an error", got, err)
			}
		})
	}
	t.Run("every octet", func(t *testing.T) {
		d := newMaildir(t)
		d.note(inbox, "a")
		path := d.notes()[0]
		data, _ := os.ReadFile(path)
		for i := range data {
			data[i] ^= 1
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := d.Witnessed(t.Context(), inbox); err == nil {
				t.Errorf("octet %d changed: %q and no error", i, got)
			}
			data[i] ^= 1
		}
	})
}
