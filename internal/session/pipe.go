package session

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Pipe returns the two ends of a connection in memory. Unlike net.Pipe it has
// room, so that writing never waits: a side may send two commands before the
// other has answered the first. Times are honoured, in a bubble of
// testing/synctest too.
func Pipe() (client, server net.Conn) {
	a, b := newHalf(), newHalf()
	return &end{in: a, out: b}, &end{in: b, out: a}
}

// half is one direction.
type half struct {
	mu       sync.Mutex
	changed  *sync.Cond
	buf      []byte
	eof      bool // the writer has closed
	gone     bool // the reader has closed
	deadline time.Time
	timer    *time.Timer
}

func newHalf() *half {
	h := new(half)
	h.changed = sync.NewCond(&h.mu)
	return h
}

type end struct{ in, out *half }

func (e *end) Read(p []byte) (int, error) {
	h := e.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case !h.deadline.IsZero() && !time.Now().Before(h.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			if h.buf = h.buf[n:]; len(h.buf) == 0 {
				h.buf = nil
			}
			return n, nil
		case h.eof:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (e *end) Write(p []byte) (int, error) {
	h := e.out
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.eof {
		return 0, net.ErrClosed
	}
	if h.gone {
		return 0, io.ErrClosedPipe
	}
	h.buf = append(h.buf, p...)
	h.changed.Broadcast()
	return len(p), nil
}

func (e *end) Close() error {
	for _, h := range []*half{e.in, e.out} {
		h.mu.Lock()
		if h == e.in {
			h.gone, h.buf = true, nil
		} else {
			h.eof = true
		}
		if h.timer != nil {
			h.timer.Stop()
		}
		h.changed.Broadcast()
		h.mu.Unlock()
	}
	return nil
}

func (e *end) SetReadDeadline(t time.Time) error {
	h := e.in
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	h.deadline = t
	if !t.IsZero() && !h.gone {
		h.timer = time.AfterFunc(time.Until(t), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.changed.Broadcast()
		})
	}
	h.changed.Broadcast()
	return nil
}

// SetWriteDeadline does nothing: writing never waits.
func (e *end) SetWriteDeadline(time.Time) error { return nil }
func (e *end) SetDeadline(t time.Time) error    { return e.SetReadDeadline(t) }
func (e *end) LocalAddr() net.Addr              { return addr{} }
func (e *end) RemoteAddr() net.Addr             { return addr{} }

type addr struct{}

func (addr) Network() string { return "memory" }
func (addr) String() string  { return "memory" }
