package fakemail

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// args reads what follows a command's name. Literals stand in the text as they
// came, "{3}\r\nabc". After the first error every call returns nothing; done
// tells of it.
type args struct {
	s     string
	i     int
	err   error
	names func(string) (string, error) // decodes the names of mailboxes
}

func (a *args) fail(format string, v ...any) {
	if a.err == nil {
		a.err = bad(fmt.Sprintf(format, v...))
	}
	a.i = len(a.s)
}

// done returns the first error, or one if there is more.
func (a *args) done() error {
	if a.err == nil && a.i < len(a.s) {
		a.fail("%q is too much", excerpt(a.s[a.i:]))
	}
	return a.err
}

func excerpt(s string) string { return s[:min(len(s), 40)] }

func (a *args) peek() byte {
	if a.i < len(a.s) {
		return a.s[a.i]
	}
	return 0
}

// take passes over c, if that comes next.
func (a *args) take(c byte) bool {
	if a.peek() != c || a.i >= len(a.s) {
		return false
	}
	a.i++
	return true
}

func (a *args) expect(c byte) {
	if !a.take(c) {
		a.fail("%q is expected before %q", c, excerpt(a.s[a.i:]))
	}
}

func (a *args) space() { a.expect(' ') }

// word reads up to any of stop or the end; the least is one octet.
func (a *args) word(stop string) string {
	n := strings.IndexAny(a.s[a.i:], stop)
	if n < 0 {
		n = len(a.s) - a.i
	}
	if n == 0 {
		a.fail("a word is missing before %q", excerpt(a.s[a.i:]))
		return ""
	}
	w := a.s[a.i : a.i+n]
	a.i += n
	return w
}

// atom reads an atom, in upper case.
func (a *args) atom() string { return strings.ToUpper(a.word(" ()[]{\"\r\n")) }

// astring reads an atom, a quoted string or a literal. RFC 9051 section 4.3.
func (a *args) astring() string {
	switch a.peek() {
	case '"':
		return a.quoted()
	case '{':
		return a.literal()
	}
	return a.word(" (){%*\"\\\r\n")
}

func (a *args) quoted() string {
	a.expect('"')
	var b strings.Builder
	for a.i < len(a.s) {
		c := a.s[a.i]
		a.i++
		switch c {
		case '"':
			return b.String()
		case '\\':
			if c = a.peek(); c != '"' && c != '\\' {
				a.fail("a backslash in a quoted string before %q", c)
				return ""
			}
			a.i++
		case '\r', '\n':
			a.fail("a line end in a quoted string")
			return ""
		}
		b.WriteByte(c)
	}
	a.fail("a quoted string without its end")
	return ""
}

// literal reads a literal that the session has already taken in.
func (a *args) literal() string {
	a.take('~') // literal8, RFC 3516
	end := strings.Index(a.s[a.i:], "}\r\n")
	if a.peek() != '{' || end < 0 {
		a.fail("a literal is expected before %q", excerpt(a.s[a.i:]))
		return ""
	}
	n, err := strconv.Atoi(strings.TrimSuffix(a.s[a.i+1:a.i+end], "+"))
	start := a.i + end + 3
	if err != nil || n < 0 || start+n > len(a.s) {
		a.fail("a literal of a wrong length")
		return ""
	}
	a.i = start + n
	return a.s[start:a.i]
}

// mailbox reads the name of a mailbox.
func (a *args) mailbox() string { return a.decode(a.astring()) }

// pattern reads a pattern of LIST, which may be an atom with wildcards.
func (a *args) pattern() string {
	if c := a.peek(); c == '"' || c == '{' {
		return a.decode(a.astring())
	}
	return a.decode(a.word(" (){\"\\\r\n"))
}

func (a *args) decode(wire string) string {
	name, err := a.names(wire)
	if err != nil && a.err == nil {
		a.fail("the mailbox name %q is %v", excerpt(wire), err)
	}
	return name
}

// list calls item for each member of a list in parentheses.
func (a *args) list(item func()) {
	a.expect('(')
	for first := true; a.err == nil && !a.take(')'); first = false {
		if !first {
			a.space()
		}
		if item(); a.i >= len(a.s) && a.err == nil {
			a.fail("a list without its end")
		}
	}
}

// flags reads a list of flags, in parentheses or not.
func (a *args) flags() []string {
	var flags []string
	one := func() {
		f := a.word(" (){%*\"]\r\n")
		if strings.Contains(strings.TrimPrefix(f, `\`), `\`) || f == `\` {
			a.fail("%q is no flag", f)
		}
		flags = append(flags, f)
	}
	if a.peek() == '(' {
		a.list(one)
		return flags
	}
	for one(); a.take(' '); {
		one()
	}
	return flags
}

func (a *args) number() uint64 {
	w := a.word(" ()<>.\r\n")
	n, err := strconv.ParseUint(w, 10, 63) // RFC 7162 section 7
	if err != nil {
		a.fail("%q is no number", excerpt(w))
	}
	return n
}

// set reads a set of numbers.
func (a *args) set() set {
	w := a.word(" ()\r\n")
	s, ok := parseSet(w)
	if !ok {
		a.fail("%q is no set of numbers", excerpt(w))
	}
	return s
}

// selection reads a set of messages; "$" is what the last search saved, by
// UID. RFC 5182.
func (a *args) selection(saved set, byUID bool) selection {
	if a.take('$') {
		return selection{saved, true}
	}
	return selection{a.set(), byUID}
}

// The forms of dates. RFC 9051 section 9.
const (
	dateTime = "_2-Jan-2006 15:04:05 -0700"
	dateOnly = "2-Jan-2006"
)

func (a *args) date() time.Time {
	w := a.astring()
	t, err := time.Parse(dateOnly, w)
	if err != nil {
		a.fail("%q is no date", excerpt(w))
	}
	return t
}

func (a *args) dateTime() time.Time {
	w := a.quoted()
	t, err := time.Parse(dateTime, w)
	if err != nil {
		a.fail("%q is no date and time", excerpt(w))
	}
	return t
}

// status is how a command ends.
type status struct{ kind, text string }

func (s *status) Error() string { return s.kind + " " + s.text }

func no(text string) error  { return &status{"NO", text} }
func bad(text string) error { return &status{"BAD", text} }

// ok ends a command well with a text of its own.
func ok(text string) error { return &status{"OK", text} }
