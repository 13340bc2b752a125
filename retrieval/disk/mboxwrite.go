package disk

import (
	"bufio"
	"bytes"
	"hash/crc32"
)

// mboxEncoder writes one message as an mbox holds it: with LF for CRLF up to
// the first line that ended with LF alone, and with one ">" more before
// ">*From ". Its writer keeps errors until Flush.
type mboxEncoder struct {
	w       *bufio.Writer
	convert bool   // LF for CRLF, so far
	crlf    uint32 // line ends that were converted
	sum     messageSum

	inLine bool // the beginning of the line is behind us
	match  int  // so much of "From " has come at the beginning of a line
	cr     bool // a CR waits for what follows
	last   byte // octet of the message
	any    bool // there was one
}

func (e *mboxEncoder) Write(p []byte) (int, error) {
	n := len(p)
	if n == 0 {
		return 0, nil
	}
	e.sum.Write(p)
	e.last, e.any = p[n-1], true
	for len(p) > 0 {
		if !e.inLine {
			p = e.begin(p)
			continue
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			e.text(p)
			break
		}
		e.text(p[:i])
		e.endLine()
		p = p[i+1:]
	}
	if _, err := e.w.Write(nil); err != nil { // the first one
		return 0, err
	}
	return n, nil
}

// begin looks at one octet at the beginning of a line, and adds the ">" that
// a line like "From " or ">>From " needs. It may stand behind the others.
func (e *mboxEncoder) begin(p []byte) []byte {
	switch {
	case e.match == 0 && p[0] == '>':
		e.w.WriteByte('>')
		return p[1:]
	case p[0] != fromMark[e.match]:
		e.w.WriteString(fromMark[:e.match])
		e.match, e.inLine = 0, true
		return p
	}
	if e.match++; e.match == len(fromMark) {
		e.w.WriteString(">" + fromMark)
		e.match, e.inLine = 0, true
	}
	return p[1:]
}

func (e *mboxEncoder) text(p []byte) {
	if len(p) == 0 {
		return
	}
	if e.cr {
		e.w.WriteByte('\r')
		e.cr = false
	}
	if e.convert && p[len(p)-1] == '\r' {
		e.cr = true
		p = p[:len(p)-1]
	}
	e.w.Write(p)
}

func (e *mboxEncoder) endLine() {
	if e.convert && e.cr && e.crlf < allCRLF-1 {
		e.crlf++
	} else {
		e.convert = false
		if e.cr {
			e.w.WriteByte('\r')
		}
	}
	e.cr, e.inLine = false, false
	e.w.WriteByte('\n')
}

// finish ends the message, and tells its From_ line how to read it.
func (e *mboxEncoder) finish(line *fromLine) {
	e.w.WriteString(fromMark[:e.match])
	if e.cr {
		e.w.WriteByte('\r')
	}
	line.open = e.any && e.last != '\n'
	if line.open {
		e.w.WriteByte('\n')
	}
	e.w.WriteByte('\n')
	line.crlf, line.sum = e.crlf, e.sum.value()
	if e.convert {
		line.crlf = allCRLF
	}
}

// messageSum tells a whole message from one that was cut short or lost some
// of its blocks. It is the sum of the body alone, because mail programs write
// "Status:" and the like into headers; without a body, or with a NUL in the
// header, it is of everything.
type messageSum struct {
	all, body uint32
	inBody    bool
	text      bool // the header's current line is not empty
	nul       bool // in the header
}

func (s *messageSum) Write(p []byte) (int, error) {
	n := len(p)
	if s.inBody && !s.nul {
		s.body = crc32.Update(s.body, castagnoli, p)
		return n, nil
	}
	s.all = crc32.Update(s.all, castagnoli, p)
	for i, c := range p {
		switch {
		case s.inBody:
			return n, nil
		case c == '\n' && !s.text:
			s.inBody = true
			if !s.nul {
				s.body = crc32.Update(0, castagnoli, p[i+1:])
			}
		case c == '\n':
			s.text = false
		case c != '\r':
			s.text = true
			s.nul = s.nul || c == 0
		}
	}
	return n, nil
}

func (s *messageSum) value() uint32 {
	if s.inBody && !s.nul {
		return s.body
	}
	return s.all
}
