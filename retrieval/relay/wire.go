package relay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Limits on what a server says at once. A reply's line is at most 512 octets
// (RFC 5321 section 4.5.3.1.5); go-smtp takes 2,000.
const (
	maxLine  = 2 << 10
	maxReply = 64 << 10
)

// wire is the connection as go-smtp sees it. It hands over one line at a time
// and knows so what the server has said that nobody asked for, bounds what the
// server may say before it is this side's turn, and says why it was closed.
// go-smtp gathers the lines of a reply without a bound, and looks for names of
// extensions in upper case only.
type wire struct {
	net.Conn
	br   *bufio.Reader
	line []byte // what is left of the line that is being handed over

	lmtp  bool          // no falling back to another protocol
	left  int           // octets that the server may say now
	many  int           // replies that come without a command between them
	hello bool          // the reply lists extensions
	body  time.Duration // more than 0: the message is being sent, each block within that time
	err   error         // sticky; what the protocol or the limits do not allow
}

func newWire(c net.Conn) *wire {
	return &wire{Conn: c, br: bufio.NewReaderSize(c, maxLine), left: maxReply}
}

func (w *wire) Read(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if len(w.line) == 0 {
		if err := w.next(); err != nil {
			w.err = err
			return 0, err
		}
	}
	n := copy(p, w.line)
	w.line = w.line[n:]
	return n, nil
}

// next reads a line, which ends with LF.
func (w *wire) next() error {
	line, err := w.br.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return fmt.Errorf("the server sent a line of more than %d octets", maxLine)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the server closed the connection: %w", io.ErrUnexpectedEOF)
	case err != nil:
		return err
	}
	if w.left -= len(line); w.left < 0 {
		return errors.New("the server does not come to an end of its reply")
	}
	if w.hello && len(line) > 4 {
		word, _, _ := bytes.Cut(line[4:], []byte(" "))
		copy(word, bytes.ToUpper(word)) // RFC 5321 section 4.1.1.1: in any case
	}
	w.line = line
	return nil
}

// ahead tells whether the server has said what it was not asked for.
func (w *wire) ahead() bool { return len(w.line) > 0 || w.br.Buffered() > 0 }

func (w *wire) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.body > 0 && w.ahead() {
		return 0, errors.New("the server answers before the end")
	}
	if w.body > 0 {
		w.left = maxReply + w.many*maxLine
		w.SetWriteDeadline(time.Now().Add(w.body))
		return w.Conn.Write(p)
	}
	if w.ahead() {
		w.err = errors.New("the server answers what it was not asked")
		return 0, w.err
	}
	if w.lmtp && bytes.HasPrefix(p, []byte("HELO ")) {
		w.err = errors.New("the server does not speak LMTP")
		return 0, w.err
	}
	w.left = maxReply
	w.hello = bytes.HasPrefix(p, []byte("EHLO ")) || bytes.HasPrefix(p, []byte("LHLO "))
	return w.Conn.Write(p)
}
