// Package scenarios is what the tests do with the two clients against real
// servers: [Record] runs it against a live one and writes down the session,
// [Replay] runs the same against what was written.
//
//	go test ./internal/scenarios -record
//
// records every scenario with every server anew, into the folders
// testdata/sessions of the clients.
package scenarios

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/session"
	"example.com/postbag/internal/testca"
)

// The user of every session.
const (
	User     = "joe"
	Password = "correct horse"
)

// Security is how a session is made private.
type Security int

// The ways.
const (
	Plain Security = iota
	StartTLS
	TLS
)

// Scenario is something that a program does in one session, T being the
// client. It fails the test unless what it sees is right, whatever the server.
type Scenario[T any] struct {
	Name     string
	Security Security
	Empty    bool     // the mailbox is empty
	Mail     [][]byte // else it holds these, or Messages if they are nil
	Real     bool     // it is more than a server in process can do
	Run      func(t testing.TB, server string, c T)
}

// dial connects a client.
type dial[T any] func(ctx context.Context, security Security, addr string, cfg *tls.Config, dial func(context.Context, string, string) (net.Conn, error)) (T, error)

// Messages are what is in the mailbox.
func Messages() [][]byte {
	head := func(n int) string {
		return fmt.Sprintf("From: Jane <jane@example.org>\r\nTo: joe@example.com\r\nSubject: number %d\r\nDate: Mon, 2 Nov 2026 10:0%d:00 +0100\r\nMessage-ID: <%d@example.org>\r\n", n, n, n)
	}
	return [][]byte{
		[]byte(head(1) + "\r\nShort.\r\n"),
		[]byte(head(2) + "\r\n.\r\n..\r\n.dots\r\n+OK\r\n* BYE\r\nA1 OK\r\n"),
		[]byte(head(3) + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe.\r\n"),
		[]byte(head(4) + "X-Long: " + strings.Repeat("x", 900) + "\r\n\r\n" + strings.Repeat("y", 900) + "\r\n"),
		[]byte(head(5) + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--b--\r\n"),
		[]byte(head(6) + "\r\n"),
	}
}

// In returns what is in the mailbox.
func (s *Scenario[T]) In() [][]byte {
	switch {
	case s.Empty:
		return nil
	case s.Mail != nil:
		return s.Mail
	}
	return Messages()
}

// File returns the name of a session's file.
func File(dir, server, scenario string) string {
	return filepath.Join(dir, server+"-"+scenario+".txt")
}

// Record runs a scenario against the server at addr, whose certificate cfg
// trusts, and writes the session to a file under dir.
func Record[T any](t testing.TB, dir, server, addr string, cfg *tls.Config, s Scenario[T], connect dial[T]) {
	t.Helper()
	ca, ours := authority(t, "127.0.0.1")
	var out bytes.Buffer
	fmt.Fprintf(&out, "# %s, %s\n", server, s.Name)
	rec := &session.Recorder{
		W:           &out,
		Dial:        new(net.Dialer).DialContext,
		ImplicitTLS: s.Security == TLS,
		ToServer:    cfg,
		ToClient:    ours,
	}
	c, err := connect(t.Context(), s.Security, addr, &tls.Config{RootCAs: ca.Pool()}, rec.DialContext)
	if err != nil {
		t.Fatalf("%s: %s: %v", server, s.Name, err)
	}
	s.Run(t, server, c)
	rec.Close()
	if t.Failed() {
		t.Fatalf("%s: %s: the session:\n%s", server, s.Name, out.Bytes())
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(File(dir, server, s.Name), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Replay runs every scenario against every session of it under dir. A session
// of no scenario fails the test, and so does a scenario without a session.
func Replay[T any](t *testing.T, dir string, all []Scenario[T], connect dial[T]) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sessions in %s, %v", dir, err)
	}
	played := make(map[string]bool)
	for _, file := range files {
		server, name, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
		i := 0
		for i < len(all) && all[i].Name != name {
			i++
		}
		if i == len(all) {
			t.Errorf("%s is the session of no scenario", file)
			continue
		}
		played[name] = true
		t.Run(server+"/"+name, func(t *testing.T) { replay(t, file, server, all[i], connect) })
	}
	for _, s := range all {
		if !played[s.Name] {
			t.Errorf("the scenario %s has no session in %s", s.Name, dir)
		}
	}
}

func replay[T any](t *testing.T, file, server string, s Scenario[T], connect dial[T]) {
	recorded, err := session.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ca, cfg := authority(t, "127.0.0.1")
	p := session.NewPlayer(recorded, cfg)
	c, err := connect(t.Context(), s.Security, "127.0.0.1:1", &tls.Config{RootCAs: ca.Pool()}, p.Dial)
	if err != nil {
		t.Fatal(err)
	}
	s.Run(t, server, c)
	if err := p.Done(); err != nil {
		t.Error(err)
	}
}

func authority(t testing.TB, host string) (*testca.Authority, *tls.Config) {
	t.Helper()
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), host)
	if err != nil {
		t.Fatal(err)
	}
	return ca, &tls.Config{Certificates: []tls.Certificate{cert}}
}

// checkMessage compares a message, or its header section, with what was
// delivered.
func checkMessage(t testing.TB, server string, n int, got, want []byte) {
	t.Helper()
	switch server {
	case "mailutils":
		// QUIRK: it adds header fields to the messages that it has seen.
		got = without(got, "X-UIDL", "X-UID", "X-IMAPbase", "Status", "X-IMAP")
	case "popa3d":
		got = bytes.ReplaceAll(got, []byte("\n>From "), []byte("\nFrom "))
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: message %d is\n%q\nwant\n%q", server, n, got, want)
	}
}

// without returns a message without some header fields.
func without(msg []byte, fields ...string) []byte {
	head, body, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	var kept [][]byte
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, _, _ := strings.Cut(string(line), ":")
		drop := false
		for _, f := range fields {
			drop = drop || strings.EqualFold(name, f)
		}
		if !drop {
			kept = append(kept, line)
		}
	}
	return append(append(bytes.Join(kept, []byte("\r\n")), "\r\n\r\n"...), body...)
}

// header returns the header section of a message.
func header(msg []byte) []byte {
	return msg[:bytes.Index(msg, []byte("\r\n\r\n"))+4]
}

func check(t testing.TB, what string, err error) bool {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	return err == nil
}
