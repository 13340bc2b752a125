package retrieval_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
)

// TestRealRestored copies the mail folder of a Dovecot away, has more delivered,
// and puts the copy back: new messages get the UIDs of those that are lost.
func TestRealRestored(t *testing.T) {
	for _, tt := range []struct {
		name      string
		of        retrieval.Protocol
		others    int // of which three get names that were given before
		err       error
		rematched int
	}{
		{"UIDNEXT tells", retrieval.IMAP, 2, retrieval.ErrRenumbered, 5},
		{"the newest message tells", retrieval.IMAP, 4, nil, 0},
		{"the size tells", retrieval.POP3, 4, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newRealBox(t, servers.Dovecot)
			b.acct.Policy, b.acct.Upstream = retrieval.LeaveOnServer, retrieval.Upstream{}
			if tt.of == retrieval.POP3 {
				_, port, err := net.SplitHostPort(b.real.POP3S)
				if err != nil {
					t.Fatal(err)
				}
				if b.acct.Port, err = strconv.Atoi(port); err != nil {
					t.Fatal(err)
				}
				b.acct.Protocol = tt.of
			}
			b.real.Deliver(t, "joe", mail("A", 1), mail("B", 1), mail("C", 1), mail("D", 1), mail("E", 1))
			b.mustRun(retrieval.Report{Listed: 5, Delivered: 5})
			restore := b.backup()
			b.real.Deliver(t, "joe", mail("F", 1), mail("G", 1), mail("H", 1))
			b.mustRun(retrieval.Report{Listed: 8, Delivered: 3, Skipped: 5})
			restore()
			var others [][]byte
			want := []string{"A", "B", "C", "D", "E", "F", "G", "H"}
			for _, s := range []string{"W", "X", "Y", "Z"}[:tt.others] {
				others, want = append(others, mail(s, 100)), append(want, s)
			}
			b.real.Deliver(t, "joe", others...)
			b.later()
			listed := 5 + tt.others
			if tt.err != nil {
				for range 2 {
					if rep, err := b.run(); !errors.Is(err, tt.err) || rep.Delivered > 0 {
						t.Errorf("%+v, %v, want %v", rep, err, tt.err)
					}
				}
				b.acct.Reset = retrieval.Rematch
			}
			rep := b.mustRun(retrieval.Report{Listed: listed, Delivered: tt.others, Skipped: 5})
			if rep.Rematched != tt.rematched {
				t.Errorf("%d were known again, want %d", rep.Rematched, tt.rematched)
			}
			b.acct.Reset = retrieval.Stop
			b.mustRun(retrieval.Report{Listed: listed, Skipped: listed})
			b.real.Deliver(t, "joe", mail("NEW", 1))
			b.mustRun(retrieval.Report{Listed: listed + 1, Delivered: 1, Skipped: listed})
			var here []string
			for _, data := range b.files() {
				here = append(here, subject(string(data)))
			}
			slices.Sort(here)
			want = append(want, "NEW")
			if slices.Sort(want); !slices.Equal(here, want) {
				t.Errorf("here are %s, want %s", here, want)
			}
		})
	}
}

// backup copies the mail folder, and returns how to put it back.
func (b *realBox) backup() (restore func()) {
	b.t.Helper()
	dir := b.real.Maildir("joe")
	saved := filepath.Join(b.t.TempDir(), "Maildir")
	b.copyTree(dir, saved)
	return func() {
		b.t.Helper()
		if err := os.Rename(dir, dir+".lost"); err != nil {
			b.t.Fatal(err)
		}
		b.copyTree(saved, dir)
	}
}

// copyTree copies a folder with owners and times, as a backup does.
func (b *realBox) copyTree(from, to string) {
	b.t.Helper()
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		owner, ok := fi.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("%s has no owner", path)
		}
		copied := to + strings.TrimPrefix(path, from)
		if d.IsDir() {
			err = os.Mkdir(copied, fi.Mode().Perm())
		} else {
			var data []byte
			if data, err = os.ReadFile(path); err == nil {
				err = os.WriteFile(copied, data, fi.Mode().Perm())
			}
		}
		if err != nil {
			return err
		}
		if err := os.Lchown(copied, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
		return os.Chtimes(copied, fi.ModTime(), fi.ModTime())
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// later makes what the server has not looked at yet arrive an hour later.
func (b *realBox) later() {
	b.t.Helper()
	files, err := filepath.Glob(filepath.Join(b.real.Maildir("joe"), "new", "*"))
	if err != nil || len(files) == 0 {
		b.t.Fatal(files, err)
	}
	for _, f := range files {
		at := time.Now().Add(time.Hour)
		if err := os.Chtimes(f, at, at); err != nil {
			b.t.Fatal(err)
		}
	}
}
