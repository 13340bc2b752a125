package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// mboxes are an mbox for each user.
type mboxes struct{ s *Server }

func (m mboxes) path(user string) string { return filepath.Join(m.s.mail, user) }

func (m mboxes) deliver(u User, msgs [][]byte) error {
	var buf bytes.Buffer
	for _, msg := range msgs {
		writeMbox(&buf, msg, time.Now())
	}
	return m.locked(u, func(name string) error {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(buf.Bytes())
		// popa3d waits for the end of the second in which the file was changed.
		past := time.Now().Add(-2 * time.Second)
		return errors.Join(err, f.Close(), os.Chtimes(name, past, past))
	})
}

func (m mboxes) reset(u User) error {
	return m.locked(u, func(name string) error { return os.Truncate(name, 0) })
}

// locked calls change while it has the lock file of a user's mbox. A POP3
// session of Mailutils has it too, for a moment even after its answer to QUIT,
// and may then write the whole file anew.
func (m mboxes) locked(u User, change func(name string) error) error {
	name := m.path(u.Name)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		lock, err := os.OpenFile(name+".lock", os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			return errors.Join(lock.Close(), change(name), os.Remove(name+".lock"))
		}
		if !errors.Is(err, fs.ErrExist) || time.Now().After(deadline) {
			return fmt.Errorf("the mailbox is in use: %w", err)
		}
	}
}

// writeMbox adds a message as the mbox format has it, with every "From " at the
// start of a line quoted, also one that was quoted before. RFC 4155.
func writeMbox(buf *bytes.Buffer, msg []byte, at time.Time) {
	buf.WriteString("From postbag@localhost " + at.UTC().Format(time.ANSIC) + "\n")
	msg = bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n"))
	for line := range bytes.Lines(msg) {
		if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			buf.WriteByte('>')
		}
		buf.Write(line)
	}
	if !bytes.HasSuffix(msg, []byte("\n")) {
		buf.WriteByte('\n')
	}
	buf.WriteByte('\n')
}

// Mbox returns the path of a user's mailbox on a server that keeps mail in an
// mbox for each user, and nothing for another server.
func (s *Server) Mbox(user string) string {
	if m, ok := s.store.(mboxes); ok {
		return m.path(user)
	}
	return ""
}
