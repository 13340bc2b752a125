package retrievaltest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// faultPipe returns the two ends of a connection in memory that is like TCP
// where net.Pipe is not: writing waits only when 64 KiB are under way, the ends
// of segments are kept, and it can be reset.
func faultPipe(local, remote net.Addr) (a, b *faultEnd) {
	x, y := newFaultHalf(), newFaultHalf()
	return &faultEnd{in: x, out: y, local: local, remote: remote}, &faultEnd{in: y, out: x, local: remote, remote: local}
}

const faultRoom = 64 << 10

// faultHalf is one direction.
type faultHalf struct {
	mu       sync.Mutex
	changed  *sync.Cond
	segments [][]byte
	size     int
	ended    error         // what follows the last segment: the writer is gone
	refused  error         // what writing gets: the reader is gone
	left     chan struct{} // closed when the reader is gone
	reading  faultDeadline
	writing  faultDeadline
}

func newFaultHalf() *faultHalf {
	h := &faultHalf{left: make(chan struct{})}
	h.changed = sync.NewCond(&h.mu)
	return h
}

// faultDeadline is a time limit of one direction.
type faultDeadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *faultDeadline) over() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (h *faultHalf) limit(d *faultDeadline, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), h.wake)
	}
	h.changed.Broadcast()
}

func (h *faultHalf) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed.Broadcast()
}

func (h *faultHalf) stop() {
	for _, d := range []*faultDeadline{&h.reading, &h.writing} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
}

// faultEnd is one end of the connection.
type faultEnd struct {
	in, out       *faultHalf
	local, remote net.Addr
}

// Read implements net.Conn. It returns octets of one segment.
func (e *faultEnd) Read(p []byte) (int, error) {
	h := e.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.refused != nil:
			return 0, e.failed("read", net.ErrClosed)
		case h.reading.over():
			return 0, e.failed("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case len(h.segments) > 0:
			n := copy(p, h.segments[0])
			if h.segments[0] = h.segments[0][n:]; len(h.segments[0]) == 0 {
				h.segments = h.segments[1:]
			}
			h.size -= n
			h.changed.Broadcast()
			return n, nil
		case h.ended == io.EOF:
			return 0, io.EOF
		case h.ended != nil:
			return 0, e.failed("read", h.ended)
		}
		h.changed.Wait()
	}
}

// Write implements net.Conn. What is written at once is one segment.
func (e *faultEnd) Write(p []byte) (int, error) {
	h := e.out
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.ended != nil:
			return 0, e.failed("write", net.ErrClosed)
		case h.refused != nil:
			return 0, e.failed("write", h.refused)
		case h.writing.over():
			return 0, e.failed("write", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case h.size == 0 || h.size+len(p) <= faultRoom:
			h.segments = append(h.segments, append([]byte(nil), p...))
			h.size += len(p)
			h.changed.Broadcast()
			return len(p), nil
		}
		h.changed.Wait()
	}
}

// Close implements net.Conn.
func (e *faultEnd) Close() error {
	e.hangUp(false)
	return nil
}

// hangUp closes this end. The other reads what was written, then io.EOF or,
// after a reset, ECONNRESET.
func (e *faultEnd) hangUp(reset bool) {
	ended, refused := error(io.EOF), error(os.NewSyscallError("write", syscall.EPIPE))
	if reset {
		ended, refused = os.NewSyscallError("read", syscall.ECONNRESET), os.NewSyscallError("write", syscall.ECONNRESET)
	}
	e.out.mu.Lock()
	if e.out.ended == nil {
		e.out.ended = ended
	}
	e.out.stop()
	e.out.changed.Broadcast()
	e.out.mu.Unlock()
	e.in.mu.Lock()
	if e.in.refused == nil {
		e.in.refused = refused
		close(e.in.left)
	}
	e.in.stop()
	e.in.changed.Broadcast()
	e.in.mu.Unlock()
}

func (e *faultEnd) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: e.local, Addr: e.remote, Err: err}
}

// SetDeadline implements net.Conn, and so on.
func (e *faultEnd) SetDeadline(t time.Time) error {
	e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *faultEnd) SetReadDeadline(t time.Time) error  { e.in.limit(&e.in.reading, t); return nil }
func (e *faultEnd) SetWriteDeadline(t time.Time) error { e.out.limit(&e.out.writing, t); return nil }
func (e *faultEnd) LocalAddr() net.Addr                { return e.local }
func (e *faultEnd) RemoteAddr() net.Addr               { return e.remote }
