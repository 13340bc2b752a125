package imapclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"example.com/postbag/internal/transport"
	"example.com/postbag/message"
)

// PartReader is a part that is being read.
type PartReader struct {
	c    *Client
	uid  uint32
	part string
	o    PartOptions
	end  func()          // of the client's work; nil once it is over
	ctx  context.Context // that this work is bound to

	// The chunk that is being read.
	next func() (*Message, error, bool)
	stop func()
	m    *Message

	leave func() // ends the reading of a message's parts; may be nil
	ask   int64  // octets that were asked for, 0 for all

	begin int64 // where in the part reading begins
	at    int64 // where the next octet is
	last  bool  // no chunk is behind this one
	src   io.Reader
	left  int64 // of the limit; -1: there is none
	err   error
}

// What parts are asked for in ranges, and how large these are.
const (
	largePart = 16 << 20
	partChunk = 4 << 20
)

// open asks for the part, or its first chunk.
func (p *PartReader) open() error {
	p.left = cmp.Or(p.o.Limit, -1)
	if ok, err := p.embedded(); ok || err != nil {
		return err
	}
	if p.o.Raw || !isPartNumber(p.part) {
		p.src, p.begin, p.at = rawPart{p}, p.o.Offset, p.o.Offset
		return p.chunk()
	}
	if ok, err := p.binary(); ok || err != nil {
		return err
	}
	if p.o.Encoding == "" {
		part, err := p.describe()
		if err != nil {
			return err
		}
		p.o.Encoding, p.o.Size = part.Encoding, max(part.Size, 0)
	}
	p.src = message.DecodeTransfer(rawPart{p}, p.o.Encoding)
	if err := p.chunk(); err != nil {
		return err
	}
	if p.o.Offset > 0 {
		_, err := io.CopyN(io.Discard, p.src, p.o.Offset)
		if err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}

// binary asks the server to decode, and tells whether it does. It is not asked
// for a range: that would be one of the decoded octets, and who gets that
// wrong cannot be told.
func (p *PartReader) binary() (bool, error) {
	if err := p.c.needCapabilities(); err != nil {
		return false, err
	}
	if !p.c.caps.Has("BINARY") && !p.c.caps.Has("IMAP4REV2") || p.o.Offset > 0 || p.o.Limit > 0 || p.o.Chunk > 0 || p.o.Size > largePart {
		return false, nil
	}
	p.src, p.last = rawPart{p}, true
	err := p.start("BINARY", "")
	refused := (*Error)(nil) // [UNKNOWN-CTE], or it cannot after all
	if err == errEmpty || errors.As(err, &refused) && p.c.conn.Err() == nil {
		p.last = false
		return false, nil
	}
	return true, err
}

// describe asks for the structure of the message, and finds the part in it. The
// encoding is not learned from BODY[n.MIME]: QUIRK: of a message in a message
// hMailServer sends the header of that.
func (p *PartReader) describe() (*Part, error) {
	number := p.part
	for _, suffix := range []string{".MIME", ".HEADER", ".TEXT"} {
		number = strings.TrimSuffix(number, suffix)
	}
	var part *Part
	err := error(ErrGone)
	failed := p.c.inquire(UIDs(p.uid), &Items{Structure: true, Size: true}, func(info Info, e error) bool {
		part, err = info.Structure, e
		switch {
		case err != nil:
		case part == nil:
			err = errSyntax
		case number == "":
			part = &Part{Size: info.Size}
		case number == "HEADER":
			part = &Part{Size: -1}
		case number != "TEXT":
			if part = part.Find(number); part == nil {
				err = ErrNoPart
			} else if number != p.part {
				part = &Part{Size: -1} // what is asked for is something about it
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
	return part, err
}

// chunk asks for the next chunk.
func (p *PartReader) chunk() error {
	p.ask = p.o.Chunk
	if p.ask == 0 && p.o.Size > largePart {
		p.ask = partChunk
	}
	if p.left >= 0 && (p.ask <= 0 || p.ask > p.left+p.left/2+partSlack) {
		p.ask = p.left + p.left/2 + partSlack // also if it is encoded
	}
	if p.ask <= 0 && p.at > 0 {
		p.ask = 1<<32 - 1
	}
	section := ""
	if p.ask > 0 {
		p.ask = min(p.ask, 1<<32-1) // a number, RFC 9051 section 9
		section = fmt.Sprintf("<%d.%d>", p.at, p.ask)
	} else {
		p.ask, p.last = 0, true
	}
	return p.start("BODY", section)
}

// partSlack is what line ends and the like may add to a limit.
const partSlack = 1 << 10

// start asks for something and waits for it to begin.
func (p *PartReader) start(item, partial string) error {
	peek := ".PEEK"
	if p.o.MarkSeen {
		peek = ""
	}
	f := &fetch{c: p.c, section: item + "[" + p.part + "]", items: "(UID " + item + peek + "[" + p.part + "]" + partial + ")", guess: guessBody, noBody: fmt.Errorf("imap: UID FETCH: %w", ErrNoPart), width: 1}
	p.next, p.stop = iter.Pull2(func(yield func(*Message, error) bool) {
		f.yield = yield
		f.all(p.ctx, UIDs(p.uid))
	})
	m, err, ok := p.next()
	if !ok || err != nil {
		p.finish()
		return err
	}
	p.m = m
	switch {
	case m.octets == 0 && item == "BINARY":
		p.finish()
		return errEmpty
	case m.octets == 0 && p.at == p.begin:
		return p.nothing()
	}
	return p.align()
}

// errEmpty: nothing is what the server has decoded. Whether nothing is what there
// is to decode, only the encoded octets can tell.
var errEmpty = errors.New("imap: the part is empty")

// nothing finds out what it means that nothing came: most servers say so of
// parts that are not there, too. If it is all there is, the reader is at its
// end.
func (p *PartReader) nothing() error {
	p.finish()
	size := p.o.Size
	if size == 0 && p.begin == 0 {
		part, err := p.describe()
		if err != nil {
			return err
		}
		size = part.Size
	}
	if size > p.begin {
		return p.about(transport.Mark(ErrTruncated, fmt.Errorf("imap: UID FETCH: the server sent nothing of %d octets", size)))
	}
	return nil
}

// align finds where the octets of a chunk are in the part.
func (p *PartReader) align() error {
	origin := p.m.origin
	if origin < 0 {
		origin, p.last = 0, true // it ignores ranges: this is the whole part
	}
	if p.m.octets > p.ask {
		p.last = true // it ignores how many were asked for: these are all
	}
	if skip := p.at - origin; skip < 0 || skip > 0 && skip >= p.m.octets && !p.last {
		return p.about(fmt.Errorf("imap: UID FETCH: the server sent the part from octet %d instead of %d", origin, p.at))
	} else if skip > 0 {
		if _, err := io.CopyN(io.Discard, p.m, skip); err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}

func (p *PartReader) about(err error) error { return &MessageError{p.uid, err} }

var errClosed = errors.New("imap: the part is closed")

// Read reads the next octets.
func (p *PartReader) Read(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	if p.left >= 0 {
		b = b[:min(int64(len(b)), p.left)]
	}
	n, err := 0, io.EOF
	if p.left != 0 {
		n, err = p.src.Read(b)
	}
	if p.left >= 0 {
		p.left -= int64(n)
	}
	if err != nil {
		p.err = err
		p.Close()
	}
	return n, err
}

// Close ends the reading. What is on the way is read and thrown away.
func (p *PartReader) Close() error {
	if p.end == nil {
		return nil
	}
	if p.leave != nil {
		p.leave()
	}
	p.finish()
	p.end()
	p.end = nil
	if p.err == nil {
		p.err = errClosed
	}
	return p.c.conn.Err()
}

// finish ends a chunk.
func (p *PartReader) finish() {
	if p.stop != nil {
		p.stop()
	}
	p.m, p.next, p.stop = nil, nil, nil
}
