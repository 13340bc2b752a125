package servers_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
)

// session is a connection that has been greeted, and upgraded if it must be.
type session struct {
	t    *testing.T
	name string
	conn net.Conn
	r    *bufio.Reader
	imap bool
}

// sessions opens every way into a server: plain, with STLS or STARTTLS, and
// with TLS from the start.
func sessions(t *testing.T, s *servers.Server) []*session {
	t.Helper()
	var all []*session
	for _, way := range []struct {
		name, addr        string
		implicit, upgrade bool
		imap              bool
	}{
		{"pop3", s.POP3, false, false, false},
		{"pop3 with STLS", s.POP3, false, s.POP3S != "", false},
		{"pop3s", s.POP3S, true, false, false},
		{"imap", s.IMAP, false, false, true},
		{"imap with STARTTLS", s.IMAP, false, true, true},
		{"imaps", s.IMAPS, true, false, true},
	} {
		if way.addr == "" {
			continue
		}
		conn, err := net.Dial("tcp", way.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		c := &session{t: t, name: way.name, conn: conn, imap: way.imap}
		secure := func() {
			c.conn = tls.Client(c.conn, &tls.Config{RootCAs: s.CA, ServerName: "localhost"})
		}
		if way.implicit {
			secure()
		}
		c.r = bufio.NewReader(c.conn)
		if got := c.line(); !strings.HasPrefix(got, "* OK") && !strings.HasPrefix(got, "+OK") {
			t.Fatalf("%s: the greeting is %q", way.name, got)
		}
		if way.upgrade {
			if c.imap {
				c.do("a STARTTLS")
			} else {
				c.do("STLS")
			}
			secure()
			c.r = bufio.NewReader(c.conn)
		}
		all = append(all, c)
	}
	return all
}

// messages logs in, reads all messages with one write, and leaves.
func (c *session) messages(user, password string) []string {
	c.t.Helper()
	defer c.conn.Close()
	n := c.login(user, password)
	var all []string
	if c.imap && n > 0 {
		c.write("a FETCH 1:* BODY.PEEK[]")
	} else if !c.imap {
		var retr []string
		for i := range n {
			retr = append(retr, fmt.Sprintf("RETR %d", i+1))
		}
		c.write(append(retr, "NOOP")...)
	}
	for range n {
		line := c.line()
		var msg strings.Builder
		if c.imap {
			var size int64
			if _, err := fmt.Sscanf(line[strings.LastIndexByte(line, '{')+1:], "%d}", &size); err != nil {
				c.t.Fatalf("%s: the answer to FETCH is %q", c.name, line)
			}
			if _, err := io.CopyN(&msg, c.r, size); err != nil {
				c.t.Fatalf("%s: %v", c.name, err)
			}
			c.line()
		} else {
			for line := c.line(); line != ".\r\n"; line = c.line() {
				msg.WriteString(strings.TrimPrefix(line, "."))
			}
		}
		all = append(all, msg.String())
	}
	if c.imap {
		c.do("a LOGOUT")
	} else {
		c.do("QUIT")
	}
	c.r.ReadByte() // Mailutils has the mailbox in use until it hangs up
	return all
}

// login opens a user's mailbox and returns the number of its messages.
func (c *session) login(user, password string) (n int) {
	c.t.Helper()
	if !c.imap {
		c.do("USER " + user)
		c.do("PASS " + password)
		fmt.Sscanf(c.do("STAT"), "+OK %d", &n)
		return n
	}
	c.do(fmt.Sprintf(`a LOGIN %s "%s"`, user, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(password)))
	c.write("a SELECT INBOX")
	for {
		line := c.line()
		if strings.HasSuffix(line, " EXISTS\r\n") {
			fmt.Sscanf(line, "* %d", &n)
		}
		if strings.HasPrefix(line, "a OK") {
			return n
		}
	}
}

// do sends a command and returns the last line of the answer, which must be good.
func (c *session) do(command string) string {
	c.t.Helper()
	c.write(command)
	for {
		line := c.line()
		switch {
		case c.imap && !strings.HasPrefix(line, "a "):
		case strings.HasPrefix(line, "+OK"), strings.HasPrefix(line, "a OK"):
			return line
		default:
			c.t.Fatalf("%s: the answer to %q is %q", c.name, command, line)
		}
	}
}

func (c *session) write(lines ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, strings.Join(lines, "\r\n")+"\r\n"); err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
}

func (c *session) line() string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
	return line
}
