package disk

import (
	"encoding/binary"
	"time"

	"example.com/postbag/retrieval"
)

// encoder appends the values that differ from zero to b, and remembers which
// in has.
type encoder struct {
	b   []byte
	has uint64
}

func (e *encoder) time(bit uint64, t time.Time) {
	if !t.IsZero() {
		e.has |= bit
		e.b = appendTime(e.b, t)
	}
}

func (e *encoder) text(bit uint64, s string) {
	if s != "" {
		e.has |= bit
		e.b = appendString(e.b, s)
	}
}

func (e *encoder) number(bit uint64, v int64) {
	if v != 0 {
		e.has |= bit
		e.b = binary.AppendVarint(e.b, v)
	}
}

func (e *encoder) flags(bit uint64, flags []retrieval.Flag) {
	if len(flags) > 0 {
		e.has |= bit
		e.b = binary.AppendUvarint(e.b, uint64(len(flags)))
		for _, f := range flags {
			e.b = appendString(e.b, string(f))
		}
	}
}

func (e *encoder) mark(bit uint64, there bool) {
	if there {
		e.has |= bit
	}
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

// decoder takes values off the front of rest, until one is bad.
type decoder struct {
	rest []byte
	has  uint64
	bad  bool
}

func (d *decoder) time(bit uint64) time.Time {
	if d.has&bit == 0 {
		return time.Time{}
	}
	return d.moment()
}

func (d *decoder) text(bit uint64) string {
	if d.has&bit == 0 {
		return ""
	}
	return d.string()
}

func (d *decoder) value(bit uint64) int64 {
	if d.has&bit == 0 {
		return 0
	}
	return d.signed()
}

func (d *decoder) flags(bit uint64) []retrieval.Flag {
	if d.has&bit == 0 {
		return nil
	}
	return d.flagList()
}

func (d *decoder) flagList() (flags []retrieval.Flag) {
	for n := d.number(); n > 0 && !d.bad; n-- {
		flags = append(flags, retrieval.Flag(d.string()))
	}
	return flags
}

// moment takes a time. It is in UTC, so that the zero time is time.Time{}.
func (d *decoder) moment() time.Time {
	seconds, nanoseconds := d.signed(), d.number()
	if nanoseconds >= uint64(time.Second) {
		d.bad = true
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) signed() int64 {
	v, n := binary.Varint(d.rest)
	d.skip(n)
	return v
}

func (d *decoder) string() string {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.bad = true
		return ""
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

// octets fills p.
func (d *decoder) octets(p []byte) {
	if len(d.rest) < len(p) {
		d.bad = true
		return
	}
	d.rest = d.rest[copy(p, d.rest):]
}

func (d *decoder) skip(n int) {
	if n <= 0 {
		d.bad = true
		n = 0
	}
	d.rest = d.rest[n:]
}
