package message

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// endLink writes where the link leads, unless its text says so.
func (w *htmlWriter) endLink() {
	href := w.href
	w.href = ""
	if href == "" {
		return
	}
	label := strings.TrimSpace(string(w.out.Bytes()[min(w.label, w.out.Len()):]))
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(href, "mailto:"), "https://"), "http://"), "/")
	if label == "" || bare == "" || says(label, bare) {
		return
	}
	w.space = true
	w.write("<" + href + ">")
}

// says tells whether label has an address in it, and not as a piece of
// another: example.com is not in example.com.example.org.
func says(label, address string) bool {
	inName := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' }
	for {
		i := strings.Index(label, address)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(label[:i])
		label = label[i+len(address):]
		after, size := utf8.DecodeRuneInString(label)
		next, _ := utf8.DecodeRuneInString(label[size:])
		if !inName(before) && before != '.' && !inName(after) && !(after == '.' && inName(next)) && after != '@' && after != ':' {
			return true
		}
	}
}

// attribute returns an attribute of the tag. Of links, those that lead
// somewhere.
func (w *htmlWriter) attribute(name string, more bool) string {
	for more {
		var k, v []byte
		k, v, more = w.z.TagAttr()
		if string(k) != name {
			continue
		}
		s := clean(strings.ToValidUTF8(string(v), "\ufffd"))
		lower := strings.ToLower(s[:min(len(s), 12)])
		if name == "href" && (strings.HasPrefix(s, "#") || strings.HasPrefix(lower, "javascript:") || strings.HasPrefix(lower, "data:") || strings.HasPrefix(lower, "cid:") || len(s) > longestHref) {
			return ""
		}
		return s
	}
	return ""
}
