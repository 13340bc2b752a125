package imapclient

import (
	"slices"
	"strconv"
	"strings"

	"example.com/postbag/message"
)

// params reads a list of names and values (RFC 9051 section 9, body-fld-param)
// into a map by names in lower case, decoded. Of a name that comes twice the
// first counts.
func (t *tree) params(i int32) map[string]string {
	kids := t.children(i, make([]int32, 0, 8))
	var params map[string]string
	var pieces []piece
	for k := 0; k < len(kids); k += 2 {
		name := strings.ToLower(message.DecodeText(t.str(kids[k])))
		value := t.str(nth(kids, k+1))
		if name == "" {
			continue
		}
		if base, rest, ok := strings.Cut(name, "*"); ok && base != "" {
			pieces = append(pieces, makePiece(base, rest, value))
			continue
		}
		if params == nil {
			params = make(map[string]string, len(kids)/2)
		}
		if _, ok := params[name]; !ok {
			params[name] = message.DecodeText(value)
		}
	}
	return join(params, pieces)
}

// piece is a value, or a part of one, in the form of RFC 2231.
type piece struct {
	name    string
	number  int // of the part
	encoded bool
	value   string
}

// makePiece takes name*, name*0 and name*0* apart.
func makePiece(base, rest, value string) piece {
	p := piece{name: base, value: value, encoded: rest == "" || strings.HasSuffix(rest, "*")}
	p.number, _ = strconv.Atoi(strings.TrimSuffix(rest, "*"))
	return p
}

// join puts pieces together. What they make goes before what comes plainly
// under the same name, which is for those who do not know RFC 2231.
func join(params map[string]string, pieces []piece) map[string]string {
	if len(pieces) == 0 {
		return params
	}
	if params == nil {
		params = make(map[string]string)
	}
	slices.SortStableFunc(pieces, func(a, b piece) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return a.number - b.number
	})
	for len(pieces) > 0 {
		n := 1
		for n < len(pieces) && pieces[n].name == pieces[0].name {
			n++
		}
		params[pieces[0].name] = joinValue(pieces[:n])
		pieces = pieces[n:]
	}
	return params
}

func joinValue(pieces []piece) string {
	var octets []byte
	charset := ""
	for i, p := range pieces {
		if i > 0 && p.number == pieces[i-1].number {
			continue // twice
		}
		value := p.value
		if p.encoded {
			if name, rest, ok := strings.Cut(value, "'"); ok && i == 0 {
				if _, text, ok := strings.Cut(rest, "'"); ok { // the language is between
					charset, value = name, text
				}
			}
			octets = appendPercent(octets, value)
		} else {
			octets = append(octets, value...)
		}
	}
	if charset == "" {
		return message.DecodeText(string(octets))
	}
	return message.DecodeCharset(charset, string(octets))
}

// appendPercent appends what s stands for. RFC 2231 section 4.
func appendPercent(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(v))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return b
}
