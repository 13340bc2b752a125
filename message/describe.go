package message

import (
	"bytes"
	"strings"
)

// describe reads the fields that say what the part is.
func (p *Part) describe(o *Options, defect func(int64, Kind)) {
	h, at := p.Header, p.Offset
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"} {
		if h.count(name) > 1 {
			defect(at, RepeatedField)
		}
	}
	parse := func(name string) parameterized {
		v := h.d.parameters(h.Get(name), o.MaxParams)
		if v.bad {
			defect(at, BadParameter)
		}
		if v.many {
			defect(at, TooManyParameters)
		}
		return v
	}
	typ := parse("Content-Type")
	p.Type, p.Params = mediaType(typ.word), typ.params
	if p.Type == "" {
		if h.count("Content-Type") > 0 {
			defect(at, BadType)
		}
		p.Type = "text/plain"
		if typ.params["boundary"] != "" && typ.word == "" || strings.HasPrefix(typ.word, "multipart") {
			p.Type = "multipart/mixed"
		} else if p.parent != nil && p.parent.Type == "multipart/digest" && h.count("Content-Type") == 0 {
			p.Type = "message/rfc822" // RFC 2046 section 5.1.5
		}
	}
	disp := parse("Content-Disposition")
	p.Disposition, p.DispositionParams = disp.word, disp.params
	if disp.word == "" && h.count("Content-Disposition") > 0 || strings.ContainsFunc(disp.word, notInType) {
		defect(at, BadDisposition)
		p.Disposition = ""
		if disp.params["filename"] != "" {
			p.Disposition = "attachment"
		}
	}
	encoding := h.Get("Content-Transfer-Encoding")
	known := false
	if p.Encoding, known = encodingName(encoding); !known {
		defect(at, BadEncoding)
	}
	id := h.Text("Content-ID")
	p.ContentID = strings.Trim(id, "<> \t")
	if p.name(defect); p.Filename != "" && typ.word != "" && mediaType(typ.word) == "" && p.Type == "text/plain" {
		p.Type = "application/octet-stream" // RFC 2045 section 5.2 would have text, but it is a file
	}
}

// name chooses the file name: the one that the disposition gives, else that of
// the type.
func (p *Part) name(defect func(int64, Kind)) {
	given := p.DispositionParams["filename"]
	if given == "" {
		given = p.DispositionParams["name"]
	}
	if given == "" {
		given = p.Params["name"]
	}
	if given == "" {
		given = p.Params["filename"]
	}
	if given == "" {
		return
	}
	p.Filename = Filename(given)
	if p.Filename == "" {
		p.Filename = "unnamed"
	}
	if p.Filename != given {
		defect(p.Offset, UnsafeName)
	}
}

// mediaType returns type/subtype, or nothing if w is none.
func mediaType(w string) string {
	w = strings.TrimSuffix(w, ",")
	major, minor, ok := strings.Cut(w, "/")
	switch {
	case !ok && (w == "text" || w == "html" || w == "plain"):
		if w == "html" {
			return "text/html"
		}
		return "text/plain"
	case !ok || major == "" || minor == "" || strings.ContainsFunc(w, notInType):
		return ""
	}
	return w
}

func notInType(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"[]?=`, r)
}

// charset returns the charset that a header section says, if it does.
func (h *Header) charset() string {
	v := h.Get("Content-Type")
	if !bytes.Contains(bytes.ToLower([]byte(v)), []byte("charset")) {
		return ""
	}
	return header{"content-type": {v}}.charset()
}
