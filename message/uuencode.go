package message

import (
	"bytes"
	"strings"
)

// uuDecoder decodes uuencode, as POSIX describes it, from its begin line to
// its end line.
type uuDecoder struct {
	begun, ended bool
}

// uuBegin tells whether a line begins a uuencoded file: begin 644 name.
func uuBegin(line []byte) (name string, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("begin "))
	if !ok {
		return "", false
	}
	mode, file, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	if len(mode) < 3 || len(mode) > 6 || len(bytes.Trim(mode, "01234567")) > 0 {
		return "", false
	}
	return strings.TrimSpace(string(file)), true
}

// uuLine tells whether a line may be one of a uuencoded file: as long as its
// first character says, without spaces that fill up the last group or with up
// to two characters more, which some encoders add. After others, a full one may
// be shorter: spaces, which are zeros, were cut off its end.
func uuLine(line []byte, after bool) bool {
	if len(line) == 0 || line[0] < ' ' || line[0] > '`' {
		return false
	}
	octets := int(line[0]-' ') & 63
	chars := (octets + 2) / 3 * 4
	fill := (3 - octets%3) % 3
	return len(line)-1 <= chars+2 && (len(line)-1 >= chars-fill || after && line[0] == 'M')
}

func (u *uuDecoder) line(dst, line []byte) ([]byte, Kind) {
	switch {
	case u.ended:
		return dst, unlessBlank(line, BadUUEncode)
	case !u.begun:
		if _, u.begun = uuBegin(line); u.begun {
			return dst, ""
		}
		return dst, unlessBlank(line, BadUUEncode)
	case string(line) == "end" || strings.TrimSpace(string(line)) == "end":
		u.ended = true
		return dst, ""
	case len(line) == 0:
		return dst, ""
	case line[0] < ' ' || line[0] > '`':
		return dst, BadUUEncode
	}
	octets := int(line[0]-' ') & 63
	var kind Kind
	if !uuLine(line, false) {
		kind = BadUUEncode
	}
	for at := 1; octets > 0; at += 4 {
		var v [4]byte
		for i := range v {
			if at+i < len(line) {
				c := line[at+i]
				if c < ' ' || c > '`' {
					kind, c = BadUUEncode, ' '
				}
				v[i] = (c - ' ') & 63
			}
		}
		group := [3]byte{v[0]<<2 | v[1]>>4, v[1]<<4 | v[2]>>2, v[2]<<6 | v[3]}
		n := min(octets, 3)
		dst = append(dst, group[:n]...)
		octets -= n
	}
	return dst, kind
}

func (u *uuDecoder) close() Kind {
	if !u.begun || !u.ended {
		return BadUUEncode
	}
	return ""
}
