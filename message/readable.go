package message

import "bytes"

// readable puts readers before messages in UTF-16, and those whose lines end
// in CR.
func (m *Message) readable() {
	const enough = 512
	b := m.p.fill(enough)
	b = b[:min(len(b), enough)]
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")),
		len(b) >= 4 && (b[0] == 0) != (b[1] == 0) && (b[2] == 0) == (b[0] == 0) && (b[3] == 0) == (b[1] == 0):
		m.defects.add("", 0, UTF16)
		rest := m.p.source
		m.p.source = newSource(&utf16Reader{src: rest, big: b[0] == 0xfe || b[0] == 0})
	case bytes.IndexByte(b, '\n') < 0 && bytes.Count(b, []byte("\r")) > 1:
		m.defects.add("", int64(bytes.IndexByte(b, '\r')), BareCR)
		rest := m.p.source
		m.p.source = newSource(&crReader{src: rest})
	}
}

// crReader makes LF of CR.
type crReader struct{ src source }

func (r *crReader) Read(p []byte) (int, error) {
	b := r.src.fill(1)
	if len(b) == 0 {
		return 0, r.src.err
	}
	n := copy(p, r.src.take(min(len(b), len(p))))
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, nil
}
