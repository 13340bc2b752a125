package imapclient

import (
	"slices"
	"strconv"
	"strings"

	"example.com/postbag/message"
)

const maxParts = 10_000 // of one message

// builder makes the parts of a tree, one after the other, with a stack of
// those that are still to be made.
type builder struct {
	*tree
	todo []pending
	made int
}

// pending is a list that is to become a part.
type pending struct {
	list   int32
	into   *Part
	prefix string // of its number: "1." for a part of part 1
	n      int    // which part of that; 0: the body of a message
}

// structure reads list i as a BODYSTRUCTURE, or returns nil if it is none.
func (t *tree) structure(i int32) *Part {
	if t.isEmpty(i) {
		return nil
	}
	b := builder{tree: t}
	root := b.add(i, "", 0)
	for len(b.todo) > 0 {
		last := len(b.todo) - 1
		next := b.todo[last]
		b.todo = b.todo[:last]
		b.part(next)
		if b.made > maxParts {
			return nil
		}
	}
	return root
}

// add makes room for the part that list i is.
func (b *builder) add(i int32, prefix string, n int) *Part {
	p := &Part{Size: -1, Lines: -1}
	b.made++
	b.todo = append(b.todo, pending{i, p, prefix, n})
	return p
}

func (b *builder) part(w pending) {
	kids := b.children(w.list, make([]int32, 0, 16))
	if parts := b.leading(kids); parts > 0 || b.emptyMultipart(kids) {
		b.multipart(w, kids, parts)
	} else {
		b.single(w, kids)
	}
	if w.into.Filename = w.into.DispositionParams["filename"]; w.into.Filename == "" {
		w.into.Filename = w.into.Params["name"]
	}
}

// leading returns how many lists kids begins with.
func (b *builder) leading(kids []int32) int {
	n := slices.IndexFunc(kids, func(k int32) bool { return !b.isList(k) })
	if n < 0 {
		return len(kids)
	}
	return n
}

// emptyMultipart tells whether kids are a multipart without parts. QUIRK:
// Dovecot sends (NIL "alternative" …), Gmail and others ("ALTERNATIVE" …).
// What tells it from a part is that there are fewer fields, and no size.
func (b *builder) emptyMultipart(kids []int32) bool {
	if b.number(nth(kids, 5)) >= 0 || b.number(nth(kids, 6)) >= 0 || len(kids) > 6 {
		return false
	}
	if b.isNil(nth(kids, 0)) {
		return b.isText(nth(kids, 1))
	}
	return !b.isText(nth(kids, 1)) && !isDiscrete(keyword(b.str(kids[0]), ""))
}

// number returns the number of the part that w becomes.
func (w *pending) number(multipart bool) string {
	switch {
	case w.n > 0:
		return w.prefix + strconv.Itoa(w.n)
	case multipart:
		return w.prefix + "TEXT"
	}
	return w.prefix + "1"
}

// multipart reads (part)(part)… subtype params disposition language location.
func (b *builder) multipart(w pending, kids []int32, parts int) {
	p := w.into
	p.Number = w.number(true)
	prefix := w.prefix
	if w.n > 0 {
		prefix = p.Number + "."
	}
	if b.made+parts > maxParts {
		b.made = maxParts + 1
		return
	}
	for n, k := range kids[:parts] {
		p.Parts = append(p.Parts, b.add(k, prefix, n+1))
	}
	rest := kids[parts:]
	if parts == 0 && b.isNil(nth(rest, 0)) {
		rest = rest[1:]
	}
	p.Type = "multipart/" + keyword(b.str(nth(rest, 0)), "mixed")
	p.Params = b.params(nth(rest, 1))
	b.extension(p, rest, 2)
}

// single reads type subtype params id description encoding size, what follows
// for text and messages, and the extension data.
func (b *builder) single(w pending, kids []int32) {
	p := w.into
	p.Number = w.number(false)
	typ, subtype := b.str(nth(kids, 0)), b.str(nth(kids, 1))
	if b.number(nth(kids, 5)) >= 0 && !b.isText(nth(kids, 1)) {
		kids = slices.Insert(kids, 1, -1) // QUIRK: no subtype
	}
	p.Type = mediaType(typ, subtype)
	p.Params = b.params(nth(kids, 2))
	p.ID = identifier(b.str(nth(kids, 3)))
	p.Description = message.DecodeText(b.str(nth(kids, 4)))
	p.Encoding = keyword(b.str(nth(kids, 5)), "7bit")
	p.Size = b.number(nth(kids, 6))
	at := 7 // where the extension data begin
	switch {
	case p.IsMessage() && (b.isList(nth(kids, 7)) || b.number(nth(kids, 9)) >= 0):
		p.Envelope = b.envelope(nth(kids, 7))
		if body := nth(kids, 8); !b.isEmpty(body) { // QUIRK: NIL or () for none
			p.Parts = []*Part{b.add(body, p.Number+".", 0)}
		}
		p.Lines = b.number(nth(kids, 9))
		at = 10
	case strings.HasPrefix(p.Type, "text/") && (b.number(nth(kids, 7)) >= 0 || !b.isList(nth(kids, 8))):
		p.Lines = b.number(nth(kids, 7))
		at = 8
	}
	p.MD5 = message.DecodeText(b.str(nth(kids, at)))
	b.extension(p, kids, at+1)
}

// extension reads disposition language location, each of which may be missing.
func (b *builder) extension(p *Part, kids []int32, at int) {
	switch d := nth(kids, at); {
	case b.isList(d):
		pair := b.children(d, make([]int32, 0, 4))
		p.Disposition = keyword(b.str(nth(pair, 0)), "")
		p.DispositionParams = b.params(nth(pair, 1))
	case b.isText(d): // QUIRK: Exchange sends "inline" for ("inline" NIL)
		p.Disposition = keyword(b.str(d), "")
	}
	switch l := nth(kids, at+1); {
	case b.isList(l):
		for _, k := range b.children(l, make([]int32, 0, 4)) {
			if b.isText(k) {
				p.Language = append(p.Language, message.DecodeText(b.str(k)))
			}
		}
	case b.isText(l):
		p.Language = []string{message.DecodeText(b.str(l))}
	}
	p.Location = message.DecodeText(b.str(nth(kids, at+2)))
}

// mediaType makes a type of its two halves, of which either may be missing.
func mediaType(typ, subtype string) string {
	typ, subtype = keyword(typ, ""), keyword(subtype, "")
	switch {
	case typ != "" && subtype != "":
		return typ + "/" + subtype
	case typ == "text":
		return "text/plain"
	case typ == "multipart":
		return "multipart/mixed"
	case subtype != "":
		return "application/" + subtype
	case typ == "" || isDiscrete(typ):
		return "application/octet-stream"
	}
	return "application/" + typ
}

func isDiscrete(typ string) bool {
	switch typ {
	case "text", "image", "audio", "video", "font", "model", "application", "message":
		return true
	}
	return false
}

// keyword makes a word of a grammar of s: without quotes, in lower case, and
// without what should have been a parameter.
func keyword(s, otherwise string) string {
	s = strings.ToLower(message.DecodeText(s))
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	s, _, _ = strings.Cut(s, ";")
	s, _, _ = strings.Cut(s, " ")
	if s == "" {
		return otherwise
	}
	return s
}

// identifier returns a Content-ID without its angle brackets.
func identifier(s string) string {
	if id := first(message.ParseIdentifiers(s)); id != "" {
		return id
	}
	return message.DecodeText(strings.Trim(s, "<> "))
}
