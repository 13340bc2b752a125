package fakemail_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/fakemail"
)

// conversation is a connection whose client has said all it will.
type conversation struct {
	net.Conn
	said *bytes.Reader
	n    int
}

func (c *conversation) Read(p []byte) (int, error)      { return c.said.Read(p) }
func (c *conversation) Write(p []byte) (int, error)     { c.n += len(p); return len(p), nil }
func (c *conversation) Close() error                    { return nil }
func (c *conversation) SetReadDeadline(time.Time) error { return nil }

// FuzzSession: whatever a client says, the server neither panics nor hangs.
func FuzzSession(f *testing.F) {
	scripts, err := filepath.Glob("*_test.go")
	if err != nil || len(scripts) < 10 {
		f.Fatalf("%d scripts to begin with, %v", len(scripts), err)
	}
	for _, name := range scripts { // what the clients of the other tests say
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		var said strings.Builder
		for line := range strings.Lines(string(text)) {
			if _, command, found := strings.Cut(line, "C: "); found {
				said.WriteString(strings.TrimRight(command, "\n") + "\r\n")
			}
			if strings.Contains(line, "{\"") && said.Len() > 0 { // the next script
				f.Add(said.String())
				said.Reset()
			}
		}
	}
	f.Fuzz(func(t *testing.T, said string) {
		for _, p := range []fakemail.Profile{fakemail.Standard, fakemail.Gmail, fakemail.Exchange} {
			s := fakemail.NewStore(p)
			s.AddUser("joe", "secret")
			for _, data := range []string{nested, "Subject: x\r\n\r\ny\r\n", said} {
				if _, err := s.Deliver("joe", "INBOX", []byte(data), `\Seen`); err != nil {
					t.Fatal(err)
				}
			}
			c := &conversation{said: bytes.NewReader([]byte("1 LOGIN joe secret\r\n2 ENABLE CONDSTORE\r\n3 SELECT INBOX\r\n4 FETCH 1:* FULL\r\n" + said))}
			fakemail.NewServer(s, new(fakemail.Options)).Serve(c)
			if c.n == 0 {
				t.Error("the server says nothing")
			}
		}
	})
}
