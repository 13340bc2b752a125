package pop3client

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// parser makes an entry of a line.
type parser func(line []byte) (Entry, error)

func (c *Client) parseStat(r reply) (count int, size int64, err error) {
	f := bytes.Fields(r.text)
	if len(f) >= 2 {
		n, e1 := number(f[0])
		octets, e2 := number(f[1])
		if e1 == nil && e2 == nil && n <= int64(c.opts.MaxMessages) {
			return int(n), octets, nil
		}
	}
	return 0, 0, c.conn.ProtocolError("%q is no count and size, or beyond the limits", c.w.quote(r.text))
}

// parseSize reads "number size" and whatever follows. RFC 1939 section 5.
func parseSize(line []byte) (Entry, error) {
	f := bytes.Fields(line)
	if len(f) < 2 {
		return Entry{}, errors.New("no number and size")
	}
	n, err := messageNumber(f[0])
	if err != nil {
		return Entry{}, err
	}
	size, err := number(f[1])
	if err != nil {
		return Entry{}, errors.New("the size is no number, or too large")
	}
	return Entry{Number: n, Size: size}, nil
}

// parseUID reads "number uid" and no more. RFC 1939 section 7. QUIRK: some
// servers put several spaces between the two, or one behind (K-9 Mail issue
// 3546); some begin each line with "+OK" (K-9 Mail issue 1237).
func parseUID(line []byte) (Entry, error) {
	f := bytes.Split(bytes.Trim(bytes.TrimPrefix(line, []byte("+OK ")), " "), []byte(" "))
	f = slices.DeleteFunc(f, func(s []byte) bool { return len(s) == 0 })
	if len(f) != 2 {
		return Entry{}, errors.New("no number and UID")
	}
	n, err := messageNumber(f[0])
	if err != nil {
		return Entry{}, err
	}
	if bytes.ContainsFunc(f[1], func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Entry{}, errors.New("a control character in the UID")
	}
	return Entry{Number: n, UID: string(f[1]), Size: -1}, nil
}

// parseOne reads the reply to LIST or UIDL for message n. QUIRK: Twisted
// leaves the number out (Twisted issues 9104, 10542).
func parseOne(n int, text []byte, parse parser) (Entry, error) {
	if f := bytes.Fields(text); len(f) == 1 {
		text = fmt.Appendf(nil, "%d %s", n, f[0])
	}
	e, err := parse(text)
	if err == nil && e.Number != n {
		err = fmt.Errorf("message %d was asked for", n)
	}
	return e, err
}

func messageNumber(s []byte) (int, error) {
	n, err := number(s)
	if err != nil || n < 1 || n > 1<<31-1 {
		return 0, errors.New("no message has that number")
	}
	return int(n), nil
}

// number reads digits and nothing else.
func number(s []byte) (int64, error) {
	if len(s) == 0 || s[0] < '0' || s[0] > '9' { // ParseInt takes signs
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(string(s), 10, 64)
}
