// Package retrievaltest helps to test code that retrieves mail.
//
// [NewServer] starts a POP3 or IMAP server in the test's own process, with TLS
// and a throw-away certificate authority, whose mailbox the test fills,
// changes and looks at. [TestRetriever] is the conformance suite of the
// retrieval.Retriever contract, for those who write one.
package retrievaltest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/imapserver"
	"example.com/postbag/internal/pop3server"
	"example.com/postbag/internal/testca"
	"example.com/postbag/retrieval"
)

// The one user of a [Server].
const (
	User     = "user@example.com"
	Password = "correct horse"
)

// Server is a mail server on a free port of 127.0.0.1 with one mailbox. Its
// methods act on the mailbox as another client would, and may be called while
// sessions go on.
type Server struct {
	protocol retrieval.Protocol
	roots    *x509.CertPool
	pop3     *pop3server.Server
	imap     *imapserver.Server
}

// Message is a message as the server holds it.
type Message struct {
	UID   retrieval.UID
	Flags []retrieval.Flag
	Data  []byte
}

// NewServer starts a server that is closed at the test's end.
func NewServer(t testing.TB, p retrieval.Protocol) *Server {
	t.Helper()
	s, err := Start(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a server outside of a test; [Server.Close] ends it.
func Start(p retrieval.Protocol) (*Server, error) {
	ca, err := testca.New()
	if err != nil {
		return nil, err
	}
	cert, err := ca.Issue(time.Now().Add(24*time.Hour), "127.0.0.1", "localhost")
	if err != nil {
		return nil, err
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
	s := &Server{protocol: p, roots: ca.Pool()}
	switch p {
	case retrieval.POP3:
		s.pop3, err = pop3server.Start(&pop3server.Options{User: User, Password: Password, TLSConfig: cfg, ImplicitTLS: true})
	case retrieval.IMAP:
		s.imap, err = imapserver.Start(&imapserver.Options{User: User, Password: Password, TLSConfig: cfg, ImplicitTLS: true})
	default:
		err = fmt.Errorf("no server for protocol %q: %w", p, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close ends every session.
func (s *Server) Close() {
	if s.pop3 != nil {
		s.pop3.Close()
	} else {
		s.imap.Close()
	}
}

// Account returns an account on the server, with TLS that trusts its
// certificate authority. The policy is the zero value, LeaveOnServer.
func (s *Server) Account() retrieval.Account {
	addr := ""
	if s.pop3 != nil {
		addr = s.pop3.Addr()
	} else {
		addr = s.imap.Addr()
	}
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return retrieval.Account{
		Protocol:  s.protocol,
		Host:      host,
		Port:      n,
		User:      User,
		Password:  func(context.Context) (string, error) { return Password, nil },
		TLSConfig: &tls.Config{RootCAs: s.roots},
	}
}

// Deliver adds messages, which should have CRLF line ends, in their order.
func (s *Server) Deliver(msgs ...[]byte) error {
	for _, m := range msgs {
		if s.pop3 != nil {
			s.pop3.Deliver(m)
		} else {
			s.imap.Deliver("INBOX", m)
		}
	}
	return nil
}

// Contents returns the messages of the mailbox, oldest first.
func (s *Server) Contents() ([]Message, error) {
	var msgs []Message
	if s.pop3 != nil {
		for _, m := range s.pop3.Messages() {
			msgs = append(msgs, Message{UID: retrieval.UID(m.UID), Data: m.Data})
		}
		return msgs, nil
	}
	validity := s.imap.UIDValidity("INBOX")
	for _, m := range s.imap.Messages("INBOX") {
		msg := Message{UID: retrieval.UID(fmt.Sprintf("%d.%d", validity, m.UID)), Data: m.Data}
		for _, f := range m.Flags {
			msg.Flags = append(msg.Flags, retrieval.Flag(f))
		}
		msgs = append(msgs, msg)
	}
	return msgs, nil
}

// SetFlags gives a message flags instead of those it had. On POP3 it is
// [errors.ErrUnsupported].
func (s *Server) SetFlags(uid retrieval.UID, flags ...retrieval.Flag) error {
	if s.pop3 != nil {
		return fmt.Errorf("flags: %w", errors.ErrUnsupported)
	}
	n, err := s.imapUID(uid)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range flags {
		names = append(names, string(f))
	}
	s.imap.SetFlags("INBOX", n, names...)
	return nil
}

// Delete removes messages.
func (s *Server) Delete(uids ...retrieval.UID) error {
	for _, uid := range uids {
		if s.pop3 != nil {
			s.pop3.Delete(string(uid))
			continue
		}
		n, err := s.imapUID(uid)
		if err != nil {
			return err
		}
		s.imap.Delete("INBOX", n)
	}
	return nil
}

// Renumber gives every message a new UID, as a server does that lost its
// indexes: on IMAP under a new UIDVALIDITY. On POP3 it is
// [errors.ErrUnsupported].
func (s *Server) Renumber() error {
	if s.pop3 != nil {
		return fmt.Errorf("renumbering: %w", errors.ErrUnsupported)
	}
	s.imap.Renumber("INBOX")
	return nil
}

func (s *Server) imapUID(uid retrieval.UID) (uint32, error) {
	_, num, _ := strings.Cut(string(uid), ".")
	n, err := strconv.ParseUint(num, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("uid %q is none of this server's", uid)
	}
	return uint32(n), nil
}
