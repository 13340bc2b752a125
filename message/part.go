package message

import (
	"cmp"
	"errors"
	"io"
	"strings"
)

// ErrPast is the error of reading a part when the next one was asked for.
var ErrPast = errors.New("message: the part is past")

// Part is a part of a message (RFC 2046), or a message in a message. Its
// content is read as the message goes by: Read gives it decoded, Raw as it
// came, both until the next part is asked for. Read one or the other.
//
// What is a [Part.Container] is divided into parts, which come after it,
// unless it is read itself: then its content is one piece, to the octet, as
// who verifies a signature needs it.
type Part struct {
	// Path is the section number, RFC 9051 section 6.4.5: what IMAP's FETCH
	// calls BODY[Path]. The first part of a multipart is 1, the second part of
	// the message that is part 3 is 3.2, a message of one part has the part 1.
	// Multiparts have no number, except as parts of others: those that are a
	// message's body are TEXT or 3.TEXT.
	Path string

	// Header is the header section of the part: for the body of a message,
	// that of the message.
	Header *Header

	// Type is the media type in lower case. What is missing or is none is
	// text/plain, in a multipart/digest message/rfc822. RFC 2045 section 5.2.
	Type   string
	Params map[string]string // names in lower case, values decoded

	// Disposition is inline, attachment or another word in lower case; empty
	// if there is none. RFC 2183.
	Disposition       string
	DispositionParams map[string]string

	// Filename is the name that the sender gave, made safe with [Filename];
	// empty if there is none. If what the sender gave is other than that, a
	// [Defect] says so. The name as it was given is in DispositionParams
	// ("filename") or Params ("name").
	Filename string

	// ContentID is without its angle brackets; HTML refers to it as
	// cid:ContentID. RFC 2392.
	ContentID string

	// Encoding is the transfer encoding: 7bit, 8bit, binary, base64,
	// quoted-printable, x-uuencode, x-yenc, or an unknown word. RFC 2045
	// section 6.
	Encoding string

	// Offset and BodyOffset are where in the message the header section and
	// the body begin. They are -1 within a message that is itself encoded, and
	// in what was found in another part.
	Offset, BodyOffset int64

	envelope       *Envelope // once it was asked for
	parent         *Part
	p              *parser   // nil if found is not
	found          io.Reader // the content of what was found in another part
	tee            io.Writer // gets what is decoded; may be nil
	index          int       // among its parent's parts, from 0
	start          int64     // of the body in what the parser reads
	depth          int
	rawSize, size  int64
	read, finished bool
	whole          bool // not to be divided
	within         bool // encoded, and another parser reads it
}

// Container tells whether the part is divided into others: a multipart or a
// message.
func (p *Part) Container() bool { return p.isMultipart() || p.isMessage() }

func (p *Part) isMultipart() bool { return strings.HasPrefix(p.Type, "multipart/") }

func (p *Part) isMessage() bool {
	return p.Type == "message/rfc822" || p.Type == "message/global" || p.Type == "message/news"
}

// Envelope returns the envelope of the message that the part belongs to: for
// the body of a message, and the parts in it, that message's.
func (p *Part) Envelope() *Envelope {
	for p.parent != nil && !p.parent.isMessage() {
		p = p.parent
	}
	if p.envelope == nil {
		p.envelope = p.Header.envelope()
	}
	return p.envelope
}

// Parent returns the part that this one is in, or nil.
func (p *Part) Parent() *Part { return p.parent }

// Size returns how many octets of the content were read or passed over:
// decoded ones if it was read with Read, else those that came. It is that of
// the whole when the next part was asked for, of a container when that is no
// part of it.
func (p *Part) Size() int64 {
	if p.read {
		return p.size
	}
	return p.rawSize
}

// RawSize is like Size for the octets as they came.
func (p *Part) RawSize() int64 { return p.rawSize }

// Read reads the content with the transfer encoding undone; text stays in its
// charset. The errors are io.EOF, ErrPast and those of reading the message.
func (p *Part) Read(b []byte) (int, error) { return p.readInto(b, false) }

// WriteTo writes to w what Read would read.
func (p *Part) WriteTo(w io.Writer) (int64, error) { return p.writeTo(w, false) }

// Raw returns the content as it came.
func (p *Part) Raw() io.Reader { return rawPart{p} }

type rawPart struct{ p *Part }

func (r rawPart) Read(b []byte) (int, error)         { return r.p.readInto(b, true) }
func (r rawPart) WriteTo(w io.Writer) (int64, error) { return r.p.writeTo(w, true) }

func (p *Part) readInto(b []byte, raw bool) (int, error) {
	if p.found != nil {
		return p.readFound(b)
	}
	if p.within {
		return 0, ErrPast
	}
	return p.copy(b, raw)
}

func (p *Part) copy(b []byte, raw bool) (int, error) {
	if err := p.more(raw); err != nil {
		return 0, err
	}
	n := copy(b, p.p.buf)
	p.p.buf = p.p.buf[n:]
	return n, nil
}

// encodedMessage is the content of a message for the parser of its parts.
type encodedMessage struct{ p *Part }

func (e encodedMessage) Read(b []byte) (int, error) { return e.p.copy(b, false) }

func (p *Part) readFound(b []byte) (int, error) {
	n, err := p.found.Read(b)
	p.read = true
	p.size += int64(n)
	p.rawSize = p.size
	return n, err
}

// more sees to it that there are octets that are not read yet.
func (p *Part) more(raw bool) error {
	for p.p.cur != p || len(p.p.buf) == 0 {
		if p.finished && p.p.cur == p {
			return cmp.Or(p.p.failure(), io.EOF)
		}
		b, err := p.p.read(p, raw)
		if err != nil {
			return err
		}
		p.p.buf = b
	}
	return nil
}

func (p *Part) writeTo(w io.Writer, raw bool) (n int64, err error) {
	if p.found != nil {
		return io.Copy(w, readerOnly{p})
	}
	if p.within {
		return 0, ErrPast
	}
	for {
		err := p.more(raw)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		wrote, err := w.Write(p.p.buf)
		n += int64(wrote)
		p.p.buf = p.p.buf[wrote:]
		if err != nil {
			return n, err
		}
	}
}

// readerOnly hides WriteTo.
type readerOnly struct{ io.Reader }
