package retrievaltest

import (
	"bytes"
	"strconv"
)

// replyFrame finds out where replies end.
type replyFrame struct {
	head    []byte // of a response, or of a line within a POP3 reply
	tail    []byte // of a line
	length  int    // of that line so far
	crlf    bool   // POP3: the line before ended in CRLF
	multi   bool   // POP3: the reply goes on until a line of a dot
	open    bool   // IMAP: the response goes on after a literal
	literal int64  // octets of that which are to come
}

// replyPart is what the octets of a reply turned out to be.
type replyPart struct {
	n   int    // so many octets, which end no later than a response does
	end bool   // they end a response that is the reply to a command
	tag string // IMAP: to that with this tag
	ok  bool   // and it says that all went well
}

// next takes the first octets of p, which is not empty. a is the command whose
// reply is next.
func (f *replyFrame) next(d faultDialect, p []byte, a *askedCommand) replyPart {
	if f.literal > 0 {
		n := min(f.literal, int64(len(p)))
		f.literal -= n
		return replyPart{n: int(n)}
	}
	n := bytes.IndexByte(p, '\n') + 1
	if n == 0 {
		f.add(p)
		return replyPart{n: len(p)}
	}
	f.add(p[:n])
	part := replyPart{n: n}
	if d == dialectPOP3 {
		f.pop3Line(&part, a)
	} else {
		f.imapLine(&part)
	}
	f.tail, f.length = f.tail[:0], 0
	return part
}

// within tells whether a response has begun and not ended.
func (f *replyFrame) within() bool { return f.length > 0 || f.multi || f.open }

func (f *replyFrame) add(p []byte) {
	const enough = 64 // for a tag and a status, for the length of a literal
	f.length += len(p)
	f.head = append(f.head, p[:min(len(p), enough-len(f.head))]...)
	f.tail = append(f.tail, p[max(0, len(p)-enough):]...)
	f.tail = f.tail[max(0, len(f.tail)-enough):]
}

// pop3Line ends a line. Only CRLF, a dot and CRLF end a reply of several lines:
// RFC 1939 section 3.
func (f *replyFrame) pop3Line(part *replyPart, a *askedCommand) {
	status := bytes.TrimRight(f.head, "\r\n")
	switch {
	case f.multi:
		part.end = f.crlf && f.length == 3 && bytes.Equal(f.head, []byte(".\r\n"))
		part.ok, f.multi = part.end, !part.end
	case bytes.HasPrefix(status, []byte("+ ")) || string(status) == "+":
		// RFC 5034 section 4: a challenge.
	default:
		part.ok = bytes.HasPrefix(status, []byte("+OK"))
		f.multi = part.ok && a != nil && a.multi
		part.end = !f.multi
	}
	f.crlf = bytes.HasSuffix(f.tail, []byte("\r\n"))
	f.head = f.head[:0]
}

// imapLine ends a line: the response ends too, unless a literal follows.
func (f *replyFrame) imapLine(part *replyPart) {
	tag, rest, _ := bytes.Cut(bytes.TrimRight(f.head, "\r\n"), []byte(" "))
	verb, _, _ := bytes.Cut(rest, []byte(" "))
	switch string(bytes.ToUpper(verb)) {
	case "OK", "NO", "BAD", "BYE", "PREAUTH": // their text may end like anything
		part.ok = string(bytes.ToUpper(verb)) == "OK"
	default:
		if n, _, more := literalAtEnd(f.tail); more {
			f.literal, f.open = n, true
			return
		}
	}
	part.tag, part.end = string(tag), len(tag) > 0 && tag[0] != '+'
	f.open, f.head = false, f.head[:0]
}

// literalAtEnd finds out whether a line announces a literal of n octets, and
// whether its sender waits to be told to go on. RFC 9051 section 4.3.
func literalAtEnd(line []byte) (n int64, waits, more bool) {
	line, ok := bytes.CutSuffix(bytes.TrimRight(line, "\r\n"), []byte("}"))
	open := bytes.LastIndexByte(line, '{')
	if !ok || open < 0 {
		return 0, false, false
	}
	digits, plus := bytes.CutSuffix(line[open+1:], []byte("+"))
	n, err := strconv.ParseInt(string(digits), 10, 64)
	return n, !plus, err == nil && n >= 0
}
