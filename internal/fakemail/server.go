package fakemail

import (
	"crypto/tls"
	"net"
	"sync"
)

// Options of an IMAP server.
type Options struct {
	// TLSConfig allows STARTTLS, and nobody logs in before it; with
	// ImplicitTLS it is used from the first octet. Nil means plain text.
	TLSConfig   *tls.Config
	ImplicitTLS bool

	// Without names capabilities that are not offered and not served.
	Without []string

	// Log, if not nil, is told of each command: its name in upper case, "UID
	// FETCH" for one, and what follows, without secrets and mail. It may be
	// called from several goroutines.
	Log func(conn net.Conn, name, args string)
}

// Server serves IMAP over a store.
type Server struct {
	store *Store
	opts  Options
	has   map[string]bool

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
	wg     sync.WaitGroup
}

// NewServer returns a server for connections that are open already.
func NewServer(store *Store, o *Options) *Server {
	return &Server{store: store, opts: *o, has: offered(store.profile, o.Without), conns: make(map[net.Conn]struct{})}
}

// Serve has a session on c until it ends, and closes c.
func (s *Server) Serve(c net.Conn) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		c.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.wg.Add(1)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		c.Close()
		s.wg.Done()
	}()
	newSession(s, c).serve()
}

// Close ends every session, as a cut line would, and waits for their ends.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}
