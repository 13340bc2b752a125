package message

import (
	"bytes"
	"strings"
)

// transfer undoes a transfer encoding. Its input comes in pieces that may be
// cut anywhere.
type transfer interface {
	// decode appends what src stands for to dst. report tells of what breaks
	// the rules at an octet of src.
	decode(dst, src []byte, report func(at int, kind Kind)) []byte
	// end appends what is left.
	end(dst []byte, report func(at int, kind Kind)) []byte
}

// encodingName reads a Content-Transfer-Encoding as leniently as it is
// written: with comments, quotes, semicolons and parameters, with hyphens too
// many or too few. RFC 2045 section 6.1.
func encodingName(s string) (name string, known bool) {
	switch name = strings.ToLower(s); name {
	case "":
		return "7bit", true
	case "7bit", "8bit", "binary", "base64", "quoted-printable":
		return name, true
	}
	if strings.Contains(s, "=?") {
		s = decoder{}.words(s)
	}
	l := paramLexer{s: s}
	l.space()
	s = strings.Trim(l.s, " \t\"'")
	if i := strings.IndexAny(s, ";( \t\"',"); i > 0 && !strings.HasPrefix(strings.ToLower(s), "quoted ") {
		s = s[:i]
	}
	s = strings.ToLower(clean(decoder{}.raw(s)))
	compact := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_ .", r) {
			return -1
		}
		return r
	}, s)
	switch compact {
	case "", "7bit", "7bits", "8bit", "8bits", "binary", "none", "plain", "ascii", "usascii", "utf8", "7", "8":
		switch compact {
		case "7bit", "7bits", "":
			return "7bit", true
		case "binary":
			return "binary", true
		}
		return "8bit", true
	case "base64", "xbase64", "b64":
		return "base64", true
	case "quotedprintable", "quotedprintble", "qp", "quotedprintible":
		return "quoted-printable", true
	case "xuuencode", "uuencode", "xuue", "uue":
		return "x-uuencode", true
	case "xyenc", "yenc":
		return "x-yenc", true
	}
	return s, false
}

// newTransfer returns what undoes an encoding, nil if there is nothing to do.
func newTransfer(name string) transfer {
	switch name {
	case "base64":
		return new(base64Transfer)
	case "quoted-printable":
		return new(quotedTransfer)
	case "x-uuencode":
		return &lineTransfer{f: new(uuDecoder)}
	case "x-yenc":
		return &lineTransfer{f: new(yencDecoder)}
	}
	return nil
}

// quotedTransfer undoes quoted-printable, RFC 2045 section 6.7. White space at
// the ends of lines stays, and so does = before what are no digits.
type quotedTransfer struct {
	held []byte // an escape that goes on in the next piece
}

func (q *quotedTransfer) decode(dst, src []byte, report func(int, Kind)) []byte {
	at := 0
	for len(q.held) > 0 && at < len(src) {
		q.held = append(q.held, src[at])
		at++
		n, c := escape(q.held)
		switch {
		case n == 0:
			continue
		case n > 1:
			if c >= 0 {
				dst = append(dst, byte(c))
			}
		default:
			report(at-1, BadQuoted)
			at-- // it may begin another
			dst = append(dst, q.held[:len(q.held)-1]...)
		}
		q.held = q.held[:0]
	}
	for at < len(src) {
		i := bytes.IndexByte(src[at:], '=')
		if i < 0 {
			return append(dst, src[at:]...)
		}
		dst = append(dst, src[at:at+i]...)
		at += i
		n, c := escape(src[at:])
		switch {
		case n == 0:
			q.held = append(q.held, src[at:]...)
			return dst
		case n > 1 && c >= 0:
			dst = append(dst, byte(c))
		case n == 1:
			report(at, BadQuoted)
			dst = append(dst, '=')
		}
		at += n
	}
	return dst
}

// escape reads the escape that b begins with: its length, and the octet that
// it stands for, or -1 for a soft line break. The length is 1 if it is none,
// and 0 if that cannot be told yet.
func escape(b []byte) (n, c int) {
	const mostSpace = 100 // before the end of a line, where it does not belong
	if len(b) > 1 && unhex(b[1]) < 16 {
		switch {
		case len(b) == 2:
			return 0, 0
		case unhex(b[2]) < 16:
			return 3, int(unhex(b[1])<<4 | unhex(b[2]))
		}
		return 1, 0
	}
	for i := 1; i < min(len(b), mostSpace); i++ {
		switch b[i] {
		case ' ', '\t', '\r':
		case '\n':
			return i + 1, -1
		default:
			return 1, 0
		}
	}
	if len(b) >= mostSpace {
		return 1, 0
	}
	return 0, 0
}

func (q *quotedTransfer) end(dst []byte, report func(int, Kind)) []byte {
	if len(q.held) > 0 && len(bytes.TrimSpace(q.held)) > 1 {
		report(0, BadQuoted)
		dst = append(dst, q.held...)
	}
	q.held = nil // a soft line break at the end
	return dst
}

// lineTransfer feeds lines, however the pieces are cut, to a decoder of lines.
type lineTransfer struct {
	f    lineDecoder
	held []byte
}

// lineDecoder decodes the lines of a file that is written as text.
type lineDecoder interface {
	// line appends what a line, without its end, stands for.
	line(dst, line []byte) ([]byte, Kind)
	// close tells whether the file is complete and right.
	close() Kind
}

const longestLine = 64 << 10 // of uuencode and yEnc; the rest of one is another

func (l *lineTransfer) decode(dst, src []byte, report func(int, Kind)) []byte {
	for at := 0; at < len(src); {
		i := bytes.IndexByte(src[at:], '\n')
		if i < 0 && len(l.held)+len(src)-at < longestLine {
			l.held = append(l.held, src[at:]...)
			break
		}
		end := at + i + 1
		if i < 0 {
			end = len(src)
		}
		line := src[at:end]
		if len(l.held) > 0 {
			l.held = append(l.held, line...)
			line = l.held
		}
		var kind Kind
		if dst, kind = l.f.line(dst, bytes.TrimRight(line, "\r\n")); kind != "" {
			report(at, kind)
		}
		l.held, at = l.held[:0], end
	}
	return dst
}

func (l *lineTransfer) end(dst []byte, report func(int, Kind)) []byte {
	var kind Kind
	if len(l.held) > 0 {
		if dst, kind = l.f.line(dst, bytes.TrimRight(l.held, "\r\n")); kind != "" {
			report(0, kind)
		}
		l.held = nil
	}
	if kind = l.f.close(); kind != "" {
		report(0, kind)
	}
	return dst
}

// unlessBlank returns kind for a line that is passed over, if it says anything.
func unlessBlank(line []byte, kind Kind) Kind {
	if len(bytes.TrimSpace(line)) == 0 {
		return ""
	}
	return kind
}

// encodedAhead tells whether what is ahead may be in an encoding: text that only
// says so has no line that begins a file, or words that are no base64.
func (s *scanner) encodedAhead(encoding string) bool {
	var begins func(line []byte) bool
	switch encoding {
	case "base64":
		return s.base64Ahead()
	case "x-uuencode":
		begins = func(line []byte) bool { _, ok := uuBegin(line); return ok }
	case "x-yenc":
		begins = func(line []byte) bool { _, _, ok := yencBegin(line); return ok }
	default:
		return true
	}
	b := s.fill(bufferSize)
	n, _ := s.ahead(b)
	for line := range bytes.Lines(b[:n]) {
		if begins(bytes.TrimRight(line, "\r\n")) {
			return true
		}
	}
	return n == 0
}
