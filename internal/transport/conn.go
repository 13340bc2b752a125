// Package transport is the one connection under both mail clients.
//
// It dials and upgrades to TLS, gives up on a server that falls silent or all
// but silent, is cancelled by a context, bounds the length of a line, counts what
// passes and keeps the first error: after an error a [Conn] is closed, and every later
// call returns that error again. A mail protocol cannot take a command back,
// so there is no way to go on after one.
package transport

import (
	"bufio"
	"compress/flate"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a connection to a mail server. One goroutine may read and another
// write; Fail, Err, Stats and Close may be called from anywhere.
type Conn struct {
	opts Options
	host string
	raw  net.Conn // counted; closed to cancel
	br   *bufio.Reader
	long []byte // a line longer than the buffer

	stall  atomic.Int64 // nanoseconds; 0 means no limit
	least  int64        // octets of progress; 0 means no limit
	in     atomic.Int64
	out    atomic.Int64
	trips  atomic.Int64
	spoken atomic.Bool // this side spoke last

	err    atomic.Pointer[error]  // the first error
	unsent atomic.Pointer[unsent] // a failed Send, while what came before it is read

	mu  sync.Mutex
	cur net.Conn // raw, or TLS over it

	deflate *flate.Writer // nil: what is sent is not compressed
}

// Stats counts what passed on the wire. RoundTrips is the number of times
// that this side spoke after the other had.
type Stats struct {
	In, Out    int64 // octets on the TCP connection, TLS included
	RoundTrips int64
}

const bufferSize = 64 << 10

// New wraps a connection that is open already; host is the name that
// [Conn.StartTLS] verifies.
func New(raw net.Conn, host string, o *Options) *Conn {
	c := &Conn{host: host}
	if o != nil {
		c.opts = *o
	}
	c.raw = &counted{Conn: raw, c: c}
	c.cur = c.raw
	c.br = bufio.NewReaderSize(wire{c}, bufferSize)
	c.SetStall(c.opts.StallTimeout)
	if c.least = c.opts.MinProgress; c.least == 0 {
		c.least = defaultMinProgress
	}
	c.least = max(c.least, 0)
	return c
}

// Bind ties the connection to ctx until release is called: when ctx ends
// first, the connection is closed and its error is the context's cause.
// release waits for that to be over.
func (c *Conn) Bind(ctx context.Context) (release func()) {
	if err := ctx.Err(); err != nil {
		c.Fail(context.Cause(ctx))
		return func() {}
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		c.Fail(context.Cause(ctx))
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// SetStall changes the stall timeout: zero is the default, less than zero none.
func (c *Conn) SetStall(d time.Duration) {
	if d == 0 {
		d = c.opts.StallTimeout
	}
	if d == 0 {
		d = defaultStallTimeout
	}
	c.stall.Store(int64(max(d, 0)))
}

// Fail closes the connection for the reason err, unless it has failed already.
func (c *Conn) Fail(err error) {
	if c.err.CompareAndSwap(nil, &err) {
		c.raw.Close() // not the TLS layer's Close: it may wait for the peer
	}
}

// Err returns why the connection is closed, or nil while it is open.
func (c *Conn) Err() error {
	if err := c.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Close closes the connection without a word of the protocol. It is not an
// error to close twice.
func (c *Conn) Close() error {
	closed := ErrClosed
	if c.err.CompareAndSwap(nil, &closed) {
		return c.current().Close() // under TLS says close_notify
	}
	return nil
}

// Stats returns the counts so far.
func (c *Conn) Stats() Stats {
	return Stats{In: c.in.Load(), Out: c.out.Load(), RoundTrips: c.trips.Load()}
}

// TLS returns the state of TLS, and whether there is TLS at all.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	if t, ok := c.current().(*tls.Conn); ok {
		return t.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}

// Transcript returns the transcript to tell, which may be nil.
func (c *Conn) Transcript() *Transcript { return c.opts.Transcript }

// Write sends p. Its time limit is the stall timeout.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.Err(); err != nil {
		return 0, err
	}
	n, err := c.write(p)
	if err != nil {
		err = c.ioError(err)
	}
	return n, err
}

func (c *Conn) write(p []byte) (int, error) {
	if !c.spoken.Swap(true) {
		c.trips.Add(1)
	}
	if w := c.deflate; w != nil {
		return writeDeflated(w, p)
	}
	return c.current().Write(p)
}

// Read reads what comes next.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.Err(); err != nil {
		return 0, err
	}
	return c.br.Read(p)
}

// Buffered returns how many octets can be peeked at without waiting.
func (c *Conn) Buffered() int { return c.br.Buffered() }

// Peek returns the next n octets, at most 64 KiB, without taking them. It
// waits for them; fewer come with an error.
func (c *Conn) Peek(n int) ([]byte, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	return c.br.Peek(n)
}

// Discard takes n octets away.
func (c *Conn) Discard(n int) (int, error) { return c.br.Discard(n) }

// Line reads a line with its end, LF or CRLF, valid until the next read. One
// of more than limit octets is [ErrProtocol], and the connection is closed.
func (c *Conn) Line(limit int) ([]byte, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	line, err := c.br.ReadSlice('\n')
	if err == nil && len(line) <= limit {
		return line, nil
	}
	c.long = append(c.long[:0], line...)
	for errors.Is(err, bufio.ErrBufferFull) && len(c.long) <= limit {
		line, err = c.br.ReadSlice('\n')
		c.long = append(c.long, line...)
	}
	if len(c.long) > limit {
		err = c.ProtocolError("a line of more than %d octets", limit)
	}
	if err != nil {
		return nil, err
	}
	return c.long, nil
}

// ProtocolError closes the connection with an [ErrProtocol] that reads as
// given, and returns it.
func (c *Conn) ProtocolError(format string, args ...any) error {
	c.Fail(Mark(ErrProtocol, fmt.Errorf(format, args...)))
	return c.Err()
}

func (c *Conn) current() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cur
}

func (c *Conn) deadline() time.Time {
	if d := c.stall.Load(); d > 0 {
		return time.Now().Add(time.Duration(d))
	}
	return time.Time{}
}

// ioError makes the connection's one error from what the operating system
// said, and returns the one that came first.
func (c *Conn) ioError(err error) error {
	c.Fail(c.reason(err))
	return c.Err()
}

// reason is the error that a connection ends with.
func (c *Conn) reason(err error) error {
	if u := c.unsent.Load(); u != nil {
		return u.err
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("no data for %v", time.Duration(c.stall.Load()))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
	}
	return Mark(ErrUnavailable, err)
}
