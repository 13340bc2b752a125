package imapclient

import (
	"bytes"
	"strings"
	"time"
)

// parseDate reads "17-Jul-1996 02:44:25 -0700", or returns the zero time.
// RFC 9051 section 9, date-time.
func parseDate(b []byte) time.Time {
	const form = "17-Jul-1996 02:44:25 -0700"
	b = bytes.TrimSpace(b)
	day := 0
	if len(b) == len(form)-1 { // of one digit
		day = digits(b[:1])
		b = b[1:]
	} else if len(b) == len(form) {
		day = digits(b[:2])
		b = b[2:]
	}
	if len(b) != len("-Jul-1996 02:44:25 -0700") || b[0] != '-' || b[4] != '-' || b[9] != ' ' || b[12] != ':' || b[15] != ':' || b[18] != ' ' {
		return time.Time{} // QUIRK: NIL, "", or a date that is none
	}
	month := monthNumber(b[1:4])
	year, hour, minute, second := digits(b[5:9]), digits(b[10:12]), digits(b[13:15]), digits(b[16:18])
	zone := digits(b[20:22])*60 + digits(b[22:24])
	switch {
	case month == 0 || year < 1 || day < 1 || hour < 0 || minute < 0 || second < 0 || zone < 0,
		hour > 23 || minute > 59 || second > 60 || day > time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day():
		return time.Time{}
	case b[19] == '+':
		zone = -zone
	case b[19] != '-':
		return time.Time{}
	}
	return time.Date(year, month, day, hour, minute+zone, second, 0, time.UTC)
}

// monthNumber returns 0 for what is no month.
func monthNumber(b []byte) time.Month {
	name := [3]byte{b[0] | 0x20, b[1] | 0x20, b[2] | 0x20}
	i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", string(name[:]))
	if i%3 != 0 {
		return 0
	}
	return time.Month(i/3 + 1)
}

// digits returns a large negative number for what are no digits.
func digits(b []byte) int {
	n := 0
	for _, ch := range b {
		if ch < '0' || ch > '9' {
			return -1 << 20
		}
		n = n*10 + int(ch-'0')
	}
	return n
}
