package retrievaltest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// faultDialect is what is understood of what passes.
type faultDialect int

const (
	dialectUnknown faultDialect = iota // until the first octet
	dialectPOP3
	dialectIMAP
	dialectOpaque // nothing: TLS
)

// faultyConn stands between a client and a server. Two goroutines pass on what
// they say: up is from the client to the server, down the other way.
type faultyConn struct {
	host      string
	authority *faultAuthority
	tlsFault  *Fault
	ours      *faultEnd // the client has the other end
	raw       net.Conn  // to the server
	done      chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	ended   bool
	speaks  faultDialect
	client  net.Conn // ours, or TLS over it
	server  net.Conn // raw, or TLS over it
	asked   []*askedCommand
	owed    int // replies that the client has not received yet

	up   upward
	down downward
}

// armedFault is a fault on one connection.
type armedFault struct {
	*Fault
	seen int // commands that match
	done bool
}

func (f *armedFault) happened() {
	f.done = true
	f.struck.Add(1)
}

func newFaultyConn(d *faultyDialer, host string, ours *faultEnd, raw, server net.Conn, faults []*Fault) *faultyConn {
	c := &faultyConn{host: host, authority: d.authority, ours: ours, raw: raw, client: ours, server: server, speaks: d.speaks}
	c.done = make(chan struct{})
	c.changed = sync.NewCond(&c.mu)
	c.down.c, c.up.c = c, c
	c.down.saying = make(chan struct{}, 1)
	for _, f := range faults {
		switch {
		case f.what == faultTLS:
			c.tlsFault = f
		case f.what >= faultSegments:
			c.down.shape.add(f)
		case f.at.place == pointReceived:
			c.down.faults = append(c.down.faults, &armedFault{Fault: f})
		default:
			c.up.faults = append(c.up.faults, &armedFault{Fault: f})
		}
	}
	c.up.ask(greetingName, "*", c.up.reached(greetingName))
	return c
}

// run passes on what both sides say until one of them ends it.
func (c *faultyConn) run() {
	defer c.end(false)
	if c.server != c.raw {
		client, err := c.meet()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.client = client
		c.mu.Unlock()
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer c.end(false)
		if c.up.run() == io.EOF {
			c.toServer().Close() // with TLS says close_notify, as the client did
		}
	})
	wg.Go(func() {
		select {
		case <-c.ours.out.left:
			c.raw.SetDeadline(time.Now().Add(5 * time.Second)) // for what the client has said before it left
		case <-c.done:
		}
	})
	switch err := c.down.run(); {
	case errors.Is(err, io.EOF):
		c.toClient().Close() // likewise
	case errors.Is(err, syscall.ECONNRESET):
		c.end(true)
	}
	c.end(false)
	wg.Wait()
}

// end closes the connection to both sides.
func (c *faultyConn) end(reset bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.ended = true
	close(c.done)
	c.ours.hangUp(reset)
	if tcp, ok := c.raw.(interface{ SetLinger(int) error }); ok && reset {
		tcp.SetLinger(0)
	}
	c.raw.Close()
	c.changed.Broadcast()
}

func (c *faultyConn) toClient() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client
}

func (c *faultyConn) toServer() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}

func (c *faultyConn) dialect() faultDialect {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speaks
}

// speak notes what is understood from now on.
func (c *faultyConn) speak(d faultDialect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.speaks = d
	if d == dialectOpaque {
		c.asked, c.owed = nil, 0
	}
	c.changed.Broadcast()
}

// wait waits until cond holds, and tells whether it does: not if the
// connection ended first.
func (c *faultyConn) wait(cond func() bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.ended && !cond() {
		c.changed.Wait()
	}
	return !c.ended
}

// sleep waits for the time d, for ever if it is 0, or until the connection
// ends or the client leaves. It tells whether the time is over.
func (c *faultyConn) sleep(d time.Duration) bool {
	var over <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-over:
		return true
	case <-c.done:
	case <-c.ours.out.left:
	}
	return false
}

// startTLS makes both sides TLS after the server has agreed to it, or if the
// client was told otherwise only the server's.
func (c *faultyConn) startTLS(both bool) error {
	secure := tls.Client(c.raw, c.authority.forServer(c.host))
	if err := secure.Handshake(); err != nil {
		return err
	}
	if !both {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.server = secure
		return nil
	}
	if f := c.tlsFault; f != nil && f.tls == TLSEarlyData {
		f.struck.Add(1)
		c.down.out = append(c.down.out, c.greetingAgain()...)
	}
	if err := c.down.flush(); err != nil {
		return err
	}
	client, err := c.meet()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server, c.client = secure, client
	return nil
}

// happen lets a fault happen whose point has been reached. dir has the octets
// that would come next. An error ends the connection.
func (c *faultyConn) happen(f *armedFault, dir *faultDirection) error {
	f.happened()
	switch f.what {
	case faultCut, faultReset:
		c.end(f.what == faultReset)
		return errFaultOver
	case faultStall:
		switch {
		case c.sleep(f.wait):
		case dir == &c.down.faultDirection:
			c.down.mute = true // the client has left; what it said before still counts
		default:
			return errFaultOver
		}
	case faultCorrupt:
		dir.corrupt = true
	case faultInject, faultFlood:
		say := func() error { return c.down.flood(f.Fault) }
		if dir == &c.up.faultDirection {
			return c.down.aside(say)
		}
		return say()
	}
	return nil
}

// faultDirection is the state of one direction.
type faultDirection struct {
	out     []byte // to be passed on with the next flush
	passed  int64  // octets of the mail protocol so far, those in out included
	corrupt bool   // the next octet
}

// pass adds octets to out.
func (d *faultDirection) pass(p []byte) {
	at := len(d.out)
	d.out = append(d.out, p...)
	d.passed += int64(len(p))
	if d.corrupt && len(p) > 0 {
		d.out[at] ^= 0x80
		d.corrupt = false
	}
}
