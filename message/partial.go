package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Fragment is what a message of the type message/partial says: which piece of
// another message it holds. RFC 2046 section 5.2.2.
type Fragment struct {
	ID            string
	Number, Total int // from 1; Total is 0 where it is not said
}

// Fragment returns which piece of another message the part holds, if that is
// what it is.
func (p *Part) Fragment() (Fragment, bool) {
	n, err := strconv.Atoi(p.Params["number"])
	if p.Type != "message/partial" || err != nil || n < 1 {
		return Fragment{}, false
	}
	total, err := strconv.Atoi(p.Params["total"])
	if err != nil || total < n {
		total = 0
	}
	return Fragment{ID: p.Params["id"], Number: n, Total: total}, true
}

// Errors of Join.
var (
	// ErrNoFragment: one of the messages is no piece of another.
	ErrNoFragment = errors.New("message: no fragment")

	// ErrFragments: the messages are not the pieces of one message, each once.
	ErrFragments = errors.New("message: not the fragments of one message")
)

// Join returns the message whose pieces are the messages that the readers
// hold, in any order. Its header section is that of the first piece with the
// fields of the message in it put in place of those that RFC 2046 section
// 5.2.2.1 names. It is read from the pieces as it goes; where it is a piece
// itself, it stays one. The errors are ErrNoFragment, ErrFragments and those
// of reading.
func Join(pieces ...io.ReadSeeker) (io.Reader, error) {
	all := make([]*piece, 0, len(pieces))
	for _, r := range pieces {
		p, err := newPiece(r)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b *piece) int { return a.Number - b.Number })
	total := 0
	for i, p := range all {
		if p.Number != i+1 || p.ID != all[0].ID {
			return nil, fmt.Errorf("%w: piece %d of %q", ErrFragments, p.Number, p.ID)
		}
		total = max(total, p.Total)
	}
	if len(all) == 0 || total > 0 && total != len(all) {
		return nil, fmt.Errorf("%w: %d of %d pieces", ErrFragments, len(all), total)
	}
	first := all[0]
	body := newParser(first.part, &shared{o: first.m.shared.o, defects: new(defects)})
	inner, _ := body.header(&first.m.shared.o, true, func(int64, Kind) {})
	if err := body.failure(); err != nil {
		return nil, err
	}
	readers := []io.Reader{bytes.NewReader(joinedHeader(first.m.Header, inner)), &bodyReader{body}}
	for _, p := range all[1:] {
		readers = append(readers, p.part)
	}
	return io.MultiReader(readers...), nil
}

// piece is a message that holds a piece of another.
type piece struct {
	Fragment
	m    *Message
	part *Part
}

func newPiece(r io.ReadSeeker) (*piece, error) {
	m, err := Read(r, nil)
	if err != nil {
		return nil, err
	}
	part, err := m.begin()
	if err != nil {
		return nil, err
	}
	f, ok := part.Fragment()
	if !ok {
		m.p.free()
		return nil, fmt.Errorf("%w: %s", ErrNoFragment, part.Type)
	}
	return &piece{f, m, part}, nil
}

// bodyReader reads what is behind a header section.
type bodyReader struct{ p *parser }

func (r *bodyReader) Read(b []byte) (int, error) {
	ahead := r.p.fill(1)
	if len(ahead) == 0 {
		return 0, r.p.err
	}
	return copy(b, r.p.take(min(len(b), len(ahead)))), nil
}

// joinedHeader makes the header section of the whole, RFC 2046 section 5.2.2.1.
func joinedHeader(outer, inner *Header) []byte {
	var b bytes.Buffer
	end := []byte("\r\n")
	if !bytes.Contains(outer.raw, end) {
		end = end[1:]
	}
	write := func(h *Header, own bool) {
		for _, f := range h.fields {
			if fromInner(h.name(f)) == own {
				raw := h.raw[f.start:f.end]
				b.Write(raw)
				if !bytes.HasSuffix(raw, end[len(end)-1:]) {
					b.Write(end)
				}
			}
		}
	}
	write(outer, false)
	write(inner, true)
	b.Write(end)
	return b.Bytes()
}

// fromInner tells whether a field comes from the message within.
func fromInner(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "content-") || name == "subject" || name == "message-id" || name == "encrypted" || name == "mime-version"
}
