package transport

import (
	"net"
	"time"
)

// wire is what the buffer reads from. Time limits are on the octets below TLS:
// a TLS record may be as slow as anything else.
type wire struct{ c *Conn }

func (w wire) Read(p []byte) (int, error) {
	c := w.c
	if err := c.Err(); err != nil {
		return 0, err
	}
	n, err := c.current().Read(p)
	if n > 0 {
		c.spoken.Store(false)
		return n, nil
	}
	if err != nil {
		return 0, c.ioError(err)
	}
	return 0, nil
}

// counted counts octets below TLS, and the time that they take.
type counted struct {
	net.Conn
	c        *Conn
	progress progress
}

func (n *counted) Read(p []byte) (int, error) {
	n.SetReadDeadline(n.c.readDeadline())
	if u := n.c.unsent.Load(); u != nil {
		n.SetReadDeadline(u.until) // a Send that failed just now has set it before
	}
	start := time.Now()
	k, err := n.Conn.Read(p)
	n.c.in.Add(int64(k))
	if slow := n.progress.wait(n.c, time.Since(start), k); slow != nil && err == nil {
		n.c.Fail(slow)
		return 0, n.c.Err()
	}
	return k, err
}

// Write is also what TLS does for itself within a Read, long after the last
// Write from above: to answer a key update (RFC 8446 section 4.6.3).
func (n *counted) Write(p []byte) (int, error) {
	if n.c.Err() == nil { // else it says goodbye, for which TLS has a limit of its own
		n.SetWriteDeadline(n.c.deadline())
	}
	k, err := n.Conn.Write(p)
	n.c.out.Add(int64(k))
	return k, err
}
