package crashes_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// TestKill kills the child at each of its effects: before it, and some moments
// after it has begun. A second client marks a message, and one arrives, while
// it is at work. Two clean runs follow. Then each message is there exactly
// once, to the octet; the server has what the policy leaves; and what is
// nobody's business here is as the second client left it. F7, F12 to F16, F19,
// F23, F61, F74.
func TestKill(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, tt := range []struct {
		policy string
		of     []retrieval.Protocol
	}{
		{"leave", protocols},
		{"delete", protocols},
		{"delete after", protocols},
		{"keep the last two", protocols},
		{"header section", protocols},
		{"limited day", protocols},
		{"sync", imapAlone},
		{"mark and move", imapAlone},
		{"several mailboxes", imapAlone},
	} {
		for _, p := range tt.of {
			windows := []string{""}
			if p == retrieval.POP3 {
				windows = []string{"pipelined", "window 1"}
			}
			for _, window := range windows {
				t.Run(strings.TrimSpace(fmt.Sprint(tt.policy, " ", p, " ", window)), func(t *testing.T) {
					t.Parallel()
					points := 0
					for n := 1; ; n += step {
						more := killAt(t, n, tt.policy, p, window, false)
						if more {
							killAt(t, n, tt.policy, p, window, true)
							points += 2
						}
						if !more || t.Failed() {
							break
						}
					}
					if points < 2 {
						t.Errorf("only %d crash points", points)
					}
					if !t.Failed() {
						t.Logf("%d crash points, 0 lost, 0 twice, 0 of others touched", points)
					}
				})
			}
		}
	}
}

var (
	protocols = []retrieval.Protocol{retrieval.POP3, retrieval.IMAP}
	imapAlone = []retrieval.Protocol{retrieval.IMAP}
)

const foreignSize = 9000

// mail is a message with a subject and a body of n octets.
func mail(subject string, n int) []byte {
	return fmt.Appendf(nil, "From: a@example.com\r\nSubject: %s\r\nMessage-ID: <%[1]s@example.com>\r\n\r\n.%[2]s\r\n", subject, strings.Repeat("x", n))
}

// stage is a server and a folder, and a child that works on them.
type stage struct {
	t      *testing.T
	task   task
	server *retrievaltest.Server
}

// killAt reports whether the child was still alive at its nth effect.
func killAt(t *testing.T, n int, policy string, p retrieval.Protocol, window string, within bool) bool {
	t.Helper()
	o := &retrievaltest.ServerOptions{Security: retrieval.Plaintext}
	if window == "window 1" {
		o.Without = []string{"PIPELINING"}
	}
	server, err := retrievaltest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	a := server.Account(p)
	s := &stage{t, task{Protocol: p, Port: a.Port, User: retrievaltest.User, Password: retrievaltest.Password, Policy: policy, Dir: dir}, server}
	s.past()
	alive := s.kill(n, within)
	for range 2 {
		if err := s.task.run(t.Context(), func(string) {}); err != nil {
			t.Fatalf("point %d, within %v: a clean run: %v", n, within, err)
		}
	}
	if bad := s.check(); len(bad) > 0 {
		t.Errorf("killed at point %d, within %v:\n%s", n, within, strings.Join(bad, "\n"))
	}
	return alive
}

// past is what has happened before: A and B have been delivered, FOREIGN is
// not wanted.
func (s *stage) past() {
	s.server.Create("Archive")
	s.server.Create("Work")
	s.server.Deliver(mail("FOREIGN", foreignSize), mail("A", 10), mail("B", 20))
	if err := s.task.run(s.t.Context(), func(string) {}); err != nil {
		s.t.Fatal(err)
	}
	s.server.Deliver(mail("C", 30), mail("D", 4000), mail("E", 50))
	s.server.DeliverTo("Work", mail("W", 60))
	if s.task.Policy == "sync" {
		for _, m := range s.server.Contents() {
			switch {
			case bytes.Contains(m.Data, []byte("Subject: A")):
				s.server.SetFlags(m.UID, retrieval.FlagSeen)
			case bytes.Contains(m.Data, []byte("Subject: B")):
				s.server.Delete(m.UID)
			}
		}
	}
}

// second is another client.
func (s *stage) second() {
	for _, m := range s.server.Contents() {
		if len(m.Data) > foreignSize {
			s.server.SetFlags(m.UID, retrieval.FlagDeleted)
		}
	}
	s.server.Deliver(mail("LATE", 70))
}

// kill runs the child, and kills it at its nth effect.
func (s *stage) kill(n int, within bool) (alive bool) {
	s.t.Helper()
	text, err := json.Marshal(s.task)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), taskVariable+"="+string(text))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	met := false
	for lines, k := bufio.NewScanner(out), 1; lines.Scan(); k++ {
		if !met && (k == 6 || k == n) {
			met = true
			s.second()
		}
		if k < n {
			fmt.Fprintln(in)
			continue
		}
		if within {
			fmt.Fprintln(in)
			time.Sleep(time.Duration(rand.IntN(2_000_000))) // how far it gets is chance
		}
		alive = cmd.Process.Kill() == nil
		break
	}
	err = cmd.Wait()
	if !alive && err != nil {
		s.t.Fatalf("a child that nobody killed: %v\n%s", err, stderr.String())
	}
	if !met {
		s.second()
	}
	return alive
}

// check returns what is not as it must be.
func (s *stage) check() (bad []string) {
	here, there, archived := "A B C D E LATE", "FOREIGN", ""
	switch s.task.Policy {
	case "leave":
		there = "A B C D E FOREIGN LATE"
	case "keep the last two":
		there = "E LATE FOREIGN"
	case "sync":
		here, there = "A C D E LATE", "A C D E FOREIGN LATE"
	case "mark and move":
		archived = here
	case "header section":
		here, there = "(D) A B C E LATE", "D FOREIGN"
	case "several mailboxes":
		here += " W"
	}
	if got, want := s.files(), sorted(strings.Fields(here)); got != want {
		bad = append(bad, fmt.Sprintf("here is %q, want %q", got, want))
	}
	for box, want := range map[string]string{"INBOX": there, "Archive": archived} {
		var got []string
		for _, m := range s.server.ContentsOf(box) {
			name := subject(m.Data)
			got = append(got, name)
			foreign := name == "FOREIGN" && s.task.Protocol == retrieval.IMAP
			if slices.Contains(m.Flags, retrieval.FlagDeleted) != foreign && s.task.Protocol == retrieval.IMAP {
				bad = append(bad, fmt.Sprintf("%s has the flags %q", name, m.Flags))
			}
		}
		if got, want := sorted(got), sorted(strings.Fields(want)); got != want {
			bad = append(bad, fmt.Sprintf("%s has %q, want %q", box, got, want))
		}
	}
	return bad
}

// files returns the subjects of what is in the Maildir; a header section alone
// is in brackets, and what is not exactly a message is an octet count.
func (s *stage) files() string {
	s.t.Helper()
	whole := make(map[string]bool)
	for name, n := range map[string]int{"A": 10, "B": 20, "C": 30, "D": 4000, "E": 50, "W": 60, "LATE": 70} {
		whole[string(mail(name, n))] = true
	}
	var names []string
	for _, sub := range []string{"new", "cur"} {
		err := filepath.WalkDir(filepath.Join(s.task.Dir, "mail", sub), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			switch name := subject(data); {
			case whole[string(data)]:
				names = append(names, name)
			case bytes.HasSuffix(data, []byte("\r\n\r\n")):
				names = append(names, "("+name+")")
			default:
				names = append(names, fmt.Sprintf("%s:%d", name, len(data)))
			}
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return sorted(names)
}

func subject(m []byte) string {
	_, after, _ := strings.Cut(string(m), "Subject: ")
	name, _, _ := strings.Cut(after, "\r\n")
	return name
}

func sorted(names []string) string {
	slices.Sort(names)
	return strings.Join(names, " ")
}
