package servers_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
)

const password = `correct "horse" battery\staple`

// TestStart takes every kind through its life, all at the same time.
func TestStart(t *testing.T) {
	for _, kind := range servers.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var s *servers.Server
			var pids []string
			t.Run("life", func(t *testing.T) {
				begin := time.Now()
				s = servers.Start(t, kind, servers.User{Name: "ann", Password: "other"}, servers.User{Name: "joe", Password: password})
				t.Logf("answers after %v", time.Since(begin))
				pids = processes(t, s.CAFile)
				live(t, s)
			})
			if s == nil {
				t.Skip("see life")
			}
			checkGone(t, s, pids)
			if _, err := os.Stat(filepath.Dir(s.CAFile)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the server's folder: %v, want it gone", err)
			}
		})
	}
}

// live delivers, looks in through every port, and resets.
func live(t *testing.T, s *servers.Server) {
	for i, n := range []int{12, 0, 1} {
		if i > 0 {
			s.Reset(t, "joe")
		}
		s.Deliver(t, "joe", messages(n)...)
		for _, c := range sessions(t, s) {
			got := c.messages("joe", password)
			if len(got) != n {
				t.Errorf("%s: %d messages, want %d", c.name, len(got), n)
			}
			for i, m := range got {
				if !strings.Contains(m, fmt.Sprintf("\r\nSubject: number %d\r\n", i)) || !strings.Contains(m, "\r\n.the text\r\n") {
					t.Errorf("%s: message %d is\n%s", c.name, i, m)
				}
			}
		}
	}
	for _, c := range sessions(t, s) {
		if got := c.messages("ann", "other"); len(got) != 0 {
			t.Errorf("%s: another user has %d messages, want 0", c.name, len(got))
		}
	}
	if s.IMAP != "" && s.Kind != servers.Mailutils { // which does not look while it idles
		idle(t, s)
	}
	checkLoopback(t, s)
}

// idle waits for a message that is delivered while a client is in IDLE.
func idle(t *testing.T, s *servers.Server) {
	all := sessions(t, s)
	c := all[len(all)-1]
	c.login("ann", "other")
	c.write("a IDLE")
	if got := c.line(); !strings.HasPrefix(got, "+") {
		t.Fatalf("%s: the answer to IDLE is %q", c.name, got)
	}
	begin := time.Now()
	s.Deliver(t, "ann", messages(1)...)
	for c.line() != "* 1 EXISTS\r\n" {
	}
	t.Logf("IDLE: heard of a new message after %v", time.Since(begin))
}

// checkLoopback shows that no other machine can connect.
func checkLoopback(t *testing.T, s *servers.Server) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, ok := a.(*net.IPNet)
		if !ok || ip.IP.IsLoopback() || ip.IP.To4() == nil {
			continue
		}
		for _, addr := range []string{s.POP3, s.POP3S, s.IMAP, s.IMAPS} {
			_, port, _ := strings.Cut(addr, ":")
			if conn, err := net.DialTimeout("tcp", net.JoinHostPort(ip.IP.String(), port), time.Second); err == nil {
				conn.Close()
				t.Errorf("%s is open at %v too", addr, ip.IP)
			}
		}
	}
}

// checkGone shows that nothing of a server runs or listens.
func checkGone(t *testing.T, s *servers.Server, pids []string) {
	t.Helper()
	for _, pid := range pids {
		if cmdline, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline")); err == nil && len(cmdline) > 0 {
			t.Errorf("process %s is still there: %q", pid, cmdline)
		}
	}
	for _, addr := range []string{s.POP3, s.POP3S, s.IMAP, s.IMAPS} {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Errorf("%s is still open", addr)
		}
	}
}

// TestStop ends a server before its test ends.
func TestStop(t *testing.T) {
	s := servers.Start(t, servers.Dovecot)
	pids := processes(t, s.CAFile)
	s.Stop()
	checkGone(t, s, pids)
	s.Stop()
}

// TestMaildir shows that the files of a Dovecot are those that were delivered.
func TestMaildir(t *testing.T) {
	s := servers.Start(t, servers.Dovecot, servers.User{Name: "joe", Password: password})
	s.Deliver(t, "joe", messages(3)...)
	names, err := filepath.Glob(filepath.Join(s.Maildir("joe"), "new", "*"))
	if err != nil || len(names) != 3 {
		t.Fatalf("%q, %v; want 3 files", names, err)
	}
	for i, name := range names {
		if got, err := os.ReadFile(name); err != nil || string(got) != string(messages(3)[i]) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestKilled kills a test that runs servers, and shows that they die with it.
func TestKilled(t *testing.T) {
	const child = "POSTBAG_SERVERS_TEST_CHILD"
	kinds := []servers.Kind{servers.Dovecot, servers.Courier}
	if os.Getenv(child) != "" {
		for _, kind := range kinds {
			s := servers.Start(t, kind)
			fmt.Println("started", s.POP3, s.CAFile)
		}
		select {}
	}
	for _, kind := range kinds {
		servers.Start(t, kind).Stop() // or skip
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), child+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var left []*servers.Server
	var pids []string
	var said []string
	lines := bufio.NewScanner(out)
	for len(left) < len(kinds) && lines.Scan() {
		said = append(said, lines.Text())
		s := new(servers.Server)
		if n, _ := fmt.Sscanf(lines.Text(), "started %s %s", &s.POP3, &s.CAFile); n == 2 {
			left = append(left, s)
			pids = append(pids, processes(t, s.CAFile)...)
			defer os.RemoveAll(filepath.Dir(s.CAFile))
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if len(left) < len(kinds) || len(pids) < len(kinds) {
		t.Fatalf("%d servers with the processes %q, want %d; the child said\n%s", len(left), pids, len(kinds), strings.Join(said, "\n"))
	}
	for _, pid := range pids {
		await(t, func() bool {
			state, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
			return err != nil || strings.Contains(string(state), ") Z ")
		})
	}
	for _, s := range left {
		checkGone(t, s, pids)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), "postbag") {
		t.Errorf("mounts are left, or %v:\n%s", err, mounts)
	}
}

// await waits for what the kernel does in its own time.
func await(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("still not, after 10 s")
		}
	}
}

// processes returns the numbers of those that have a server's folder in their
// own root, which shows by its CA file.
func processes(t *testing.T, caFile string) (pids []string) {
	t.Helper()
	want, err := os.Stat(caFile)
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		got, err := os.Stat(filepath.Join(name, "root/srv/postbag/ca.pem"))
		if err == nil && os.SameFile(got, want) {
			pids = append(pids, filepath.Base(name))
		}
	}
	return pids
}

// TestRefusals has Start refuse, each time with one line.
func TestRefusals(t *testing.T) {
	t.Setenv("POSTBAG_SERVERS_DIR", t.TempDir())
	joe := servers.User{Name: "joe", Password: password}
	for _, tt := range []struct {
		name     string
		kind     servers.Kind
		user     servers.User
		required string
		want     string
	}{
		{"unknown kind", "sendmail", joe, "", `fatal: servers: there is no kind "sendmail"`},
		{"bad name", servers.Dovecot, servers.User{Name: "../joe"}, "", `fatal: servers: user "../joe": not a name that every server takes`},
		{"bad password", servers.Dovecot, servers.User{Name: "joe", Password: "a\nb"}, "", `fatal: servers: user joe: not a password that every server takes`},
		{"not installed", servers.Popa3d, joe, "", `skip: servers: popa3d `},
		{"not installed but required", servers.Popa3d, joe, "required", `fatal: servers: popa3d `},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := os.Stat("/usr/sbin/popa3d"); err == nil && tt.kind == servers.Popa3d {
				t.Skip("popa3d is installed")
			}
			t.Setenv("POSTBAG_SERVERS", tt.required)
			rec := &recorder{TB: t}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				servers.Start(rec, tt.kind, tt.user)
			}()
			<-ended
			if !strings.HasPrefix(rec.said, tt.want) || strings.Contains(rec.said, "\n") {
				t.Errorf("%q, want %q", rec.said, tt.want)
			}
		})
	}
}

// recorder keeps how a test ended.
type recorder struct {
	testing.TB
	said string
}

func (r *recorder) end(how, what string) {
	r.said = how + what
	runtime.Goexit()
}
func (r *recorder) Skip(args ...any)             { r.end("skip: ", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any)            { r.end("fatal: ", fmt.Sprint(args...)) }
func (r *recorder) Fatalf(f string, args ...any) { r.end("fatal: ", fmt.Sprintf(f, args...)) }

func messages(n int) (msgs [][]byte) {
	for i := range n {
		msgs = append(msgs, fmt.Appendf(nil, "From: ann@example.com\r\nTo: joe@example.com\r\nSubject: number %d\r\n"+
			"Date: Mon, 23 Nov 2026 10:00:%02d +0000\r\nMessage-ID: <%d@example.com>\r\n\r\n.the text\r\n", i, i, i))
	}
	return msgs
}
