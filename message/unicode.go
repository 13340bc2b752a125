package message

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode/utf32"
)

// utf16Reader makes UTF-8 of UTF-16.
type utf16Reader struct {
	src  source
	big  bool
	rest []byte
	buf  []byte
}

func (r *utf16Reader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		b := r.src.fill(4)
		if len(b) == 0 {
			return 0, r.src.err
		}
		n := min(len(b)&^1, 4096)
		if n == 0 {
			r.src.take(1) // half a character at the end
			r.rest = append(r.buf[:0], "\ufffd"...)
			break
		}
		if n > 2 && !r.src.ended() && utf16.IsSurrogate(r.unit(b[n-2:])) {
			n -= 2 // with its other half
		}
		r.rest = r.decode(r.src.take(n))
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *utf16Reader) unit(b []byte) rune {
	if r.big {
		return rune(b[0])<<8 | rune(b[1])
	}
	return rune(b[1])<<8 | rune(b[0])
}

func (r *utf16Reader) decode(b []byte) []byte {
	out := slices.Grow(r.buf[:0], len(b)/2*3) // of two octets, three at most
	for i := 0; i+1 < len(b); i += 2 {
		c := r.unit(b[i:])
		if utf16.IsSurrogate(c) && i+3 < len(b) {
			if pair := utf16.DecodeRune(c, r.unit(b[i+2:])); pair != utf8.RuneError {
				c = pair
				i += 2
			}
		}
		out = utf8.AppendRune(out, c)
	}
	r.buf = out
	return out
}

func isWide(name string) bool {
	return strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32") || name == "utf16" || name == "unicode" || name == "iso-10646-ucs-2" || name == "ucs-2"
}

// wide decodes UTF-16 and UTF-32, with the byte order that a mark says, else
// the one that the name says, else big endian. RFC 2781.
func wide(name string, b []byte) (string, bool) {
	if len(b)%2 != 0 && len(bytes.TrimRight(b, "\r\n")) == len(b) || utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 {
		return "", false // it only says so
	}
	if strings.HasPrefix(name, "utf-32") {
		order := utf32.BigEndian
		if strings.HasSuffix(name, "le") {
			order = utf32.LittleEndian
		}
		out, err := utf32.UTF32(order, utf32.UseBOM).NewDecoder().Bytes(b)
		return strings.ToValidUTF8(string(out), "\ufffd"), err == nil
	}
	r := utf16Reader{big: !strings.HasSuffix(name, "le")}
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		r.big, b = false, b[2:]
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		r.big, b = true, b[2:]
	case !strings.HasSuffix(name, "le") && !strings.HasSuffix(name, "be"):
		r.big = bigEndian(b)
	}
	return string(r.decode(b)), true
}

// bigEndian guesses the byte order by where the zeros are.
func bigEndian(b []byte) bool {
	var zeros [2]int
	for i, c := range b[:min(len(b), 1000)] {
		if c == 0 {
			zeros[i%2]++
		}
	}
	return zeros[0] >= zeros[1]
}

func isUTF7(name string) bool {
	return name == "utf-7" || name == "utf7" || name == "unicode-1-1-utf-7"
}

// decodeUTF7 decodes UTF-7, RFC 2152.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	var octets []byte
	units := utf16Reader{big: true}
	for len(b) > 0 {
		i := bytes.IndexByte(b, '+')
		if i < 0 {
			i = len(b)
		}
		out.Write(b[:i])
		if i == len(b) {
			break
		}
		b = b[i+1:]
		n := 0
		for n < len(b) && sextets[b[n]] < 64 {
			n++
		}
		if n == 0 {
			out.WriteByte('+')
			if len(b) > 0 && b[0] == '-' {
				b = b[1:]
			}
			continue
		}
		octets, _ = base64.RawStdEncoding.AppendDecode(octets[:0], b[:n])
		out.Write(units.decode(octets))
		b = b[n:]
		if len(b) > 0 && b[0] == '-' {
			b = b[1:]
		}
	}
	return strings.ToValidUTF8(out.String(), "\ufffd")
}
