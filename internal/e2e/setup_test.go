package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
)

const (
	user     = "joe"
	password = "correct horse battery"
)

// command builds mailget once, without the race detector: what a person runs.
var command = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "postbag-e2e-")
	if err != nil {
		return "", err
	}
	exe := filepath.Join(dir, "mailget")
	out, err := exec.Command("go", "build", "-o", exe, "example.com/postbag/examples/mailget").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %v\n%s", err, out)
	}
	return exe, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if exe, err := command(); err == nil {
		os.RemoveAll(filepath.Dir(exe))
	}
	os.Exit(code)
}

// world is a Dovecot and a place to deliver to.
type world struct {
	*testing.T
	dovecot *servers.Server
	dir     string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{t, servers.Start(t, servers.Dovecot, servers.User{Name: user, Password: password}), t.TempDir()}
}

// report is what mailget -json prints.
type report struct {
	Listed, Delivered, Deleted, Reflagged, Discarded, Skipped, Failed int
	Bytes                                                             int64
	WireIn                                                            int64 `json:"wire_in"`
	WireOut                                                           int64 `json:"wire_out"`
	RoundTrips                                                        int64 `json:"round_trips"`
	ElapsedMS                                                         int64 `json:"elapsed_ms"`
}

// mailget returns a command that is ready to start. scheme is "pop3s" and so
// on, policy leave, delete or sync.
func (w *world) mailget(scheme, policy string) *exec.Cmd {
	w.Helper()
	exe, err := command()
	if err != nil {
		w.Fatal(err)
	}
	addr := map[string]string{"pop3s": w.dovecot.POP3S, "imaps": w.dovecot.IMAPS, "pop3": w.dovecot.POP3, "imap": w.dovecot.IMAP}[scheme]
	cmd := exec.Command(exe, "-password-env", "E2E_PASSWORD", "-policy", policy, "-cafile", w.dovecot.CAFile, "-json",
		"-to", "maildir:"+w.maildir(), "-ledger", filepath.Join(w.dir, "ledger"), scheme+"://"+user+"@"+addr)
	cmd.Env = append(os.Environ(), "E2E_PASSWORD="+password)
	return cmd
}

// run runs mailget to its end, which must be a good one. It returns the peak
// of mailget's memory in KiB.
func (w *world) run(scheme, policy string) (r report, peak int) {
	w.Helper()
	cmd := w.mailget(scheme, policy)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	watched := watchMemory(cmd.Process.Pid)
	err := cmd.Wait()
	peak = <-watched
	if err != nil {
		w.Fatalf("mailget: %v\n%s%s", err, stderr.Bytes(), stdout.Bytes())
	}
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		w.Fatalf("%v\n%s", err, stdout.Bytes())
	}
	return r, peak
}

// watchMemory watches a process to its end, and then tells the peak of its
// memory in KiB. (What wait4 tells begins with the memory of this process.)
func watchMemory(pid int) <-chan int {
	told := make(chan int, 1)
	go func() {
		peak := 0
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			_, after, ok := strings.Cut(string(status), "VmHWM:")
			if err != nil || !ok { // it is gone, or has no memory any more
				told <- peak
				return
			}
			fmt.Sscan(after, &peak)
			time.Sleep(2 * time.Millisecond)
		}
	}()
	return told
}

func (w *world) maildir() string { return filepath.Join(w.dir, "mail") }

// fresh makes the server's mailbox hold msgs, and nothing be remembered here.
func (w *world) fresh(msgs [][]byte) {
	w.Helper()
	if err := os.RemoveAll(w.dir); err != nil {
		w.Fatal(err)
	}
	if err := os.Mkdir(w.dir, 0o700); err != nil {
		w.Fatal(err)
	}
	for _, sub := range []string{"new", "cur"} {
		for name := range hashes(w.T, filepath.Join(w.dovecot.Maildir(user), sub)) {
			if err := os.Remove(filepath.Join(w.dovecot.Maildir(user), sub, name)); err != nil {
				w.Fatal(err)
			}
		}
	}
	w.dovecot.Deliver(w.T, user, msgs...)
}

// onServer and here return the hashes of the messages, sorted.
func (w *world) onServer() []string { return inMaildir(w.T, w.dovecot.Maildir(user)) }
func (w *world) here() []string     { return inMaildir(w.T, w.maildir()) }

func inMaildir(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for _, sub := range []string{"new", "cur"} {
		for _, h := range hashes(t, filepath.Join(dir, sub)) {
			all = append(all, h)
		}
	}
	slices.Sort(all)
	return all
}

// hashes returns the hash of each file of a folder, by name.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	hs := make(map[string]string)
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		hs[e.Name()] = hash(data)
	}
	return hs
}

func hash(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

func hashAll(msgs [][]byte) []string {
	var hs []string
	for _, m := range msgs {
		hs = append(hs, hash(m))
	}
	slices.Sort(hs)
	return hs
}

// mails returns n different messages of about size octets.
func mails(n, size int) [][]byte {
	var msgs [][]byte
	for i := range n {
		m := fmt.Appendf(nil, "From: a@example.com\r\nTo: joe@example.com\r\nSubject: number %d\r\nMessage-ID: <%d@example.com>\r\n\r\n.a line that begins with a dot\r\n", i, i)
		for len(m) < size {
			m = append(m, "The quick brown fox jumps over the lazy dog, time and again.\r\n"...)
		}
		msgs = append(msgs, m)
	}
	return msgs
}

// realMails returns up to n messages that people and programs have sent, from
// a corpus beside the module if there is one, else made ones. Line ends are
// CRLF, and there is no NUL, which IMAP cannot carry. No two are the same.
func realMails(t *testing.T, n int) [][]byte {
	t.Helper()
	var msgs [][]byte
	seen := make(map[string]bool)
	filepath.WalkDir(filepath.Join("..", "..", "..", "shared", "corpus", "messages"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".eml" || len(msgs) == n {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		data = crlf(data)
		if len(data) > 2 && bytes.IndexByte(data, 0) < 0 && !seen[hash(data)] {
			seen[hash(data)] = true
			msgs = append(msgs, data)
		}
		return nil
	})
	t.Logf("%d messages of the corpus, %d made", len(msgs), n-len(msgs))
	return append(msgs, mails(n-len(msgs), 3000)...)
}

// crlf ends every line in CRLF, and nothing else.
func crlf(data []byte) []byte {
	s := strings.ReplaceAll(string(data), "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "")
	s = strings.TrimSuffix(s, "\n") + "\n"
	return []byte(strings.ReplaceAll(s, "\n", "\r\n"))
}
