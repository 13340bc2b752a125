package message

import "strings"

// addresses decodes the address lists of fields (RFC 5322 section 3.4), as
// leniently as people write them: names with commas that are not quoted,
// semicolons between addresses, brackets that do not close.
func (d decoder) addresses(fields []string) []Address {
	var list []Address
	for _, f := range fields {
		p := addressParser{d: d, lex: lexer{s: d.raw(f)}}
		list = append(list, p.parse()...)
	}
	return list
}

// addressParser collects the tokens of one address after the other.
type addressParser struct {
	d       decoder
	lex     lexer
	list    []Address
	bare    int // so many at the end of list are words alone, before a comma
	phrase  []token
	comment string
}

func (p *addressParser) parse() []Address {
	for {
		t := p.lex.next()
		switch t.kind {
		case '"', 'a':
			p.phrase = append(p.phrase, t)
		case '(':
			if p.comment == "" {
				p.comment = t.text
			}
		case '<':
			p.angle(t.text)
		case ':':
			p.phrase, p.comment, p.bare = nil, "", 0 // the name of a group
		case ',':
			p.end(true)
		case ';':
			p.end(false)
		case 0:
			p.end(false)
			return p.list
		}
	}
}

// angle ends an address with what is between angle brackets.
func (p *addressParser) angle(inside string) {
	a := Address{Address: addrSpec(inside), Name: p.name(p.phrase)}
	if a.Name != "" && p.bare > 0 {
		// Doe, John <john@example.com>: a comma that should be in quotes
		var names []string
		for _, part := range p.list[len(p.list)-p.bare:] {
			names = append(names, part.String())
		}
		p.list = p.list[:len(p.list)-p.bare]
		a.Name = strings.Join(append(names, a.Name), ", ")
	}
	p.phrase, p.bare = nil, 0
	if a.Name == "" {
		a.Name = p.trailingComment()
	}
	p.comment = ""
	p.add(a)
}

// trailingComment takes the comment that is the name of the address before
// it: <john@example.com> (John Doe)
func (p *addressParser) trailingComment() string {
	if p.comment == "" && p.lex.peek() == '(' {
		p.comment = p.lex.next().text
	}
	return p.d.name(p.comment)
}

// end ends an address without angle brackets, if there is one.
func (p *addressParser) end(comma bool) {
	phrase, comment := p.phrase, p.comment
	p.phrase, p.comment = nil, ""
	if len(phrase) == 0 {
		if !comma {
			p.bare = 0
		}
		return
	}
	before := len(p.list)
	for len(phrase) > 0 {
		at, to := findAddress(phrase)
		if to == 0 {
			break
		}
		a := Address{Name: p.name(phrase[:at]), Address: p.spec(phrase[at:to])}
		if a.Name == "" {
			a.Name = p.d.name(comment)
		}
		comment = ""
		p.add(a)
		phrase = phrase[to:]
	}
	switch {
	case len(p.list) > before: // words after an address mean nothing
		p.bare = 0
		return
	case len(phrase) == 1 && phrase[0].kind == 'a' && !strings.Contains(phrase[0].text, "=?"):
		p.add(Address{Name: p.d.name(comment), Address: clean(phrase[0].text)}) // a local user
	default:
		p.add(Address{Name: p.name(phrase)})
	}
	if p.bare += len(p.list) - before; !comma {
		p.bare = 0
	}
}

func (p *addressParser) add(a Address) {
	if a != (Address{}) {
		p.list = append(p.list, a)
	}
}

// name makes a display name of words.
func (p *addressParser) name(phrase []token) string {
	var b strings.Builder
	for i, t := range phrase {
		if i > 0 && t.space {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return p.d.name(b.String())
}

// name decodes a display name.
func (d decoder) name(s string) string {
	s = strings.Join(strings.Fields(clean(d.words(s))), " ")
	if len(s) > 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.TrimSpace(s[1 : len(s)-1]) // quotes within an encoded word
	}
	return s
}

// findAddress returns which tokens of a phrase are an address: one with an @,
// and what belongs to it beyond white space: joe @ example . com
func findAddress(phrase []token) (from, to int) {
	for i, t := range phrase {
		if t.kind != 'a' || !strings.Contains(t.text, "@") {
			continue
		}
		from, to = i, i+1
		for from > 0 && joins(phrase[from-1], phrase[from]) {
			from--
		}
		for to < len(phrase) && joins(phrase[to-1], phrase[to]) {
			to++
		}
		return from, to
	}
	return 0, 0
}

func joins(a, b token) bool {
	return !b.space || a.kind == 'a' && strings.ContainsAny(a.text[len(a.text)-1:], "@.") || b.kind == 'a' && strings.ContainsAny(b.text[:1], "@.")
}

// spec makes an address of tokens.
func (p *addressParser) spec(tokens []token) string {
	var b strings.Builder
	for _, t := range tokens {
		if t.kind == '"' {
			b.WriteString(quote(t.text))
		} else {
			b.WriteString(t.text)
		}
	}
	return normal(b.String())
}

// addrSpec makes an address of what is between angle brackets: without
// comments, white space and an obsolete route (RFC 5322 section 4.4).
func addrSpec(s string) string {
	var b strings.Builder
	lex := lexer{s: s, inAngle: true}
	for t := lex.next(); t.kind != 0; t = lex.next() {
		switch t.kind {
		case '"':
			b.WriteString(quote(t.text))
		case '(':
		case 'a', '<':
			b.WriteString(t.text)
		default:
			b.WriteByte(t.kind)
		}
	}
	spec := b.String()
	if strings.HasPrefix(spec, "@") {
		if _, after, ok := strings.Cut(spec, ":"); ok {
			spec = after
		}
	}
	return normal(spec)
}

// normal removes the quotes around a local part that needs none, and what may
// be in no address.
func normal(spec string) string {
	spec = clean(strings.TrimPrefix(spec, "mailto:"))
	if !strings.HasPrefix(spec, `"`) {
		return spec
	}
	end := strings.LastIndex(spec, `"`)
	local := spec[1:max(end, 1)]
	if end > 0 && local != "" && !strings.ContainsFunc(local, notInAtom) && local[0] != '.' && !strings.HasSuffix(local, ".") && !strings.Contains(local, "..") {
		return local + spec[end+1:]
	}
	return spec
}

func notInAtom(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`()<>@,;:\"[]`, r)
}

// quote is the inverse of what the lexer does to a quoted string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
