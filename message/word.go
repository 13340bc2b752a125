package message

import (
	"strings"
	"unicode"
)

// decoder makes text for people from what a header section holds.
type decoder struct {
	fallback string // the charset of octets that are not UTF-8; may be empty
	most     int    // octets that may come out, about; 0 for no bound
}

// text decodes an unstructured field.
func (d decoder) text(s string) string { return clean(d.words(s)) }

// words decodes the encoded words in s (RFC 2047), also those that break its
// rules: beside other text, with spaces in them, without an end, with a
// character that is split between two words. What is beside them may be octets
// in any charset, and so may what is in them.
func (d decoder) words(s string) string {
	var out strings.Builder
	var octets []byte // of adjacent words in the charset of last
	var last encodedWord
	done := 0 // s[:done] is in out or octets
	flush := func() {
		if last.charset != "" {
			out.WriteString(d.charset(last.charset, octets))
		}
		last, octets = encodedWord{}, octets[:0]
	}
	for at := 0; ; {
		i := strings.Index(s[at:], "=?")
		if i < 0 {
			break
		}
		at += i
		w, ok := parseWord(s[at:])
		if !ok {
			at += 2
			continue
		}
		between := s[done:at]
		if last.charset == "" || strings.TrimSpace(between) != "" {
			flush()
			out.WriteString(d.raw(between))
		} else if !strings.EqualFold(last.charset, w.charset) {
			flush()
		}
		last, octets = w, w.decode(octets)
		at += w.length
		done = at
	}
	flush()
	out.WriteString(d.raw(s[done:]))
	return out.String()
}

// encodedWord is =?charset?encoding?text?=
type encodedWord struct {
	charset  string
	encoding byte // 'b' or 'q'
	text     string
	length   int
}

const maxCharsetName = 60

// parseWord parses the encoded word that s begins with.
func parseWord(s string) (encodedWord, bool) {
	var w encodedWord
	head, _, _ := strings.Cut(s[2:min(len(s), 2+maxCharsetName)], "?")
	w.charset, _, _ = strings.Cut(head, "*") // without a language, RFC 2231 section 5
	at := 2 + len(head)
	if w.charset == "" || strings.ContainsFunc(w.charset, notInCharsetName) || len(s) < at+3 || s[at] != '?' || s[at+2] != '?' {
		return w, false
	}
	switch w.encoding = s[at+1] | 0x20; w.encoding {
	case 'b', 'q':
	default:
		return w, false
	}
	at += 3
	for i := at; ; i++ {
		next := strings.IndexByte(s[i:], '?')
		if next < 0 {
			break
		}
		i += next
		if i+1 < len(s) && s[i+1] == '=' {
			w.text, w.length = s[at:i], i+2
			return w, true
		}
		if i > at && s[i-1] == '=' { // the next word begins: this one has no end
			w.text, w.length = strings.TrimRight(s[at:i-1], " \t"), i-1
			return w, true
		}
	}
	// No end at all: a header that was cut off.
	end := strings.IndexAny(s[at:], " \t")
	if end < 0 {
		end = len(s) - at
	}
	w.text, w.length = s[at:at+end], at+end
	return w, end > 0
}

func notInCharsetName(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>@,;:\"/[]?=", r)
}

// decode appends the octets that the word stands for.
func (w encodedWord) decode(b []byte) []byte {
	if w.encoding == 'b' {
		return appendBase64(b, w.text)
	}
	for i := 0; i < len(w.text); i++ {
		c := w.text[i]
		switch {
		case c == '_':
			c = ' '
		case c == '=' && i+2 < len(w.text) && unhex(w.text[i+1]) < 16 && unhex(w.text[i+2]) < 16:
			c = unhex(w.text[i+1])<<4 | unhex(w.text[i+2])
			i += 2
		}
		b = append(b, c)
	}
	return b
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// appendBase64 decodes base64, passing over what is none, with or without
// padding, also after it.
func appendBase64(b []byte, s string) []byte {
	var bits uint32
	n := 0
	for i := 0; i < len(s); i++ {
		switch v := sextets[s[i]]; {
		case s[i] == '=':
			n = 0
		case v < 64:
			bits = bits<<6 | uint32(v)
			if n += 6; n >= 8 {
				n -= 8
				b = append(b, byte(bits>>n))
			}
		}
	}
	return b
}

// clean makes one line of s, without control characters. Its argument is
// valid UTF-8.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
}
