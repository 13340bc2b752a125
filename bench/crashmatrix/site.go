package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// tokens are of the three messages that are on the server at first.
var tokens = []string{"m1", "m2", "m3"}

const (
	user     = "joe"
	password = "secret"
)

// grace is how long a program that will be killed has for what it got before:
// the fault is to strike at one step, not while the program is behind.
const grace = time.Second

// site is what the servers share: where they listen, which fault is still to
// strike, and the program that it may kill.
type site struct {
	listener net.Listener
	serving  sync.WaitGroup

	mu      sync.Mutex
	sent    map[string][]byte // every message that has been on the server
	session int               // from 1
	struck  bool
	program *process
	conns   map[net.Conn]struct{}
}

func newSite() (*site, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &site{listener: l, sent: make(map[string][]byte), conns: make(map[net.Conn]struct{})}, nil
}

func (s *site) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// open begins to serve.
func (s *site) open(serve func(net.Conn)) {
	s.serving.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[conn] = struct{}{}
			s.mu.Unlock()
			s.serving.Go(func() { serve(conn) })
		}
	})
}

func (s *site) close() {
	s.listener.Close()
	s.hangUpAll()
	s.serving.Wait()
}

func (s *site) hangUpAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		conn.Close()
	}
	clear(s.conns)
}

// send notes what a message was like when it came to the server.
func (s *site) send(token string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[token] = data
}

// begin is before a program's session.
func (s *site) begin(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session++
	s.program = p
}

// armed says whether a fault that happens once is still to happen.
func (s *site) armed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session == 1 && !s.struck
}

func (s *site) strike() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.struck = true
}

// kill ends the program as a power cut or the OOM killer does.
func (s *site) kill() {
	time.Sleep(grace)
	s.mu.Lock()
	p := s.program
	s.mu.Unlock()
	p.kill()
}

// hangUp closes a connection as a server that ends does: what was written
// reaches the client, also if the client has written what nobody read.
func hangUp(conn net.Conn) {
	defer conn.Close()
	if t, ok := conn.(*net.TCPConn); ok && t.CloseWrite() == nil {
		conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		io.Copy(io.Discard, conn)
	}
}
