package message_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/message"
)

// What is the text, what the HTML, and what is attached.
func TestContent(t *testing.T) {
	part := func(typ, rest, body string) string {
		return "--b\nContent-Type: " + typ + "\n" + rest + "\n" + body + "\n"
	}
	multi := func(typ string, parts ...string) string {
		return "Content-Type: multipart/" + typ + "; boundary=b\n\n" + strings.Join(parts, "") + "--b--\n"
	}
	related := "--b\nContent-Type: multipart/related; boundary=c\n\n--c\nContent-Type: text/html\n\n<p>h</p>\n--c\nContent-Type: image/png\nContent-ID: <i>\n\npng\n--c--\n"
	for _, tt := range []struct {
		name, message, text, html string
		attachments               []string
	}{
		{"plain", "\nx", "x", "", nil},
		{"HTML only", "Content-Type: text/html\n\n<p>a</p><p>b</p>", "a\n\nb", "<p>a</p><p>b</p>", nil},
		{"alternative", multi("alternative", part("text/plain", "", "t"), part("text/html", "", "<p>h</p>")), "t", "<p>h</p>", nil},
		{"alternative of HTML only", multi("alternative", part("text/html", "", "<p>h</p>")), "h", "<p>h</p>", nil},
		{"alternative of blank text and HTML", multi("alternative", part("text/plain", "", " \n"), part("text/html", "", "<p>h</p>")), "h", "<p>h</p>", nil},
		{"text and a picture in alternative", multi("alternative", "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nt\n--c\nContent-Type: image/png\n\npng\n--c--\n", part("text/html", "", "<p>h</p>")), "t", "<p>h</p>", []string{`1.2 image/png "" "png"`}},
		{"alternative with a calendar", multi("alternative", part("text/plain", "", "t"), part("text/calendar", "", "ics")), "t", "", []string{`2 text/calendar "" "ics"`}},
		{"related in alternative", multi("alternative", part("text/plain", "", "t"), related), "t", "<p>h</p>", []string{`2.2 image/png "" "png"`}},
		{"attachment", multi("mixed", part("text/plain", "", "t"), part("application/pdf", "Content-Disposition: attachment; filename=a.pdf\n", "pdf")), "t", "", []string{`2 application/pdf "a.pdf" "pdf"`}},
		{"attached text", multi("mixed", part("text/plain", "", "t"), part("text/plain", "Content-Disposition: attachment\n", "a"), part("text/plain; name=n.txt", "", "n")), "t", "", []string{`2 text/plain "" "a"`, `3 text/plain "n.txt" "n"`}},
		{"text, picture, text", multi("mixed", part("text/plain", "", "one"), part("image/png", "", "png"), part("text/plain", "", "two")), "one\ntwo", "", []string{`2 image/png "" "png"`}},
		{"a message", multi("mixed", part("text/plain", "", "t"), part("message/rfc822", "", "Subject: y\n\ny")), "t", "", []string{`2 message/rfc822 "" "Subject: y\r\n\r\ny"`}},
		{"an encoded message", multi("mixed", part("text/plain", "", "t"), part("message/rfc822", "Content-Transfer-Encoding: base64\n", "U3ViamVjdDogeQ==")), "t", "", []string{`2 message/rfc822 "" "Subject: y"`}},
		{"only a file", "Content-Type: application/pdf\n\npdf", "", "", []string{`1 application/pdf "" "pdf"`}},
		{"uuencode in text", "\nhello\nbegin 644 a/../b.txt\n%2&5L;&\\\n`\nend\nbye\n", "hello\r\nbye\r\n", "", []string{`1.1 application/octet-stream "b.txt" "Hello"`}},
		{"what begins no file", "\nbegin 644 the day\nwith a smile\nend\n", "begin 644 the day\r\nwith a smile\r\nend\r\n", "", nil},
		{"text like uuencode", "\nLet us\nbegin 100 times\n \n \nand stop\n", "Let us\r\nbegin 100 times\r\n \r\n \r\nand stop\r\n", "", nil},
		{"uuencode of nothing", "\nhello\nbegin 644 a\n`\nend\nbye\n", "hello\r\nbye\r\n", "", []string{`1.1 application/octet-stream "a" ""`}},
		{"yEnc of nothing", "\nhello\n=ybegin line=128 size=0 name=a\n=yend size=0\nbye\n", "hello\r\nbye\r\n", "", []string{`1.1 application/octet-stream "a" ""`}},
		{"yEnc that is talked of", "\nIt begins so:\n=ybegin line=128 size=5 name=a\nand so on.\n=ybegin line=128 size=5 name=a.txt\nr\x8f\x96\x96\x99\n=yend size=5\nbye\n", "It begins so:\r\n=ybegin line=128 size=5 name=a\r\nand so on.\r\nbye\r\n", "", []string{`1.1 application/octet-stream "a.txt" "Hello"`}},
		{"yEnc that is cut off", "\nhello\n=ybegin line=5 size=50 name=a.txt\nr\x8f\x96\x96\x99\n", "hello\r\n", "", []string{`1.1 application/octet-stream "a.txt" "Hello"`}},
		{"names in Latin 1", "\nhello\nbegin 644 r\xe9sum\xe9\n#86)C\n`\nend\n=ybegin line=128 size=1 name=\xe4\nr\n=yend size=1\n", "hello\r\n", "", []string{`1.1 application/octet-stream "résumé" "abc"`, `1.2 application/octet-stream "ä" "H"`}},
		{"yEnc in text", "\nhello\n=ybegin line=128 size=5 name=a.txt\nr\x8f\x96\x96\x99\n=yend size=5\nbye\n", "hello\r\nbye\r\n", "", []string{`1.1 application/octet-stream "a.txt" "Hello"`}},
		{"two HTML parts", multi("mixed", part("text/html", "", "<p>1</p>"), part("text/html", "", "<p>2</p>")), "1\n2", "<p>1</p>\n<p>2</p>", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, tt.message)
			var attachments []string
			for p, err := range m.Attachments() {
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(p)
				if err != nil {
					t.Fatal(err)
				}
				attachments = append(attachments, fmt.Sprintf("%s %s %q %q", p.Path, p.Type, p.Filename, b))
			}
			text, err := m.Text()
			if err != nil {
				t.Fatal(err)
			}
			html, err := m.HTML()
			if err != nil {
				t.Fatal(err)
			}
			if text != tt.text {
				t.Errorf("Text %q, want %q", text, tt.text)
			}
			if html != tt.html {
				t.Errorf("HTML %q, want %q", html, tt.html)
			}
			if !slices.Equal(attachments, tt.attachments) {
				t.Errorf("Attachments %q, want %q", attachments, tt.attachments)
			}
		})
	}
}

// A reader that cannot seek gives everything in one pass: the attachments, and
// then the text.
func TestContentStreamed(t *testing.T) {
	m, err := message.Read(io.MultiReader(strings.NewReader(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nt\n--b\nContent-Type: x/y\n\nz\n--b--\n"))), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range m.Attachments() {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if text, err := m.Text(); n != 1 || err != nil || text != "t" {
		t.Errorf("%d attachments, text %q, %v", n, text, err)
	}
}

func TestMaxText(t *testing.T) {
	m, err := message.Read(strings.NewReader("\r\n"+strings.Repeat("x", 100)), &message.Options{MaxText: 10})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := m.Text(); err != nil || text != "xxxxxxxxxx" || !slices.Contains(kinds(m), message.TooMuchText) {
		t.Errorf("%q, %v, %v", text, err, m.Defects())
	}
}

func TestTextFromHTML(t *testing.T) {
	for _, tt := range []struct{ name, html, want string }{
		{"paragraphs", "<p>a\n b</p><p>c</p>", "a b\n\nc"},
		{"breaks", "a<br>b<br/><br>c<div>d</div>e", "a\nb\n\nc\nd\ne"},
		{"entities", "&lt;&eacute;&nbsp;&#8364;&gt;", "<é €>"},
		{"link", `see <a href="https://example.com/x?a=1&amp;b=2">this</a>.`, "see this <https://example.com/x?a=1&b=2>."},
		{"link that says it", `<a href="http://example.com/">example.com</a> <a href="mailto:a@b">a@b</a>`, "example.com a@b"},
		{"link that says another", `<a href="http://evil.com">https://evil.com.example.org/</a> <a href="http://evil.com">not-evil.com</a> <a href="http://a">data</a>`, "https://evil.com.example.org/ <http://evil.com> not-evil.com <http://evil.com> data <http://a>"},
		{"link that says it in a sentence", `<a href="https://example.com/x">See https://example.com/x.</a> <a href="mailto:a@b">Write to a@b!</a>`, "See https://example.com/x. Write to a@b!"},
		{"no link", `<a href="#x">a</a> <a href="javascript:x()">b</a> <a name=y>c</a>`, "a b c"},
		{"lists", "<ul><li>a<li>b<ol><li>c<li>d</ol></ul>e", "- a\n- b\n  1. c\n  2. d\n\ne"},
		{"table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a | b\nc | d"},
		{"script and style", "<style>p{}</style><script>x<y</script><title>t</title>a<!-- c -->b", "ab"},
		{"pictures", `<img src=x alt="a cat"> <img src=pixel width=1 height=1>b`, "[a cat] b"},
		{"preformatted", "<pre>a  b\n  c</pre>", "a  b\n  c"},
		{"shown as it is", "a<xmp>b <i> c</xmp><textarea>d &lt; e</textarea>", "a\n\nb <i> c\n\nd < e"},
		{"for other programs", "a<noframes>b <i></noframes><noembed>c</noembed><iframe>d</iframe>", "a"},
		{"quote", "<blockquote>a<br>b</blockquote>c", "> a\n> b\n\nc"},
		{"unclosed", "<p>a<b>b<p>c", "ab\n\nc"},
		{"no HTML", "a < b > c", "a < b > c"},
		{"empty", "", ""},
	} {
		if got := message.TextFromHTML(tt.html); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestUnflow(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		delsp          bool
	}{
		{"joined", "a \nb\nc\n", "a b\nc\n", false},
		{"without the space", "a \nb\n", "ab\n", true},
		{"quoted", "> a \n> b\nc\n", "> a b\nc\n", false},
		{"another depth", "> a \nc\n", "> a \nc\n", false},
		{"stuffed", " >a\n", ">a\n", false},
		{"signature", "a \n-- \nme\n", "a \n-- \nme\n", false},
		{"no end", "a \nb ", "a b ", false},
		{"no next line", "a \n", "a \n", false},
		{"an end of two CR", "a \n> b\r\r\n", "a \n> b\r\r\n", false},
	} {
		if got := message.Unflow(tt.in, tt.delsp); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if got := message.Unflow(crlf(tt.in), tt.delsp); got != crlf(tt.want) {
			t.Errorf("%s, CRLF: %q, want %q", tt.name, got, crlf(tt.want))
		}
	}
	m, err := message.Read(strings.NewReader("Content-Type: text/plain; format=flowed\n\na \nb\n"), &message.Options{Unflow: true})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := m.Text(); text != "a b\n" {
		t.Errorf("Text %q", text)
	}
}

func TestPreview(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		want string
	}{
		{"Hello\n\n  world", 100, "Hello world"},
		{"Hello world", 11, "Hello world"},
		{"Hello world", 10, "Hello…"},
		{"Hello world", 5, "Hell…"},
		{"Hello", 3, "He…"},
		{"Hello", 0, ""},
		{"> quoted\nanswer\n-- \nJoe", 100, "answer"},
		{"a\u200b\u034f\u00a0b", 100, "a b"},
		{"größe", 3, "gr…"},
		{"gro\u0308\u00dfe", 4, "gr…"},
		{"👨\u200d👩\u200d👧", 3, "…"},
		{"x👍🏽y", 3, "x…"},
		{"e\u0301 x", 2, "…"},
	} {
		m := parse(t, "Content-Type: text/plain; charset=utf-8\n\n"+tt.text)
		if got, err := m.Preview(tt.n); err != nil || got != tt.want {
			t.Errorf("Preview(%d) of %q = %q, %v, want %q", tt.n, tt.text, got, err, tt.want)
		}
	}
}

// However much nobody sees comes first, and whatever comes later.
func TestPreviewOfHTML(t *testing.T) {
	unseen := strings.Repeat("<blockquote>quoted</blockquote><div>&#8203;&#847;</div>\n", 20_000)
	m := parse(t, "Content-Type: text/html; charset=utf-8\n\n"+unseen+"<p>Hello <b>world</b>"+unseen)
	for n, want := range map[int]string{8: "Hello…", 11: "Hello world", 100: "Hello world"} {
		if got, err := m.Preview(n); err != nil || got != want {
			t.Errorf("Preview(%d) = %q, %v, want %q", n, got, err, want)
		}
	}
}

func TestFilename(t *testing.T) {
	long := strings.Repeat("é", 5000)
	for _, tt := range []struct{ in, want string }{
		{"a.txt", "a.txt"},
		{"../../x", "x"},
		{`C:\temp\a b.doc`, "a b.doc"},
		{"C:evil.txt", "evil.txt"},
		{"CON", "_CON"},
		{"nul.txt", "_nul.txt"},
		{"com1 .x", "_com1 .x"},
		{"console.log", "console.log"},
		{"a\r\nb\x00c", "abc"},
		{"exe\u202egpj.scr", "exegpj.scr"},
		{".bashrc", "bashrc"},
		{"a. . ", "a"},
		{"..", ""},
		{"\u3000.bashrc", "bashrc"},
		{"a .\u00a0", "a"},
		{"con." + strings.Repeat("x", 300), "_con." + strings.Repeat("x", 195)},
		{"con" + strings.Repeat(" ", 300) + "x.txt", "_con.txt"},
		{"/", ""},
		{"ab:c?d*e", "ab_c_d_e"},
		{"\xff.txt", "\ufffd.txt"},
		{long + ".pdf", strings.Repeat("é", 98) + ".pdf"},
		{"", ""},
	} {
		if got := message.Filename(tt.in); got != tt.want {
			t.Errorf("Filename(%.40q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
