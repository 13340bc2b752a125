package session

import (
	"slices"
	"strings"
)

// matches tells whether a line of the client is like the recorded one. Both
// are without tag and line end.
func matches(want, got string) bool { return like(want, got) || like(canonical(want), canonical(got)) }

// like compares, "…" and "***" in want standing for anything.
func like(want, got string) bool {
	parts := strings.Split(strings.ReplaceAll(want, "***", "…"), "…")
	if len(parts) == 1 {
		return want == got
	}
	if !strings.HasPrefix(got, parts[0]) {
		return false
	}
	got = got[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(got, p)
		if i < 0 {
			return false
		}
		got = got[i+len(p):]
	}
	return strings.HasSuffix(got, parts[len(parts)-1])
}

// canonical writes a line so that what does not matter is the same: case
// outside of quotes, needless quotes, and the order within parentheses.
func canonical(line string) string {
	words, _ := sorted(upper(line), 0)
	return strings.Join(words, " ")
}

// upper puts what is not in quotes into upper case.
func upper(line string) string {
	var b strings.Builder
	quoted, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		}
		if quoted {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.ToUpper(string(r)))
		}
	}
	return b.String()
}

// unquoted takes the quotes off a word that needs none.
func unquoted(word string) string {
	inner, ok := strings.CutPrefix(word, `"`)
	if !ok || len(inner) < 2 || strings.ContainsAny(inner[:len(inner)-1], "\"\\ (){%*") {
		return word
	}
	return strings.ToUpper(strings.TrimSuffix(inner, `"`))
}

// sorted splits a line into words, with those in parentheses sorted. It
// returns where it stopped: behind the closing parenthesis of its level.
func sorted(line string, at int) (words []string, end int) {
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			words = append(words, unquoted(word.String()))
			word.Reset()
		}
	}
	quoted, brackets := false, 0
	for at < len(line) {
		ch := line[at]
		at++
		switch {
		case quoted && ch == '\\' && at < len(line):
			word.WriteByte(ch)
			ch = line[at]
			at++
		case ch == '"':
			quoted = !quoted
		case quoted:
		case ch == '[':
			brackets++
		case ch == ']':
			brackets--
		case brackets > 0:
		case ch == ' ':
			flush()
			continue
		case ch == ')':
			flush()
			return words, at
		case ch == '(':
			var inner []string
			inner, at = sorted(line, at)
			slices.Sort(inner)
			word.WriteString("(" + strings.Join(inner, " ") + ")")
			continue
		}
		word.WriteByte(ch)
	}
	flush()
	return words, at
}
