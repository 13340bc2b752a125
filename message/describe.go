package message

import "strings"

// contentFields are the fields that say what a part is, and how often they do.
var contentFields = [...]string{"Content-Type", "Content-Disposition", "Content-Transfer-Encoding", "Content-ID"}

// contents returns the values of the contentFields.
func (h *Header) contents() (values [len(contentFields)]string, counts [len(contentFields)]int) {
	for _, f := range h.fields {
		if f.colon-f.start < len("Content-ID") || h.raw[f.start]|0x20 != 'c' {
			continue
		}
		for i, name := range contentFields {
			if !h.named(f, name) {
				continue
			}
			counts[i]++
			if values[i] == "" {
				values[i] = unfold(h.raw[f.colon+1 : f.end])
			}
		}
	}
	return values, counts
}

// describe reads the fields that say what the part is.
func (p *Part) describe(o *Options, defect func(int64, Kind)) {
	h, at := p.Header, p.Offset
	values, counts := h.contents()
	if max(counts[0], counts[1], counts[2]) > 1 {
		defect(at, RepeatedField)
	}
	parse := func(v string) parameterized {
		if v == "" {
			return parameterized{}
		}
		w := h.d.parameters(v, o.MaxParams)
		if w.bad {
			defect(at, BadParameter)
		}
		if w.many {
			defect(at, TooManyParameters)
		}
		return w
	}
	typ := parse(values[0])
	p.Type, p.Params = mediaType(typ.word), typ.params
	if p.Type == "" {
		if counts[0] > 0 {
			defect(at, BadType)
		}
		p.Type = "text/plain"
		if typ.params["boundary"] != "" && typ.word == "" || strings.HasPrefix(typ.word, "multipart") {
			p.Type = "multipart/mixed"
		} else if p.parent != nil && p.parent.Type == "multipart/digest" && counts[0] == 0 {
			p.Type = "message/rfc822" // RFC 2046 section 5.1.5
		}
	}
	disp := parse(values[1])
	p.Disposition, p.DispositionParams = disp.word, disp.params
	if disp.word == "" && counts[1] > 0 || strings.ContainsFunc(disp.word, notInType) {
		defect(at, BadDisposition)
		p.Disposition = ""
		if disp.params["filename"] != "" {
			p.Disposition = "attachment"
		}
	}
	known := false
	if p.Encoding, known = encodingName(values[2]); !known {
		defect(at, BadEncoding)
	}
	p.ContentID = strings.Trim(h.d.text(values[3]), "<> \t")
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
