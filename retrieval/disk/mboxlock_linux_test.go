package disk_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

const lockEnv = "MBOX_TEST_LOCK"

// locks are those of another program.
var locks = map[string]func(fd uintptr) error{
	"fcntl to write": func(fd uintptr) error {
		return syscall.FcntlFlock(fd, syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK})
	},
	"fcntl to read one octet": func(fd uintptr) error {
		return syscall.FcntlFlock(fd, syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_RDLCK, Start: 1 << 40, Len: 1})
	},
	"flock":        func(fd uintptr) error { return syscall.Flock(int(fd), syscall.LOCK_EX) },
	"flock shared": func(fd uintptr) error { return syscall.Flock(int(fd), syscall.LOCK_SH) },
}

// TestMboxLocker is the other program: it holds a lock until its input ends.
func TestMboxLocker(t *testing.T) {
	kind, path, ok := strings.Cut(os.Getenv(lockEnv), ":")
	if !ok {
		t.Skip("it is run by TestMboxForeignLock")
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = locks[kind](f.Fd())
	}
	fmt.Printf("locked: %v\n", err)
	io.Copy(io.Discard, os.Stdin)
}

// TestMboxForeignLock has another process hold one of the system's locks. F125.
func TestMboxForeignLock(t *testing.T) {
	for name := range locks {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mail")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			release := lockElsewhere(t, name, path)
			synctest.Test(t, func(t *testing.T) {
				m := &mbox{T: t, path: path}
				m.open(nil)
				m.deliver("1", "x")
				kind, _, _ := strings.Cut(name, " ")
				var held *disk.LockError
				if err := m.Flush(t.Context()); !errors.As(err, &held) || held.Lock != kind || !errors.Is(err, retrieval.ErrLocked) {
					t.Errorf("%v, want a LockError about %s", err, kind)
				}
				if names := m.beside(); len(names) != 1 {
					t.Errorf("%q are beside the mbox, want the spool alone: no dotlock is left", names)
				}
			})
			release()
			m := &mbox{T: t, path: path}
			m.open(nil)
			m.deliver("1", "x")
			m.flush()
			m.want("x")
		})
	}
}

func lockElsewhere(t *testing.T, kind, path string) (release func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMboxLocker$")
	cmd.Env = append(os.Environ(), lockEnv+"="+kind+":"+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked: <nil>\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return func() {
		in.Close()
		cmd.Wait()
	}
}

// TestMboxReplaced has a mail program replace the mailbox all the time, under
// its lock, as those do that write a new file and rename it. Who has opened the
// old file just before must notice, or the message is in a file without a name.
// F125.
func TestMboxReplaced(t *testing.T) {
	m := newMbox(t, nil)
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for err == nil {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-time.After(time.Millisecond): // or on a slow machine nobody else would ever get in
				err = replace(m.path)
			}
		}
		stopped <- err
	}()
	var want []string
	for i := range 30 {
		body := fmt.Sprint("message ", i)
		m.deliver(fmt.Sprint(i), body)
		m.flush()
		want = append(want, body)
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	m.want(want...)
}

// replace replaces a mailbox by a copy, under flock.
func replace(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	data, err := io.ReadAll(f)
	if err == nil {
		err = os.WriteFile(path+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	return err
}
