package transport

import "time"

// lastWords is how long after a failed Send what the other side has said before
// can be read.
const lastWords = 2 * time.Second

// unsent is a Send that has failed.
type unsent struct {
	err   error
	until time.Time // when reading ends
}

// Send is Write for somebody who reads next. A server that hangs up says why
// before it does, and who writes then fails: after a failed Send what has come
// can still be read for 2 seconds, and the error that the connection ends with
// is the one that Send has returned, unless [Conn.Fail] gives a better one.
func (c *Conn) Send(p []byte) (int, error) {
	if err := c.Err(); err != nil {
		return 0, err
	}
	if u := c.unsent.Load(); u != nil {
		return 0, u.err
	}
	n, err := c.write(p)
	if err == nil {
		return n, nil
	}
	u := &unsent{c.reason(err), time.Now().Add(lastWords)}
	if !c.unsent.CompareAndSwap(nil, u) {
		u = c.unsent.Load()
	}
	c.current().SetReadDeadline(u.until) // who reads already does so no longer either
	return n, u.err
}

func (c *Conn) readDeadline() time.Time {
	d := c.deadline()
	if u := c.unsent.Load(); u != nil && (d.IsZero() || u.until.Before(d)) {
		return u.until
	}
	return d
}
