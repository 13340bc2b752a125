package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"example.com/postbag/retrieval"
)

// TestCrash stops a run before its nth effect on the world (a write to the
// wire, a call of the sink that changes something, a transaction of the
// store), for every n, as if the process had died there: nothing of that run
// has any effect from then on. A clean run follows. Then every message must
// have been delivered exactly once, to the octet, and the server hold what
// the policy says.
func TestCrash(t *testing.T) {
	for _, tt := range []struct {
		name     string
		protocol retrieval.Protocol
		policy   retrieval.Policy
		left     int // on the server in the end
	}{
		{"pop3 delete", retrieval.POP3, retrieval.DownloadAndDelete, 0},
		{"pop3 leave", retrieval.POP3, retrieval.LeaveOnServer, 6},
		{"imap delete", retrieval.IMAP, retrieval.DownloadAndDelete, 0},
		{"imap leave", retrieval.IMAP, retrieval.LeaveOnServer, 6},
		{"imap sync", retrieval.IMAP, retrieval.ServerSync, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			points := 0
			for n := 0; ; n++ {
				if !crashAt(t, n, tt.protocol, tt.policy, tt.left) {
					break
				}
				points++
			}
			if points < 15 {
				t.Errorf("only %d crash points: does the fuse see every effect?", points)
			}
			t.Logf("%d crash points", points)
		})
	}
}

// crashAt reports whether the run was long enough to be stopped at n.
func crashAt(t *testing.T, n int, p retrieval.Protocol, policy retrieval.Policy, left int) bool {
	b := newBox(t, p, policy)
	msgs := mails(6)
	b.server.Deliver(msgs...)
	f := &fuse{left: n}
	sound := b.acct
	b.acct.Dial = f.dial
	_, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
		return &hookedSink{s.(maildir), func(string) error { return f.burn() }}, &fusedStore{st, f}
	})
	blown := f.blown()
	if !blown && err != nil {
		t.Fatalf("crash point %d, which is beyond the end: %v", n, err)
	}
	b.acct = sound
	if _, err := b.run(); err != nil {
		t.Fatalf("crash point %d: the run after it: %v", n, err)
	}
	b.wantFiles(msgs...)
	if got := len(b.contents()); got != left {
		t.Fatalf("crash point %d: %d messages on the server, want %d", n, got, left)
	}
	for _, m := range b.contents() {
		if len(m.Flags) > 0 {
			t.Fatalf("crash point %d: %s has the flags %q", n, m.UID, m.Flags)
		}
	}
	return blown
}

// TestCutConnection cuts the line after so many octets received, and lets a
// clean run follow.
func TestCutConnection(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			for cut := 200; ; cut += 331 {
				b := newBox(t, p, retrieval.DownloadAndDelete)
				msgs := mails(6)
				b.server.Deliver(msgs...)
				sound := b.acct
				var was bool
				b.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					c, err := new(net.Dialer).DialContext(ctx, network, addr)
					return &cutConn{Conn: c, left: cut, cut: &was}, err
				}
				_, err := b.run()
				if was && err != nil && !errors.Is(err, retrieval.ErrUnavailable) && !errors.Is(err, retrieval.ErrTLS) {
					t.Fatalf("cut after %d octets: %v, want ErrUnavailable, or ErrTLS in the handshake", cut, err)
				}
				if !was && err != nil {
					t.Fatal(err)
				}
				b.acct = sound
				if _, err := b.run(); err != nil {
					t.Fatalf("after a cut at %d octets: %v", cut, err)
				}
				b.wantFiles(msgs...)
				if n := len(b.contents()); n != 0 {
					t.Fatalf("after a cut at %d octets: %d messages on the server", cut, n)
				}
				if !was {
					return
				}
			}
		})
	}
}

var errCrash = errors.New("the process is no more")

// fuse burns down with each effect.
type fuse struct {
	mu    sync.Mutex
	left  int
	blew  bool
	conns []net.Conn
}

func (f *fuse) burn() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		f.blew = true
		for _, c := range f.conns {
			c.Close()
		}
		return errCrash
	}
	f.left--
	return nil
}

func (f *fuse) blown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blew
}

func (f *fuse) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := f.burn(); err != nil {
		return nil, err
	}
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, c)
	return &fusedConn{c, f}, nil
}

type fusedConn struct {
	net.Conn
	f *fuse
}

func (c *fusedConn) Write(p []byte) (int, error) {
	if err := c.f.burn(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

type fusedStore struct {
	retrieval.Store
	f *fuse
}

func (s *fusedStore) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Store.Open(ctx, box)
	return &fusedPage{p, s.f}, err
}

type fusedPage struct {
	retrieval.Page
	f *fuse
}

func (p *fusedPage) Update(ctx context.Context, ch retrieval.Change) error {
	if err := p.f.burn(); err != nil {
		return err
	}
	return p.Page.Update(ctx, ch)
}

// cutConn closes after so many octets received.
type cutConn struct {
	net.Conn
	left int
	cut  *bool
}

func (c *cutConn) Read(p []byte) (int, error) {
	if c.left == 0 {
		*c.cut = true
		c.Conn.Close()
		return 0, fmt.Errorf("cut: %w", net.ErrClosed)
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
