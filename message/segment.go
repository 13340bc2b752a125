package message

// Segment is a piece of a message as it came. The segments of a message that
// was read to its end follow each other without gaps, from its first octet to
// its last; of one in UTF-16, these are the octets of its UTF-8.
type Segment struct {
	Path         string // of the part, as in [Part]
	Kind         SegmentKind
	Offset, Size int64 // octets
}

// SegmentKind tells what a segment is.
type SegmentKind string

// Kinds of segments.
const (
	HeaderSection SegmentKind = "header"
	BlankLine     SegmentKind = "blank-line" // between a header section and the body
	Body          SegmentKind = "body"       // of a part that is not divided
	Preamble      SegmentKind = "preamble"   // before the first boundary
	Boundary      SegmentKind = "boundary"   // its line, with the line break before it
	Epilogue      SegmentKind = "epilogue"   // after the last boundary
)

// record notes a segment, or that the last one goes on.
func (p *parser) record(part *Part, kind SegmentKind, offset int64, size int) {
	if size == 0 || p.nested {
		return
	}
	const usual = 8 // of a message of two parts
	list := p.shared.segments
	if list == nil {
		list = make([]Segment, 0, usual)
	}
	if n := len(list); n > 0 && kind != Boundary && list[n-1].Kind == kind && list[n-1].Path == part.Path {
		list[n-1].Size += int64(size)
		return
	}
	p.shared.segments = append(list, Segment{part.Path, kind, offset, int64(size)})
}
