package disk

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"time"
)

// MboxMessage is a message in an mbox: what its From_ line says, and a reader
// of the message's octets. Those that an [Mbox] has delivered are the octets
// that the server sent; of others each line is as it is in the file, without
// the ">" that mboxrd adds. It is valid until the next iteration.
type MboxMessage struct {
	Sender string
	Date   time.Time
	Ref    string // as Mbox.Deliver returned it; empty: not one of ours

	line   fromLine
	r      *bufio.Reader
	out    []byte // decoded, not yet read
	ends   int    // line ends that were seen and not yet decoded, at most two
	blank  bool   // the last of them ended an empty line
	crlf   uint32 // line ends still to be made CRLF
	inLine bool
	err    error
}

// ReadMbox reads an mbox of the kind mboxrd from its beginning. A file that
// is not an mbox yields [ErrNotMbox]; one that is empty yields nothing. The
// iteration ends after an error.
func ReadMbox(r io.Reader) iter.Seq2[*MboxMessage, error] {
	return func(yield func(*MboxMessage, error) bool) {
		br := bufio.NewReaderSize(r, bufferSize)
		for {
			m, err := nextMessage(br)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, wrapMbox(err))
				return
			}
			if !yield(m, nil) {
				return
			}
			if _, err := io.Copy(io.Discard, m); err != nil {
				yield(nil, wrapMbox(err))
				return
			}
		}
	}
}

// nextMessage reads a From_ line.
func nextMessage(br *bufio.Reader) (*MboxMessage, error) {
	start, err := br.Peek(len(fromMark))
	switch {
	case string(start) == fromMark:
	case err != nil && (err != io.EOF || len(start) == 0):
		return nil, err
	default:
		return nil, ErrNotMbox
	}
	line, err := br.ReadSlice('\n')
	l := parseFrom(line)
	for err == bufio.ErrBufferFull { // not ours
		_, err = br.ReadSlice('\n')
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	m := &MboxMessage{Sender: l.sender, Date: l.date, line: l, r: br, crlf: l.crlf}
	if l.id != "" {
		m.Ref = l.ref()
	}
	return m, nil
}

// Read reads the next octets of the message.
func (m *MboxMessage) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(m.out) == 0 {
		if m.err != nil {
			return 0, m.err
		}
		m.out = m.out[:0]
		m.err = m.decode()
	}
	n := copy(p, m.out)
	m.out = m.out[n:]
	return n, nil
}

// decode decodes a line, or a part of one. Its error is io.EOF at the end of
// the message.
func (m *MboxMessage) decode() error {
	if !m.inLine {
		if start, err := m.r.Peek(len(fromMark)); string(start) == fromMark || err == io.EOF && len(start) == 0 {
			m.finish()
			return io.EOF
		}
		if !m.unquote() {
			return nil
		}
	}
	chunk, err := m.r.ReadSlice('\n')
	text, ended := bytes.CutSuffix(chunk, []byte("\n"))
	m.text(text)
	if ended {
		m.release(1)
		m.ends++
		m.blank = !m.inLine && len(text) == 0
	}
	m.inLine = !ended
	switch err {
	case nil, bufio.ErrBufferFull:
		return nil
	case io.EOF: // without a line end: a file that was cut
		m.finish()
	}
	return err
}

// unquote takes away the ">" that was added at the beginning of a line. It is
// false if there is more of that beginning than it takes at once.
func (m *MboxMessage) unquote() bool {
	for quoted := false; ; quoted = true {
		start, _ := m.r.Peek(2)
		switch {
		case string(start) == ">>" && len(m.out) >= bufferSize:
			return false
		case string(start) == ">>":
			m.text(start[:1])
			m.r.Discard(1)
			continue
		case string(start) == ">F":
			if start, _ := m.r.Peek(1 + len(fromMark)); string(start) == ">"+fromMark {
				m.r.Discard(1)
				quoted = true
			}
		}
		m.inLine = quoted
		return true
	}
}

func (m *MboxMessage) text(p []byte) {
	if len(p) > 0 {
		m.release(0)
		m.out = append(m.out, p...)
	}
}

// release decodes the line ends that are waiting, but for the last keep.
func (m *MboxMessage) release(keep int) {
	for ; m.ends > keep; m.ends-- {
		if m.crlf > 0 {
			m.out = append(m.out, '\r')
			if m.crlf != allCRLF {
				m.crlf--
			}
		}
		m.out = append(m.out, '\n')
	}
}

// finish leaves out the line ends that are not the message's.
func (m *MboxMessage) finish() {
	if m.ends > 0 && m.blank {
		m.ends--
	}
	if m.ends > 0 && m.line.open {
		m.ends--
	}
	m.release(0)
}
