// Package pop3server is a POP3 server in process, for tests and for
// demonstrations. Every octet of a message comes back as it was delivered,
// and the program can act on the maildrop as another client would.
package pop3server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
)

// Options of a server. With the switches it is as poor as servers come.
type Options struct {
	User, Password string

	// TLSConfig allows STLS, or with ImplicitTLS is used from the first byte.
	TLSConfig   *tls.Config
	ImplicitTLS bool

	// Greeting is what follows "+OK " at the start. Empty means a default.
	Greeting string

	// NoCAPA, NoUIDL, NoTOP: the command is unknown, and CAPA is silent on it.
	NoCAPA, NoUIDL, NoTOP bool

	// NoPipelining: CAPA does not offer it, and what a client sends ahead of
	// a reply is thrown away, as some servers do.
	NoPipelining bool

	// RefuseQUIT: QUIT is answered with -ERR, and deletes nothing.
	RefuseQUIT bool

	// Backend says what there is behind the protocol; nil means the one
	// maildrop of User and Password.
	Backend *Backend
}

// Server is a running server with one user and one maildrop. Several sessions
// may have the maildrop at a time; each works on a copy of its list.
type Server struct {
	opts Options
	ln   net.Listener
	wg   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
	drop   []*Message
	uid    uint64
}

// Message is a message as the server holds it. Its Data must not be changed.
type Message struct {
	UID  string
	Data []byte
}

// New returns a server that listens nowhere, for [Server.Serve].
func New(o *Options) (*Server, error) {
	if o.ImplicitTLS && o.TLSConfig == nil {
		return nil, errors.New("pop3server: ImplicitTLS without a TLSConfig")
	}
	return &Server{opts: *o, conns: make(map[net.Conn]struct{}), uid: 0x5f0e1000}, nil
}

// Start starts a server on a free port of 127.0.0.1.
func Start(o *Options) (*Server, error) {
	s, err := New(o)
	if err != nil {
		return nil, err
	}
	if s.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.wg.Go(s.accept)
	return s, nil
}

// Addr returns "127.0.0.1:port".
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Close ends every session, as a cut line would.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	var err error
	if s.ln != nil {
		err = s.ln.Close()
	}
	s.wg.Wait()
	return err
}

// Deliver adds a message and returns its UID. Sessions that are logged in do
// not see it.
func (s *Server) Deliver(data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uid++
	m := &Message{UID: fmt.Sprintf("%016x", s.uid), Data: slices.Clone(data)}
	s.drop = append(s.drop, m)
	return m.UID
}

// Messages returns what the maildrop holds, oldest first.
func (s *Server) Messages() []Message {
	var msgs []Message
	for _, m := range s.snapshot() {
		msgs = append(msgs, *m)
	}
	return msgs
}

// Delete removes a message, as another client would. Sessions that are logged
// in can still read it.
func (s *Server) Delete(uid string) {
	s.remove(func(m *Message) bool { return m.UID == uid })
}

func (s *Server) snapshot() []*Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.drop)
}

func (s *Server) remove(which func(*Message) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop = slices.DeleteFunc(s.drop, which)
}

func (s *Server) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { s.Serve(c) })
	}
}

// Serve has a session on c until it ends, and closes c.
func (s *Server) Serve(c net.Conn) {
	defer c.Close()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	serve(s, c)
}
