package servers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// The account mail, to whom mail files belong. Debian fixes its numbers.
const mailUID, mailGID = 8, 8

// maildirs are a Maildir for each user.
type maildirs struct {
	s  *Server
	lf bool // lines on disk must end in LF
}

func (m maildirs) path(user string) string { return filepath.Join(m.s.mail, user, "Maildir") }

// delivered numbers the files of this process. Both servers give UIDs to new
// messages in the order of their names: by the seconds in front, then as text.
var delivered atomic.Int64

func (m maildirs) deliver(u User, msgs [][]byte) error {
	box := m.path(u.Name)
	for _, msg := range msgs {
		if m.lf {
			msg = bytes.ReplaceAll(msg, []byte("\r\n"), []byte("\n"))
		}
		name := fmt.Sprintf("%d.P%dQ%010d.postbag", time.Now().Unix(), os.Getpid(), delivered.Add(1))
		tmp := filepath.Join(box, "tmp", name)
		if err := os.WriteFile(tmp, msg, 0o600); err != nil {
			return err
		}
		if err := os.Chown(tmp, mailUID, mailGID); err != nil {
			return err
		}
		if err := os.Rename(tmp, filepath.Join(box, "new", name)); err != nil {
			return err
		}
	}
	return nil
}

func (m maildirs) reset(u User) error {
	for _, sub := range []string{"tmp", "new", "cur"} {
		dir := filepath.Join(m.path(u.Name), sub)
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
