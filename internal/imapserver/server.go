// Package imapserver is an IMAP server in process, for tests and for
// demonstrations. go-imap speaks the protocol; the mailboxes are ours, so that
// every octet of a message comes back as it was delivered, and so that the
// program can act as another client would.
package imapserver

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Options of a server.
type Options struct {
	User, Password string

	// TLSConfig allows STARTTLS, or with ImplicitTLS is used from the first byte.
	TLSConfig   *tls.Config
	ImplicitTLS bool

	// NoUIDPlus: the server cannot expunge by UID.
	NoUIDPlus bool
}

// Server is a running server with one user and, to begin with, one mailbox,
// INBOX.
type Server struct {
	opts Options
	ln   net.Listener
	srv  *imapserver.Server
	done chan struct{}

	mu        sync.Mutex
	mailboxes map[string]*mailbox
	validity  uint32
}

// Start starts a server on a free port of 127.0.0.1.
func Start(o *Options) (*Server, error) {
	s := &Server{opts: *o, done: make(chan struct{}), mailboxes: make(map[string]*mailbox), validity: 3857529044}
	if err := s.Create("INBOX"); err != nil {
		return nil, err
	}
	caps := imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapNamespace: {}}
	if o.NoUIDPlus {
		delete(caps, imap.CapUIDPlus)
	}
	s.srv = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{server: s}, nil, nil
		},
		Caps:         caps,
		TLSConfig:    o.TLSConfig,
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.ln = ln
	if o.ImplicitTLS {
		ln = tls.NewListener(ln, o.TLSConfig)
	}
	go func() {
		defer close(s.done)
		s.srv.Serve(ln)
	}()
	return s, nil
}

// Addr returns "127.0.0.1:port".
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Close ends every session.
func (s *Server) Close() error {
	err := s.srv.Close()
	<-s.done
	return err
}

// Create makes an empty mailbox with a UIDVALIDITY of its own.
func (s *Server) Create(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mailboxes[name] != nil {
		return errors.New("mailbox exists")
	}
	s.validity++
	s.mailboxes[name] = newMailbox(name, s.validity)
	return nil
}

// Renumber gives the messages of a mailbox new UIDs under a new UIDVALIDITY,
// as a server does that has lost its indexes. Sessions that have the mailbox
// selected keep what they have.
func (s *Server) Renumber(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.mailboxes[name]
	s.validity++
	box := newMailbox(name, s.validity)
	for _, m := range old.snapshot() {
		box.deliver(m.Data, m.flags())
	}
	s.mailboxes[name] = box
}

// Deliver adds a message to a mailbox and returns its UID.
func (s *Server) Deliver(mailbox string, data []byte, flags ...string) uint32 {
	return s.mailbox(mailbox).deliver(data, flags)
}

// Messages returns a mailbox's messages, oldest first.
func (s *Server) Messages(mailbox string) []Message {
	var msgs []Message
	for _, m := range s.mailbox(mailbox).snapshot() {
		msgs = append(msgs, Message{UID: uint32(m.uid), Flags: m.flags(), Data: m.Data})
	}
	return msgs
}

// SetFlags gives a message flags instead of those it had.
func (s *Server) SetFlags(mailbox string, uid uint32, flags ...string) {
	s.mailbox(mailbox).change(imap.UIDSetNum(imap.UID(uid)), &imap.StoreFlags{Op: imap.StoreFlagsSet, Flags: imapFlags(flags)}, nil)
}

// Delete removes a message, as another client would.
func (s *Server) Delete(mailbox string, uid uint32) {
	s.mailbox(mailbox).remove(func(m *message) bool { return m.uid == imap.UID(uid) })
}

// UIDValidity returns a mailbox's UIDVALIDITY.
func (s *Server) UIDValidity(mailbox string) uint32 { return s.mailbox(mailbox).validity }

// Message is a message as the server holds it.
type Message struct {
	UID   uint32
	Flags []string
	Data  []byte
}

// mailbox returns a mailbox that the calling program knows to exist.
func (s *Server) mailbox(name string) *mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.mailboxes[name]
	if b == nil {
		panic("imapserver: no mailbox " + name)
	}
	return b
}

func (s *Server) find(name string) (*mailbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.mailboxes[name]; b != nil {
		return b, nil
	}
	return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeNonExistent, Text: "No such mailbox"}
}
