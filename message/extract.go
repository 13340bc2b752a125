package message

import (
	"bytes"
	"slices"
	"strconv"
)

// newFound returns a part that was found in the content of p.
func (p *Part) newFound(n int, name, typ string, content []byte) *Part {
	f := &Part{
		Path: p.Path + "." + strconv.Itoa(n), Header: new(Header), Type: typ,
		Disposition: "attachment", Filename: Filename(name), Encoding: "binary",
		Offset: -1, BodyOffset: -1,
		parent: p, index: n - 1, depth: p.depth + 1, found: bytes.NewReader(content),
	}
	if f.Filename == "" && name != "" {
		f.Filename = "unnamed"
	}
	if f.Filename != name {
		p.defect(UnsafeName)
	}
	return f
}

// another tells whether one more file may be found in the content of p.
func (p *Part) another() bool {
	s := p.p.shared
	if s.found >= s.o.MaxParts {
		p.defect(TooManyParts)
		return false
	}
	s.found++
	return true
}

// extract takes the files out of a text that are in it as uuencode or yEnc,
// and returns the rest.
func (p *Part) extract(text []byte) (rest []byte, files []*Part) {
	if !bytes.Contains(text, []byte("begin ")) {
		return text, nil
	}
	var kept []byte
	from := 0 // of what is not yet in kept
	for at := 0; at < len(text); {
		line := lineAt(text, at)
		next := at + len(line)
		var name string
		var f lineDecoder
		var end int
		if n, ok := uuBegin(bytes.TrimRight(line, "\r\n")); ok {
			name, f, end = n, new(uuDecoder), uuEnd(text, next)
		} else if n, _, ok := yencBegin(bytes.TrimRight(line, "\r\n")); ok {
			name, f, end = n, new(yencDecoder), yencEnd(text, next, yencNumber(string(line), "line="))
		}
		if end == 0 {
			at = next
			continue
		}
		if !p.another() {
			break
		}
		l := lineTransfer{f: f}
		content := l.decode(nil, text[at:end], func(_ int, kind Kind) { p.defect(kind) })
		content = l.end(content, func(_ int, kind Kind) { p.defect(kind) })
		kept = append(kept, text[from:at]...)
		files = append(files, p.newFound(len(files)+1, p.decoder().charset(p.Params["charset"], []byte(name)), "application/octet-stream", content))
		at, from = end, end
	}
	if len(files) == 0 {
		return text, nil
	}
	return append(kept, text[from:]...), files
}

func lineAt(text []byte, at int) []byte {
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		return text[at : at+i+1]
	}
	return text[at:]
}

// uuEnd returns where the uuencoded file ends whose lines begin at from: after
// its end line, or where the lines are no longer of one. It is 0 if there is
// none.
func uuEnd(text []byte, from int) int {
	lines := 0
	for at := from; at < len(text); {
		line := lineAt(text, at)
		bare := bytes.TrimRight(line, "\r\n")
		at += len(line)
		switch {
		case string(bytes.TrimSpace(bare)) == "end" && lines > 0:
			return at
		case uuLine(bare, lines > 1):
			if lines > 0 || len(bytes.TrimSpace(bare)) > 0 { // text has lines of spaces, too
				lines++
			}
			from = at
		case len(bare) > 0:
			if lines < 2 {
				return 0
			}
			return from
		}
	}
	if lines < 2 {
		return 0
	}
	return from
}

// yencEnd returns where the yEnc file ends whose lines begin at from, after a
// =ybegin line that says how long they are: after its =yend line. Where that is
// missing, a file ends at the next or at the end of the text, if its first line
// is as long as it has to be; else it is 0, because there is none.
func yencEnd(text []byte, from int, width int64) int {
	end := from
	for end < len(text) {
		line := lineAt(text, end)
		if bytes.HasPrefix(line, []byte("=ybegin ")) {
			break
		}
		end += len(line)
		if bytes.HasPrefix(line, []byte("=yend")) {
			return end
		}
	}
	first := lineAt(text, from)
	if bytes.HasPrefix(first, []byte("=ypart ")) {
		first = lineAt(text, from+len(first))
	}
	if n := int64(len(bytes.TrimRight(first, "\r\n"))); width < 1 || n < width || n > width+2 { // with an escape at its end, and a dot in front
		return 0
	}
	return end
}

// keeper keeps the beginning of what goes by, up to a limit.
type keeper struct {
	b    []byte
	most int
	over bool // there was more
}

func (k *keeper) Write(b []byte) (int, error) {
	n := min(len(b), k.most-len(k.b))
	k.over = k.over || n < len(b)
	if len(k.b)+n > cap(k.b) {
		k.b = slices.Grow(k.b, min(max(n, len(k.b)), k.most-len(k.b)))
	}
	k.b = append(k.b, b[:n]...)
	return len(b), nil
}
