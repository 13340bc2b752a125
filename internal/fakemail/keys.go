package fakemail

import (
	"bytes"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
)

// keys reads search keys and makes functions of them. RFC 9051 section 6.4.4.
type keys struct {
	*args
	s     *session
	q     *searching
	depth int
}

const maxDepth = 100

type key = func(*target) bool

// flagKeys are the keys that ask for a flag; with UN before, for its absence.
var flagKeys = map[string]string{
	"ANSWERED": `\Answered`, "DELETED": `\Deleted`, "DRAFT": `\Draft`, "FLAGGED": `\Flagged`, "SEEN": `\Seen`, "RECENT": `\Recent`,
}

// all reads keys up to the end or a closing parenthesis; all of them must fit.
func (k *keys) all() key {
	list := []key{k.one()}
	for k.err == nil && k.take(' ') {
		list = append(list, k.one())
	}
	return func(t *target) bool {
		for _, f := range list {
			if !f(t) {
				return false
			}
		}
		return true
	}
}

func (k *keys) one() key {
	if k.depth++; k.depth > maxDepth {
		k.fail("the search keys are too deep")
		return nil
	}
	defer func() { k.depth-- }()
	if k.take('(') {
		f := k.all()
		k.expect(')')
		return f
	}
	if c := k.args.peek(); c == '*' || c == '$' || c >= '0' && c <= '9' {
		return k.numbers(false)
	}
	name := k.atom()
	if flag := flagKeys[name]; flag != "" {
		return hasFlag(flag)
	}
	if flag := flagKeys[strings.TrimPrefix(name, "UN")]; flag != "" && flag != `\Recent` {
		return not(hasFlag(flag))
	}
	switch name {
	case "ALL":
		return func(*target) bool { return true }
	case "NEW":
		recent, seen := hasFlag(`\Recent`), hasFlag(`\Seen`)
		return func(t *target) bool { return recent(t) && !seen(t) }
	case "OLD":
		return not(hasFlag(`\Recent`))
	case "NOT":
		k.space()
		return not(k.one())
	case "OR":
		k.space()
		a := k.one()
		k.space()
		b := k.one()
		return func(t *target) bool { return a(t) || b(t) }
	case "UID":
		k.space()
		return k.numbers(true)
	}
	k.space()
	return k.withArgument(name)
}

func (k *keys) withArgument(name string) key {
	switch name {
	case "KEYWORD":
		return hasFlag(k.astring())
	case "UNKEYWORD":
		return not(hasFlag(k.astring()))
	case "LARGER", "SMALLER":
		n := int64(k.number())
		return func(t *target) bool {
			size := int64(t.session.store.size(t.content))
			return name == "LARGER" && size > n || name == "SMALLER" && size < n
		}
	case "BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE":
		return dated(name, k.date())
	case "FROM", "TO", "CC", "BCC", "SUBJECT":
		text := fold(k.astring())
		return func(t *target) bool { return t.headerHas(name, text) }
	case "HEADER":
		field := k.astring()
		k.space()
		text := fold(k.astring())
		return func(t *target) bool { return t.headerHas(field, text) }
	case "BODY":
		text := fold(k.astring())
		return func(t *target) bool { return t.tree().has(text) }
	case "TEXT":
		text := fold(k.astring())
		return func(t *target) bool { return t.textHas(text) }
	case "MODSEQ":
		return k.modseq()
	case "EMAILID", "THREADID":
		id := k.astring()
		return func(t *target) bool {
			return name == "EMAILID" && id == "M"+strconv.FormatUint(t.id, 16) || name == "THREADID" && id == "T"+strconv.FormatUint(t.thread, 16)
		}
	case "X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS", "X-GM-RAW":
		if k.s.srv.has["X-GM-EXT-1"] {
			return k.gmail(name)
		}
	}
	k.fail("no search key %q here", name)
	return nil
}

// numbers reads a set of UIDs or sequence numbers. "*" is the last message.
func (k *keys) numbers(byUID bool) key {
	sel := k.selection(k.s.saved, byUID)
	of := func(r row) uint32 {
		if sel.byUID {
			return r.uid
		}
		return r.seq
	}
	var ordered set
	return func(t *target) bool {
		if ordered == nil {
			ordered = sel.ordered(of(t.last))
		}
		return ordered.has(of(t.row))
	}
}

// modseq reads the argument of MODSEQ, which may name a flag; one counter
// stands for all. RFC 7162 section 3.1.5.
func (k *keys) modseq() key {
	if !k.s.srv.has["CONDSTORE"] {
		k.fail("no search key MODSEQ here")
	}
	if k.args.peek() == '"' {
		k.quoted()
		k.space()
		k.atom()
		k.space()
	}
	since := k.number()
	k.q.modseq = true
	return func(t *target) bool { return t.modseq >= since }
}

func (k *keys) gmail(name string) key {
	switch name {
	case "X-GM-LABELS":
		label := k.label()
		return func(t *target) bool {
			return slices.ContainsFunc(t.labels, func(l string) bool { return strings.EqualFold(l, label) })
		}
	case "X-GM-RAW": // words only
		words := strings.Fields(fold(k.astring()))
		return func(t *target) bool {
			return !slices.ContainsFunc(words, func(w string) bool { return !t.textHas(w) })
		}
	}
	id := k.number()
	return func(t *target) bool {
		return name == "X-GM-MSGID" && t.id == id || name == "X-GM-THRID" && t.thread == id
	}
}

func not(f key) key { return func(t *target) bool { return !f(t) } }

func hasFlag(flag string) key {
	return func(t *target) bool {
		return slices.ContainsFunc(t.flags, func(f string) bool { return strings.EqualFold(f, flag) })
	}
}

// dated compares dates without their times. RFC 9051 section 6.4.4: zones do
// not matter.
func dated(name string, day time.Time) key {
	sent := strings.HasPrefix(name, "SENT")
	return func(t *target) bool {
		when := t.received
		if sent {
			when = sentOn(t.field("Date"))
		}
		y, m, d := when.Date()
		at := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		switch strings.TrimPrefix(name, "SENT") {
		case "BEFORE":
			return at.Before(day)
		case "ON":
			return at.Equal(day)
		}
		return !at.Before(day)
	}
}

// sentOn reads the Date field; what cannot be read is long ago.
func sentOn(date string) time.Time {
	when, _ := mail.ParseDate(date)
	return when
}

// headerHas tells whether a field of that name has text in it, which is folded;
// any such field has no text.
func (t *target) headerHas(name, text string) bool {
	found := false
	eachField(t.header(), func(n string, raw []byte) bool {
		if strings.EqualFold(n, name) {
			found = strings.Contains(fold(decoded(unfold(raw[bytes.IndexByte(raw, ':')+1:]))), text)
		}
		return !found
	})
	return found
}

// textHas looks at the header, raw and decoded, and at the body.
func (t *target) textHas(text string) bool {
	header := string(t.header())
	return strings.Contains(fold(header), text) || strings.Contains(fold(decoded(unfolder.Replace(header))), text) || t.tree().has(text)
}

// has tells whether a part has text in it, as it is or decoded.
func (p *part) has(text string) bool {
	if strings.Contains(fold(string(p.body)), text) {
		return true
	}
	for _, c := range p.children {
		if c.has(text) {
			return true
		}
	}
	if p.message != nil {
		return p.message.has(text)
	}
	data, ok := p.decode()
	return ok && p.kind == "text" && strings.Contains(fold(string(data)), text)
}

// fold makes the case of letters not matter.
func fold(s string) string { return strings.ToLower(s) }
