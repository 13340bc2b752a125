package message

import "bytes"

// scanner divides a message at the boundaries of the multiparts it is within.
// There is one stack of them and each octet is looked at once, however deep
// the multiparts are: a boundary further out ends all that is further in.
type scanner struct {
	source
	levels    []string // boundaries, the innermost last
	window    int      // enough to tell whether a line is one of them
	lineStart bool     // the next octet begins a line
}

// delimiter is a line with a boundary. RFC 2046 section 5.1.1.
type delimiter struct {
	level int  // whose boundary it is
	last  bool // the closing one
	loose bool // there is text after it on the line
	size  int  // with the line's end, and with the line break before it
	whole bool // the line's end is known
}

const slack = 200 // for white space after a boundary

func (s *scanner) push(boundary string) {
	s.levels = append(s.levels, boundary)
	s.window = max(s.window, len(boundary)+slack)
}

// pop leaves n levels.
func (s *scanner) pop(n int) { s.levels = s.levels[:n] }

var lineBreakDashes = []byte("\n--")

// chunk takes octets of the body that the scanner is in. It returns none at
// the delimiter that ends the body, and at the end.
func (s *scanner) chunk() []byte {
	b := s.fill(max(s.window, 1))
	if len(b) == 0 {
		return nil
	}
	n, found := s.ahead(b)
	if n == 0 && found {
		return nil
	}
	s.lineStart = !found && len(s.levels) == 0 && b[n-1] == '\n'
	return s.take(n)
}

// ahead returns how many octets of b, what is ahead, surely belong to the
// body, and whether a delimiter comes after them.
func (s *scanner) ahead(b []byte) (n int, found bool) {
	if len(s.levels) == 0 {
		return len(b), false
	}
	from := 0
	if s.lineStart && bytes.HasPrefix(b, lineBreakDashes[1:]) {
		if _, ok := s.match(b); ok {
			return 0, true
		}
		from = 2
	}
	for {
		i := bytes.Index(b[from:], lineBreakDashes)
		if i < 0 {
			break
		}
		at := from + i
		if at > 0 && b[at-1] == '\r' {
			at--
		}
		if len(b)-at < s.window && !s.ended() && at > 0 {
			return at, false // to be seen when more is read
		}
		if _, ok := s.match(b[at:]); ok {
			return at, true
		}
		from += i + len(lineBreakDashes)
	}
	if s.ended() {
		return len(b), false
	}
	for _, held := range []string{"\r\n-", "\n-", "\r\n", "\n", "\r"} {
		if bytes.HasSuffix(b, []byte(held)) && len(b) > len(held) {
			return len(b) - len(held), false
		}
	}
	return len(b), false
}

// delimiter returns the one that is ahead, if there is one.
func (s *scanner) delimiter() (delimiter, bool) {
	if len(s.levels) == 0 {
		return delimiter{}, false
	}
	b := s.fill(s.window)
	if bytes.HasPrefix(b, lineBreakDashes[1:]) && !s.lineStart {
		return delimiter{}, false
	}
	return s.match(b)
}

// match tells whether b begins with a delimiter, or with a line break and one.
func (s *scanner) match(b []byte) (d delimiter, ok bool) {
	lead := 0
	if lead < len(b) && b[lead] == '\r' {
		lead++
	}
	if lead < len(b) && b[lead] == '\n' {
		lead++
	}
	if !bytes.HasPrefix(b[lead:], lineBreakDashes[1:]) {
		return d, false
	}
	line := b[lead+2:]
	if i := bytes.IndexByte(line[:min(len(line), s.window)], '\n'); i >= 0 {
		line, d.whole = line[:i], true
		d.size = lead + 2 + i + 1
	} else {
		line = line[:min(len(line), s.window)]
		d.size = lead + 2 + len(line)
	}
	text := bytes.TrimRight(line, " \t\r")
	for i := len(s.levels) - 1; i >= 0; i-- {
		rest, ok := bytes.CutPrefix(text, []byte(s.levels[i]))
		if !ok {
			continue
		}
		if len(rest) == 0 || string(rest) == "--" {
			d.level, d.last = i, len(rest) > 0
			return d, true
		}
	}
	// A line that begins with the boundary and goes on is one too, but only
	// if it is no other's: some boundaries begin with others.
	for i := len(s.levels) - 1; i >= 0; i-- {
		rest, ok := bytes.CutPrefix(text, []byte(s.levels[i]))
		if ok && (rest[0] == ' ' || rest[0] == '\t' || bytes.HasPrefix(rest, lineBreakDashes[1:])) {
			d.level, d.last, d.loose = i, rest[0] == '-', true
			return d, true
		}
	}
	return d, false
}

// pass goes behind a delimiter, up to the end of its line.
func (s *scanner) pass(d delimiter) {
	s.take(d.size)
	for !d.whole {
		b := s.fill(1)
		if len(b) == 0 {
			break
		}
		i := bytes.IndexByte(b, '\n')
		d.whole = i >= 0
		if !d.whole {
			i = len(b) - 1
		}
		s.take(i + 1)
	}
	s.lineStart = true
}
