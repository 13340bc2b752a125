package message

import (
	"cmp"
	"slices"
)

// Defect is something in a message that breaks the rules, and that was read
// nevertheless.
type Defect struct {
	Path   string // of the part, as in [Part]
	Offset int64  // in the message, about where; -1 where that means nothing
	Kind   Kind
}

// Kind tells what is wrong. Of each kind, the first in each part is told.
type Kind string

// Kinds of defects in header sections.
const (
	FromLine        Kind = "from-line"         // the From_ line of an mbox
	BlankLinesFirst Kind = "blank-lines-first" // before the header section
	ByteOrderMark   Kind = "byte-order-mark"   // before the header section
	UTF16           Kind = "utf-16"            // the message is in UTF-16; offsets are those of its UTF-8
	BareCR          Kind = "bare-cr"           // lines end in CR alone; it was read as LF
	NoField         Kind = "no-field"          // a line of a header section that is no field
	NoBlankLine     Kind = "no-blank-line"     // between a header section and the body
	NoHeader        Kind = "no-header"         // there is no field at all
	BadType         Kind = "bad-type"          // a Content-Type that is none
	BadDisposition  Kind = "bad-disposition"   // a Content-Disposition that is none
	BadParameter    Kind = "bad-parameter"     // parameters that break the syntax
	RepeatedField   Kind = "repeated-field"    // the first one counts
	BadEncoding     Kind = "bad-encoding"      // an unknown Content-Transfer-Encoding, or not the one it says; the octets are as they came
	UnsafeName      Kind = "unsafe-name"       // a file name that was made safe
)

// Kinds of defects in the structure.
const (
	NoBoundary        Kind = "no-boundary"        // a multipart that does not say its boundary
	WrongBoundary     Kind = "wrong-boundary"     // a multipart with another boundary than it says
	BoundaryNotFound  Kind = "boundary-not-found" // a multipart without parts: read as text
	Unclosed          Kind = "unclosed"           // a multipart without its last boundary
	TextOnBoundary    Kind = "text-on-boundary"   // after it, on its line
	TextBeforeParts   Kind = "text-before-parts"  // too long to be passed over: read as a part
	EncodedMultipart  Kind = "encoded-multipart"  // a multipart that says it is encoded; read as if it were not
	EncodedMessage    Kind = "encoded-message"    // a message/rfc822 that is encoded; read nevertheless
	TooDeep           Kind = "too-deep"           // beyond Options.MaxDepth
	TooManyParts      Kind = "too-many-parts"     // beyond Options.MaxParts
	HeaderTooLong     Kind = "header-too-long"    // beyond Options.MaxHeader
	TooManyFields     Kind = "too-many-fields"    // beyond Options.MaxFields
	TooManyParameters Kind = "too-many-parameters"
	TooMuchDecoded    Kind = "too-much-decoded" // beyond Options.MaxDecoded
	TooMuchText       Kind = "too-much-text"    // beyond Options.MaxText
	TooManyDefects    Kind = "too-many-defects" // the rest is not told
)

// Kinds of defects in contents.
const (
	BadBase64      Kind = "bad-base64"       // octets that are no base64 were passed over
	Base64Cut      Kind = "base64-cut"       // it ends within a group of four, or lacks its padding
	AfterBase64    Kind = "after-base64"     // text after the end was passed over
	BadQuoted      Kind = "bad-quoted"       // = without two digits in quoted-printable
	EightBit       Kind = "eight-bit"        // where seven were said, or nothing
	UnknownCharset Kind = "unknown-charset"  // the charset was guessed
	WrongCharset   Kind = "wrong-charset"    // the text is not in the charset it says
	NoCharset      Kind = "no-charset"       // text beyond ASCII does not say its charset
	BadUUEncode    Kind = "bad-uuencode"     // lines of wrong length, or no end
	BadYEnc        Kind = "bad-yenc"         // wrong length or checksum, or no end
	BadTNEF        Kind = "bad-tnef"         // what is readable of it was read
	BadReport      Kind = "bad-report"       // a delivery status or the like that breaks the syntax
	TextAfterParts Kind = "text-after-parts" // after the last boundary; it is in no part
)

const maxDefects = 1000

// defects collects what is wrong with a message.
type defects struct {
	list []Defect
	seen map[Defect]bool // without offsets
	more bool
}

func (d *defects) add(path string, offset int64, kind Kind) {
	key := Defect{Path: path, Kind: kind}
	switch {
	case d.seen[key]:
		return
	case len(d.list) >= maxDefects:
		if !d.more {
			d.more = true
			d.list = append(d.list, Defect{path, offset, TooManyDefects})
		}
		return
	}
	if d.seen == nil {
		d.seen = make(map[Defect]bool)
	}
	d.seen[key] = true
	d.list = append(d.list, Defect{path, offset, kind})
}

func (d *defects) sorted() []Defect {
	list := slices.Clone(d.list)
	slices.SortStableFunc(list, func(a, b Defect) int { return cmp.Compare(a.Offset, b.Offset) })
	return list
}
