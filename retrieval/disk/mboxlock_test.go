package disk_test

import (
	"context"
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

// dotlock makes a dotlock as another program does.
func (m *mbox) dotlock() string {
	m.Helper()
	if err := os.WriteFile(m.path+".lock", []byte("1\n"), 0o600); err != nil {
		m.Fatal(err)
	}
	return m.path + ".lock"
}

// F125: a dotlock that somebody holds, and one that nobody does any more.
func TestMboxDotlock(t *testing.T) {
	t.Run("held", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMbox(t, nil)
			m.deliver("1", "x")
			lock := m.dotlock()
			start := time.Now()
			err := m.Flush(t.Context())
			var held *disk.LockError
			if !errors.As(err, &held) || held.Lock != "dotlock" || held.Path != m.path || !errors.Is(err, retrieval.ErrLocked) {
				t.Fatalf("%v, want a LockError about the dotlock", err)
			}
			if took := time.Since(start); took < 30*time.Second || took > 32*time.Second {
				t.Errorf("gave up after %v, want 30 s", took)
			}
			if _, _, err := m.Find(t.Context(), inbox, retrieval.Record{UID: "1"}); !errors.Is(err, retrieval.ErrLocked) {
				t.Errorf("Find: %v, want ErrLocked", err)
			}
			if _, err := os.Stat(lock); err != nil {
				t.Errorf("the other program's lock: %v", err)
			}
			os.Remove(lock)
			m.flush()
			m.want() // after an error of Flush nothing counts
			m.deliver("1", "x")
			m.flush()
			m.want("x")
		})
	})
	t.Run("given up in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMbox(t, &disk.MboxOptions{Patience: time.Minute})
			m.deliver("1", "x")
			lock := m.dotlock()
			time.AfterFunc(50*time.Second, func() { os.Remove(lock) })
			m.flush()
			m.want("x")
			if names := m.beside(); len(names) != 1 {
				t.Errorf("%q are beside the mbox, want the spool alone", names)
			}
		})
	})
	t.Run("held, and the context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMbox(t, nil)
			m.deliver("1", "x")
			m.dotlock()
			cause := errors.New("enough")
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
			defer cancel()
			start := time.Now()
			if err := m.Flush(ctx); !errors.Is(err, cause) || !errors.Is(err, retrieval.ErrLocked) {
				t.Errorf("%v, want the cause, and ErrLocked", err)
			}
			if took := time.Since(start); took != time.Second {
				t.Errorf("gave up after %v, want 1 s", took)
			}
		})
	})
	t.Run("stale", func(t *testing.T) {
		m := newMbox(t, nil)
		m.deliver("1", "x")
		lock := m.dotlock()
		old := time.Now().Add(-6 * time.Minute)
		if err := os.Chtimes(lock, old, old); err != nil {
			t.Fatal(err)
		}
		m.flush()
		m.want("x")
		if names := m.beside(); len(names) != 1 {
			t.Errorf("%q are beside the mbox, want the spool alone", names)
		}
	})
	t.Run("stale by a clock that is ahead", func(t *testing.T) {
		m := newMbox(t, &disk.MboxOptions{Patience: time.Millisecond})
		m.deliver("1", "x")
		lock := m.dotlock()
		ahead := time.Now().Add(time.Hour)
		if err := os.Chtimes(lock, ahead, ahead); err != nil {
			t.Fatal(err)
		}
		if err := m.Flush(t.Context()); !errors.Is(err, retrieval.ErrLocked) {
			t.Errorf("%v, want ErrLocked", err)
		}
	})
	t.Run("ours goes", func(t *testing.T) {
		m := newMbox(t, nil)
		m.deliver("1", "x")
		m.flush()
		m.write("not an mbox")
		m.deliver("2", "y")
		if err := m.Flush(t.Context()); !errors.Is(err, disk.ErrNotMbox) {
			t.Errorf("%v, want ErrNotMbox", err)
		}
		if _, err := os.Stat(m.path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the lock is still there: %v", err)
		}
	})
}

// Two programs that deliver into one mailbox, and a third that looks.
func TestMboxTogether(t *testing.T) {
	a := newMbox(t, nil)
	b := &mbox{T: t, path: a.path}
	b.open(nil)
	errs := make(chan error)
	const each = 50
	for _, m := range []*mbox{a, b} {
		go func() {
			for i := range each {
				uid := string(rune('0' + i))
				_, err := m.Deliver(t.Context(), message(uid, "body "+uid+"\r\n"))
				if err == nil && i%3 == 2 {
					err = m.Flush(t.Context())
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- m.Flush(t.Context())
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	counts := make(map[string]int)
	for _, body := range bodiesOf(t, a.file()) {
		counts[body]++
	}
	for i := range each {
		if body := "body " + string(rune('0'+i)) + "\r\n"; counts[body] != 2 {
			t.Errorf("%q is there %d times, want 2", body, counts[body])
		}
	}
	if len(counts) != each {
		t.Errorf("%d different messages, want %d", len(counts), each)
	}
}

// F125: what is no mbox, or a link to one, is not written to.
func TestMboxRefuses(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	m := &mbox{T: t, path: real}
	m.open(nil)
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.Symlink(real, at("link")),
		os.Symlink(at("nowhere"), at("dangling")),
		os.Mkdir(at("folder"), 0o700),
		syscall.Mkfifo(at("pipe"), 0o600),
		os.WriteFile(at("text"), []byte("Subject: x\n\n"), 0o600),
		os.WriteFile(at("short"), []byte("Fr"), 0o600),
		os.WriteFile(at("line end"), []byte("\nFrom x\n"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		want error
	}{
		{"link", syscall.ELOOP},
		{"dangling", syscall.ELOOP},
		{"folder", syscall.EISDIR},
		{"pipe", disk.ErrNotMbox},
		{"text", disk.ErrNotMbox},
		{"short", disk.ErrNotMbox},
		{"line end", disk.ErrNotMbox},
		{"not/there", fs.ErrNotExist},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "short" {
				t.Skip("a crash may have left it, and then it is recovered")
			}
			if _, err := disk.OpenMbox(at(tt.name), nil); !errors.Is(err, tt.want) {
				t.Errorf("OpenMbox: %v, want %v", err, tt.want)
			}
		})
		t.Run(tt.name+" after it was opened", func(t *testing.T) {
			if tt.name == "not/there" {
				t.Skip("the mailbox's folder stays")
			}
			m := newMbox(t, nil)
			m.deliver("1", "x")
			os.Remove(m.path)
			if err := os.Rename(at(tt.name), m.path); err != nil {
				t.Fatal(err)
			}
			defer os.Rename(m.path, at(tt.name))
			if err := m.Flush(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("Flush: %v, want %v", err, tt.want)
			}
		})
	}
	if got := m.file(); got != "" {
		t.Errorf("%q was written through a link", got)
	}
}
