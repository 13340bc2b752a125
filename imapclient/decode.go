package imapclient

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// decode returns a reader of what r is in a transfer encoding (RFC 2045
// section 6). It takes what is not quite in it too: whatever was meant comes
// out, and no content is an error.
func decode(r io.Reader, encoding string) io.Reader {
	switch strings.Trim(strings.ToLower(encoding), " \t\"'") {
	case "base64", "b":
		return &base64Reader{r: r}
	case "quoted-printable", "quotedprintable", "q":
		return &quotedReader{r: bufio.NewReaderSize(r, 4<<10)}
	}
	return r
}

// base64Reader decodes base64 and passes over what is none. Padding may be
// missing, and more may be behind it.
type base64Reader struct {
	r    io.Reader
	buf  [4 << 10]byte
	bits uint32
	n    int // of bits
}

// base64Values are the values of digits; 64 is padding, 65 anything else.
var base64Values = func() (v [256]byte) {
	for i := range v {
		v[i] = 65
	}
	for i, ch := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		v[ch] = byte(i)
	}
	v['='] = 64
	return v
}()

func (b *base64Reader) Read(p []byte) (int, error) {
	for len(p) > 0 {
		// As many as are sure to have room.
		k, err := b.r.Read(b.buf[:min(len(b.buf), len(p))])
		n := 0
		for _, ch := range b.buf[:k] {
			v := base64Values[ch]
			if v > 63 {
				if v == 64 {
					b.n = 0
				}
				continue
			}
			b.bits = b.bits<<6 | uint32(v)
			if b.n += 6; b.n >= 8 {
				b.n -= 8
				p[n] = byte(b.bits >> b.n)
				n++
			}
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// quotedReader decodes quoted-printable. An = that begins nothing stands for
// itself.
type quotedReader struct {
	r    *bufio.Reader
	line []byte
	held []byte // the end of a piece of a line, which may mean something with the next
	out  []byte
	err  error
}

func (q *quotedReader) Read(p []byte) (int, error) {
	for len(q.out) == 0 {
		if q.err != nil {
			return 0, q.err
		}
		q.fill()
	}
	n := copy(p, q.out)
	q.out = q.out[n:]
	return n, nil
}

// fill decodes a line, or a piece of a long one.
func (q *quotedReader) fill() {
	piece, err := q.r.ReadSlice('\n')
	q.line = append(append(q.line[:0], q.held...), piece...)
	q.held = q.held[:0]
	line := q.line
	text := bytes.TrimRight(line, " \t\r\n")
	end := line[len(text):]
	switch {
	case err == bufio.ErrBufferFull:
		const most = 1 << 10 // of white space that is held back
		cut := len(line)
		if len(end) < most {
			cut = len(text)
			if i := bytes.LastIndexByte(text[max(0, cut-2):], '='); i >= 0 {
				cut = max(0, cut-2) + i
			}
		}
		q.held = append(q.held, line[cut:]...)
		text, end = line[:cut], nil
	case err != nil:
		q.err = err
	}
	if i := bytes.IndexAny(end, "\r\n"); i >= 0 {
		end = end[i:] // white space at the end of a line was put there on the way
	}
	soft := len(text) > 0 && text[len(text)-1] == '=' && err != bufio.ErrBufferFull
	if soft {
		text, end = text[:len(text)-1], nil
	}
	out := line[:0] // it becomes no longer
	for i := 0; i < len(text); i++ {
		if text[i] == '=' && i+2 < len(text) {
			hi, lo := unhex(text[i+1]), unhex(text[i+2])
			if hi|lo < 16 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	q.out = append(out, end...)
}

// unhex returns 255 for what is no digit.
func unhex(ch byte) byte {
	switch {
	case '0' <= ch && ch <= '9':
		return ch - '0'
	case 'a' <= ch|0x20 && ch|0x20 <= 'f':
		return ch | 0x20 - 'a' + 10
	}
	return 255
}
