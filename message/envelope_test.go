package message_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/postbag/message"
)

func read(t *testing.T, header string) *message.Envelope {
	t.Helper()
	e, err := message.ReadEnvelope(strings.NewReader(header))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestReadEnvelope(t *testing.T) {
	got := read(t, "Return-Path: <>\r\n"+
		"From: =?utf-8?Q?Ren=C3=A9?= Descartes <rene@example.com>\r\n"+
		"Sender: Secretary <office@example.com>\r\n"+
		"reply-to: list@example.com\r\n"+
		"TO: \"Doe, John\" <john@example.com>,\r\n\tstaff: a@example.com, B <b@example.com>;\r\n"+
		"To: more@example.com\r\n"+
		"Cc:\r\n"+
		"Bcc: undisclosed-recipients:;\r\n"+
		"Subject: I think,\r\n\ttherefore\r\n I mail\r\n"+
		"Date: Tue, 31 Mar 2026 17:05:09 +0530 (IST)\r\n"+
		"Message-ID: <1@example.com>\r\n"+
		"In-Reply-To: Your message <2@example.com> of today\r\n"+
		"References: <3@example.com>\r\n <4@example.\r\n com>\r\n"+
		"\r\n"+
		"Subject: not this one\r\n")
	want := &message.Envelope{
		From:       []message.Address{{Name: "René Descartes", Address: "rene@example.com"}},
		Sender:     []message.Address{{Name: "Secretary", Address: "office@example.com"}},
		ReplyTo:    []message.Address{{Address: "list@example.com"}},
		To:         []message.Address{{Name: "Doe, John", Address: "john@example.com"}, {Address: "a@example.com"}, {Name: "B", Address: "b@example.com"}, {Address: "more@example.com"}},
		Subject:    "I think, therefore I mail",
		Date:       time.Date(2026, 3, 31, 17, 5, 9, 0, time.FixedZone("", 5*3600+1800)),
		MessageID:  "1@example.com",
		InReplyTo:  []string{"2@example.com"},
		References: []string{"3@example.com", "4@example.com"},
	}
	if !got.Date.Equal(want.Date) {
		t.Errorf("Date = %v, want %v", got.Date, want.Date)
	}
	got.Date = want.Date
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// What surrounds and breaks header sections.
func TestHeader(t *testing.T) {
	for _, tt := range []struct{ name, header, subject string }{
		{"bare LF", "Subject: x\nTo: y\n\nbody", "x"},
		{"extra CR", "Subject: x\r\r\nTo: y\r\r\n\r\r\nSubject: body", "x"},
		{"no body", "To: y\r\nSubject: x", "x"},
		{"empty lines first", "\r\n\r\nSubject: x\r\n\r\n", "x"},
		{"byte order mark", "\xef\xbb\xbfSubject: x\r\n", "x"},
		{"mbox", "From joe@example.com Tue Mar 31 17:05:09 2026\nSubject: x\n\n", "x"},
		{"quoted mbox", ">From joe@example.com\nSubject: x\n\n", "x"},
		{"space before the colon", "Subject \t: x\r\n", "x"},
		{"space first", " Subject: x\r\n\r\n", "x"},
		{"no space", "Subject:x\r\n", "x"},
		{"a line without a colon", "To: a\r\nno field\r\n at all\r\nSubject: x\r\nno field\r\n", "x"},
		{"8-bit name", "S\xfcbject: y\r\nSubject: x\r\n", "x"},
		{"two", "Subject: x\r\nSubject: y\r\n", "x"},
		{"first one blank", "Subject: \r\n \r\nSubject: x\r\n", "x"},
		{"folded before the text", "Subject:\r\n x\r\n", "x"},
		{"end in white space alone", "Subject: x\r\n \r\nTo: y\r\n", "x"},
		{"NUL", "Subject: a\x00b\r\n", "a b"},
		{"escape sequences", "Subject: \x1b[31mred\x07\u009b\r\n", "[31mred"},
		{"bare CR", "Subject: a\rb\r\n", "a b"},
		{"after the end", "\r\nTo: x\r\n\r\nSubject: no", ""},
		{"empty", "", ""},
		{"beyond the limit", "X: " + strings.Repeat("x", 1<<20) + "\r\nSubject: no\r\n", ""},
		{"long line", "X: " + strings.Repeat("x", 1<<19) + "\r\nSubject: x\r\n", "x"},
	} {
		if got := read(t, tt.header).Subject; got != tt.subject {
			t.Errorf("%s: Subject = %.100q, want %q", tt.name, got, tt.subject)
		}
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader("Subject: x\r\nTo: "), iotest.ErrReader(broken))
	if e, err := message.ReadEnvelope(r); e != nil || !errors.Is(err, broken) {
		t.Errorf("%v, %v, want the reader's error alone", e, err)
	}
}

// endless is a header section without an end.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "Subject: x\r\n"[(e.n+int64(i))%12]
	}
	e.n += int64(len(p))
	return len(p), nil
}

func TestEndlessHeader(t *testing.T) {
	r := new(endless)
	e, err := message.ReadEnvelope(r)
	if err != nil || e.Subject != "x" {
		t.Errorf("%.100v, %v", e, err)
	}
	if r.n > 2<<20 {
		t.Errorf("%d octets were read", r.n)
	}
}

func TestAddressString(t *testing.T) {
	for _, tt := range []struct {
		a    message.Address
		want string
	}{
		{message.Address{Name: "Joe", Address: "joe@example.com"}, "Joe <joe@example.com>"},
		{message.Address{Address: "joe@example.com"}, "joe@example.com"},
		{message.Address{Name: "Joe"}, "Joe"},
	} {
		if got := tt.a.String(); got != tt.want {
			t.Errorf("%#v: %q, want %q", tt.a, got, tt.want)
		}
	}
}

// Hostile headers of twice the size may take about twice the time.
func TestLinearTime(t *testing.T) {
	for _, tt := range []struct{ name, field, first, repeat, last string }{
		{"open comments", "From", "", "(", ""},
		{"nested comments", "From", strings.Repeat("(", 1000), "()", strings.Repeat(")", 1000)},
		{"comment in In-Reply-To", "In-Reply-To", "(", "x", ")"},
		{"open brackets", "To", "", "<", ""},
		{"open brackets and separators", "To", "", "<a,", ""},
		{"open quotes", "To", "", `<a,"`, ""},
		{"escaped quotes", "To", `"`, `\"`, ""},
		{"brackets in an open quote", "To", `<a,"`, "<a,", ""},
		{"commas", "To", "", ",", ""},
		{"words", "To", "", "a,", "<b@c>"},
		{"no commas", "To", "", "a@b ", ""},
		{"dots", "To", "", "a . ", "@b"},
		{"literals", "To", "", "@[", ""},
		{"colons", "To", "", "a:", ""},
		{"words without an end", "Subject", "", "=?a?q?", ""},
		{"words without an end but one", "Subject", "", "=?a?q?x", "?="},
		{"question marks", "Subject", "=?a?q?", "?", ""},
		{"words in an address", "To", "", "=?a?q?", ""},
		{"tiny words", "Subject", "", "=?utf-8?q?a?= ", ""},
		{"words in charsets by turns", "Subject", "", "=?utf-8?q?a?= =?gbk?b?YQ==?= ", ""},
		{"open identifiers", "References", "", "<", ""},
		{"identifiers", "References", "", "<a>", ""},
		{"folds", "Subject", "", "\r\n ", "x"},
		{"empty fields", "To", "", "\r\nTo:", ""},
	} {
		run := func(n int) time.Duration {
			s := tt.field + ":" + tt.first + strings.Repeat(tt.repeat, n/len(tt.repeat)) + tt.last + "\r\n"
			start := time.Now()
			read(t, s)
			return time.Since(start)
		}
		// 16 times the size: quadratic would be 256 times the time. A machine
		// with other work to do may need more than one try.
		small, large := time.Hour, time.Hour
		for try := 0; try == 0 || try < 3 && large > time.Second && large > 80*small; try++ {
			small, large = min(small, run(10_000)), min(large, run(160_000))
		}
		if large > time.Second && large > 80*small {
			t.Errorf("%s: %v for 10 KB, %v for 160 KB", tt.name, small, large)
		}
	}
}

func BenchmarkReadEnvelope(b *testing.B) {
	var h strings.Builder
	for i := range 8 {
		fmt.Fprintf(&h, "Received: from a%d.example.com by b.example.com with ESMTPS id 0123456789\r\n\tfor <joe@example.com>; Tue, 31 Mar 2026 17:05:09 +0200\r\n", i)
	}
	h.WriteString("From: =?utf-8?Q?Ren=C3=A9?= Descartes <rene@example.com>\r\nTo: \"Doe, John\" <john@example.com>, b@example.com\r\n" +
		"Subject: =?utf-8?B?SsOhIHB1YnM=?= and more\r\nDate: Tue, 31 Mar 2026 17:05:09 +0200\r\nMessage-ID: <1@example.com>\r\n\r\n")
	b.SetBytes(int64(h.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := message.ReadEnvelope(strings.NewReader(h.String())); err != nil {
			b.Fatal(err)
		}
	}
}

// A field whose name is beyond MaxHeader is none: what is left of it is no
// name.
func TestNameCutOff(t *testing.T) {
	for most := 1; most < 25; most++ {
		m, err := message.Read(strings.NewReader("Subject: a\nFoo: x\n y\n\nbody"), &message.Options{MaxHeader: most})
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range m.Header.All() {
			if name != "Subject" && name != "Foo" || !strings.HasPrefix("a", value) && !strings.HasPrefix("x y", value) {
				t.Errorf("MaxHeader %d: %q is %q", most, name, value)
			}
		}
	}
}
