package pop3server

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// message finds the message with the number arg that is not marked as
// deleted, or says why there is none.
func (t *session) message(arg string) (int, *Message) {
	n, err := strconv.Atoi(strings.TrimSpace(arg))
	if err != nil || n < 1 || n > len(t.drop) || t.deleted[n-1] {
		t.err("no such message")
		return 0, nil
	}
	return n - 1, t.drop[n-1]
}

func (t *session) stat() (n, size int) {
	for i, m := range t.drop {
		if !t.deleted[i] {
			n, size = n+1, size+t.maildrop.Size(m)
		}
	}
	return n, size
}

// list answers LIST or UIDL, for one message or all.
func (t *session) list(arg string, of func(*Message) string) {
	if arg != "" {
		if i, m := t.message(arg); m != nil {
			t.ok(fmt.Sprintf("%d %s", i+1, of(m)))
		}
		return
	}
	t.ok("")
	for i, m := range t.drop {
		if !t.deleted[i] {
			t.w.WriteString(strconv.Itoa(i+1) + " " + of(m) + "\r\n")
		}
	}
	t.w.WriteString(".\r\n")
}

// top answers TOP: the header section, the blank line and that many lines of
// the body. RFC 1939 section 7.
func (t *session) top(arg string) {
	num, lines, _ := strings.Cut(arg, " ")
	k, err := strconv.Atoi(strings.TrimSpace(lines))
	if err != nil || k < 0 {
		t.err("TOP needs a number of lines")
		return
	}
	_, m := t.message(num)
	if m == nil {
		return
	}
	rest, inBody := m.Data, false
	for len(rest) > 0 && (!inBody || k > 0) {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			end = len(rest)
		}
		line := rest[:end]
		if rest = rest[end:]; inBody {
			k--
		} else if len(bytes.TrimRight(line, "\r\n")) == 0 {
			inBody = true
		}
	}
	t.ok("")
	t.body(m.Data[:len(m.Data)-len(rest)])
}

// body sends data dot-stuffed and ended. Only CRLF ends a line; a last line
// without one gets it. RFC 1939 section 3.
func (t *session) body(data []byte) {
	ended := len(data) == 0 || bytes.HasSuffix(data, []byte("\r\n"))
	if len(data) > 0 && data[0] == '.' {
		t.w.WriteByte('.')
	}
	for {
		i := bytes.Index(data, []byte("\r\n."))
		if i < 0 {
			break
		}
		t.w.Write(data[:i+3])
		t.w.WriteByte('.')
		data = data[i+3:]
	}
	t.w.Write(data)
	if !ended {
		t.w.WriteString("\r\n")
	}
	t.w.WriteString(".\r\n")
}
