// Package retrievaltest helps to test code that retrieves mail.
//
// [NewServer] starts a mail server in the test's own process: POP3 and IMAP
// over one set of mailboxes, which the test fills, changes and looks at.
// [Faulty] and [WithFaults] let things go wrong between a client and that or
// any other server. [Replay] plays back a session that [Record] has written.
// [TestRetriever], [TestSink] and [TestStore] are the conformance suites of the
// contracts in package retrieval, for those who implement one.
//
//	func TestInbox(t *testing.T) {
//		srv := retrievaltest.NewServer(t, nil)
//		srv.Deliver([]byte("Subject: hello\r\n\r\nHow are you?\r\n"))
//		takeMail(t.Context(), srv.Account(retrieval.IMAP)) // what is to be tested
//		if n := len(srv.Contents()); n != 0 {
//			t.Errorf("%d messages left on the server", n)
//		}
//	}
package retrievaltest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/postbag/internal/fakemail"
	"example.com/postbag/internal/pop3server"
	"example.com/postbag/internal/session"
	"example.com/postbag/internal/testca"
	"example.com/postbag/retrieval"
)

// Server is a mail server with POP3 and IMAP over one set of mailboxes. Its
// methods act on the mail of one user as another client would, and may be
// called from any goroutine while sessions go on.
//
// A message has the same UID over both protocols, but for the [Gmail] profile.
// Of IMAP there is what RFC 9051 has, and COMPRESS, CONDSTORE, QRESYNC and
// OBJECTID; not QUOTA, SORT, THREAD, NOTIFY, MULTIAPPEND or ACL. An IMAP client
// that is silent for 30 minutes, in IDLE too, is told BYE.
type Server struct {
	*host
	user string
}

// host is the server itself, whichever user it is seen for.
type host struct {
	opts  ServerOptions
	store *fakemail.Store
	imap  *fakemail.Server
	pop3  *pop3server.Server
	roots *x509.CertPool
	ports map[retrieval.Protocol]net.Listener // none in memory

	mu        sync.Mutex
	passwords map[string]string
	closed    bool
	sessions  map[net.Conn]int // open ones, and their numbers
	accepted  int
	commands  []Command
	wg        sync.WaitGroup
}

// memoryHost is the name of a server that is not on a network.
const memoryHost = "mail.example.com"

// NewServer starts a server that is closed at the test's end. Nil options are
// the defaults; options that cannot be are the end of the test.
func NewServer(t testing.TB, o *ServerOptions) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a server outside of a test; [Server.Close] ends it.
func Start(o *ServerOptions) (*Server, error) {
	if o == nil {
		o = new(ServerOptions)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	h := &host{opts: *o, passwords: maps.Clone(o.Users), ports: make(map[retrieval.Protocol]net.Listener), sessions: make(map[net.Conn]int)}
	if h.passwords == nil {
		h.passwords = map[string]string{User: Password}
	}
	users := slices.Sorted(maps.Keys(h.passwords))
	h.store = fakemail.NewStore(fakemail.Profile(o.Profile))
	for _, name := range users {
		h.store.AddUser(name, h.passwords[name])
	}
	if err := h.serve(); err != nil {
		return nil, err
	}
	return &Server{h, users[0]}, nil
}

// serve begins to serve both protocols.
func (h *host) serve() error {
	var cfg *tls.Config
	if h.opts.Security != retrieval.Plaintext {
		ca, err := testca.New()
		if err != nil {
			return err
		}
		// Long enough for a test that lets months pass in testing/synctest.
		cert, err := ca.Issue(time.Now().AddDate(0, 11, 0), "127.0.0.1", memoryHost)
		if err != nil {
			return err
		}
		cfg, h.roots = &tls.Config{Certificates: []tls.Certificate{cert}}, ca.Pool()
	}
	h.imap = fakemail.NewServer(h.store, h.opts.imap(cfg, h.logger(retrieval.IMAP)))
	var err error
	h.pop3, err = pop3server.New(h.opts.pop3(cfg, h.store.Open, h.logger(retrieval.POP3)))
	if err != nil || h.opts.InMemory {
		return err
	}
	for _, p := range []retrieval.Protocol{retrieval.IMAP, retrieval.POP3} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			h.close()
			return err
		}
		h.ports[p] = ln
		h.wg.Go(func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				h.begin(conn, p)
			}
		})
	}
	return nil
}

// begin has a session on a connection, if the server is not closed.
func (h *host) begin(conn net.Conn, p retrieval.Protocol) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		conn.Close()
		return net.ErrClosed
	}
	h.accepted++
	h.sessions[conn] = h.accepted
	h.wg.Go(func() {
		if p == retrieval.IMAP {
			h.imap.Serve(conn)
		} else {
			h.pop3.Serve(conn)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.sessions, conn)
	})
	return nil
}

// Close ends every session, as a cut line would, and waits for their ends. It
// is no error to close twice.
func (s *Server) Close() { s.close() }

func (h *host) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for _, ln := range h.ports {
		ln.Close()
	}
	h.imap.Close()
	h.pop3.Close()
	h.wg.Wait()
}

// For returns the server as another of its users sees it: with the mailboxes
// of that user. It panics if there is no such user.
func (s *Server) For(user string) *Server {
	s.mu.Lock()
	_, ok := s.passwords[user]
	s.mu.Unlock()
	if !ok {
		panic(fmt.Sprintf("retrievaltest: no user %q", user))
	}
	return &Server{s.host, user}
}

// Account returns an account of the user, with TLS that trusts the server's
// certificate authority. The policy is the zero value, LeaveOnServer.
func (s *Server) Account(p retrieval.Protocol) retrieval.Account {
	if p != retrieval.IMAP && p != retrieval.POP3 {
		panic(fmt.Sprintf("retrievaltest: no protocol %q", p))
	}
	s.mu.Lock()
	password := s.passwords[s.user]
	s.mu.Unlock()
	a := retrieval.Account{
		Protocol: p,
		Host:     memoryHost,
		Security: s.opts.Security,
		User:     s.user,
		Password: func(context.Context) (string, error) { return password, nil },
	}
	if s.roots != nil {
		a.TLSConfig = &tls.Config{RootCAs: s.roots}
	}
	if ln := s.ports[p]; ln != nil {
		addr := ln.Addr().(*net.TCPAddr)
		a.Host, a.Port = addr.IP.String(), addr.Port
		return a
	}
	a.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		client, server := session.Pipe()
		return client, s.begin(server, p)
	}
	return a
}
