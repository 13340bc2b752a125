package message

import "strings"

// identifiers returns the message identifiers in a field (RFC 5322 section
// 3.6.4). Those in angle brackets count; only where there is none, words do
// that look like one.
func (d decoder) identifiers(s string) []string {
	s = d.raw(s)
	var ids []string
	rest := s
	for {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			break
		}
		id, after, ok := strings.Cut(after, ">")
		if !ok {
			break
		}
		rest = after
		id = id[strings.LastIndexByte(id, '<')+1:]
		if id = join(clean(id)); id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		return ids
	}
	for _, word := range strings.Fields(clean(s)) {
		if word = strings.Trim(word, "<>,;"); strings.Contains(word, "@") {
			ids = append(ids, word)
		}
	}
	return ids
}

// join removes the white space that folding has put into an identifier.
func join(s string) string { return strings.Join(strings.Fields(s), "") }
