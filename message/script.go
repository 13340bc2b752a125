package message

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// script is a way of writing that has an octet for each letter, and octets in
// which no other encoding has as many of its own.
type script struct {
	enc     encoding.Encoding
	letters string // ranges: pairs of the first and the last
	common  string // the letters that most of a text are
	share   int    // percent of the octets beyond ASCII that are common, at least
	least   int    // octets beyond ASCII that a text has, at least
	// spelled tells whether the letters are where the script has them.
	spelled func(s string) bool
}

var scripts = []script{
	{charmap.Windows874, "\xa1\xda\xdf\xfb", "\xa1\xa4\xa7\xb4\xb5\xb7\xb9\xba\xbb\xc1\xc2\xc3\xc5\xc7\xca\xcb\xcd\xd0\xd1\xd2\xd4\xd5\xe0\xe1\xe8\xe9", 75, 16, thai},
	{charmap.Windows1255, "\xe0\xfa", "\xe0\xe1\xe4\xe5\xe9\xec\xee\xf8\xfa\xf9\xf0\xed", 60, detectLeast, hebrew},
	{charmap.Windows1256, "\xc1\xd6\xd8\xdf\xe1\xe1\xe3\xe6\xec\xed\xf0\xf3", "\xc7\xe1\xed\xe3\xe6\xe4\xca\xd1", 45, 10, article("\xc7\xe1")},
	{charmap.ISO8859_6, "\xc1\xda\xe0\xea\xeb\xf2", "\xc7\xe4\xea\xe5\xe8\xe6\xca\xd1", 45, 10, article("\xc7\xe4")},
}

// detectScript knows Thai, Hebrew and Arabic.
func detectScript(s string) encoding.Encoding {
	var counts [256]int
	high, runs := 0, 0
	for i := range len(s) {
		c := s[i]
		counts[c]++
		if c >= 0x80 {
			high++
			if i == 0 || s[i-1] < 0x80 {
				runs++
			}
		}
	}
	if high < 2*runs {
		return nil // letters with accents in words of others
	}
	for _, sc := range scripts {
		letters, common := 0, 0
		for i := 0; i < len(sc.letters); i += 2 {
			for c := int(sc.letters[i]); c <= int(sc.letters[i+1]); c++ {
				letters += counts[c]
			}
		}
		for i := range len(sc.common) {
			common += counts[sc.common[i]]
		}
		const punctuation = 5 // percent, beyond ASCII
		if high >= sc.least && letters*100 >= high*(100-punctuation) && common*100 >= high*sc.share && sc.spelled(s) {
			return sc.enc
		}
	}
	return nil
}

// thai: signs are above and below consonants, and some vowels are before them.
func thai(s string) bool {
	consonant := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= 0xa1 && s[i] <= 0xce }
	vowelSign := func(i int) bool { return i >= 0 && (s[i] == 0xd1 || s[i] >= 0xd4 && s[i] <= 0xda) }
	high, signs, bad := 0, 0, 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 {
			high++
		}
		switch {
		case vowelSign(i):
			signs++
			if !consonant(i - 1) {
				bad++
			}
		case c >= 0xe7 && c <= 0xee:
			signs++
			if !consonant(i-1) && !vowelSign(i-1) {
				bad++
			}
		case c >= 0xe0 && c <= 0xe4 && !consonant(i+1):
			bad++
		}
	}
	const least, most = 10, 4 // percent
	return signs*100 >= high*least && bad*100 <= high*most
}

// hebrew: five letters have a form that is only at the end of words, where
// their usual form is not.
func hebrew(s string) bool {
	finals, within := 0, 0
	for i := range len(s) {
		if strings.IndexByte("\xea\xed\xef\xf3\xf5", s[i]) < 0 {
			continue
		}
		finals++
		if i+1 < len(s) && s[i+1] >= 0xe0 {
			within++
		}
	}
	return finals > 0 && within*20 <= finals
}

// article tells whether words begin with the article of Arabic.
func article(al string) func(s string) bool {
	return func(s string) bool {
		words, with := 0, 0
		for i := range len(s) {
			if s[i] < 0x80 || i > 0 && s[i-1] >= 0x80 {
				continue
			}
			words++
			// It may be behind a letter that is a word: and, in, with.
			if strings.HasPrefix(s[i:], al) || strings.HasPrefix(s[i+1:], al) {
				with++
			}
		}
		return with*10 >= words
	}
}
