package imapclient

import (
	"bytes"
	"strings"
	"time"
)

// Summary is what a server says of a message without sending it.
type Summary struct {
	UID      uint32
	Size     int64     // RFC822.SIZE, -1 if it was not told
	Flags    []string  // without \Recent, which belongs to a session; in no order
	Received time.Time // INTERNALDATE in UTC, zero if it was not told
}

// row is a FETCH response while it is being read. Items may come in any
// order. RFC 9051 section 7.5.2.
type row struct {
	seq      uint32
	sum      Summary
	hasFlags bool

	section string // the body section that is meant, such as "BODY[]"
	body    bodyKind
	inline  []byte // the body, if it came quoted
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
	n, err := r.number(32)
	if err != nil || r.word() != "FETCH" {
		return nil, nil
	}
	if !r.take('(') {
		return nil, errSyntax
	}
	return &row{seq: uint32(n), section: section, sum: Summary{Size: -1}}, nil
}

// items reads items up to the body, if there is one, else to the end.
func (w *row) items(r *response) error {
	w.body = noBody
	for {
		r.space()
		if r.take(')') {
			return nil
		}
		name := r.itemName()
		if len(name) == 0 {
			return errSyntax
		}
		r.space()
		if strings.EqualFold(name, w.section) {
			return w.startBody(r)
		}
		if err := w.item(r, strings.ToUpper(name)); err != nil {
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
			if err := newMessage(r, w).finish(); err != nil {
				return err
			}
		}
	}
}

// itemName reads a name such as "BODY[HEADER.FIELDS (DATE)]<0>".
func (r *response) itemName() string {
	start := r.pos
	for r.pos < len(r.line) {
		switch r.line[r.pos] {
		case ' ', '(', ')':
			return string(r.line[start:r.pos])
		case '[':
			end := bytes.IndexByte(r.line[r.pos:], ']')
			if end < 0 {
				return ""
			}
			r.pos += end
		}
		r.pos++
	}
	return string(r.line[start:])
}

func (w *row) item(r *response, name string) error {
	switch name {
	case "UID":
		n, err := r.number(32)
		w.sum.UID = uint32(n)
		return err
	case "RFC822.SIZE":
		s, _, err := r.str()
		if n, bad := parseUint(s, 63); bad == nil { // QUIRK: -1 or NIL; a quoted number is taken
			w.sum.Size = int64(n)
		}
		return err
	case "FLAGS":
		flags, err := r.flagList()
		w.sum.Flags, w.hasFlags = withoutRecent(flags), err == nil
		return err
	case "INTERNALDATE":
		s, _, err := r.str()
		w.sum.Received = parseDate(s)
		return err
	}
	return r.skip()
}

// startBody reads the form of the body, and if it is no literal, the body.
func (w *row) startBody(r *response) error {
	if r.atLiteral() {
		w.body = literalBody
		return nil
	}
	s, isNil, err := r.str()
	w.body, w.inline = inlineBody, bytes.Clone(s)
	if isNil {
		w.body = nilBody
	}
	return err
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
}

// parseDate reads "17-Jul-1996 02:44:25 -0700", or returns the zero time.
// RFC 9051 section 9, date-time.
func parseDate(b []byte) time.Time {
	t, err := time.Parse("_2-Jan-2006 15:04:05 -0700", string(bytes.TrimSpace(b)))
	if err != nil {
		return time.Time{} // QUIRK: NIL, "", or a date that is none
	}
	return t.UTC()
}
