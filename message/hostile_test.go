package message_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"example.com/postbag/message"
)

// unbounded has no bounds, but on the depth: they are not what keeps the time
// in proportion.
var unbounded = &message.Options{MaxParts: 1 << 30, MaxHeader: 1 << 30, MaxFields: 1 << 30, MaxParams: 1 << 30, MaxText: 1 << 30}

// everything does all that can be done with a message.
func everything(r io.ReadSeeker, o *message.Options) error {
	m, err := message.Read(r, o)
	if err != nil {
		return err
	}
	for p, err := range m.Parts() {
		if err != nil {
			return err
		}
		if p.Type == "message/delivery-status" {
			p.DeliveryStatus()
		} else if !p.Container() {
			if _, err := io.Copy(io.Discard, p); err != nil {
				return err
			}
		}
	}
	for p, err := range m.Attachments() {
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, p); err != nil {
			return err
		}
	}
	if _, err := m.Text(); err != nil {
		return err
	}
	if _, err := m.Preview(200); err != nil {
		return err
	}
	m.Envelope()
	m.Defects()
	return nil
}

// family is a kind of hostile messages, of any size.
type family struct {
	name string
	make func(n int) string
}

func hostile() []family {
	const mixed = "Content-Type: multipart/mixed; boundary=b\n\n"
	repeat := func(before, s, after string) func(int) string {
		return func(n int) string { return before + strings.Repeat(s, n/len(s)) + after }
	}
	encode := func(name string, f func(int) string) func(int) string {
		return func(n int) string {
			return "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(f(n)))
		}
	}
	html := func(before, s string) func(int) string { return repeat("Content-Type: text/html\n\n"+before, s, "") }
	tnef := "\x78\x9f\x3e\x22\x01\x00"
	return []family{
		{"depth", func(n int) string {
			var b strings.Builder
			for i := 0; b.Len() < n; i++ {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%[1]d\n", i)
			}
			return b.String()
		}},
		{"depth of one boundary", repeat("", mixed+"--b\n", "")},
		{"depth without parts", repeat("", "Content-Type: multipart/mixed; boundary=b\n\n", "")},
		{"messages in messages", repeat("", "Content-Type: message/rfc822\n\n", "")},
		{"parts", repeat(mixed, "--b\n\n", "")},
		{"parts without boundaries", repeat(mixed, "--b\nContent-Type: multipart/mixed\n\n", "")},
		{"parts with boundaries that are not there", repeat(mixed, "--b\nContent-Type: multipart/mixed; boundary=c\n\n", "")},
		{"almost boundaries", repeat(mixed+"--b\n\n", "\n--a", "")},
		{"almost boundaries in depth", func(n int) string {
			var b strings.Builder
			for i := range 150 {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=aaaaaaaaaa%d\n\n--aaaaaaaaaa%[1]d\n", i)
			}
			return b.String() + "\n" + strings.Repeat("--aaaaaaaaaa\n", n/13)
		}},
		{"closing boundaries", repeat(mixed, "--b--\n", "")},
		{"long boundary lines", repeat(mixed+"--b\n\nx\n--b", " ", "x\n")},
		{"dashes", repeat(mixed+"--b\n\n", "-", "")},
		{"line breaks", repeat(mixed+"--b\n\n", "\n", "")},
		{"CR", repeat(mixed+"--b\n\n", "\r", "")},
		{"header", repeat("X: ", "x", "\n\nx")},
		{"fields", repeat("", "A:\n", "\n")},
		{"content fields", repeat("", "Content-Type:\n", "\n")},
		{"folds", repeat("X:", "\n ", "x\n\n")},
		{"no fields", repeat("X: y\n", "x\n", "\n")},
		{"no fields by turns", repeat("X: y\n", "x\nA:\n", "\n")},
		{"empty lines first, and no field", repeat("", "\n", "x")},
		{"empty lines first", repeat("", "\n", "X: y\n\n")},
		{"parameters", repeat("Content-Type: text/plain", ";a=b", "\n\n")},
		{"parameters without an end", repeat("Content-Type: text/plain", ";a=\"", "\n\n")},
		{"sections of parameters", repeat("Content-Type: text/plain", ";a*1=b", "\n\n")},
		{"parameters without semicolons", repeat("Content-Type: text/plain", " a=b", "\n\n")},
		{"comments in parameters", repeat("Content-Type: text/plain; a=b", "(", "\n\n")},
		{"semicolons", repeat("Content-Type: text/plain", ";", "\n\n")},
		{"long name", repeat("Content-Disposition: attachment; filename=", "=?utf-8?q?a?= ", "\n\n")},
		{"long slashes", repeat("Content-Disposition: attachment; filename=\"", "a/", "\"\n\n")},
		{"encoding", repeat("Content-Transfer-Encoding: ", "-", "\n\n")},
		{"base64 junk", repeat("Content-Transfer-Encoding: base64\n\nYWJj", "*", "")},
		{"base64 padding", repeat("Content-Transfer-Encoding: base64\n\n", "YQ==\n", "")},
		{"base64 equals", repeat("Content-Transfer-Encoding: base64\n\nYQ", "=", "")},
		{"base64 line after padding", repeat("Content-Transfer-Encoding: base64\n\nYQ==", "Y", "")},
		{"quoted", repeat("Content-Transfer-Encoding: quoted-printable\n\n", "=", "")},
		{"quoted spaces", repeat("Content-Transfer-Encoding: quoted-printable\n\n", "= ", "")},
		{"uuencode begins", repeat("\n", "begin 644 x\n", "")},
		{"uuencode begins and a line", repeat("\n", "begin 644 x\n#AAAA\n", "")},
		{"uuencode files", repeat("\n", "begin 644 x\n#AAAA\n`\nend\n", "")},
		{"uuencode blank lines", repeat("\n", "begin 644 x\n\n\n\n", "")},
		{"yEnc begins", repeat("\n", "=ybegin line=1 name=x\n", "")},
		{"UTF-7", repeat("Content-Type: text/plain; charset=utf-7\n\n", "+", "")},
		{"UTF-16", repeat("\xff\xfe", "x\x00", "")},
		{"ISO-2022-JP", repeat("\n", "\x1b$B", "")},
		{"ISO-2022-KR", repeat("\n\x1b$)C", "\x0e!!\x0f\x1b$)A", "")},
		{"Thai", repeat("\n", "\xa1\xd1\xe8\xd2", "")},
		{"Arabic", repeat("\n", "\xc7\xe1\xca ", "")},
		{"bad UTF-8", repeat("\n", "\xff\xc3", "")},
		{"preview", repeat("\n", "\u200b", "")},
		{"flowed", repeat("Content-Type: text/plain; format=flowed\n\n", "> ", "")},
		{"HTML depth", html("", "<div>")},
		{"HTML lists", html("", "<ul><li>")},
		{"HTML quotes", html("", "<blockquote>x")},
		{"HTML links", html("", "<a href=x>")},
		{"HTML link texts", html("<a href=yy>", "x ")},
		{"HTML attributes", html("<a ", "a=b ")},
		{"HTML comments", html("", "<!--")},
		{"HTML scripts", html("", "<script>")},
		{"HTML titles", html("", "<title>")},
		{"HTML entities", html("", "&amp")},
		{"HTML less", html("", "<")},
		{"HTML pre", html("<pre>", "\n")},
		{"HTML breaks", html("", "<br>")},
		{"HTML cells", html("<table>", "<td>x")},
		{"HTML plaintext", html("", "<plaintext>")},
		{"HTML end tags", html("", "</ul>")},
		{"HTML raw text", html("<xmp>", "</xm")},
		{"reports", repeat("Content-Type: message/delivery-status\n\n", "a:b\n\n", "")},
		{"reports without fields", repeat("Content-Type: message/delivery-status\n\n", "a\n", "")},
		{"TNEF attributes", encode("a", repeat(tnef, "\x02\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00", ""))},
		{"TNEF files", encode("b", repeat(tnef, "\x02\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00\x02\x0f\x80\x06\x00\x01\x00\x00\x00x\x78\x00", ""))},
		{"addresses", repeat("To: ", "a@b,", "\n\n")},
		{"addresses without an end", repeat("To: ", "<a,\"", "\n\n")},
		{"angle brackets", repeat("To: ", "<", "\n\n")},
		{"names with commas", repeat("To: ", "a, ", "a <a@b>\n\n")},
		{"words before an address", repeat("To: ", "a@b ", "<a@b>\n\n")},
		{"comments of addresses", repeat("To: ", "<a@b>(", "\n\n")},
		{"groups", repeat("To: ", "a:", ";\n\n")},
		{"many To", repeat("", "To: a@b\n", "\n")},
		{"encoded words", repeat("Subject: ", "=?utf-8?b?w6=?= ", "\n\n")},
		{"encoded words without an end", repeat("Subject: ", "=?utf-8?q? ", "\n\n")},
		{"encoded words that are none", repeat("Subject: ", "=?", "\n\n")},
		{"encoded words in addresses", repeat("To: ", "=?a?q?b", "\n\n")},
		{"subject of 8 bits", repeat("Subject: ", "\xe1", "\n\n")},
		{"identifiers", repeat("References: ", "<a@b>", "\n\n")},
		{"identifiers without an end", repeat("References: ", "<a@b", "\n\n")},
		{"date", repeat("Date: ", "(1:", "\n\n")},
		{"comments in In-Reply-To", repeat("In-Reply-To: ", "(", "\n\n")},
	}
}
