package message

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// aliases are names of charsets, and charsets, that mail uses and the tables
// of x/text lack.
var aliases = map[string]encoding.Encoding{
	"cp932":          japanese.ShiftJIS,
	"iso-2022-jp-2":  japanese.ISO2022JP,
	"cp949":          korean.EUCKR,
	"cp936":          simplifiedchinese.GB18030,
	"gb2312":         simplifiedchinese.GB18030, // a superset: what is called gb2312 seldom is just that
	"gbk":            simplifiedchinese.GB18030,
	"hz-gb-2312":     simplifiedchinese.HZGB2312,
	"iso-8859-8-i":   charmap.ISO8859_8,
	"8859-1":         charmap.Windows1252,
	"latin-1":        charmap.Windows1252,
	"us-ascii":       nil, // as is everything that calls itself ASCII and is not
	"ascii":          nil,
	"utf-8":          nil,
	"utf8":           nil,
	"ansi_x3.4-1968": nil,
}

// charset decodes octets that are said to be in a charset. A label that is
// unknown or cannot be right does not count.
func (d decoder) charset(name string, b []byte) string {
	name = charsetName(name)
	enc := lookup(name)
	switch {
	case isUTF7(name):
		return decodeUTF7(b)
	case isWide(name):
		if text, ok := wide(name, b); ok {
			return text
		}
		return d.raw(string(b))
	case enc == nil || enc == charmap.Windows1252 && utf8.Valid(b):
		return d.raw(string(b)) // what can be UTF-8 and is not ASCII hardly ever is anything else
	}
	text, _ := d.labelled(enc, b)
	return text
}

// labelled decodes octets that are said to be in an encoding, and tells whether
// they are. Where much of them is not, they are taken for UTF-8 or for what
// they look like.
func (d decoder) labelled(enc encoding.Encoding, b []byte) (text string, right bool) {
	src, right := b, true
	if enc == japanese.ISO2022JP {
		src = endShifts(b)
		right = len(src) == len(b)
	}
	out, err := d.convert(enc, src)
	if err != nil {
		return d.raw(string(b)), false
	}
	bad := bytes.Count(out, []byte("\ufffd"))
	if bad*20 > len(out) {
		if utf8.Valid(b) {
			return string(b), false
		}
		if other := detect(string(b)); other != nil && other != enc {
			if text, err := d.convert(other, b); err == nil {
				out = text
			}
		}
	}
	return strings.ToValidUTF8(string(out), "\ufffd"), right && bad == 0
}

// convert decodes octets until there are more than may come out.
func (d decoder) convert(enc encoding.Encoding, b []byte) ([]byte, error) {
	t := enc.NewDecoder()
	out := make([]byte, 0, len(b)+len(b)/4+utf8.UTFMax)
	for {
		n, took, err := t.Transform(out[len(out):cap(out)], b, true)
		out, b = out[:len(out)+n], b[took:]
		if err != transform.ErrShortDst {
			return out, err
		}
		if d.most > 0 && len(out) > d.most {
			return out, nil
		}
		out = slices.Grow(out, len(out)/2+utf8.UTFMax)
	}
}

// charsetName returns a name as the tables have it.
func charsetName(label string) string { return strings.ToLower(strings.Trim(label, " \t\"';")) }

// raw decodes octets that nothing is said of.
func (d decoder) raw(s string) string {
	if text, ok := shifted(s); ok {
		return text
	}
	if strings.Contains(s, "\x1b$") || strings.Contains(s, "\x1b(J") {
		if text, err := d.convert(japanese.ISO2022JP, endShifts([]byte(s))); err == nil {
			return strings.ToValidUTF8(string(text), "\ufffd")
		}
	}
	if utf8.ValidString(s) || mostlyUTF8(s) {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	enc := lookup(d.fallback)
	if enc == nil {
		enc = detect(s)
	}
	if enc == nil {
		enc = charmap.Windows1252
	}
	text, err := d.convert(enc, []byte(s))
	if err != nil {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	return strings.ToValidUTF8(string(text), "\ufffd")
}

// mostlyUTF8 tells whether s is UTF-8 that was damaged, or cut off within a
// character.
func mostlyUTF8(s string) bool {
	good, bad := 0, 0
	for i, r := range s {
		switch {
		case !utf8.FullRuneInString(s[i:]): // the end
			return good > 4*bad
		case r == utf8.RuneError:
			bad++
		case r >= utf8.RuneSelf:
			good++
		}
	}
	return good > 4*bad
}

// lookup returns the encoding of a name, or nil if it is unknown or UTF-8.
func lookup(name string) encoding.Encoding {
	name = charsetName(name)
	if enc, ok := aliases[name]; ok {
		return enc
	}
	enc, err := htmlindex.Get(name)
	if err != nil {
		enc, err = ianaindex.MIME.Encoding(name)
	}
	if err != nil {
		enc, err = ianaindex.MIME.Encoding("cs" + name)
	}
	if err != nil || enc == encoding.Replacement {
		return nil
	}
	return enc
}

// eightBit returns where the first octet beyond ASCII is, or -1.
func eightBit(b []byte) int {
	i := 0
	for ; i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 == 0; i += 8 {
	}
	for ; i < len(b); i++ {
		if b[i] >= 0x80 {
			return i
		}
	}
	return -1
}
