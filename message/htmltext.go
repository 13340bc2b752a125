package message

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// TextFromHTML makes text for people to read of HTML: paragraphs, lists, rows
// of tables, links with where they lead. Scripts, styles and pictures that
// say nothing are left out. It takes time and memory in proportion to the
// length of what it is given.
func TextFromHTML(s string) string {
	text, _ := beginningFromHTML(s, math.MaxInt)
	return text
}

// beginningFromHTML makes text until it has about so many octets. whole tells
// whether it is all.
func beginningFromHTML(s string, octets int) (text string, whole bool) {
	w := htmlWriter{z: html.NewTokenizer(strings.NewReader(s)), room: len(s)}
	for w.out.Len() < octets {
		if !w.token() {
			return w.text(), true
		}
	}
	return w.text(), false
}

// htmlWriter writes what tokens say.
type htmlWriter struct {
	z      *html.Tokenizer
	out    bytes.Buffer
	breaks int  // line breaks that are due before the next word
	space  bool // white space is due before the next word
	pre    int
	quote  int
	lists  []int // of the lists that are open, the next number; -1 for bullets
	cell   bool  // a cell of the row was written
	room   int   // octets that quote marks, indentation and numbers may have

	href  string
	label int // where in out the text of the link begins
}

const (
	deepest     = 1000
	longestHref = 2000
)

// token takes a token, and returns false at the end.
func (w *htmlWriter) token() bool {
	switch w.z.Next() {
	case html.ErrorToken:
		return false
	case html.TextToken:
		w.words(w.z.Text())
	case html.StartTagToken, html.SelfClosingTagToken:
		name, more := w.z.TagName()
		w.start(atom.Lookup(name), more)
	case html.EndTagToken:
		name, _ := w.z.TagName()
		w.end(atom.Lookup(name))
	}
	return true
}

// skip passes over an element that has no text for people.
func (w *htmlWriter) skip(a atom.Atom) {
	for {
		switch w.z.Next() {
		case html.ErrorToken:
			return
		case html.EndTagToken:
			if name, _ := w.z.TagName(); atom.Lookup(name) == a {
				return
			}
		}
	}
}

func (w *htmlWriter) start(a atom.Atom, more bool) {
	switch a {
	case atom.Script, atom.Style, atom.Title, atom.Noembed, atom.Noframes, atom.Iframe:
		w.skip(a) // the tokenizer takes their contents as text
	case atom.Br:
		w.breaks, w.space = w.breaks+1, false
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table:
		w.block(2)
	case atom.Div, atom.Tr, atom.Dl, atom.Dt, atom.Dd, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Form, atom.Center, atom.Address, atom.Fieldset:
		w.block(1)
		w.cell = false
	case atom.Hr:
		w.block(1)
		w.write("---")
		w.block(1)
	case atom.Pre, atom.Xmp:
		w.block(2)
		w.pre++
	case atom.Blockquote:
		w.block(2)
		w.quote = min(w.quote+1, deepest)
	case atom.Ul, atom.Menu, atom.Dir:
		w.list(-1)
	case atom.Ol:
		w.list(1)
	case atom.Li:
		w.item()
	case atom.Td, atom.Th:
		if w.cell {
			w.space = false
			w.write(" | ")
		}
	case atom.A:
		w.endLink()
		w.href, w.label = w.attribute("href", more), w.out.Len()
	case atom.Img:
		if alt := strings.Join(strings.Fields(w.attribute("alt", more)), " "); alt != "" {
			w.write("[" + alt + "]")
		}
	}
}

func (w *htmlWriter) end(a atom.Atom) {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table:
		w.block(2)
	case atom.Div, atom.Tr, atom.Dl, atom.Dt, atom.Dd, atom.Li, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Form, atom.Center, atom.Address, atom.Fieldset:
		w.block(1)
		w.cell = false
	case atom.Pre, atom.Xmp:
		w.pre = max(w.pre-1, 0)
		w.block(2)
	case atom.Blockquote:
		w.block(2)
		w.quote = max(w.quote-1, 0)
	case atom.Ul, atom.Ol, atom.Menu, atom.Dir:
		w.lists = w.lists[:max(len(w.lists)-1, 0)]
		w.block(2 - min(len(w.lists), 1))
	case atom.Td, atom.Th:
		w.cell = true
	case atom.A:
		w.endLink()
	}
}

func (w *htmlWriter) list(first int) {
	w.block(2 - min(len(w.lists), 1))
	if len(w.lists) < deepest {
		w.lists = append(w.lists, first)
	}
}

func (w *htmlWriter) item() {
	w.block(1)
	mark := "- "
	if n := len(w.lists); n > 0 {
		if i := &w.lists[n-1]; *i >= 0 {
			mark = strconv.Itoa(*i) + ". "
			*i++
		}
		mark = strings.Repeat("  ", min(n-1, 10)) + mark
	}
	if !w.spend(len(mark)) {
		mark = "- "
	}
	w.write(mark)
}

// spend tells whether there is room for so many octets that are not in the
// HTML: a tag of four could make fifty.
func (w *htmlWriter) spend(n int) bool {
	ok := n <= w.room
	if ok {
		w.room -= n
	}
	return ok
}

// block sees to it that what comes next is n lines below.
func (w *htmlWriter) block(n int) {
	w.breaks, w.space = max(w.breaks, n), false
}

// words writes text, white space as one space.
func (w *htmlWriter) words(text []byte) {
	if w.pre > 0 {
		for line := range bytes.Lines(text) {
			w.write(string(bytes.TrimRight(line, "\r\n")))
			if line[len(line)-1] == '\n' {
				w.breaks++
			}
		}
		return
	}
	for len(text) > 0 {
		i := bytes.IndexAny(text, " \t\r\n\f")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			w.write(string(text[:i]))
		}
		if i < len(text) {
			w.space = true
			i++
		}
		text = text[i:]
	}
}

// write writes a word, after the white space that is due.
func (w *htmlWriter) write(s string) {
	if s == "" {
		return
	}
	switch {
	case w.breaks > 0 && (w.out.Len() > 0 || w.pre > 0):
		w.out.WriteString("\n\n"[:min(w.breaks, 2)])
	case w.breaks == 0 && w.space && w.out.Len() > 0:
		w.out.WriteByte(' ')
	}
	if n := w.out.Len(); w.quote > 0 && (n == 0 || w.out.Bytes()[n-1] == '\n') {
		if marks := strings.Repeat("> ", min(w.quote, 10)); w.spend(len(marks)) {
			w.out.WriteString(marks)
		}
	}
	w.breaks, w.space = 0, false
	w.out.WriteString(s)
}

var noBreakSpace = []byte("\u00a0")

// text returns what was written, without space at the ends of lines and with
// no more than one empty line at once.
func (w *htmlWriter) text() string {
	w.endLink()
	var out strings.Builder
	out.Grow(w.out.Len())
	empty := 0
	for line := range bytes.SplitSeq(w.out.Bytes(), []byte("\n")) {
		if bytes.Contains(line, noBreakSpace) {
			line = bytes.ReplaceAll(line, noBreakSpace, []byte(" "))
		}
		line = bytes.TrimRight(line, " \t")
		if len(line) == 0 {
			empty++
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\n\n"[:1+min(empty, 1)])
		}
		empty = 0
		out.Write(line)
	}
	return strings.ToValidUTF8(out.String(), "\ufffd")
}
