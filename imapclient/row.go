package imapclient

import (
	"bytes"
	"strings"
)

// row is a FETCH response while it is being read. Items may come in any
// order. RFC 9051 section 7.5.2.
type row struct {
	seq      uint32
	octets   int64 // of the response, and of those that were merged
	sum      Summary
	hasFlags bool
	more     *details // of what else was asked for; nil: nothing

	section string // the body section that is meant, such as "BODY[]"
	body    bodyKind
	inline  []byte // the body, if it came quoted
	origin  int64  // where in the section it begins, -1 if that was not told
	parens  int    // open ones around items
}

// bodyKind is the form in which a body came.
type bodyKind int

const (
	noBody      bodyKind = iota
	literalBody          // it follows on the wire: r.literal octets
	inlineBody           // it is in row.inline
	nilBody              // the server sent NIL instead
)

// fetchRow begins to read a FETCH response, or returns nil if r is something
// else.
func fetchRow(r *response, section string) (*row, error) {
	w := new(row)
	ok, err := w.begin(r, section)
	if !ok || err != nil {
		return nil, err
	}
	return w, nil
}

// begin begins to read a FETCH response, or returns false if r is something
// else.
func (w *row) begin(r *response, section string) (bool, error) {
	n, err := r.number(32)
	if err != nil || !r.isWord("FETCH") {
		return false, nil
	}
	if !r.take('(') {
		return true, errSyntax
	}
	*w = row{seq: uint32(n), section: section, sum: Summary{Size: -1}, origin: -1}
	return true, nil
}

// items reads items up to the body, if there is one, else to the end.
func (w *row) items(r *response) error {
	w.body = noBody
	for {
		r.space()
		switch r.peek() {
		case ')':
			r.pos++
			if w.parens == 0 {
				return nil
			}
			w.parens--
			continue
		case '(': // QUIRK: Domino sends (ENVELOPE (…))
			r.pos++
			if w.parens++; w.parens > maxDepth {
				return errSyntax
			}
			continue
		case '"': // QUIRK: Exchange sends a description behind a structure
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		name := r.itemName()
		if len(name) == 0 {
			return errSyntax
		}
		r.space()
		if w.isBody(name) {
			return w.startBody(r)
		}
		if err := w.item(r, name); err != nil {
			return err
		}
	}
}

// rest reads what is left of the row after its body. Another body is passed
// over.
func (w *row) rest(r *response) error {
	for {
		if err := w.items(r); err != nil || w.body == noBody {
			return err
		}
		if w.body == literalBody {
			n := r.literal
			if err := r.discard(n); err != nil {
				return err
			}
			r.c.conn.Transcript().Omitted(n)
			if err := r.load(r.c.lineLimit()); err != nil {
				return err
			}
			if err := r.stray(); err != nil {
				return err
			}
		}
	}
}

// itemName reads a name such as "BODY[HEADER.FIELDS (DATE)]<0>", valid until
// the next line is loaded.
func (r *response) itemName() []byte {
	start := r.pos
	for r.pos < len(r.line) {
		switch r.line[r.pos] {
		case ' ', '(', ')':
			return r.line[start:r.pos]
		case '[':
			end := bytes.IndexByte(r.line[r.pos:], ']')
			if end < 0 {
				return nil
			}
			r.pos += end
		}
		r.pos++
	}
	return r.line[start:]
}

// isBody tells whether a name is that of the section that is meant, or of a
// range of it.
func (w *row) isBody(name []byte) bool {
	n := len(w.section)
	if n == 0 || len(name) < n || !fold(name[:n], w.section) {
		return false
	}
	rest := name[n:]
	w.origin = -1
	if len(rest) == 0 {
		return true
	}
	if rest[0] != '<' || rest[len(rest)-1] != '>' {
		return false
	}
	origin, err := parseUint(rest[1:len(rest)-1], 63)
	w.origin = int64(origin)
	return err == nil
}

func (w *row) item(r *response, name []byte) error {
	switch {
	case fold(name, "UID"):
		n, err := r.number(32)
		w.sum.UID = uint32(n)
		return err
	case fold(name, "RFC822.SIZE"):
		s, _, err := r.str()
		if n, bad := parseUint(s, 63); bad == nil { // QUIRK: -1 or NIL; a quoted number is taken
			w.sum.Size = int64(n)
		}
		return err
	case fold(name, "FLAGS"):
		flags, err := r.flagList()
		w.sum.Flags, w.hasFlags = withoutRecent(flags), err == nil
		return err
	case fold(name, "INTERNALDATE"):
		s, _, err := r.str()
		w.sum.Received = parseDate(s)
		return err
	case fold(name, "NIL"): // what is left of an item
		return nil
	}
	if w.more != nil {
		return w.more.item(r, strings.ToUpper(string(name)))
	}
	return r.skip()
}

// startBody reads the form of the body, and if it is no literal, the body.
func (w *row) startBody(r *response) error {
	r.c.mail = true
	switch {
	case r.atLiteral():
		w.body = literalBody
		return nil
	case r.peek() == ')': // QUIRK: Yandex sends nothing for NIL
		w.body = nilBody
		return nil
	}
	quoted := r.peek() == '"'
	s, isNil, err := r.str()
	switch {
	case err != nil:
		return err
	case isNil:
		w.body = nilBody
	case quoted:
		w.body, w.inline = inlineBody, bytes.Clone(s)
	default:
		return errSyntax // such as a literal whose length is no number
	}
	return nil
}

func withoutRecent(flags []string) []string {
	for i, f := range flags {
		if strings.EqualFold(f, `\Recent`) {
			return append(flags[:i], flags[i+1:]...)
		}
	}
	return flags
}

// merge fills in what o tells and w does not.
func (w *row) merge(o *row) {
	w.octets += o.octets
	if w.sum.UID == 0 {
		w.sum.UID = o.sum.UID
	}
	if w.sum.Size < 0 {
		w.sum.Size = o.sum.Size
	}
	if !w.hasFlags {
		w.sum.Flags, w.hasFlags = o.sum.Flags, o.hasFlags
	}
	if w.sum.Received.IsZero() {
		w.sum.Received = o.sum.Received
	}
	if w.more != nil && o.more != nil {
		w.more.merge(o.more)
	}
}

// fold tells whether b is s in some case.
func fold(b []byte, s string) bool { return len(b) == len(s) && strings.EqualFold(string(b), s) }
