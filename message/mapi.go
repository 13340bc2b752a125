package message

import "encoding/binary"

// mapiReader takes values off the front of b. Once something is missing, all
// is zero.
type mapiReader struct {
	b   []byte
	bad bool
}

func (r *mapiReader) take(n int64) []byte {
	if n < 0 || n > int64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *mapiReader) uint16() uint16 {
	if v := r.take(2); v != nil {
		return binary.LittleEndian.Uint16(v)
	}
	return 0
}

func (r *mapiReader) uint32() uint32 {
	if v := r.take(4); v != nil {
		return binary.LittleEndian.Uint32(v)
	}
	return 0
}

// padded takes n octets and what fills them up to a multiple of four. At the
// end, that may be missing.
func (r *mapiReader) padded(n int64) []byte {
	v := r.take(n)
	r.b = r.b[min((4-n%4)%4, int64(len(r.b))):]
	return v
}

// properties calls f with each property of a list, [MS-OXTNEF] section
// 2.1.3.4; of those with many values, with the first.
func (t *tnefReader) properties(b []byte, f func(id, typ uint16, v []byte)) {
	r := mapiReader{b: b}
	for range r.uint32() {
		typ, id := r.uint16(), r.uint16()
		if id >= 0x8000 {
			r.take(16) // a named property: whose
			if r.uint32() == 0 {
				r.uint32()
			} else {
				r.padded(int64(r.uint32()))
			}
		}
		v := r.value(typ)
		if r.bad {
			t.bad = true
			return
		}
		f(id, typ&^manyValues, v)
	}
}

const manyValues = 0x1000

// value takes the values of a property and returns the first.
func (r *mapiReader) value(typ uint16) (first []byte) {
	size, n := int64(-1), uint32(1)
	switch typ &^ manyValues {
	case 0x0d, 0x1e, 0x1f, 0x102:
		n = r.uint32()
	case 0x01:
		size = 0
	case 0x02, 0x03, 0x04, 0x0a, 0x0b:
		size = 4
	case 0x05, 0x06, 0x07, 0x14, 0x40:
		size = 8
	case 0x48:
		size = 16
	default:
		r.bad = true
		return nil
	}
	if typ&manyValues != 0 && size >= 0 {
		n = r.uint32()
		if typ&^manyValues == 0x02 {
			return r.padded(2 * int64(n))
		}
	}
	for i := range n {
		length := size
		if size < 0 {
			length = int64(r.uint32())
		}
		v := r.padded(length)
		if i == 0 {
			first = v
		}
		if r.bad || length == 0 && size == 0 {
			break
		}
	}
	return first
}
