package message

import (
	"slices"
	"sync"
)

// room is memory that one parser after the other uses.
type room struct {
	decoded []byte // what undo made of octets
	text    []byte // of a part
}

const mostRoom = 256 << 10 // octets that are kept for the next parser

var rooms = sync.Pool{New: func() any { return new(room) }}

// free gives memory back. All parts are past then.
func (p *parser) free() {
	p.source.free()
	p.cur, p.buf = nil, nil
	if p.room != nil {
		if max(cap(p.room.decoded), cap(p.room.text)) <= mostRoom {
			rooms.Put(p.room)
		}
		p.room = nil
	}
}

// doubled returns s with room for n elements more, twice as large if there was
// none: append alone makes large slices a quarter larger, and copies them more
// often.
func doubled[E any](s []E, n int) []E {
	if len(s)+n > cap(s) {
		s = slices.Grow(s, max(n, len(s)))
	}
	return s
}
