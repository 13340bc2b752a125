package disk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A mailbox of a Maildir++ tree is a folder of one name, whose levels have a dot
// before each:
//
//	INBOX               the tree's own folder
//	Work/2024           .Work.2024
//	Entwürfe            .Entw&APw-rfe   (or .Entwürfe)
//	a.b/../c            .a\2eb.\2e\2e.c
//
// What is not known to be harmless in a name becomes a backslash and two
// hexadecimal digits for each octet, which Dovecot undoes with its plugin
// listescape. No two mailboxes have the same name.
const (
	harmless  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _-+,=@!()'#"
	emptyName = `\_` // a level without a name
	cutName   = `\~` // a hash follows, of what was too long

	// A file system's names may have 255 octets; mail programs add to them.
	longest   = 200
	longestOf = longest - len(cutName) - 2*16
)

// plusName returns the folder of a mailbox within a Maildir++ tree; empty is the
// tree itself.
func plusName(mailbox, delimiter string, utf8Names bool) string {
	if strings.EqualFold(mailbox, "INBOX") {
		return ""
	}
	var b strings.Builder
	for _, level := range strings.Split(mailbox, delimiter) {
		b.WriteByte('.')
		switch {
		case level == "":
			b.WriteString(emptyName)
		case utf8Names:
			escapeLevel(&b, level, unicode.IsPrint)
		default:
			encodeLevel(&b, level)
		}
	}
	name := b.String()
	if len(name) <= longest {
		return name
	}
	hash := sha256.Sum256([]byte(name))
	name = strings.ToValidUTF8(name[:longestOf], "")
	if i := strings.LastIndexByte(name, '&'); i > strings.LastIndexByte(name, '-') {
		name = name[:i] // not within what is encoded
	}
	if i := strings.LastIndexByte(name, '\\'); i > len(name)-3 && i > 0 {
		name = name[:i]
	}
	return name + cutName + hex.EncodeToString(hash[:16])
}

// escapeLevel writes a level with characters beyond ASCII as they are if they
// are allowed.
func escapeLevel(b *strings.Builder, level string, allowed func(rune) bool) {
	for i := 0; i < len(level); {
		r, n := utf8.DecodeRuneInString(level[i:])
		valid := r != utf8.RuneError || n > 1
		switch {
		case r < utf8.RuneSelf && (strings.IndexByte(harmless, byte(r)) >= 0 || r == '&'), r >= utf8.RuneSelf && valid && allowed(r):
			b.WriteString(level[i : i+n])
		default:
			for _, c := range []byte(level[i : i+n]) {
				fmt.Fprintf(b, `\%02x`, c)
			}
		}
		i += n
	}
}

var base64Names = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// encodeLevel writes a level in modified UTF-7 (RFC 3501 section 5.1.3). What is
// not UTF-8 is escaped.
func encodeLevel(b *strings.Builder, level string) {
	for i := 0; i < len(level); {
		end := i
		var shifted []rune
		for end < len(level) {
			r, n := utf8.DecodeRuneInString(level[end:])
			if r < utf8.RuneSelf || r == utf8.RuneError && n == 1 {
				break
			}
			shifted = append(shifted, r)
			end += n
		}
		if end > i {
			var octets []byte
			for _, unit := range utf16.Encode(shifted) {
				octets = append(octets, byte(unit>>8), byte(unit))
			}
			b.WriteString("&" + base64Names.EncodeToString(octets) + "-")
			i = end
			continue
		}
		if level[i] == '&' {
			b.WriteString("&-")
		} else {
			escapeLevel(b, level[i:i+1], unicode.IsPrint)
		}
		i++
	}
}

// isPlusName tells whether a folder is one that plusName could have made.
func isPlusName(folder string) bool {
	return folder == "" || len(folder) > 1 && len(folder) <= longest && folder[0] == '.' && folder[1] != '.' && !strings.ContainsAny(folder, "/\x00")
}
