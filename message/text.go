package message

import (
	"bytes"
	"strings"
	"unicode/utf8"

	htmlcharset "golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// Text reads the rest of the content as text in UTF-8, whatever its charset:
// the one that the part says, unless what is in it shows that it is another.
// Of more than [Options].MaxText octets, the first are returned. The errors
// are those of Read.
func (p *Part) Text() (string, error) {
	b, err := p.readText(p.limit())
	if err != nil {
		return "", err
	}
	return p.decodeText(b, p.limit()), nil
}

func (p *Part) limit() int {
	if p.p == nil {
		return (*Options)(nil).withDefaults().MaxText
	}
	return p.p.shared.o.MaxText
}

// readText reads up to most octets. They are valid until the next text is
// read.
func (p *Part) readText(most int) ([]byte, error) {
	k := &keeper{most: most}
	if p.p != nil && p.p.room != nil {
		k.b = p.p.room.text[:0]
	}
	_, err := p.WriteTo(k)
	if k.over {
		p.defect(TooMuchText)
	}
	if p.p != nil && p.p.room != nil && cap(k.b) <= mostRoom {
		p.p.room.text = k.b
	}
	return k.b, err
}

// defect notes what is wrong with the content as a whole.
func (p *Part) defect(kind Kind) {
	if p.p != nil {
		p.p.defect(p, p.BodyOffset, kind)
	}
}

func (p *Part) decoder() decoder {
	if p.p == nil {
		return decoder{}
	}
	return decoder{fallback: p.p.shared.fallback}
}

// decodeText decodes a text, up to most octets.
func (p *Part) decodeText(b []byte, most int) string {
	d := p.decoder()
	d.most = most
	text, kind := d.body(p.Params["charset"], b, p.Type == "text/html")
	if kind != "" {
		p.defect(kind)
	}
	if len(text) <= most {
		return text
	}
	p.defect(TooMuchText)
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return strings.Clone(text[:most])
}

// body decodes a text. What is wrong with its charset is the kind.
func (d decoder) body(label string, b []byte, html bool) (text string, kind Kind) {
	name := charsetName(label)
	rightIf := func(right bool) Kind {
		if !right {
			return WrongCharset
		}
		return ""
	}
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return strings.ToValidUTF8(string(b[3:]), "\ufffd"), rightIf(utf8.Valid(b))
	case isWide(name), bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		if text, ok := wide(name, b); ok {
			return text, rightIf(!strings.Contains(text, "\ufffd"))
		}
	case isUTF7(name):
		return decodeUTF7(b), rightIf(eightBit(b) < 0)
	case name == "iso-2022-kr", name == "iso-2022-cn":
		if text, ok := shifted(string(b)); ok {
			return text, ""
		}
	}
	if eightBit(b) < 0 && !bytes.ContainsAny(b, "\x1b") && name != "hz-gb-2312" {
		return string(b), ""
	}
	enc := lookup(name)
	known := enc != nil || isASCII(name) || isUTF8(name)
	switch {
	case name == "" && html:
		if e, said := metaCharset(b); said {
			enc, known, name = e, true, "meta"
		}
	case name == "":
	case !known:
		kind = UnknownCharset
	}
	switch {
	case enc == nil, enc == charmap.Windows1252 && utf8.Valid(b):
		if kind == "" && name == "" && bytes.IndexByte(b, 0x1b) < 0 {
			kind = NoCharset
		}
		if isUTF8(name) || name == "" || !known {
			d.fallback = otherThan(d.fallback, name)
		}
		text = d.raw(string(b))
		if kind == "" && known && (!isUTF8(name) || !utf8.Valid(b)) && (eightBit(b) >= 0 || text != string(b)) {
			kind = WrongCharset
		}
		return text, kind
	}
	text, right := d.labelled(enc, b)
	return text, rightIf(right)
}

// metaCharset returns the encoding that HTML says it has, in its beginning.
func metaCharset(b []byte) (encoding.Encoding, bool) {
	head := b[:min(len(b), 1024)]
	if utf8.Valid(b) || !bytes.Contains(bytes.ToLower(head), []byte("charset")) {
		return nil, false
	}
	e, name, _ := htmlcharset.DetermineEncoding(head, "")
	return e, name != "utf-8"
}

// otherThan returns the fallback, unless it is what was tried.
func otherThan(fallback, tried string) string {
	if strings.EqualFold(fallback, tried) {
		return ""
	}
	return fallback
}

func isUTF8(name string) bool { return name == "utf-8" || name == "utf8" }

func isASCII(name string) bool {
	enc, ok := aliases[name]
	return ok && enc == nil && !isUTF8(name)
}
