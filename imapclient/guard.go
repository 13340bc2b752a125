package imapclient

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	goimap "github.com/emersion/go-imap/v2/imapclient"

	"example.com/postbag/internal/transport"
)

// guard is the connection as go-imap sees it. It reads from the network only
// while a command of go-imap's is under way, and then it hands on what
// go-imap needs, a line at a time, in a form that it cannot stumble over.
// Everything else is routed by the Client. So there is always one reader, and
// go-imap has never read ahead.
type guard struct {
	c *Client

	mu     sync.Mutex
	turn   *sync.Cond // told when tag or closed change
	tag    string     // of go-imap's command that is under way, or empty
	closed bool

	out    []byte    // for go-imap to read
	sent   []byte    // an unfinished line of go-imap's
	names  []ownName // in the command that go-imap writes
	suffix string    // to be added to it
	result *Error    // how the last command ended, nil for OK
}

// ownName is a mailbox name that go-imap would write wrongly, and what it
// writes instead.
type ownName struct{ written, wire []byte }

// splice begins go-imap's part: it is told of a session that is authenticated.
func (c *Client) splice() error {
	if err := c.needCapabilities(); err != nil {
		return err
	}
	g := &guard{c: c}
	g.turn = sync.NewCond(&g.mu)
	// Of the capabilities go-imap is told only what changes how it encodes.
	caps := []string{"IMAP4rev1"}
	for _, name := range []string{"LITERAL-", "LITERAL+", "UIDPLUS"} {
		if c.caps.Has(name) {
			caps = append(caps, name)
		}
	}
	g.out = []byte("* PREAUTH [CAPABILITY " + strings.Join(caps, " ") + "] authenticated\r\n")
	e := &engine{goimap.New(g, nil), g}
	c.engine.Store(e)
	err := e.WaitGreeting()
	if err == nil {
		err = c.conn.Err() // Close may have missed the engine
	}
	if err != nil {
		e.guard.Close()
		return c.fail(err)
	}
	return nil
}

// engine is go-imap and the guard around it.
type engine struct {
	*goimap.Client
	guard *guard
}

// stop ends both.
func (e *engine) stop() {
	e.guard.Close()
	<-e.Closed()
}

// engineRun lets go-imap do a command. name is for the error, w takes the
// untagged data; of these go-imap sees nothing.
func (c *Client) engineRun(name string, w waiter, do func(*goimap.Client) error) error {
	e := c.engine.Load()
	if e == nil { // the greeting was PREAUTH
		if err := c.splice(); err != nil {
			return err
		}
		e = c.engine.Load()
	}
	c.waiter = w
	err := do(e.Client)
	c.waiter, e.guard.names = nil, nil
	if broken := c.conn.Err(); broken != nil {
		return broken
	}
	if r := e.guard.result; r != nil {
		r.Command = name
		return r
	}
	return err
}

// Read implements net.Conn.
func (g *guard) Read(p []byte) (int, error) {
	for len(g.out) == 0 {
		if err := g.wait(); err != nil {
			return 0, err
		}
		if err := g.next(); err != nil {
			g.Close()
			return 0, err
		}
	}
	n := copy(p, g.out)
	g.out = g.out[n:]
	return n, nil
}

// wait waits for go-imap's turn.
func (g *guard) wait() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.tag == "" && !g.closed {
		g.turn.Wait()
	}
	if g.closed {
		return net.ErrClosed
	}
	return nil
}

// next reads a response and puts out what go-imap is to see of it.
func (g *guard) next() error {
	r, err := g.c.read()
	if err != nil {
		return err
	}
	switch r.kind {
	case continuation:
		g.out = []byte("+ go ahead\r\n")
		return nil
	case untagged:
		return g.c.route(r)
	}
	if r.tag != g.tag {
		return g.c.conn.ProtocolError("imap: an answer to a command that was not given")
	}
	status := "NO"
	switch err := g.c.ended(r, "").(type) {
	case nil:
		g.result, status = nil, "OK"
	case *Error:
		g.result = err
	default:
		return err
	}
	g.out = []byte(g.tag + " " + status + " done\r\n")
	g.mu.Lock()
	g.tag = ""
	g.mu.Unlock()
	return nil
}

// Write implements net.Conn.
func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	if g.tag == "" {
		tag, _, _ := bytes.Cut(p, []byte(" "))
		g.tag = string(tag)
	}
	g.mu.Unlock()
	g.sent = append(g.sent, p...)
	for {
		i := bytes.IndexByte(g.sent, '\n')
		if i < 0 {
			return len(p), nil
		}
		line := g.sent[:i+1]
		g.sent = g.sent[i+1:]
		for _, name := range g.names {
			line = bytes.Replace(line, name.written, name.wire, 1)
		}
		if g.suffix != "" {
			line = append(bytes.TrimRight(line, "\r\n"), g.suffix+"\r\n"...)
			g.suffix = ""
		}
		if err := g.c.sendLine(line); err != nil {
			return 0, err
		}
		g.turn.Broadcast()
	}
}

// Close implements net.Conn. Without go-imap there is no going on.
func (g *guard) Close() error {
	g.c.conn.Fail(transport.Mark(ErrProtocol, errors.New("imap: go-imap gave up")))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.turn.Broadcast()
	return nil
}

// go-imap's deadlines are absolute; the Client's own are about progress.

func (g *guard) SetDeadline(time.Time) error      { return nil }
func (g *guard) SetReadDeadline(time.Time) error  { return nil }
func (g *guard) SetWriteDeadline(time.Time) error { return nil }

func (g *guard) LocalAddr() net.Addr  { return nil }
func (g *guard) RemoteAddr() net.Addr { return nil }
