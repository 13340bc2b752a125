package imapclient

import (
	"errors"
	"io"

	"example.com/postbag/internal/transport"
)

// rawPart reads the octets of a part, chunk by chunk.
type rawPart struct{ *PartReader }

func (p rawPart) Read(b []byte) (int, error) {
	for p.m != nil {
		n, err := p.m.Read(b)
		p.at += int64(n)
		if n > 0 || err != io.EOF {
			return n, err
		}
		if err := p.more(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// more goes on behind a chunk.
func (p rawPart) more() error {
	short, empty := p.m.octets < p.ask, p.m.octets == 0
	_, err, failed := p.next() // to the end of the command
	p.finish()
	if p.last || empty || short && p.at >= p.o.Size {
		return io.EOF
	}
	if !failed {
		err = p.chunk()
	}
	if errors.Is(err, ErrNoPart) && p.at >= p.o.Size {
		return io.EOF // there is nothing behind the end
	}
	if err != nil {
		err = transport.Mark(ErrTruncated, err)
	}
	return err
}
