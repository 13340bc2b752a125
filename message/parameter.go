package message

import (
	"slices"
	"strconv"
	"strings"
)

// parameterized is the value of a Content-Type or Content-Disposition: a word
// and parameters.
type parameterized struct {
	word   string // lower case
	params map[string]string
	bad    bool // broke the syntax
	many   bool // more parameters than may be
}

// parameters parses a field with parameters (RFC 2045 section 5.1, RFC 2231)
// as leniently as people's programs write them: values that should be quoted
// and are not, quotes that do not close, semicolons too many or too few,
// encoded words (RFC 2047) where they do not belong.
func (d decoder) parameters(s string, most int) parameterized {
	var p parameterized
	l := paramLexer{s: s}
	p.word = l.word()
	list := make([]parameter, 0, 4)
	for {
		param, ok := l.next()
		if !ok {
			break
		}
		if len(list) == most {
			p.many = true
			break
		}
		list = append(list, param)
	}
	p.bad = l.bad
	p.params = d.joined(list)
	return p
}

// parameter is one as it is written: name*1*=value.
type parameter struct {
	name    string // lower case, without what follows
	section int    // -1 if it stands alone
	encoded bool   // RFC 2231 section 4
	value   string
}

func newParameter(name, value string) parameter {
	if !isPlain(name) {
		name = clean(decoder{}.raw(name))
	}
	p := parameter{name: strings.ToLower(name), section: -1, value: value}
	p.name, p.encoded = strings.CutSuffix(p.name, "*")
	if base, number, ok := strings.Cut(p.name, "*"); ok {
		if n, err := strconv.Atoi(number); err == nil && n >= 0 {
			p.name, p.section = base, n
		}
	}
	return p
}

// joined joins the sections of parameters, RFC 2231 section 3, and decodes
// them. Of several with one name, the first counts, but one with a charset
// more than one without.
func (d decoder) joined(list []parameter) map[string]string {
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b parameter) int { return a.section - b.section })
	params := make(map[string]string, len(list))
	var order []string // names that have sections or a charset
	var grouped map[string][]parameter
	for _, p := range list {
		if p.section < 0 && !p.encoded {
			if _, ok := params[p.name]; !ok {
				params[p.name] = d.parameter(p.value)
			}
			continue
		}
		if grouped == nil {
			grouped = make(map[string][]parameter)
		}
		if grouped[p.name] == nil {
			order = append(order, p.name)
		}
		grouped[p.name] = append(grouped[p.name], p)
	}
	for _, name := range order {
		params[name] = d.sections(grouped[name])
	}
	return params
}

// sections decodes the sections of one parameter, in order.
func (d decoder) sections(list []parameter) string {
	if list[0].section < 0 {
		list = list[:1] // name*=utf-8''x needs no others
	}
	var octets []byte
	charset, encoded, last := "", false, -2
	for i, p := range list {
		if p.section == last {
			continue // twice
		}
		last = p.section
		v := p.value
		if p.encoded {
			encoded = true
			if i == 0 {
				if cs, rest, ok := strings.Cut(v, "'"); ok {
					if _, text, ok := strings.Cut(rest, "'"); ok {
						charset, v = cs, text
					}
				}
			}
			octets = appendPercent(octets, v)
			continue
		}
		octets = append(octets, v...)
	}
	if !encoded {
		return d.parameter(string(octets))
	}
	return clean(d.charset(charset, octets))
}

// parameter decodes a value that says no charset.
func (d decoder) parameter(v string) string {
	if isPlain(v) {
		return strings.TrimSpace(v)
	}
	return d.text(v)
}

// appendPercent appends s with %41 decoded.
func appendPercent(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16 {
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		}
		b = append(b, c)
	}
	return b
}
