package message

import (
	"bytes"
	"slices"
)

// base64Transfer undoes base64, RFC 2045 section 6.8. What is no base64 is
// passed over. After padding, whole lines of base64 go on; with the first
// other line it is at its end.
type base64Transfer struct {
	bits   uint32
	n      int  // characters in bits, less than four
	padded bool // padding was seen: the rest is looked at in lines
	over   bool
	line   []byte
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// sextets are the values of characters: 64 for padding, 65 for white space, 66
// for what is none.
var sextets = func() (t [256]byte) {
	for i := range t {
		t[i] = 66
	}
	for i, c := range []byte(base64Alphabet) {
		t[c] = byte(i)
	}
	t['='] = 64
	for _, c := range " \t\r\n" {
		t[c] = 65
	}
	return t
}()

func (d *base64Transfer) decode(dst, src []byte, report func(int, Kind)) []byte {
	for at := 0; at < len(src); {
		if d.over {
			if len(bytes.TrimSpace(src[at:])) > 0 {
				report(at, AfterBase64)
			}
			return dst
		}
		if d.padded {
			dst, at = d.after(dst, src, at, report)
			continue
		}
		dst, at = d.groups(dst, src, at, report)
	}
	return dst
}

// groups decodes up to padding.
func (d *base64Transfer) groups(dst, src []byte, at int, report func(int, Kind)) ([]byte, int) {
	for at < len(src) {
		if d.n == 0 {
			n := len(dst)
			dst = slices.Grow(dst, (len(src)-at)/4*3+3)
			out := dst[:cap(dst)]
			for in := src[at:]; len(in) >= 4; in = in[4:] {
				a, b, c, e := sextets[in[0]], sextets[in[1]], sextets[in[2]], sextets[in[3]]
				if a|b|c|e >= 64 {
					break
				}
				three := out[n : n+3]
				three[0], three[1], three[2] = a<<2|b>>4, b<<4|c>>2, c<<6|e
				n, at = n+3, at+4
			}
			dst = out[:n]
			if at == len(src) {
				break
			}
		}
		v := sextets[src[at]]
		at++
		switch {
		case v < 64:
			d.bits = d.bits<<6 | uint32(v)
			if d.n++; d.n == 4 {
				dst = append(dst, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
				d.n = 0
			}
		case v == 64 && d.n >= 2:
			dst = d.rest(dst)
			d.padded = true
			return dst, at
		case v == 64 || v == 66:
			report(at-1, BadBase64)
		}
	}
	return dst, at
}

// rest appends the octets of a group that has fewer than four characters.
func (d *base64Transfer) rest(dst []byte) []byte {
	switch d.n {
	case 2:
		dst = append(dst, byte(d.bits>>4))
	case 3:
		dst = append(dst, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.n = 0, 0
	return dst
}

const longestBase64 = 2000 // octets of a line that may go on after padding

// after takes a line after padding.
func (d *base64Transfer) after(dst, src []byte, at int, report func(int, Kind)) ([]byte, int) {
	i := bytes.IndexByte(src[at:], '\n')
	if i < 0 {
		d.line = append(d.line, src[at:]...)
		d.over = len(d.line) > longestBase64
		if d.over {
			report(at, AfterBase64)
		}
		return dst, len(src)
	}
	d.line = append(d.line, src[at:at+i]...)
	return d.continued(dst, func() { report(at, AfterBase64) }), at + i + 1
}

// continued decodes the line after padding if it is base64.
func (d *base64Transfer) continued(dst []byte, over func()) []byte {
	long := len(d.line) > longestBase64
	line := bytes.Trim(d.line, " \t\r")
	d.line = d.line[:0]
	body := bytes.TrimRight(line, "=")
	switch pads := len(line) - len(body); {
	case len(body) == 0: // more padding, or nothing
		return dst
	case len(line)%4 != 0 || long || pads > 2:
		d.over = true
	default:
		for _, c := range body {
			d.over = d.over || sextets[c] >= 64
		}
	}
	if d.over {
		over()
		return dst
	}
	ignore := func(int, Kind) {}
	dst, _ = d.groups(dst, body, 0, ignore)
	d.padded = d.n > 0
	return d.rest(dst)
}

func (d *base64Transfer) end(dst []byte, report func(int, Kind)) []byte {
	if d.padded && !d.over && len(d.line) > 0 {
		dst = d.continued(dst, func() { report(0, AfterBase64) })
	}
	if d.n > 0 {
		report(0, Base64Cut)
	}
	return d.rest(dst)
}

// base64Ahead tells whether what is ahead may be base64: text that only says
// so has words.
func (s *scanner) base64Ahead() bool {
	const sample, share = 300, 20
	b := s.fill(sample + s.window)
	n, _ := s.ahead(b)
	b = bytes.TrimSpace(b[:min(n, sample)])
	bad := 0
	for i, c := range b {
		switch v := sextets[c]; {
		case v == 64:
			return bad*share <= i // what is after the padding does not count
		case v == 66, (c == ' ' || c == '\t') && i+1 < len(b) && sextets[b[i+1]] < 64 && sextets[b[i-1]] < 64:
			bad++
		}
	}
	return bad*share <= len(b)
}
