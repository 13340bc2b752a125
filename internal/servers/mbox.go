package servers

import (
	"bytes"
	"os"
	"path/filepath"
	"time"
)

// mboxes are an mbox for each user.
type mboxes struct{ s *Server }

func (m mboxes) path(user string) string { return filepath.Join(m.s.mail, user) }

func (m mboxes) deliver(u User, msgs [][]byte) error {
	f, err := os.OpenFile(m.path(u.Name), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var buf bytes.Buffer
	for _, msg := range msgs {
		writeMbox(&buf, msg, time.Now())
	}
	if _, err := f.Write(buf.Bytes()); err != nil {
		return err
	}
	return f.Close()
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

func (m mboxes) reset(u User) error { return os.Truncate(m.path(u.Name), 0) }
