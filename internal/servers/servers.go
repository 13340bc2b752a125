package servers

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A User has a mailbox. The name is of lower-case letters, digits, dots and
// hyphens, and not a system account's; the password is printable ASCII without
// a colon.
type User struct{ Name, Password string }

// Server is a running server that only this machine can reach. An address that
// it does not serve is empty.
type Server struct {
	Kind Kind

	POP3, POP3S string // host:port; POP3 with STLS if POP3S is there
	IMAP, IMAPS string // host:port; IMAP with STARTTLS if IMAPS is there
	LMTP        string // host:port; Dovecot, if its package for that was installed

	// The authority behind the server's certificate for 127.0.0.1 and
	// localhost, as a pool and as a PEM file. All have one, also popa3d, which
	// has no TLS.
	CA     *x509.CertPool
	CAFile string

	dir   string // the server's folder
	mail  string // where it keeps mail
	users map[string]User
	store store
	ports []port
	box   *box
	stop  sync.Once
}

// store is how a server keeps mail.
type store interface {
	// deliver adds messages in their order, while the server runs.
	deliver(u User, msgs [][]byte) error
	// reset removes all messages.
	reset(u User) error
}

// Start starts a server for a test, with an empty mailbox for each of users.
// The server and its mail end with the test. If the test fails, the end of the
// server's log becomes part of its output.
func Start(tb testing.TB, kind Kind, users ...User) *Server {
	tb.Helper()
	prog, ok := programs[kind]
	if !ok {
		tb.Fatalf("servers: there is no kind %q", kind)
	}
	if err := check(users); err != nil {
		tb.Fatal(err)
	}
	s, err := start(kind, prog, users)
	if s != nil {
		tb.Cleanup(func() { s.remove(tb) })
	}
	switch {
	case err == nil:
	case errors.Is(err, errors.ErrUnsupported) && os.Getenv("POSTBAG_SERVERS") != "required":
		tb.Skip(err)
	default:
		tb.Fatal(err)
	}
	return s
}

// Deliver adds messages to a user's INBOX, in that order, as new mail. Dovecot
// gets the octets as they are; for Cyrus line ends become CRLF, for the others
// LF. Cyrus takes no NUL. With Mailutils it waits up to 10 s for the end of a
// POP3 session.
func (s *Server) Deliver(tb testing.TB, user string, msgs ...[]byte) {
	tb.Helper()
	if err := s.store.deliver(s.user(tb, user), msgs); err != nil {
		tb.Fatalf("servers: %s: deliver to %s: %v", s.Kind, user, err)
	}
}

// Reset empties a user's INBOX, which no session should have open. UIDs go on
// where they were; those of Mailutils begin anew, with the time of the next
// session in seconds as UIDVALIDITY, which may well be the same.
func (s *Server) Reset(tb testing.TB, user string) {
	tb.Helper()
	if err := s.store.reset(s.user(tb, user)); err != nil {
		tb.Fatalf("servers: %s: reset %s: %v", s.Kind, user, err)
	}
}

// Maildir returns the folder that is a user's INBOX on a Dovecot or Courier, as
// long as the server runs. The name is empty for the others.
func (s *Server) Maildir(user string) string {
	if m, ok := s.store.(maildirs); ok {
		return m.path(user)
	}
	return ""
}

// Stop ends the server at once and returns when its processes are gone. Its
// mail is lost.
func (s *Server) Stop() {
	s.stop.Do(func() {
		if s.box != nil {
			s.box.stop()
		}
		for _, p := range s.ports {
			p.release()
		}
	})
}

func (s *Server) user(tb testing.TB, name string) User {
	tb.Helper()
	u, ok := s.users[name]
	if !ok {
		tb.Fatalf("servers: %s has no user %q", s.Kind, name)
	}
	return u
}

// remove stops the server and deletes all that it has left.
func (s *Server) remove(tb testing.TB) {
	s.Stop()
	if tb.Failed() {
		tb.Logf("servers: the end of the log of %s:\n%s", s.Kind, s.logTail())
	}
	if err := os.RemoveAll(s.dir); err != nil {
		tb.Error(err)
	}
}

// logTail returns the end of what the server has printed and logged.
func (s *Server) logTail() string {
	data, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-8<<10):])
}

func check(users []User) error {
	for _, u := range users {
		if u.Name == "" || u.Name[0] == '.' || u.Name[0] == '-' || strings.Trim(u.Name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
			return fmt.Errorf("servers: user %q: not a name that every server takes", u.Name)
		}
		if u.Password == "" || strings.ContainsFunc(u.Password, func(r rune) bool { return r < ' ' || r > '~' || r == ':' }) {
			return fmt.Errorf("servers: user %s: not a password that every server takes", u.Name)
		}
	}
	return nil
}
