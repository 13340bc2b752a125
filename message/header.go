package message

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

const maxHeader = 1 << 20 // octets

// header holds the fields that an envelope is made of, by their names in
// lower case, in order, unfolded and not decoded.
type header map[string][]string

var wanted = map[string]bool{
	"from": true, "sender": true, "reply-to": true,
	"to": true, "cc": true, "bcc": true,
	"subject": true, "date": true,
	"message-id": true, "in-reply-to": true, "references": true,
	"content-type": true, // for its charset
}

// readHeader reads fields up to an empty line, the end or the limit. A line
// that is no field is passed over, with the lines that continue it, and so is
// what is before the first field: empty lines, a byte order mark, the From_
// line of an mbox.
func readHeader(r io.Reader) (header, error) {
	h := make(header)
	lines := &lineReader{r: bufio.NewReader(r), left: maxHeader}
	var name string // of the field that is being read; empty if unwanted
	var value []byte
	end := func() {
		if name != "" {
			h[name] = append(h[name], string(value))
		}
		name, value = "", nil
	}
	for begun := false; ; {
		line, err := lines.next()
		if err == io.EOF || err == nil && len(line) == 0 && begun {
			end()
			return h, nil
		}
		if err != nil {
			return nil, err
		}
		if !begun {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		} else if line[0] == ' ' || line[0] == '\t' {
			if name != "" {
				value = append(value, line...)
			}
			continue
		}
		end()
		begun = begun || len(line) > 0
		key, rest, ok := bytes.Cut(line, []byte(":"))
		if key := strings.ToLower(string(bytes.TrimSpace(key))); ok && wanted[key] {
			name, value = key, bytes.Clone(rest)
		}
	}
}

// first returns the first field of a name that is not blank.
func (h header) first(name string) string {
	for _, v := range h[name] {
		if strings.TrimSpace(v) != "" {
			return v
		}
	}
	return ""
}

// charset returns the charset of the message's text, if it says so.
func (h header) charset() string {
	const param = "charset="
	v := strings.ToLower(h.first("content-type"))
	i := strings.Index(v, param)
	if i < 0 {
		return ""
	}
	v = strings.TrimLeft(v[i+len(param):], " \t\"'")
	if i = strings.IndexAny(v, " \t\"';"); i >= 0 {
		v = v[:i]
	}
	return v
}

// lineReader reads lines, however long, until so many octets are left.
type lineReader struct {
	r    *bufio.Reader
	left int
	long []byte
}

// next returns a line without its end, LF or CRLF. The last may have none.
func (l *lineReader) next() ([]byte, error) {
	l.long = l.long[:0]
	for l.left > 0 {
		part, err := l.r.ReadSlice('\n')
		part = part[:min(len(part), l.left)]
		l.left -= len(part)
		switch {
		case err == bufio.ErrBufferFull && l.left > 0:
			l.long = append(l.long, part...)
			continue
		case err == bufio.ErrBufferFull, err == io.EOF && len(part)+len(l.long) > 0:
			err = nil
		}
		if len(l.long) > 0 {
			l.long = append(l.long, part...)
			part = l.long
		}
		return bytes.TrimRight(part, "\r\n"), err
	}
	return nil, io.EOF
}
