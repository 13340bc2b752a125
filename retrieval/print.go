package retrieval

import (
	"bytes"
	"crypto/sha256"
	"hash"
)

// Print is a fingerprint of a header section, by which a message is known
// again when the server has given it another UID. Lines that mail servers are
// known to add or change on their own account do not count, and neither do
// line endings.
type Print [16]byte

// maxPrinted is how much of a header section counts.
const maxPrinted = 1 << 20

// printer takes a print as octets pass.
type printer struct {
	h    hash.Hash
	line []byte // the beginning of a line whose end has not passed
	n    int    // octets so far
	skip bool   // the field is one of the server's own
	done bool
}

// serverFields are names of fields that servers keep their own state in.
var serverFields = [][]byte{
	[]byte("status"), []byte("x-status"), []byte("x-keywords"), []byte("x-uid"), []byte("x-uidl"), []byte("x-imap"),
	[]byte("x-imapbase"), []byte("content-length"), []byte("lines"), []byte("x-mozilla-status"), []byte("x-mozilla-status2"),
}

func (p *printer) write(b []byte) {
	if p.done {
		return
	}
	if p.h == nil {
		p.h = sha256.New()
	}
	for len(b) > 0 && !p.done {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			p.line = append(p.line, b[:min(len(b), maxPrinted)]...)
			if p.n+len(p.line) > maxPrinted {
				p.add(p.line)
				p.done = true
			}
			return
		}
		if len(p.line) > 0 {
			p.add(append(p.line, b[:i]...))
			p.line = p.line[:0]
		} else {
			p.add(b[:i])
		}
		b = b[i+1:]
	}
}

// Write is write.
func (p *printer) Write(b []byte) (int, error) {
	p.write(b)
	return len(b), nil
}

// sum returns the print in octets.
func (p *printer) sum() []byte {
	sum := p.print()
	return sum[:]
}

// add takes in a line, of which no more than what counts, or the end of the section.
func (p *printer) add(line []byte) {
	line = bytes.TrimSuffix(line, []byte("\r"))
	line = line[:min(len(line), maxPrinted-p.n)]
	p.n += len(line) + 1
	switch {
	case len(line) == 0:
		p.done = true
		return
	case line[0] != ' ' && line[0] != '\t':
		p.skip = isServerField(line)
	}
	if !p.skip {
		p.h.Write(line)
		p.h.Write([]byte{'\n'})
	}
	if p.n >= maxPrinted {
		p.done = true
	}
}

func isServerField(line []byte) bool {
	name, _, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) > 20 {
		return false
	}
	for _, f := range serverFields {
		if bytes.EqualFold(name, f) {
			return true
		}
	}
	return false
}

// print returns the print of what has passed, or zero if nothing has.
func (p *printer) print() (out Print) {
	if p.h == nil {
		return out
	}
	if !p.done && len(p.line) > 0 {
		p.add(p.line) // a header section without an end
		p.line = nil
	}
	copy(out[:], p.h.Sum(nil))
	return out
}
