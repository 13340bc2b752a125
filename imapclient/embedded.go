package imapclient

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"example.com/postbag/message"
)

// embedded begins to read a part of a message within the message, from all of
// the outermost such message, or returns false if the part is none.
//
// QUIRK: GNU Mailutils sends the message that is part 3 for the part 3.1, and
// for 3.1.1, and nothing for 3.2; RFC 9051 section 6.4.5 says that these are the
// parts of that message. They are not to be had from it otherwise.
func (p *PartReader) embedded() (bool, error) {
	number := p.part
	for _, suffix := range []string{".MIME", ".HEADER", ".TEXT"} {
		number = strings.TrimSuffix(number, suffix)
	}
	if !p.c.is(innerParts) || !strings.Contains(number, ".") {
		return false, nil
	}
	outer, err := p.around(number)
	if outer == nil || err != nil {
		return false, err
	}
	if number != p.part {
		return true, p.about(fmt.Errorf("imap: the server does not send %s of a message within a message: %w", p.part, errors.ErrUnsupported))
	}
	inner := strings.TrimPrefix(p.part, outer.Number+".")
	p.part, p.o.Size = outer.Number, max(outer.Size, 0)
	if err := p.chunk(); err != nil {
		return true, err
	}
	msg, err := message.Read(rawPart{p}, nil)
	if err != nil {
		return true, err
	}
	next, stop := iter.Pull2(msg.Parts())
	p.leave = stop
	for {
		part, err, ok := next()
		switch {
		case !ok:
			return true, p.about(ErrNoPart)
		case err != nil:
			return true, err
		case part.Path != inner:
			continue
		}
		p.src = part
		if p.o.Raw {
			p.src = part.Raw()
		}
		_, err = io.CopyN(io.Discard, p.src, p.o.Offset)
		if err == io.EOF {
			err = nil
		}
		return true, err
	}
}

// around returns the outermost message that the part of a number is in, nil if
// there is none.
func (p *PartReader) around(number string) (outer *Part, err error) {
	err = error(ErrGone)
	failed := p.c.inquire(UIDs(p.uid), &Items{Structure: true}, func(info Info, e error) bool {
		err = e
		for q := range info.Structure.All() {
			if outer == nil && q.IsMessage() && strings.HasPrefix(number, q.Number+".") {
				outer = q
			}
		}
		return true
	})
	if failed != nil {
		return nil, failed
	}
	if me := (*MessageError)(nil); err != nil && !errors.As(err, &me) {
		err = p.about(err)
	}
	return outer, err
}
