package retrievaltest

import (
	"math/rand/v2"
	"time"
)

// Drip lets what the server says come one octet at a time, with the pause d
// before each.
func Drip(d time.Duration) *Fault {
	return &Fault{what: faultSegments, octets: 1, wait: d, conn: 1}
}

// Split lets what the server says come in segments of at most n octets.
func Split(n int) *Fault {
	if n < 1 {
		panic("retrievaltest: a segment has at least 1 octet")
	}
	return &Fault{what: faultSegments, octets: int64(n), conn: 1}
}

// SplitRandom is [Split] into segments of 1 to n octets. The same seed gives
// the same sizes.
func SplitRandom(n int, seed uint64) *Fault {
	f := Split(n)
	f.seed = seed | 1<<63
	return f
}

// Coalesce lets what the server says come in one segment, up to 1 MiB, once
// nothing has followed for the time d.
func Coalesce(d time.Duration) *Fault { return &Fault{what: faultCoalesce, wait: d, conn: 1} }

// Noise changes one bit of about one in n of the octets that the server says.
// The same seed changes the same ones.
func Noise(n int, seed uint64) *Fault {
	if n < 1 {
		panic("retrievaltest: at most every octet can be changed")
	}
	return &Fault{what: faultNoise, octets: int64(n), seed: seed, conn: 1}
}

// faultShape is how what the server says comes to the client.
type faultShape struct {
	segments *Fault
	coalesce *Fault
	noise    *Fault
	sizes    *rand.Rand // of segments, if they are random
	bits     *rand.Rand
	dripping bool // segments has struck
}

// add takes a fault that is about the whole of a connection.
func (s *faultShape) add(f *Fault) {
	switch f.what {
	case faultSegments:
		s.segments = f
		if f.seed != 0 {
			s.sizes = rand.New(rand.NewPCG(f.seed, 1))
		}
	case faultCoalesce:
		s.coalesce = f
	case faultNoise:
		s.noise, s.bits = f, rand.New(rand.NewPCG(f.seed, 2))
	}
}

// distort changes bits.
func (s *faultShape) distort(p []byte) {
	if s.noise == nil {
		return
	}
	for i := range p {
		if s.bits.Int64N(s.noise.octets) == 0 {
			p[i] ^= 1 << s.bits.IntN(8)
			s.noise.struck.Add(1)
		}
	}
}

// segment returns how many of n octets come next, and after which pause.
func (s *faultShape) segment(n int) (int, time.Duration) {
	if s.segments == nil {
		return n, 0
	}
	if !s.dripping {
		s.dripping = true
		s.segments.struck.Add(1)
	}
	size := s.segments.octets
	if s.sizes != nil {
		size = 1 + s.sizes.Int64N(size)
	}
	return int(min(int64(n), size)), s.segments.wait
}
