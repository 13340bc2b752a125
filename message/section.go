package message

import "bytes"

// section is a header section that is being read.
type section struct {
	s        *scanner
	h        *Header
	o        *Options
	defect   func(offset int64, kind Kind)
	top      bool  // of the message itself
	begun    bool  // a field, or what was meant as one, was seen
	junk     bool  // the last line was no field
	dropping bool  // beyond a bound
	sure     int64 // up to here, all belongs to the section
}

// header reads a header section, up to and with the empty line that ends it,
// and returns it and the length of that line. Whatever comes: it has no
// errors, and it stops where a body seems to begin, or at a delimiter.
func (s *scanner) header(o *Options, top bool, defect func(int64, Kind)) (h *Header, blank int) {
	sec := section{s: s, h: new(Header), o: o, defect: defect, top: top}
	size, fields := sectionSize(s.fill(1))
	sec.h.raw = make([]byte, 0, min(size, o.MaxHeader))
	sec.h.fields = make([]field, 0, min(fields, o.MaxFields))
	start := s.off
	for {
		line, whole := s.line()
		if len(line) == 0 || s.lineDelimiter(line) {
			if s.off > start || len(line) > 0 {
				defect(s.off, NoBlankLine)
			}
			break
		}
		if whole && isBlank(line) && !(top && !sec.begun && sec.fieldComes(len(line))) {
			blank = len(line)
			s.take(blank)
			break
		}
		if !sec.line(line, whole) {
			defect(s.off, NoBlankLine)
			break
		}
	}
	if sec.h.Len() == 0 && top {
		defect(start, NoHeader)
	}
	s.lineStart = true
	return sec.h, blank
}

// sectionSize guesses the size of the header section that b begins with, and
// how many fields it has.
func sectionSize(b []byte) (size, fields int) {
	const usual, most = 512, 8192
	b = b[:min(len(b), most)]
	for at := 0; at < len(b); {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			break
		}
		if at += i + 1; at == len(b) {
			return at, fields + 1
		}
		switch b[at] {
		case ' ', '\t':
		case '\n', '\r', '-':
			return at, fields + 1
		default:
			fields++
		}
	}
	return min(len(b), usual), min(fields, usual/32)
}

func (s *scanner) lineDelimiter(line []byte) bool {
	if len(s.levels) == 0 || !bytes.HasPrefix(line, lineBreakDashes[1:]) {
		return false
	}
	s.lineStart = true
	_, ok := s.delimiter()
	return ok
}

// line returns the next line with its end, or as much of it as the buffer
// holds.
func (s *scanner) line() (line []byte, whole bool) {
	seen := 0
	for {
		b := s.fill(seen + 1)
		if i := bytes.IndexByte(b[min(seen, len(b)):], '\n'); i >= 0 {
			return b[:seen+i+1], true
		}
		if s.ended() || len(b) == bufferSize {
			return b, false
		}
		seen = len(b)
	}
}

func isBlank(line []byte) bool { return len(bytes.TrimRight(line, "\r\n")) == 0 }

// line takes a line, unless it belongs to the body.
func (sec *section) line(line []byte, whole bool) bool {
	if !sec.begun && sec.top && bytes.HasPrefix(line, []byte("\xef\xbb\xbf")) {
		sec.defect(sec.s.off, ByteOrderMark)
		sec.skip(3)
		return true
	}
	text := line
	continues := line[0] == ' ' || line[0] == '\t'
	if continues && sec.begun {
		sec.take(line, whole, -1)
		return true
	}
	text = bytes.TrimLeft(text, " \t")
	colon := fieldName(text)
	switch {
	case colon >= 0 && continues && !sec.top: // the text of a part without a header section
		return false
	case colon >= 0:
		sec.begun = true
		sec.take(line, whole, len(line)-len(text)+colon)
	case isBlank(line):
		sec.defect(sec.s.off, BlankLinesFirst)
		sec.skip(len(line))
	case bytes.HasPrefix(line, []byte("From ")) && !sec.begun, bytes.HasPrefix(line, []byte(">From ")):
		sec.defect(sec.s.off, FromLine)
		sec.skip(len(line))
		sec.rest(whole)
	case bytes.HasPrefix(line, lineBreakDashes[1:]): // rather a delimiter than a broken field
		return false
	case sec.fieldComes(len(line)) || sec.goesOn(len(line)):
		sec.begun = true
		sec.defect(sec.s.off, NoField)
		sec.skip(len(line))
		sec.rest(whole)
	default:
		return false
	}
	return true
}

// fieldComes tells whether after the next n octets, a line that is no field,
// the header section goes on.
func (sec *section) fieldComes(n int) bool {
	const enough = longestName
	if sec.s.off+int64(n) <= sec.sure {
		return true
	}
	blank := false
	for {
		b := sec.s.fill(n + enough)
		if len(b) < n {
			return false
		}
		b = b[n:min(len(b), n+enough)]
		switch {
		case len(b) == 0:
			return false
		case sec.begun && (b[0] == ' ' || b[0] == '\t'):
			return len(bytes.TrimLeft(b, " \t\r")) > 0 // the line is folded, as fields are
		case !sec.begun && sec.top && isBlank(b[:1+bytes.IndexByte(b, '\n')]) && bytes.IndexByte(b, '\n') >= 0:
			blank = true
			n += bytes.IndexByte(b, '\n') + 1
			if n > bufferSize/2 {
				return false
			}
		default:
			comes := fieldName(b) >= 0 || bytes.HasPrefix(b, []byte("From ")) || bytes.HasPrefix(b, []byte("\xef\xbb\xbf"))
			if comes && blank {
				sec.sure = sec.s.off + int64(n) // the next empty line need not look again
			}
			return comes
		}
	}
}

// goesOn tells whether after the next n octets, which are no field, comes a
// field that surely belongs to the section, before any empty line.
func (sec *section) goesOn(n int) bool {
	const enough = 8 << 10
	if !sec.begun {
		return false
	}
	if sec.s.off+int64(n) <= sec.sure {
		return true
	}
	b := sec.s.fill(n + enough)
	b = b[:min(len(b), n+enough)]
	for at := n; at < len(b); {
		line := b[at:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		if isBlank(line) {
			return false
		}
		if colon := fieldName(line); colon > 0 && sec.certain(bytes.ToLower(bytes.TrimSpace(line[:colon]))) {
			sec.sure = sec.s.off + int64(at)
			return true
		}
		at += len(line)
	}
	return false
}

// certain tells whether a name is that of a field, and not of what a text may
// begin a line with.
func (sec *section) certain(name []byte) bool {
	if bytes.HasPrefix(name, []byte("content-")) {
		return true
	}
	switch string(name) {
	case "received", "message-id", "mime-version", "return-path", "delivered-to", "reply-to", "from", "to", "subject", "date":
		return sec.top
	}
	return false
}

// take takes a line of a field: its first if colon is not negative, and else
// one that continues it.
func (sec *section) take(line []byte, whole bool, colon int) {
	h := sec.h
	if colon >= 0 {
		sec.dropping, sec.junk = false, false
		switch {
		case len(h.fields) >= sec.o.MaxFields:
			sec.dropping = true
			sec.defect(sec.s.off, TooManyFields)
		case len(h.raw)+colon >= sec.o.MaxHeader:
			sec.junk = true // half a name is none
		default:
			at := len(h.raw)
			h.fields = append(doubled(h.fields, 1), field{at + len(line) - len(bytes.TrimLeft(line, " \t")), at + colon, at})
		}
	}
	sec.keep(line)
	sec.s.take(len(line))
	sec.rest(whole)
}

// keep keeps octets, which belong to the last field if they are not junk, as
// far as the bounds allow.
func (sec *section) keep(b []byte) {
	h := sec.h
	if sec.dropping {
		return
	}
	if room := sec.o.MaxHeader - len(h.raw); len(b) > room {
		sec.defect(sec.s.off, HeaderTooLong)
		sec.dropping = true
		b = b[:max(room, 0)]
	}
	h.raw = append(doubled(h.raw, len(b)), b...)
	if n := len(h.fields); n > 0 && !sec.junk {
		h.fields[n-1].end = len(h.raw)
	}
}

// skip passes over octets that are no field; they stay in the raw header.
func (sec *section) skip(n int) {
	sec.junk, sec.dropping = true, false
	sec.keep(sec.s.fill(n)[:n])
	sec.s.take(n)
}

// rest takes the rest of a line that is longer than the buffer.
func (sec *section) rest(whole bool) {
	for !whole {
		b := sec.s.fill(1)
		if len(b) == 0 {
			return
		}
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b, whole = b[:i+1], true
		}
		sec.keep(b)
		sec.s.take(len(b))
	}
}
