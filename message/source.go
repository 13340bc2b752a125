package message

import (
	"io"
	"sync"
)

const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// source reads ahead, as far as its buffer goes, and knows where it is.
type source struct {
	r        io.Reader
	array    *[bufferSize]byte
	pos, end int   // what is in the buffer and not yet taken
	off      int64 // of array[pos] in the message
	err      error // of reading; io.EOF at the end
}

func newSource(r io.Reader) source {
	return source{r: r, array: buffers.Get().(*[bufferSize]byte)}
}

// free gives the buffer back. The source is at its end then.
func (s *source) free() {
	if s.array != nil {
		buffers.Put(s.array)
		s.array, s.pos, s.end = nil, 0, 0
		if s.err == nil {
			s.err = io.EOF
		}
	}
}

// fill returns what is ahead: at least n octets, unless the end or an error
// comes before, or n is more than the buffer holds. It is valid until the
// next call.
func (s *source) fill(n int) []byte {
	n = min(n, bufferSize)
	if s.end-s.pos < n && s.err == nil {
		if s.pos > 0 {
			s.end = copy(s.array[:], s.array[s.pos:s.end])
			s.pos = 0
		}
		for empty := 0; s.end < n && s.err == nil; {
			var got int
			got, s.err = s.r.Read(s.array[s.end:])
			s.end += got
			if got > 0 {
				empty = 0
			} else if empty++; empty == 100 && s.err == nil {
				s.err = io.ErrNoProgress
			}
		}
	}
	if s.array == nil {
		return nil
	}
	return s.array[s.pos:s.end]
}

// take returns the next n octets of what fill returned, and goes behind them.
func (s *source) take(n int) []byte {
	b := s.array[s.pos : s.pos+n : s.pos+n]
	s.pos += n
	s.off += int64(n)
	return b
}

// ended tells whether there is nothing behind what fill returned.
func (s *source) ended() bool { return s.err != nil }

// failure is the error of reading, if there was one.
func (s *source) failure() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}
