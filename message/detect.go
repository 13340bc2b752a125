package message

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

const (
	detectMost  = 64 << 10 // octets that are looked at
	detectLeast = 8        // octets beyond ASCII that say something
)

// detect guesses the encoding of a text that is neither ASCII nor UTF-8 by
// which octets are where: the characters that a language uses most are
// together in its own encoding, and are spread in another. It returns nil if
// nothing speaks for another than the usual one.
func detect(s string) encoding.Encoding {
	s = s[:min(len(s), detectMost)]
	high := 0
	for i := range len(s) {
		if s[i] >= 0x80 {
			high++
		}
	}
	if high < detectLeast {
		return nil
	}
	if e := detectScript(s); e != nil {
		return e
	}
	if e := detectPairs(s); e != nil {
		return e
	}
	return detectAlphabet(s, high)
}

// detectPairs knows the encodings of East Asia, in which one or two octets are
// a character.
func detectPairs(s string) encoding.Encoding {
	var euc, big5, sjis struct{ pairs, common, bad int }
	var kana, hangul, han, lowTrail int
	for i := 0; i < len(s); {
		c := s[i]
		if c < 0x80 {
			i++
			continue
		}
		t := byte(0)
		if i+1 < len(s) {
			t = s[i+1]
		}
		i += 2
		euc.pairs++
		switch {
		case c < 0xa1 || t < 0xa1 || c == 0xff || t == 0xff:
			euc.bad++
		case c == 0xa4 || c == 0xa5:
			kana++
		case c >= 0xb0 && c <= 0xc8:
			hangul++
			han++
		case c >= 0xb0:
			han++
		}
		if c < 0xa1 || c > 0xf9 || t < 0x40 || t > 0x7e && t < 0xa1 || t == 0xff {
			big5.bad++
		} else if c <= 0xc6 {
			big5.common++
		}
		if t < 0x80 {
			lowTrail++
		}
	}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c < 0x80:
			i++
			continue
		case c >= 0xa1 && c <= 0xdf: // half-width katakana, which are rare
			i++
			sjis.pairs++
			continue
		}
		t := byte(0)
		if i+1 < len(s) {
			t = s[i+1]
		}
		i += 2
		sjis.pairs++
		if c == 0x80 || c == 0xa0 || c > 0xfc || t < 0x40 || t == 0x7f || t > 0xfc {
			sjis.bad++
		} else if c >= 0x81 && c <= 0x83 || c >= 0x88 && c <= 0x97 {
			sjis.common++
		}
	}
	n := euc.pairs
	switch {
	case sjis.bad*50 <= sjis.pairs && sjis.common*10 >= sjis.pairs*7:
		return japanese.ShiftJIS
	case euc.bad*50 <= n && kana*5 >= n:
		return japanese.EUCJP
	case euc.bad*50 <= n && hangul*20 >= han*19 && han*3 >= n*2:
		return korean.EUCKR
	case euc.bad*50 <= n && han*3 >= n*2:
		return simplifiedchinese.GB18030
	case big5.bad*50 <= n && big5.common*10 >= n*8 && lowTrail*10 >= n && lowTrail*10 <= n*8:
		return traditionalchinese.Big5
	}
	return nil
}

// detectAlphabet knows Cyrillic and Greek: words of octets beyond ASCII. In
// words of Latin letters, these stand alone.
func detectAlphabet(s string, high int) encoding.Encoding {
	runs, upper, lower, accents := 0, 0, 0, 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 0x80 && (i == 0 || s[i-1] < 0x80):
			runs++
		case c >= 0xdc && c <= 0xdf:
			accents++ // within a word: small letters with accents in Greek
		}
		switch {
		case c >= 0xe0:
			lower++
		case c >= 0xc0:
			upper++
		}
	}
	switch {
	case high < 3*runs || (upper+lower)*10 < high*9:
		return nil
	case accents*25 > high && lower > upper:
		return charmap.Windows1253
	case upper > lower:
		return charmap.KOI8R // whose small letters come first
	}
	return charmap.Windows1251
}
