package imapclient

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
)

// tree is one value of a response, taken to pieces: an atom, a string, or a
// list of any nesting. Reading it takes time in proportion to its length, and
// no recursion. It may be used again for the next value.
type tree struct {
	nodes []node // a list is followed by what is in it
	text  string // of all nodes
	buf   []byte // in which text is collected
}

// node is a list, or a leaf: its text is tree.text[start:end].
type node struct {
	kind       nodeKind
	glued      bool // nothing is between it and what is before it
	start, end int32
	next       int32 // the node behind it and all that is in it
}

type nodeKind uint8

const (
	nilNode nodeKind = iota
	atomNode
	quotedNode
	literalNode
	listNode
)

// The limits of a tree. What is beyond them is errSyntax, and so is about one
// message.
const (
	maxNodes = 200_000
	maxText  = 2 << 20 // octets
)

// read reads the next value of r.
func (t *tree) read(r *response) error {
	at := r.pos
	moved, err := t.scan(r, false)
	if err == errSyntax && !moved {
		r.pos = at
		_, err = t.scan(r, true)
	}
	t.text = string(t.buf)
	return err
}

// scan reads a value. lax, for a second try, takes a quote for the end of a
// string although it is escaped. moved tells that there is no way back, as
// r.line is another one.
func (t *tree) scan(r *response, lax bool) (moved bool, err error) {
	t.nodes, t.buf = t.nodes[:0], t.buf[:0]
	var open [maxDepth]int32
	depth := 0
	for {
		before := r.pos
		r.space()
		n := node{glued: r.pos == before, start: int32(len(t.buf))}
		switch ch := r.peek(); {
		case ch == '(':
			if depth == maxDepth {
				return moved, errSyntax
			}
			r.pos++
			n.kind = listNode
			open[depth] = int32(len(t.nodes))
			depth++
		case ch == ')':
			if depth == 0 {
				return moved, errSyntax
			}
			r.pos++
			depth--
			t.nodes[open[depth]].next = int32(len(t.nodes))
			if depth == 0 {
				return moved, nil
			}
			continue
		case ch == '"':
			n.kind = quotedNode
			folded, err := t.quoted(r, lax)
			moved = moved || folded
			if err != nil {
				return moved, err
			}
		case r.atLiteral():
			n.kind, moved = literalNode, true
			if t.buf, err = r.appendLiteral(t.buf, maxLiteral); err != nil {
				return moved, err
			}
			if depth > 0 {
				if err := r.stray(); err != nil {
					return moved, err
				}
			}
		default:
			atom := r.token()
			if len(atom) == 0 {
				if depth == 0 {
					return moved, errSyntax
				}
				folded, err := r.folded()
				if !folded || err != nil {
					return moved, cmp.Or(err, errSyntax)
				}
				moved = true
				continue
			}
			n.kind = atomNode
			if len(atom) == 3 && strings.EqualFold(string(atom), "NIL") {
				n.kind = nilNode
			} else {
				t.buf = append(t.buf, atom...)
			}
		}
		n.end, n.next = int32(len(t.buf)), int32(len(t.nodes)+1)
		t.nodes = append(t.nodes, n)
		switch {
		case len(t.nodes) > maxNodes || len(t.buf) > maxText:
			return moved, errSyntax
		case depth == 0:
			return moved, nil
		}
	}
}

// quoted reads a quoted string into t.buf. Quotes within that are not escaped
// do not end it, and neither do line ends, if the next line is indented.
func (t *tree) quoted(r *response, lax bool) (moved bool, err error) {
	r.pos++
	for {
		for i := r.pos; i < len(r.line); i++ {
			ch := r.line[i]
			switch {
			case ch == '"' && closes(r.line, i):
				r.pos = i + 1
				return moved, nil
			case ch == '\\' && i+1 < len(r.line):
				if lax && r.line[i+1] == '"' && closes(r.line, i+1) {
					continue // QUIRK: QQ Mail ends a string in \"
				}
				i++
				ch = r.line[i]
			}
			t.buf = append(t.buf, ch)
		}
		folded, err := r.folded()
		if !folded || err != nil {
			return moved, cmp.Or(err, errSyntax)
		}
		moved = true
	}
}

// closes tells whether the quote at i ends a string. In a sound response the
// first that is not escaped does, and one of these is behind it. QUIRK: some
// servers (Gmail, iCloud, Exchange) do not escape quotes.
func closes(line []byte, i int) bool {
	return i+1 == len(line) || line[i+1] == ' ' || line[i+1] == ')'
}

// folded loads the next line, if it belongs to this one, which has ended
// where it should not: QUIRK: some servers pass on the line ends of folded
// header fields, within quotes.
func (r *response) folded() (bool, error) {
	if r.literal >= 0 {
		return false, nil
	}
	r.line = bytes.Clone(r.line) // to peek is to lose it
	next, err := r.c.conn.Peek(1)
	if err != nil || next[0] != ' ' && next[0] != '\t' {
		return false, err
	}
	return true, r.load(r.c.lineLimit())
}

// stray passes over a line end that a server has sent behind a literal, which
// cannot be the end of the response. QUIRK: some servers count the octets of a
// literal wrong.
func (r *response) stray() error {
	if len(bytes.TrimSpace(r.line)) > 0 {
		return nil
	}
	return r.load(r.c.lineLimit())
}

// appendLiteral appends a literal, or its first keep octets, to b and loads
// the line after it.
func (r *response) appendLiteral(b []byte, keep int64) ([]byte, error) {
	n := r.literal
	for left := min(n, keep); left > 0; {
		if _, err := r.c.conn.Peek(1); err != nil {
			return b, err
		}
		part, err := r.c.conn.Peek(int(min(left, int64(r.c.conn.Buffered()))))
		if err != nil {
			return b, err
		}
		b = append(b, part...)
		left -= int64(len(part))
		r.octets += int64(len(part))
		r.c.conn.Discard(len(part))
	}
	if n > keep {
		if err := r.discard(n - keep); err != nil {
			return b, err
		}
	}
	r.c.conn.Transcript().Omitted(n)
	return b, r.load(r.c.lineLimit())
}

// children appends the nodes in list i to kids.
func (t *tree) children(i int32, kids []int32) []int32 {
	if !t.isList(i) {
		return kids
	}
	for k := i + 1; k < t.nodes[i].next; k = t.nodes[k].next {
		kids = append(kids, k)
	}
	return kids
}

// A node that is not there is -1.

func (t *tree) isList(i int32) bool { return i >= 0 && t.nodes[i].kind == listNode }
func (t *tree) isNil(i int32) bool  { return i < 0 || t.nodes[i].kind == nilNode }

// isEmpty tells whether i is no list or one with nothing in it.
func (t *tree) isEmpty(i int32) bool { return !t.isList(i) || t.nodes[i].next == i+1 }

// isText tells whether i is a leaf other than NIL.
func (t *tree) isText(i int32) bool { return !t.isNil(i) && !t.isList(i) }

// str returns the text of a leaf, empty for NIL and lists.
func (t *tree) str(i int32) string {
	if i < 0 {
		return ""
	}
	return t.text[t.nodes[i].start:t.nodes[i].end]
}

// number reads a leaf as a number, or returns -1. QUIRK: some servers send -1,
// NIL, a number in quotes, or one with a fraction or an exponent (mail.ru).
func (t *tree) number(i int32) int64 {
	if !t.isText(i) {
		return -1
	}
	if n, err := parseUint([]byte(t.str(i)), 63); err == nil {
		return int64(n)
	}
	if f, err := strconv.ParseFloat(t.str(i), 64); err == nil && f >= 0 && f < 1<<62 {
		return int64(f)
	}
	return -1
}

// joined returns the text of leaves as it was on the wire, but for escapes.
func (t *tree) joined(kids []int32) string {
	var b strings.Builder
	for k, i := range kids {
		if k > 0 && !t.nodes[i].glued {
			b.WriteByte(' ')
		}
		switch t.nodes[i].kind {
		case quotedNode:
			if len(kids) > 1 {
				b.WriteString(`"` + t.str(i) + `"`)
				continue
			}
		case nilNode:
			if len(kids) > 1 {
				b.WriteString("NIL")
			}
		}
		b.WriteString(t.str(i))
	}
	return b.String()
}

// nth returns kids[k], or -1.
func nth(kids []int32, k int) int32 {
	if k < 0 || k >= len(kids) {
		return -1
	}
	return kids[k]
}
