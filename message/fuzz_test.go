package message_test

import (
	"bytes"
	"net/mail"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"example.com/postbag/message"
)

// FuzzEnvelope: any octets give an envelope whose strings can be shown, and
// what net/mail accepts it reads as net/mail does.
func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{
		"",
		"From: Joe <a@b>, \"Doe, Jim\" <c@d>\r\nDate: Tue, 31 Mar 2026 17:05:09 +0200\r\nSubject: x\r\n\r\n",
		"To: =?utf-8?q?=C3?= =?utf-8?q?=A1?= <a@b>; x\r\nReferences: <a@b> <c\r\nDate: 2026-03-31T1:2:3Z\r\n",
		"To: a:b@c,d;(x(\\))<@e:f@g>\"\\\"\"@h\nSubject: =?x?b?====?=\x1b$B\xff\n",
		"Content-Type: x;charset=shift_jis\nSubject: \x93\xfa\xff\nDate: Tue Mar 31 1:2:3 CEST 26 pm\nMessage-Id: x@y",
		"From: root, Joe <a@b\nTo: a @ b . c d@[::1] <>\nCc: ,;:\nDate: 1/2/3 4:5\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := message.ReadEnvelope(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		checkStrings(t, e)
		if m, err := mail.ReadMessage(bytes.NewReader(data)); err == nil {
			checkAgreement(t, m.Header, e)
		}
	})
}

func checkStrings(t *testing.T, e *message.Envelope) {
	t.Helper()
	all := append([]string{e.Subject, e.MessageID}, e.InReplyTo...)
	all = append(all, e.References...)
	for _, list := range [][]message.Address{e.From, e.Sender, e.ReplyTo, e.To, e.Cc, e.Bcc} {
		for _, a := range list {
			if a == (message.Address{}) {
				t.Error("an empty address")
			}
			all = append(all, a.Name, a.Address)
		}
	}
	for _, s := range all {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("%q cannot be shown", s)
		}
	}
	if y := e.Date.Year(); y < 1 || y > 9999 {
		t.Errorf("year %d", y)
	}
}

var numericZone = regexp.MustCompile(`^[^()]* \d{4} \d\d:\d\d(:[0-5]\d)? [+-](0\d|1[0-3])[0-5]\d$`)

// checkAgreement compares with net/mail where the standard leaves no choice.
func checkAgreement(t *testing.T, h mail.Header, e *message.Envelope) {
	t.Helper()
	if v := strings.TrimSpace(h.Get("Date")); numericZone.MatchString(v) {
		if d, err := mail.ParseDate(v); err == nil && !d.Equal(e.Date) {
			t.Errorf("Date %q is %v, net/mail says %v", v, e.Date, d)
		}
	}
	for name, got := range map[string][]message.Address{"From": e.From, "To": e.To, "Cc": e.Cc} {
		// net/mail lets comments and encoded words stand in other places, and
		// has names with line breaks in quotes.
		v := h[name]
		if len(v) != 1 || strings.Contains(v[0], "=?") || strings.ContainsAny(v[0], "(\\\x1b") || strings.ContainsFunc(v[0], unicode.IsControl) || !utf8.ValidString(v[0]) {
			continue
		}
		list, err := mail.ParseAddressList(v[0])
		if err != nil {
			continue
		}
		var want []message.Address
		for _, a := range list {
			spec := strings.Trim((&mail.Address{Address: a.Address}).String(), "<>")
			want = append(want, message.Address{Name: strings.Join(strings.Fields(a.Name), " "), Address: spec})
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s %q is\n%q, net/mail says\n%q", name, v[0], got, want)
		}
	}
}
