package message

import (
	"bytes"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// shifted decodes ISO-2022-KR (RFC 1557) and ISO-2022-CN (RFC 1922), if s says
// that it is one of them: seven bits, where SO begins and SI ends characters of
// two octets. Of ISO-2022-CN it knows GB 2312; the rest becomes U+FFFD.
func shifted(s string) (text string, ok bool) {
	at := strings.Index(s, "\x1b$)")
	if at < 0 || at+3 == len(s) || strings.IndexByte(s, '\x0e') < 0 {
		return "", false
	}
	var out strings.Builder
	var enc encoding.Encoding
	out.WriteString(s[:at])
	out.Grow(len(s) - at)
	for s = s[at:]; s != ""; {
		switch {
		case strings.HasPrefix(s, "\x1b$") && len(s) >= 4: // ESC $ ) C
			enc = designated(s[2:4])
			s = s[4:]
			continue
		case s[0] == '\x0f':
			s = s[1:]
			continue
		case s[0] != '\x0e':
			n := strings.IndexAny(s, "\x0e\x0f\x1b")
			switch {
			case n < 0:
				n = len(s)
			case n == 0: // another escape
				n = 1
			}
			out.WriteString(s[:n])
			s = s[n:]
			continue
		}
		s = s[1:]
		n := strings.IndexAny(s, "\x0e\x0f\x1b\r\n") // the end of a line ends it, too
		if n < 0 {
			n = len(s)
		}
		out.WriteString(eightBits(enc, s[:n]))
		s = s[n:]
	}
	return strings.ToValidUTF8(out.String(), "\ufffd"), true
}

// designated returns the encoding that has the set of an escape with the eighth
// bit set, or nil.
func designated(set string) encoding.Encoding {
	switch set {
	case ")C":
		return korean.EUCKR
	case ")A":
		return simplifiedchinese.GBK
	}
	return nil
}

// eightBits decodes octets that lack their eighth bit.
func eightBits(enc encoding.Encoding, s string) string {
	b := []byte(s)
	for i, c := range b {
		if c > ' ' {
			b[i] = c | 0x80
		}
	}
	if enc != nil {
		if text, err := enc.NewDecoder().Bytes(b); err == nil {
			return string(text)
		}
	}
	return strings.Repeat("\ufffd", (len(b)+1)/2)
}

// endShifts ends each line of ISO-2022-JP in ASCII: RFC 1468 wants that, and
// the decoder would take a line break for half a character.
func endShifts(b []byte) []byte {
	var out []byte
	from := 0 // of what is not yet in out
	for at := 0; at < len(b); {
		line := lineAt(b, at)
		bare := bytes.TrimRight(line, "\r\n")
		if i := bytes.LastIndexByte(bare, '\x1b'); i >= 0 && len(bare) < len(line) {
			if e := bare[i+1:]; bytes.HasPrefix(e, []byte("$")) || bytes.HasPrefix(e, []byte("(I")) {
				out = append(append(doubled(out, len(b)/8), b[from:at+len(bare)]...), "\x1b(B"...)
				from = at + len(bare)
			}
		}
		at += len(line)
	}
	if out == nil {
		return b
	}
	return append(out, b[from:]...)
}
