package message_test

import (
	"strings"
	"testing"

	"example.com/postbag/message"
)

// While a text is made, it takes up to ten times as much memory as there is of
// it, and is twice as long, whatever it is: Options.MaxText says so.
func TestTextMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("not in short mode")
	}
	const size = 4 << 20
	quoted := strings.Repeat("<blockquote><ol>", 11)
	for _, tt := range []struct{ name, typ, first, unit string }{
		{"words", "text/html", "", "x "},
		{"pictures", "text/html", "", "<img alt=a>"},
		{"cells", "text/html", "", "<td></td>"},
		{"items", "text/html", quoted, "<li>"},
		{"quoted lines", "text/html", quoted, "<br>x"},
		{"empty lines", "text/html", "<pre>", "\n"},
		{"Windows-1252", "text/plain; charset=windows-1252", "", "\x80"},
		{"Windows-1252 in HTML", "text/html; charset=windows-1252", "", "\x80"},
		{"KOI8-R", "text/plain; charset=koi8-r", "", "\x80"},
		{"no charset", "text/plain", "", "\x99"},
		{"ISO-2022-JP", "text/plain; charset=iso-2022-jp", "\x1b$B", "$\""},
		{"lines of ISO-2022-JP", "text/plain; charset=iso-2022-jp", "", "\x1b$B\n"},
		{"UTF-7", "text/plain; charset=utf-7", "", "+MEI"},
		{"UTF-8 that is none", "text/plain; charset=utf-8", "", "ää\xff"},
		{"UTF-16", "text/plain; charset=utf-16be", "", "\x30\x42"},
		{"flowed", "text/plain; format=flowed", "", ">\n"},
		{"uuencode", "text/plain", "begin 644 a\n", "M\n"},
	} {
		mail := "Content-Type: " + tt.typ + "\n\n" + tt.first + strings.Repeat(tt.unit, size/len(tt.unit))
		octets := 0
		used := peak(func() {
			m, err := message.Read(strings.NewReader(mail), &message.Options{MaxText: size, Unflow: true})
			if err != nil {
				t.Fatal(err)
			}
			text, err := m.Text()
			if err != nil {
				t.Fatal(err)
			}
			octets = len(text)
		})
		t.Logf("%s: %.1f times %d octets, %d came out", tt.name, float64(used)/size, size, octets)
		if used > 10*size || octets > 2*size {
			t.Errorf("%s: %d octets of memory, and %d of text, for %d", tt.name, used, octets, size)
		}
	}
}
