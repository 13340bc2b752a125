package message

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Preview returns the beginning of the text on one line, of at most n
// characters, for a list of messages: without quotes, without what nobody
// sees, and without the signature. A cut is between words, if there is a
// space, and ends in an ellipsis. It reads the message as Text does, but makes
// no more text of HTML than it needs.
func (m *Message) Preview(n int) (string, error) {
	b, err := m.read()
	if err != nil {
		return "", err
	}
	const first = 16 << 10
	for octets := first; ; octets *= 4 { // invisible characters may be before the text
		text, whole := b.joined(octets, m.shared.o.Unflow)
		if p, full := preview(text, n); full || whole {
			return p, nil
		}
	}
}

// preview tells also whether more text would not change it.
func preview(text string, n int) (p string, full bool) {
	var out strings.Builder
	count := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "-- " {
			return out.String(), true
		}
		if strings.HasPrefix(line, ">") {
			continue
		}
		for _, word := range strings.FieldsFunc(line, unseen) {
			length := utf8.RuneCountInString(word)
			if count > 0 {
				length++
			}
			if count+length > n {
				return cut(out.String(), word, n-count), true
			}
			if count > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(word)
			count += length
		}
	}
	return out.String(), false
}

// cut ends a preview that has room for room characters more, where word does
// not fit.
func cut(s, word string, room int) string {
	switch {
	case s == "" && room > 0:
		return before([]rune(word), room-1) + "…"
	case room < 1 && s != "":
		all := []rune(s)
		s = before(all, len(all)-1)
	case s == "":
		return ""
	}
	return s + "…"
}

// before returns what is before the character at n, or before the one that it
// belongs to: a letter keeps its accents, and a picture its parts.
func before(all []rune, n int) string {
	const joiner = '\u200d'
	for n > 0 && (all[n] == joiner || all[n-1] == joiner || unicode.Is(unicode.M, all[n]) || unicode.Is(unicode.Sk, all[n]) && all[n] > 0xffff) {
		n--
	}
	return string(all[:n])
}

// unseen tells whether a character has no ink: HTML mail pads its previews
// with them.
func unseen(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d' || r == '\u034f' || r == '\u115f' || r == '\u3164'
}
