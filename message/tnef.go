package message

import (
	"encoding/binary"
	"strconv"
	"strings"
)

func (p *Part) isTNEF() bool {
	return p.Type == "application/ms-tnef" || p.Type == "application/vnd.ms-tnef" || strings.EqualFold(p.Filename, "winmail.dat")
}

// tnef returns the files in TNEF, a format of Microsoft's ([MS-OXTNEF]): the
// attachments, and the message's text where it has one, under the name
// message.txt, .html or .rtf. What breaks the format is passed over.
func (p *Part) tnef(k *keeper) []*Part {
	if k.over {
		p.defect(TooMuchText)
		return nil
	}
	t := tnefReader{left: k.most, depth: 0}
	t.stream(k.b)
	if t.bad {
		p.defect(BadTNEF)
	}
	if t.cut {
		p.defect(TooMuchText)
	}
	var files []*Part
	for _, f := range t.files {
		if !p.another() {
			break
		}
		typ := mediaType(strings.ToLower(f.typ))
		if typ == "" {
			typ = "application/octet-stream"
		}
		part := p.newFound(len(files)+1, f.name, typ, f.data)
		part.ContentID = f.id
		if f.charset != "" {
			part.Params = map[string]string{"charset": f.charset}
		}
		files = append(files, part)
	}
	return files
}

// tnefReader collects the files of a TNEF stream.
type tnefReader struct {
	files    []tnefFile
	file     *tnefFile // the attachment that is being read
	codepage string
	left     int // octets that compressed text may have
	depth    int
	bad      bool
	cut      bool // compressed text was longer
}

type tnefFile struct {
	name, typ, id string
	charset       string // may be empty
	data          []byte
	long          bool // the name is the long one
}

const (
	tnefSignature = 0x223e9f78

	// Attributes, [MS-OXTNEF] section 2.1.3.2.
	attBody        = 0x800c
	attData        = 0x800f
	attTitle       = 0x8010
	attTransport   = 0x9001
	attRendering   = 0x9002
	attMessage     = 0x9003
	attAttachment  = 0x9005
	attOEMCodepage = 0x9007

	maxTNEFFiles = 10_000
	maxTNEFDepth = 10
)

// stream reads a stream, which may be that of a message within.
func (t *tnefReader) stream(b []byte) {
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != tnefSignature {
		t.bad = true
		return
	}
	b = b[6:]
	for len(b) > 0 {
		if len(b) < 9 || b[0] != 1 && b[0] != 2 {
			t.bad = true
			break
		}
		id, n := binary.LittleEndian.Uint32(b[1:])&0xffff, int64(binary.LittleEndian.Uint32(b[5:]))
		level := b[0]
		b = b[9:]
		if n > int64(len(b)) {
			t.bad = true
			n = int64(len(b))
		}
		data := b[:n]
		b = b[n:]
		t.attribute(level, id, data)
		if len(b) < 2 {
			t.bad = true
			break
		}
		if sum(data) != binary.LittleEndian.Uint16(b) {
			t.bad = true
		}
		b = b[2:]
	}
	t.flush()
}

// sum is the checksum of an attribute.
func sum(b []byte) (s uint16) {
	for _, c := range b {
		s += uint16(c)
	}
	return s
}

func (t *tnefReader) attribute(level byte, id uint32, data []byte) {
	if level == 2 && t.file == nil || id == attRendering {
		t.flush()
		t.file = new(tnefFile)
	}
	switch f := t.file; {
	case id == attOEMCodepage && len(data) >= 4:
		t.codepage = codepage(binary.LittleEndian.Uint32(data))
	case id == attMessage && level == 1:
		t.properties(data, t.messageProperty)
	case id == attBody && level == 1:
		t.addText(data)
	case f == nil:
	case id == attTitle && !f.long || id == attTransport && f.name == "":
		f.name = t.text(data)
	case id == attData:
		f.data = data
	case id == attAttachment:
		t.properties(data, t.attachmentProperty)
	}
}

// flush ends an attachment.
func (t *tnefReader) flush() {
	f := t.file
	t.file = nil
	if f == nil || f.name == "" && f.data == nil || len(t.files) >= maxTNEFFiles {
		return
	}
	t.files = append(t.files, *f)
}

func (t *tnefReader) add(name, typ, data string) {
	if data != "" && len(t.files) < maxTNEFFiles {
		t.files = append(t.files, tnefFile{name: name, typ: typ, data: []byte(data)})
	}
}

// addText adds the message's text, which is in the code page.
func (t *tnefReader) addText(b []byte) {
	before := len(t.files)
	t.add("message.txt", "text/plain", strings.TrimRight(string(b), "\x00"))
	if len(t.files) > before {
		t.files[before].charset = t.codepage
	}
}

func codepage(n uint32) string {
	switch n {
	case 0, 65001:
		return "utf-8"
	case 932:
		return "shift_jis"
	case 936:
		return "gbk"
	case 949:
		return "euc-kr"
	case 950:
		return "big5"
	}
	if n >= 1250 && n <= 1258 {
		return "windows-" + strconv.Itoa(int(n))
	}
	return "cp" + strconv.Itoa(int(n))
}

// text decodes a name, which ends at the first NUL.
func (t *tnefReader) text(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return clean(decoder{}.charset(t.codepage, []byte(s)))
}

func wideText(b []byte) string {
	s, _, _ := strings.Cut(string((&utf16Reader{}).decode(b)), "\x00")
	return s
}

// Properties, [MS-OXPROPS].
const (
	propBody       = 0x1000
	propRTF        = 0x1009
	propHTML       = 0x1013
	propData       = 0x3701
	propName       = 0x3704
	propLongName   = 0x3707
	propMIMEType   = 0x370e
	propContentID  = 0x3712
	propDisplay    = 0x3001
	typeString     = 0x1e
	typeWideString = 0x1f
	typeObject     = 0x0d
)

func (t *tnefReader) messageProperty(id, typ uint16, v []byte) {
	switch id {
	case propBody:
		if typ == typeWideString {
			t.add("message.txt", "text/plain", wideText(v))
		} else {
			t.addText(v)
		}
	case propHTML:
		t.add("message.html", "text/html", strings.TrimRight(string(v), "\x00"))
	case propRTF:
		rtf, whole, ok := decompressRTF(v, t.left)
		t.bad = t.bad || !ok
		t.cut = t.cut || !whole
		t.left -= len(rtf)
		t.add("message.rtf", "text/rtf", string(rtf))
	}
}

func (t *tnefReader) attachmentProperty(id, typ uint16, v []byte) {
	f := t.file
	name := func() string {
		if typ == typeWideString {
			return clean(wideText(v))
		}
		return t.text(v)
	}
	switch id {
	case propLongName:
		if s := name(); s != "" {
			f.name, f.long = s, true
		}
	case propName, propDisplay:
		if f.name == "" {
			f.name = name()
		}
	case propMIMEType:
		f.typ = name()
	case propContentID:
		f.id = strings.Trim(name(), "<>")
	case propData:
		if typ == typeObject && len(v) >= 16 {
			v = v[16:] // the interface
		}
		if len(v) >= 4 && binary.LittleEndian.Uint32(v) == tnefSignature && t.depth < maxTNEFDepth {
			t.within(v)
			return
		}
		f.data = v
	}
}

// within reads a message that is an attachment.
func (t *tnefReader) within(b []byte) {
	sub := tnefReader{left: t.left, depth: t.depth + 1, codepage: t.codepage}
	sub.stream(b)
	t.left, t.bad, t.cut = sub.left, t.bad || sub.bad, t.cut || sub.cut
	if room := maxTNEFFiles - len(t.files); len(sub.files) > room {
		sub.files = sub.files[:max(room, 0)]
	}
	t.files = append(t.files, sub.files...)
}
