package servers

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"
)

// appends is mail in a store that only the server can write, over IMAP.
type appends struct{ s *Server }

// deliver sends them as one MULTIAPPEND, RFC 3502: all or none.
func (a appends) deliver(u User, msgs [][]byte) error {
	if len(msgs) == 0 {
		return nil
	}
	c, err := a.login(u)
	if err != nil {
		return err
	}
	defer c.Close()
	sent := make(chan error, 1)
	go func() {
		w := bufio.NewWriterSize(c, 64<<10)
		w.WriteString("c APPEND INBOX")
		for _, msg := range msgs {
			msg = crlf(msg)
			fmt.Fprintf(w, " {%d+}\r\n%s", len(msg), msg)
		}
		w.WriteString("\r\n")
		sent <- w.Flush()
	}()
	if err := c.await("c"); err != nil {
		c.Close() // ends the writer
		<-sent
		return err
	}
	return <-sent
}

func (a appends) reset(u User) error {
	c, err := a.login(u)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.do("SELECT INBOX", `UID STORE 1:* +FLAGS.SILENT (\Deleted)`, "EXPUNGE")
}

// lineConn speaks just enough IMAP.
type lineConn struct {
	net.Conn
	r *bufio.Reader
}

func (a appends) login(u User) (*lineConn, error) {
	conn, err := net.Dial("tcp", a.s.IMAP)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(5 * time.Minute))
	c := &lineConn{conn, bufio.NewReader(conn)}
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(u.Password)
	if err := c.do(fmt.Sprintf(`LOGIN %s "%s"`, u.Name, quoted)); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// do sends commands one after the other; each must succeed.
func (c *lineConn) do(commands ...string) error {
	for _, cmd := range commands {
		if _, err := fmt.Fprintf(c, "c %s\r\n", cmd); err != nil {
			return err
		}
		if err := c.await("c"); err != nil {
			return err
		}
	}
	return nil
}

func (c *lineConn) await(tag string) error {
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return err
		}
		if status, ok := strings.CutPrefix(line, tag+" "); ok {
			if !strings.HasPrefix(status, "OK") {
				return fmt.Errorf("the server said %q", status)
			}
			return nil
		}
	}
}

// crlf ends every line in CRLF.
func crlf(msg []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}
