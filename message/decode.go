package message

import (
	"io"
	"strings"
	"time"
)

// The fields of a header, and the bodies of parts, one at a time: for those who
// learn them from elsewhere than a message, as from IMAP's ENVELOPE and
// BODYSTRUCTURE. Each is read as [Read] reads it, in time that is proportional
// to its length.

// DecodeText decodes words that are meant for people: RFC 2047, and octets in
// no known charset. The result is one line of valid UTF-8 without control
// characters.
func DecodeText(s string) string {
	if isPlain(s) {
		return strings.TrimSpace(s)
	}
	return decoder{}.text(s)
}

// DecodeCharset decodes octets that are said to be in a charset, as
// [DecodeText] does. A charset that is unknown or cannot be right does not
// count.
func DecodeCharset(charset, octets string) string {
	return clean(decoder{}.charset(charset, []byte(octets)))
}

// ParseDate parses a date (RFC 5322 section 3.3), and what else is seen as
// one. It returns the zero time for what is none.
func ParseDate(s string) time.Time { return parseDate(s) }

// ParseIdentifiers returns the message identifiers in s (RFC 5322 section
// 3.6.4) without their angle brackets.
func ParseIdentifiers(s string) []string { return decoder{}.identifiers(s) }

// isPlain tells whether s is printable ASCII without an encoded word.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}

// DecodeParameters decodes the parameters of a Content-Type or
// Content-Disposition: pairs of a name and a value as they are written, such
// as name*0*, in any order (RFC 2231), with encoded words where they do not
// belong (RFC 2047). The result is by names in lower case, nil if there are
// none. Of several with one name the first counts.
func DecodeParameters(pairs [][2]string) map[string]string {
	var list []parameter
	for _, pair := range pairs {
		if p := newParameter(DecodeText(pair[0]), pair[1]); p.name != "" {
			list = append(list, p)
		}
	}
	return decoder{}.joined(list)
}

// DecodeTransfer returns a reader of what r is in a transfer encoding (RFC
// 2045 section 6), as [Part.Read] decodes: leniently, so that no content is an
// error. What is in an encoding that is not known comes as it is.
func DecodeTransfer(r io.Reader, encoding string) io.Reader {
	name, _ := encodingName(encoding)
	t := newTransfer(name)
	if t == nil {
		return r
	}
	return &transferReader{r: r, t: t}
}

type transferReader struct {
	r   io.Reader
	t   transfer
	in  [4 << 10]byte
	buf []byte
	out []byte // what is left of buf
	err error
}

func (t *transferReader) Read(p []byte) (int, error) {
	report := func(int, Kind) {}
	for len(t.out) == 0 && len(p) > 0 {
		if t.err != nil {
			return 0, t.err
		}
		n, err := t.r.Read(t.in[:])
		t.buf = t.t.decode(t.buf[:0], t.in[:n], report)
		if err == io.EOF {
			t.buf = t.t.end(t.buf, report)
		}
		t.out, t.err = t.buf, err
	}
	n := copy(p, t.out)
	t.out = t.out[n:]
	return n, nil
}
