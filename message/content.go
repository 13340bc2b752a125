package message

import (
	"io"
	"iter"
	"math"
	"slices"
	"strings"
)

// Text returns the text of the message in UTF-8, its lines as they came: what
// a reader without HTML shows. Where an alternative has HTML only, or blank text
// beside it, it is text made of that. What is an attachment is not in it, nor are messages in the
// message. RFC 8621 section 4.1.4 says which parts these are; of several, one
// follows the other.
//
// Text, HTML and Preview read the message to its end, unless one of them, or
// Attachments, did. The error is one of reading, or ErrRead.
func (m *Message) Text() (string, error) {
	b, err := m.read()
	if err != nil {
		return "", err
	}
	text, _ := b.joined(math.MaxInt, m.shared.o.Unflow)
	return text, nil
}

// HTML returns the HTML of the message in UTF-8, unchanged: it is a stranger's
// and not safe to show as it is. It is empty if there is none. Of several
// parts, one follows the other, without those in between that are plain text.
func (m *Message) HTML() (string, error) {
	b, err := m.read()
	if err != nil {
		return "", err
	}
	return b.markup(), nil
}

// Attachments goes through the message and returns what is not its text: files
// and messages that are attached, pictures that its HTML shows (by ContentID),
// and what else there is for programs. A message in the message is one of
// them, whole. After a winmail.dat (TNEF) come the files in it; after a text,
// the files that it holds in uuencode or yEnc. The error is one that
// Parts has; it is the last.
func (m *Message) Attachments() iter.Seq2[*Part, error] {
	return func(yield func(*Part, error) bool) {
		b := newBody(m)
		for part, err := range m.Parts() {
			if err != nil {
				yield(nil, err)
				return
			}
			if ok, err := b.part(part, yield); err != nil {
				yield(nil, err)
				return
			} else if !ok {
				return
			}
		}
		b.choose(b.root, "", false, &b.text, &b.html)
		m.body = b
	}
}

// read reads the text, unless that was done.
func (m *Message) read() (*body, error) {
	if m.body == nil {
		for _, err := range m.Attachments() {
			if err != nil {
				return nil, err
			}
		}
	}
	return m.body, nil
}

// body is what is known of a message's text.
type body struct {
	m          *Message
	root       *node
	nodes      map[*Part]*node // containers that are being read
	left       int             // octets of text that may be kept
	text, html []*node         // the chosen ones
}

// node is a part, and if it may be one of the text, its text.
type node struct {
	typ, name, disposition string
	children               []*node
	text                   string
	isText                 bool
	flowed, delsp          bool
}

func newBody(m *Message) *body {
	return &body{m: m, nodes: make(map[*Part]*node), left: m.shared.o.MaxText}
}

// part takes the next part. It returns false if yield did.
func (b *body) part(p *Part, yield func(*Part, error) bool) (bool, error) {
	n := &node{typ: p.Type, name: p.Filename, disposition: p.Disposition}
	if parent := b.nodes[p.parent]; parent != nil {
		parent.children = append(parent.children, n)
	} else {
		b.root = n
	}
	if p.isMultipart() {
		b.nodes[p] = n
		return true, nil
	}
	var parent string
	if p.parent != nil {
		parent = p.parent.Type
	}
	if !n.inline(p.index, parent) || !n.isBodyText() {
		return b.attachment(p, yield)
	}
	raw, err := p.readText(b.left)
	if err != nil {
		return false, err
	}
	left := b.left
	b.left -= len(raw)
	n.isText = true
	n.flowed = strings.EqualFold(p.Params["format"], "flowed")
	n.delsp = strings.EqualFold(p.Params["delsp"], "yes")
	if p.Type == "text/html" {
		n.text = p.decodeText(raw, left)
		b.left = min(b.left, left-len(n.text))
		return true, nil
	}
	rest, files := p.extract(raw)
	n.text = p.decodeText(rest, left)
	b.left = min(b.left, left-len(n.text))
	for _, f := range files {
		if !yield(f, nil) {
			return false, nil
		}
	}
	return true, nil
}

// attachment gives a part away, and then what is in it if it is TNEF.
func (b *body) attachment(p *Part, yield func(*Part, error) bool) (bool, error) {
	p.whole = true
	if !p.isTNEF() {
		return yield(p, nil), nil
	}
	keep := &keeper{most: b.m.shared.o.MaxText}
	p.tee = keep
	if !yield(p, nil) {
		return false, nil
	}
	if _, err := p.WriteTo(io.Discard); err != nil {
		return false, err
	}
	for _, f := range p.tnef(keep) {
		if !yield(f, nil) {
			return false, nil
		}
	}
	return true, nil
}

// inline tells whether a part is one of the message's body rather than an
// attachment, by its place and by what it says.
func (n *node) inline(index int, parent string) bool {
	media := strings.HasPrefix(n.typ, "image/") || strings.HasPrefix(n.typ, "audio/") || strings.HasPrefix(n.typ, "video/")
	if n.disposition == "attachment" || !media && !n.isBodyText() {
		return false
	}
	return index == 0 || parent != "multipart/related" && (media || n.name == "")
}

func (n *node) isBodyText() bool { return n.typ == "text/plain" || n.typ == "text/html" }

// choose finds the parts of the text and of the HTML as RFC 8621 section 4.1.4
// does. A list that is nil takes no more.
func (b *body) choose(n *node, parent string, alternative bool, text, html *[]*node) {
	if n == nil {
		return
	}
	b.chooseAll([]*node{n}, parent, alternative, text, html)
}

func (b *body) chooseAll(list []*node, parent string, alternative bool, text, html *[]*node) {
	texts, htmls := length(text), length(html)
	for i, n := range list {
		switch {
		case strings.HasPrefix(n.typ, "multipart/"):
			b.chooseAll(n.children, n.typ, alternative || n.typ == "multipart/alternative", text, html)
			continue
		case !n.inline(i, parent) || !n.isText:
			continue
		case parent == "multipart/alternative":
			if n.typ == "text/plain" {
				appendTo(text, n)
			} else {
				appendTo(html, n)
			}
			continue
		case alternative && n.typ == "text/plain":
			html = nil
		case alternative:
			text = nil
		}
		appendTo(text, n)
		appendTo(html, n)
	}
	if parent == "multipart/alternative" && text != nil && html != nil {
		switch {
		case areBlank((*text)[texts:]) && htmls != len(*html):
			*text = append((*text)[:texts], (*html)[htmls:]...)
		case htmls == len(*html) && texts != len(*text):
			*html = append(*html, (*text)[texts:]...)
		}
	}
}

// areBlank tells whether there is nothing to read in a list. Many programs send
// HTML with a plain text of nothing but white space beside it, which RFC 8621
// would show.
func areBlank(list []*node) bool {
	return !slices.ContainsFunc(list, func(n *node) bool { return strings.TrimSpace(n.text) != "" })
}

func length(list *[]*node) int {
	if list == nil {
		return -1
	}
	return len(*list)
}

func appendTo(list *[]*node, n *node) {
	if list != nil {
		*list = append(*list, n)
	}
}

// joined returns the texts, one after the other, until they have about so many
// octets. whole tells whether these are all.
func (b *body) joined(octets int, flow bool) (text string, whole bool) {
	list := b.text
	if len(list) == 1 && list[0].typ != "text/html" && !(flow && list[0].flowed) {
		return list[0].text, true
	}
	var out strings.Builder
	for _, n := range list {
		if out.Len() >= octets {
			return out.String(), false
		}
		text, whole = n.text, true
		switch {
		case n.typ == "text/html":
			text, whole = beginningFromHTML(text, octets-out.Len())
		case flow && n.flowed:
			text = Unflow(text, n.delsp)
		}
		if s := out.String(); s != "" && !strings.HasSuffix(s, "\n") && text != "" {
			out.WriteString("\n")
		}
		out.WriteString(text)
		if !whole {
			return out.String(), false
		}
	}
	return out.String(), true
}

// markup returns the HTML among the parts of the body.
func (b *body) markup() string {
	var all []string
	for _, n := range b.html {
		if n.typ == "text/html" {
			all = append(all, n.text)
		}
	}
	return strings.Join(all, "\n")
}
