package disk_test

import (
	"os"
	"path/filepath"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// A file that a mail program renames just when the folder is read may not show
// (readdir(3)). It is there all the same.
func TestHiddenByRename(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, d *disk.Maildir, ref string) error
		left int // files
	}{
		{"Find", func(t *testing.T, d *disk.Maildir, ref string) error {
			if _, found, err := d.Find(t.Context(), message("1", "").Box, retrieval.Record{UID: "1"}); err != nil || !found {
				t.Errorf("Find = %v, %v", found, err)
			}
			return nil
		}, 1},
		{"Deliver", func(t *testing.T, d *disk.Maildir, ref string) error {
			if _, err := d.Deliver(t.Context(), message("1", "text")); err != nil {
				return err
			}
			return d.Flush(t.Context())
		}, 1},
		{"SetFlags", func(t *testing.T, d *disk.Maildir, ref string) error {
			_, err := d.SetFlags(t.Context(), ref, []retrieval.Flag{retrieval.FlagFlagged})
			return err
		}, 1},
		{"Discard", func(t *testing.T, d *disk.Maildir, ref string) error { return d.Discard(t.Context(), ref) }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			d, err := disk.OpenMaildir(dir)
			if err != nil {
				t.Fatal(err)
			}
			ref, err := d.Deliver(t.Context(), message("1", "text"))
			if err == nil {
				err = d.Flush(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			d.Close()

			if d, err = disk.OpenMaildir(dir); err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			hidden := filepath.Join(t.TempDir(), "hidden")
			if err := os.Rename(filepath.Join(dir, "new", ref), hidden); err != nil {
				t.Fatal(err)
			}
			d.OnRead(func() {
				d.OnRead(nil)
				if err := os.Rename(hidden, filepath.Join(dir, "cur", ref+":2,S")); err != nil {
					t.Error(err)
				}
			})
			if err := tt.do(t, d, ref); err != nil {
				t.Error(err)
			}
			n := 0
			for _, sub := range []string{"new", "cur"} {
				entries, err := os.ReadDir(filepath.Join(dir, sub))
				if err != nil {
					t.Fatal(err)
				}
				n += len(entries)
			}
			if n != tt.left {
				t.Errorf("%d files, want %d", n, tt.left)
			}
		})
	}
}
