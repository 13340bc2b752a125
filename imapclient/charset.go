package imapclient

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const latin1 = "ISO-8859-1"

// withCharset lets do send a query. The charset is the first that the server
// takes; it is empty if none needs to be named. always says that one does.
func (c *Client) withCharset(q *Query, always bool, do func(charset string, q *Query) error) error {
	ascii := true
	q.mapTexts(func(s string) string {
		ascii = ascii && isASCII(s)
		return s
	})
	charset := "UTF-8"
	if !always && (ascii || c.utf8()) { // RFC 6855 section 3
		charset = ""
	}
	err := do(charset, q)
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != "BADCHARSET" || charset == "" || c.conn.Err() != nil {
		return err
	}
	if ascii {
		return do("US-ASCII", q)
	}
	if knows(c.codeArgs, latin1) {
		fits := true
		narrow := q.mapTexts(func(s string) string {
			s, ok := toLatin1(s)
			fits = fits && ok
			return s
		})
		if fits {
			return do(latin1, narrow)
		}
	}
	return fmt.Errorf("%w: %w", refused, errors.ErrUnsupported)
}

// arguments begins the arguments of a command with text in a charset.
func (c *Client) arguments(charset string) *arguments {
	return &arguments{utf8: c.utf8() && charset != latin1}
}

// knows tells whether a charset is among those in a response code BADCHARSET:
// "(US-ASCII "ISO-8859-1")". RFC 9051 section 7.1.
func knows(args []byte, charset string) bool {
	for word := range bytes.FieldsSeq(args) {
		if strings.EqualFold(string(bytes.Trim(word, `()"`)), charset) {
			return true
		}
	}
	return false
}

func toLatin1(s string) (string, bool) {
	var b strings.Builder
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		b.WriteByte(byte(r))
	}
	return b.String(), true
}

// fromLatin1 takes each octet for a character.
func fromLatin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// mapTexts returns a copy of the query in which f has changed the text to
// search for.
func (q *Query) mapTexts(f func(string) string) *Query {
	m := *q
	for _, t := range []*string{&m.From, &m.To, &m.Cc, &m.Bcc, &m.Subject, &m.Body, &m.Text, &m.GmailRaw} {
		*t = f(*t)
	}
	m.Header = slices.Clone(m.Header)
	for i := range m.Header {
		m.Header[i].Text = f(m.Header[i].Text)
	}
	for _, list := range []*[]Query{&m.All, &m.Any, &m.Not} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i] = *(*list)[i].mapTexts(f)
		}
	}
	return &m
}
