package message

import (
	"strings"
	"time"
)

// The fields of an envelope one at a time, for those who learn them from
// elsewhere than a header section, as from IMAP's ENVELOPE. Each is read as
// [ReadEnvelope] reads it, in time that is proportional to its length.

// DecodeText decodes words that are meant for people: RFC 2047, and octets in
// no known charset. The result is one line of valid UTF-8 without control
// characters.
func DecodeText(s string) string {
	if isPlain(s) {
		return strings.TrimSpace(s)
	}
	return decoder{}.text(s)
}

// DecodeCharset decodes octets that are said to be in a charset, as
// [DecodeText] does. A charset that is unknown or cannot be right does not
// count.
func DecodeCharset(charset, octets string) string {
	return clean(decoder{}.charset(charset, []byte(octets)))
}

// ParseDate parses a date (RFC 5322 section 3.3), and what else is seen as
// one. It returns the zero time for what is none.
func ParseDate(s string) time.Time { return parseDate(s) }

// ParseIdentifiers returns the message identifiers in s (RFC 5322 section
// 3.6.4) without their angle brackets.
func ParseIdentifiers(s string) []string { return decoder{}.identifiers(s) }

// isPlain tells whether s is printable ASCII without an encoded word.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '=' && i+1 < len(s) && s[i+1] == '?' {
			return false
		}
	}
	return true
}
