package retrievaltest

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"

	"example.com/postbag/retrieval"
)

// DialFunc opens a connection, as [retrieval.Account.Dial] does.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// Faulty returns an account like a on whose connections the faults happen. The
// server may be any: a [Server], a recording, a real one.
//
// Faults see the mail protocol, whatever the account's Security: they stand
// between client and server and end TLS on both sides, STLS and STARTTLS
// included. The server is verified as a.TLSConfig says; the TLSConfig of the
// account returned trusts the faults' own authority. All else, and with it the
// account's identity in stores and sinks, is as in a. So a run with faults and
// then one without are two runs of one account.
//
// COMPRESS is refused, because nothing could be seen then, and authentication
// that is bound to the TLS channel (SCRAM-PLUS) fails as it must.
//
// At the test's end the connections are closed.
func Faulty(t testing.TB, a retrieval.Account, faults ...*Fault) retrieval.Account {
	t.Helper()
	authority, err := newFaultAuthority(a.TLSConfig)
	if err != nil {
		t.Fatal(err)
	}
	d := &faultyDialer{dial: a.Dial, faults: faults, authority: authority, implicit: a.Security == retrieval.TLS}
	d.speaks = dialectIMAP
	if a.Protocol == retrieval.POP3 {
		d.speaks = dialectPOP3
	}
	t.Cleanup(d.close)
	a.Dial = d.DialContext
	cfg := a.TLSConfig.Clone()
	if cfg == nil {
		cfg = new(tls.Config)
	}
	cfg.RootCAs = authority.trusted.Pool()
	a.TLSConfig = cfg
	return a
}

// WithFaults returns a dial function like dial, nil being a net.Dialer's, on
// whose connections the faults happen. It stands below TLS: octets are those of
// the TLS handshake and records, of which [Cut] and its like can strike each;
// points at commands are reached only while there is no TLS, and [BadTLS] never
// happens. Where that is not wanted, see [Faulty].
//
// A connection's goroutines end when either side closes it.
func WithFaults(dial DialFunc, faults ...*Fault) DialFunc {
	d := &faultyDialer{dial: dial, faults: faults}
	return d.DialContext
}

// faultyDialer makes connections with faults.
type faultyDialer struct {
	dial      DialFunc
	faults    []*Fault
	authority *faultAuthority // nil: TLS passes unread
	implicit  bool            // TLS from the first octet
	speaks    faultDialect

	wg     sync.WaitGroup
	mu     sync.Mutex
	count  int
	open   map[*faultyConn]struct{}
	closed bool
}

// DialContext is the dial function.
func (d *faultyDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	faults := d.next()
	for _, f := range faults {
		if f.what == faultRefuse {
			f.struck.Add(1)
			return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
		}
	}
	dial := d.dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	raw, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(addr)
	server := raw
	if d.implicit {
		secure := tls.Client(raw, d.authority.forServer(host))
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		server = secure
	}
	theirs, ours := faultPipe(raw.LocalAddr(), raw.RemoteAddr())
	c := newFaultyConn(d, host, ours, raw, server, faults)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		raw.Close()
		return nil, net.ErrClosed
	}
	if d.open == nil {
		d.open = make(map[*faultyConn]struct{})
	}
	d.open[c] = struct{}{}
	d.wg.Go(func() {
		c.run()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.open, c)
	})
	return theirs, nil
}

// next counts a connection and returns its faults.
func (d *faultyDialer) next() []*Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	var faults []*Fault
	for _, f := range d.faults {
		if f.conn == 0 || f.conn == d.count {
			faults = append(faults, f)
		}
	}
	return faults
}

// close ends every connection and waits for that.
func (d *faultyDialer) close() {
	d.mu.Lock()
	d.closed = true
	for c := range d.open {
		c.end(false)
	}
	d.mu.Unlock()
	d.wg.Wait()
}
