package message

import (
	"strconv"
	"strings"
	"time"
)

// parseDate parses a date (RFC 5322 section 3.3) and what else is seen in
// Date fields: the obsolete forms, asctime, ISO 8601, names of zones, words
// that mean nothing. It returns the zero time for what has no day or makes no
// sense.
func parseDate(s string) time.Time {
	p := dateParser{day: -1, year: -1, zone: time.UTC}
	s = withoutComments(s[:min(len(s), 200)])
	// ISO 8601 has a T between date and time.
	if t := strings.IndexByte(s, 'T'); t > 0 && t+1 < len(s) && isDigit(s[t-1]) && isDigit(s[t+1]) {
		s = s[:t] + " " + s[t+1:]
	}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == ',' }) {
		p.word(word)
	}
	return p.time()
}

// dateParser takes the words of a date in whatever order.
type dateParser struct {
	day, year         int
	month             time.Month
	clock             bool // seen
	hour, minute, sec int
	zone              *time.Location
	bad               bool
}

func (p *dateParser) word(w string) {
	lower := strings.ToLower(w)
	switch {
	case p.clock && (w[0] == '+' || w[0] == '-') && p.offset(w):
	case strings.Contains(w, ":") && isDigit(w[0]):
		p.time24(w)
	case strings.Count(w, "-") == 2 || strings.Count(w, "/") == 2:
		p.numbers(strings.FieldsFunc(w, func(r rune) bool { return r == '-' || r == '/' }))
	case isDigit(w[0]):
		p.number(w)
	case p.monthName(lower):
	case lower == "pm" && p.clock && p.hour < 12:
		p.hour += 12
	case lower == "am" && p.clock && p.hour == 12:
		p.hour = 0
	default:
		if hours, ok := zones[lower]; ok && p.clock {
			p.zone = time.FixedZone(w, int(hours*3600))
		} else if name := lower[:min(len(lower), 3)]; p.clock && (name == "gmt" || name == "utc") && strings.ContainsAny(lower[3:4], "+-") {
			p.offset(lower[3:]) // GMT+0200
		}
	}
}

// number takes a day or a year, whichever is missing.
func (p *dateParser) number(w string) {
	digits := strings.TrimRight(w, "thndsr.") // 1st, 2nd
	n, err := strconv.Atoi(digits)
	switch {
	case strings.Count(w, ".") == 2 && p.day >= 0 && !p.clock: // 12.34.56
		p.time24(strings.ReplaceAll(w, ".", ":"))
	case err != nil:
	case p.day < 0 && len(digits) <= 2:
		p.day = n
	case p.year < 0 && len(digits) >= 2:
		p.year = fullYear(n, len(digits))
	}
}

// fullYear is RFC 5322 section 4.3.
func fullYear(n, digits int) int {
	switch {
	case digits == 2 && n < 50:
		return 2000 + n
	case digits <= 3:
		return 1900 + n
	}
	return n
}

// numbers takes 02-Jan-2006, 2006-01-02, 1/2/2006 and 2006/01/02.
func (p *dateParser) numbers(parts []string) {
	if len(parts) != 3 {
		return
	}
	var n [3]int
	for i, part := range parts {
		if v, err := strconv.Atoi(part); err == nil {
			n[i] = v
		} else if i != 1 || !p.monthName(strings.ToLower(part)) {
			return
		}
	}
	year, month, day := n[2], n[1], n[0]
	switch {
	case len(parts[0]) == 4:
		year, day = n[0], n[2]
	case p.month == 0 && n[1] > 12:
		month, day = n[0], n[1] // 1/22/2006
	}
	if p.month == 0 {
		p.month = time.Month(month)
	}
	p.day, p.year = day, year
	if len(parts[0]) != 4 {
		p.year = fullYear(year, len(parts[2]))
	}
}

// time24 takes 15:04, 15:04:05, 15:04:05.999 and 15:04:05+0100.
func (p *dateParser) time24(w string) {
	if p.clock {
		return
	}
	if i := strings.IndexAny(w, "+-Zz"); i > 0 {
		defer p.word(w[i:])
		w = w[:i]
	} else if lower := strings.ToLower(w); strings.HasSuffix(lower, "am") || strings.HasSuffix(lower, "pm") {
		defer p.word(w[len(w)-2:])
		w = w[:len(w)-2]
	}
	parts := strings.Split(w, ":")
	var n [3]int
	for i := range min(len(parts), 3) {
		whole, _, _ := strings.Cut(parts[i], ".")
		v, err := strconv.Atoi(whole)
		p.bad = p.bad || err != nil
		n[i] = v
	}
	p.hour, p.minute, p.sec, p.clock = n[0], n[1], n[2], true
}

// offset takes +0100, +01:00 and +1.
func (p *dateParser) offset(w string) bool {
	digits := strings.ReplaceAll(w[1:], ":", "")
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > 4 || n < 0 {
		return false
	}
	seconds := (n/100*60 + n%100) * 60
	if len(digits) <= 2 {
		seconds = n * 3600
	}
	if seconds >= 24*3600 {
		return true // no such zone: UTC
	}
	if w[0] == '-' {
		seconds = -seconds
	}
	if seconds != 0 {
		p.zone = time.FixedZone("", seconds)
	}
	return true
}

func (p *dateParser) monthName(lower string) bool {
	if len(lower) < 3 || p.month != 0 {
		return false
	}
	for m := time.January; m <= time.December; m++ {
		if name := strings.ToLower(m.String()); strings.HasPrefix(name, strings.TrimSuffix(lower, ".")) || lower == name[:3]+"t" {
			p.month = m
			return true
		}
	}
	return false
}

func (p *dateParser) time() time.Time {
	if p.bad || p.day < 1 || p.day > 31 || p.month < 1 || p.month > 12 || p.year < 1 || p.year > 9999 || p.hour > 24 || p.minute > 59 || p.sec > 60 || p.hour < 0 || p.minute < 0 || p.sec < 0 {
		return time.Time{}
	}
	if last := time.Date(p.year, p.month+1, 0, 0, 0, 0, 0, time.UTC).Day(); p.day > last {
		return time.Time{} // 30 Feb
	}
	t := time.Date(p.year, p.month, p.day, p.hour, p.minute, p.sec, 0, p.zone)
	if t.Year() > 9999 { // 24:00 of its last day; RFC 3339 cannot write it
		return time.Time{}
	}
	return t
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// withoutComments removes what is in parentheses.
func withoutComments(s string) string {
	var b strings.Builder
	depth := 0
	for _, c := range []byte(s) {
		switch {
		case c == '(':
			depth++
			b.WriteByte(' ')
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// zones are hours east of UTC. Single letters but Z are UTC, because RFC 822
// got their signs wrong (RFC 5322 section 4.3).
var zones = map[string]float64{
	"ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0,
	"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
	"akst": -9, "akdt": -8, "hst": -10, "ast": -4, "adt": -3, "nst": -3.5, "ndt": -2.5,
	"bst": 1, "west": 1, "cet": 1, "met": 1, "mez": 1, "cest": 2, "mest": 2, "mesz": 2,
	"eet": 2, "eest": 3, "sast": 2, "msk": 3, "msd": 4, "ist": 5.5,
	"hkt": 8, "sgt": 8, "awst": 8, "kst": 9, "jst": 9, "acst": 9.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}
