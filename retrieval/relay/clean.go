package relay

import (
	"errors"
	"fmt"
	"io"
)

// cleaner writes a message in lines that end with CRLF, without another CR, LF
// or NUL: no server can see an end in it where there is none. Doubling dots is
// left to who comes after it.
type cleaner struct {
	strict bool // no changes
	short  bool // no lines of more than 998 octets
	ascii  bool // no octets beyond ASCII

	out  []byte
	cr   bool // the last octet was a CR
	line int  // octets of the line so far
}

const longest = 998 // RFC 5322 section 2.1.1

// unfit is why a message cannot be sent as it is.
var (
	errUnclean = errors.New("the message has a bare CR, a bare LF or a NUL")
	errLong    = fmt.Errorf("the message has a line of more than %d octets", longest)
	errEight   = errors.New("the message has octets beyond ASCII, and the server does not offer 8BITMIME")
)

// copy writes all that r has to w. At most one of the errors is not nil: what
// is unfit about the message, what reading it ended with, or w's.
func (c *cleaner) copy(w io.Writer, r io.Reader) (unfit, readErr, writeErr error) {
	buf := make([]byte, 32<<10)
	for readErr == nil {
		var n int
		n, readErr = r.Read(buf)
		c.out = c.out[:0]
		unfit = c.add(buf[:n])
		if unfit == nil && errors.Is(readErr, io.EOF) {
			unfit = c.end()
		}
		if unfit != nil {
			return unfit, nil, nil
		}
		if _, err := w.Write(c.out); err != nil {
			return nil, nil, err
		}
	}
	if errors.Is(readErr, io.EOF) {
		readErr = nil
	}
	return nil, readErr, nil
}

func (c *cleaner) add(p []byte) error {
	for _, b := range p {
		switch {
		case b == '\n':
			if !c.cr && c.strict {
				return errUnclean
			}
			c.cr = false
			c.out = append(c.out, '\r', '\n')
			c.line = 0
			continue
		case b == 0:
			if c.strict {
				return errUnclean
			}
			continue // as if it were not there: CR NUL LF is one line end
		case b == '\r':
			if c.cr && c.strict {
				return errUnclean
			}
			c.cr = true
			continue
		case b >= 0x80 && c.ascii:
			return errEight
		}
		if c.cr {
			if c.strict {
				return errUnclean
			}
			c.cr = false
			c.out = append(c.out, ' ')
			c.line++
		}
		c.out = append(c.out, b)
		if c.line++; c.short && c.line > longest {
			return errLong
		}
	}
	return nil
}

// end is for a message that ends with a CR.
func (c *cleaner) end() error {
	if !c.cr {
		return nil
	}
	if c.strict {
		return errUnclean
	}
	c.cr = false
	c.out = append(c.out, '\r', '\n')
	return nil
}
