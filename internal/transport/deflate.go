package transport

import (
	"bufio"
	"compress/flate"
	"net"
)

// StartDeflate compresses both directions from here on (RFC 4978). What the
// server has sent already is compressed. Memory does not depend on what a
// server makes of it: a line is as bounded as ever.
func (c *Conn) StartDeflate() error {
	w, err := flate.NewWriter(c.current(), flate.DefaultCompression)
	if err != nil {
		return err
	}
	c.deflate = w
	c.br = bufio.NewReaderSize(inflated{flate.NewReader(c.br), c}, bufferSize)
	c.opts.Transcript.Begins("COMPRESS")
	return nil
}

// inflated reads what the other side has compressed.
type inflated struct {
	r interface{ Read([]byte) (int, error) }
	c *Conn
}

func (i inflated) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if err == nil || n > 0 {
		return n, nil
	}
	if was := i.c.Err(); was != nil {
		return 0, was // of the connection, and not flate's
	}
	return 0, i.c.ProtocolError("compressed data: %w", err)
}

// writeDeflated sends p so that the other side can read it at once.
func writeDeflated(w *flate.Writer, p []byte) (int, error) {
	n, err := w.Write(p)
	if err == nil {
		err = w.Flush()
	}
	return n, err
}

// IsRemote tells whether the other end is on another machine, as far as can
// be seen.
func (c *Conn) IsRemote() bool {
	addr, ok := c.raw.RemoteAddr().(*net.TCPAddr)
	return ok && !addr.IP.IsLoopback()
}
