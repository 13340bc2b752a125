package fakemail

import (
	"bufio"
	"compress/flate"
)

// compress answers COMPRESS. What follows the answer is compressed, on both
// ways. RFC 4978.
func (s *session) compress(a *args) error {
	algorithm := a.atom()
	if err := a.done(); err != nil {
		return err
	}
	switch {
	case algorithm != "DEFLATE":
		return bad("only DEFLATE")
	case s.compressed:
		return no("[COMPRESSIONACTIVE] DEFLATE is on")
	}
	s.line(s.tag + " OK DEFLATE is on from here")
	if err := s.flush(); err != nil {
		return err
	}
	s.compressed = true
	z, err := flate.NewWriter(s.conn, flate.BestSpeed)
	if err != nil {
		return err
	}
	s.w = bufio.NewWriterSize(z, 64<<10)
	s.flush = func() error {
		if err := s.w.Flush(); err != nil {
			return err
		}
		return z.Flush()
	}
	s.r = bufio.NewReaderSize(flate.NewReader(s.r), 64<<10)
	return errAnswered
}
