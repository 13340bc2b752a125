package bench

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	gopop3 "github.com/knadh/go-pop3"

	"example.com/postbag/pop3client"
)

// BenchmarkPOP3 compares POP3 clients.
func BenchmarkPOP3(b *testing.B) {
	race(b, false, []workload{small, large}, rawPOP3, []client{
		{"pop3client", pop3Client},
		{"go-pop3", goPOP3},
		{"mpop", mpop},
		{"poplib", poplib},
	}, map[string]bool{"go-pop3": true, "poplib": true})
}

func pop3Client(b *testing.B, addr string, w workload) time.Duration {
	c, err := pop3client.DialPlaintext(b.Context(), addr, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(b.Context(), user, password); err != nil {
		b.Fatal(err)
	}
	list, err := c.Listing(b.Context())
	if err != nil || len(list) != w.messages {
		b.Fatal(len(list), err)
	}
	start := time.Now()
	n := 0
	for m, err := range c.RetrEach(b.Context(), list...) {
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != w.messages {
		b.Fatalf("%d messages", n)
	}
	took := time.Since(start)
	if err := c.Quit(b.Context()); err != nil {
		b.Fatal(err)
	}
	return took
}

func goPOP3(b *testing.B, addr string, w workload) time.Duration {
	host, port := hostPort(addr)
	c, err := gopop3.New(gopop3.Opt{Host: host, Port: port}).NewConn()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Quit()
	if err := c.Auth(user, password); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for i := range w.messages {
		if _, err := c.RetrRaw(i + 1); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// mpop writes every message into a Maildir in memory: it cannot throw away.
func mpop(b *testing.B, addr string, w workload) time.Duration {
	mpopInto(b, addr, memoryDir(b))
	return 0
}

// mpopInto retrieves into the Maildir m in the folder dir.
func mpopInto(b *testing.B, addr, dir string) {
	b.Helper()
	exe := program(b, "mpop")
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(dir, "m", sub), 0o700); err != nil {
			b.Fatal(err)
		}
	}
	host, port := hostPort(addr)
	rc := filepath.Join(dir, "mpoprc")
	err := os.WriteFile(rc, fmt.Appendf(nil, "account a\nhost %s\nport %d\nuser %s\npassword %s\nauth user\ntls off\ndelivery maildir %s/m\nuidls_file %s/uidls\nkeep on\nreceived_header off\n",
		host, port, user, password, dir, dir), 0o600)
	if err != nil {
		b.Fatal(err)
	}
	run(b, exe, "-C", rc, "-q", "a")
}

func poplib(b *testing.B, addr string, w workload) time.Duration {
	host, port := hostPort(addr)
	run(b, program(b, "python3"), "-c", fmt.Sprintf(`
import poplib
poplib._MAXLINE = 1 << 20
c = poplib.POP3(%q, %d)
c.user(%q); c.pass_(%q)
for i in range(%d):
    c.retr(i + 1)
c.quit()`, host, port, user, password, w.messages))
	return 0
}

// memoryDir returns a folder for a benchmark's files, in memory if there is
// such a place.
func memoryDir(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "postbag-")
	if err != nil {
		return b.TempDir()
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
