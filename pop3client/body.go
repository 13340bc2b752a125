package pop3client

import (
	"fmt"
	"io"

	"example.com/postbag/internal/transport"
)

// Body is the text of a message as it arrives: every octet as the server has
// it, with the line ends that it has, dot-stuffing undone. Reading ends with
// io.EOF only if all of it arrived; a connection that ends before is
// [ErrTruncated]. A Body is valid until the loop that yields it goes on, or
// the next command of the session.
type Body struct {
	c       *Client
	verb    string
	number  int
	dots    dotReader
	rest    []byte // of the current chunk
	n       int64  // octets returned
	err     error  // what reading ended with
	expired bool
	release func() // from the context of Retr or Top
}

// open returns the body that follows the reply r.
func (c *Client) open(verb string, number int, r reply, release func()) *Body {
	c.w.mail = true
	c.body = &Body{
		c: c, verb: verb, number: number, release: release,
		dots: dotReader{conn: c.conn, lf: r.lf, bol: true},
	}
	return c.body
}

// Number returns the number of the message.
func (b *Body) Number() int { return b.number }

// Read reads the next octets.
func (b *Body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := b.fill(); err != nil {
		return 0, err
	}
	n := copy(p, b.rest)
	b.took(n)
	return n, nil
}

// WriteTo writes what is left to w, without a copy in between.
func (b *Body) WriteTo(w io.Writer) (int64, error) {
	before := b.n
	for {
		err := b.fill()
		if err == io.EOF {
			return b.n - before, nil
		}
		if err != nil {
			return b.n - before, err
		}
		n, err := w.Write(b.rest)
		b.took(n)
		if err == nil && len(b.rest) > 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return b.n - before, err
		}
	}
}

// Close ends reading the message before its end: what is left is read and
// thrown away, or if that is more than [Options.MaxDrain] the connection is
// closed, and the error is [ErrAbandoned]. It need not be called.
func (b *Body) Close() error {
	if b.c.body != b { // it was read to its end, or is no longer valid
		b.expired = true
		return nil
	}
	defer b.release() // not before: the context bounds what is read here, too
	b.release = func() {}
	return b.c.throwAway(b)
}

func (b *Body) took(n int) {
	b.rest = b.rest[n:]
	b.n += int64(n)
}

// fill sees to it that there is something in rest.
func (b *Body) fill() error {
	if b.err != nil {
		return b.err
	}
	if b.expired {
		return fmt.Errorf("pop3: %s: %w", b.verb, errExpired)
	}
	if len(b.rest) > 0 {
		return nil
	}
	if b.err = b.chunk(); b.err == nil && b.n+int64(len(b.rest)) > b.c.opts.MaxMessageSize {
		b.err = &MessageError{b.number, fmt.Errorf("pop3: %s: %w: more than %d octets", b.verb, ErrTooLarge, b.c.opts.MaxMessageSize)}
	}
	return b.err
}

// chunk reads on from the connection.
func (b *Body) chunk() (err error) {
	b.rest, err = b.dots.next()
	switch {
	case err == nil:
		return nil
	case err == io.EOF:
		b.c.conn.Transcript().Omitted(b.n)
		b.c.conn.Transcript().Server([]byte(".\r\n"))
	default:
		b.c.conn.Fail(err)
		err = transport.Mark(ErrTruncated, fmt.Errorf("pop3: %s %d: after %d octets: %w", b.verb, b.number, b.n, err))
	}
	b.c.body = nil
	b.release()
	return err
}

// expire keeps the caller from reading on: what is left belongs to [Client.settle].
func (b *Body) expire() {
	if b != nil {
		b.expired = true
		b.release()
	}
}
