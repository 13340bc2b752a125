package message_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/postbag/message"
)

// seeds adds messages that hold a bit of everything.
func seeds(f *testing.F) {
	for _, s := range []string{
		"", "\n", "Subject: x\n\nbody", "\xff\xfeS\x00:\x00", "a\rb\r", "From a\n\nx:y\n",
		"Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n--b\nContent-Type: message/rfc822\n\nSubject: y\n\ntwo\n--b--\nepi",
		"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=b-\r\n\r\n--b-\r\n\r\nx\r\n--b---\r\n--b--",
		"Content-Type: multipart/mixed\n\n--x\nContent-Type: text/html\n\n<p>a<script>b</script>\n--x--\n",
		"Content-Type: multipart/digest; boundary=b\n\n--b x\n\nSubject: a\n\n--b--y\n",
		"Content-Transfer-Encoding: base64\n\nYWJj*=\nYWJj\n-- \n", "Content-Transfer-Encoding: quoted-printable\n\na=3D=\n=zz= \n=",
		"\nbegin 644 a\n#86)C\n`\nend\n=ybegin line=128 size=1 name=x\nr\n=yend size=1\n",
		"Content-Transfer-Encoding: base64\nContent-Type: message/rfc822\n\nU3ViamVjdDogeQoKYm9keQo=\n",
		"Content-Type: application/ms-tnef\n\n\x78\x9f\x3e\x22\x01\x00\x02\x0f\x80\x06\x00\x01\x00\x00\x00x\x78\x00",
		"Content-Type: message/delivery-status\n\nReporting-MTA: dns;x\n\nFinal-Recipient: rfc822;a@b\nStatus: 5.1.1\n",
		"Content-Type: text/plain; charset=utf-7; format=flowed; name*0*=utf-8''%41; name*1=b\n\n+AOQ- \n> x\n",
		"Content-Disposition: attachment; filename=\"../../=?utf-8?q?CON?=\"\nContent-Type: text\n\n",
	} {
		f.Add([]byte(s))
	}
}

// FuzzRead: any octets are a message. Its segments are the octets, what is
// read does not depend on how they come, bounds hold, names are safe, texts
// are UTF-8.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		o := &message.Options{MaxDepth: 5, MaxParts: 20, MaxHeader: 2000, MaxFields: 20, MaxParams: 10, MaxDecoded: 20_000, MaxText: 5000}
		once := checkRead(t, data, bytes.NewReader(data), o)
		twice := checkRead(t, data, &slowReader{r: bytes.NewReader(data)}, o)
		if !slices.Equal(once, twice) {
			t.Errorf("in small pieces, the message is\n%q\nand in one\n%q", twice, once)
		}
		if len(once) > 20+2*5 {
			t.Errorf("%d parts", len(once))
		}
		checkContent(t, data, o)
	})
}

func checkContent(t *testing.T, data []byte, o *message.Options) {
	t.Helper()
	m, err := message.Read(bytes.NewReader(data), o)
	if err != nil {
		t.Fatal(err)
	}
	for p, err := range m.Attachments() {
		if err != nil {
			t.Fatal(err)
		}
		if p.Filename != message.Filename(p.Filename) || strings.ContainsAny(p.Filename, "/\\\x00") || len(p.Filename) > 255 {
			t.Errorf("the name %q is not safe", p.Filename)
		}
		n, err := io.Copy(io.Discard, p)
		if err != nil || n > 40_000 {
			t.Errorf("part %s: %d octets, %v", p.Path, n, err)
		}
	}
	text, err := m.Text()
	if err != nil {
		t.Fatal(err)
	}
	html, err := m.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.ValidString(text) || !utf8.ValidString(html) {
		t.Errorf("text %q or HTML %q is not UTF-8", text, html)
	}
	if preview, _ := m.Preview(20); utf8.RuneCountInString(preview) > 20 || strings.ContainsAny(preview, "\r\n") {
		t.Errorf("preview %q", preview)
	}
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		switch p.Type {
		case "message/delivery-status":
			p.DeliveryStatus()
		case "message/disposition-notification":
			p.DispositionNotification()
		}
	}
}

// FuzzNetMail: where the standard library's net/mail and mime/multipart accept
// a message that keeps the rules, we read the same parts with the same
// contents.
func FuzzNetMail(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		theirs, ok := netMailParts(data)
		if !ok {
			return
		}
		m, err := message.Read(bytes.NewReader(data), nil)
		if err != nil {
			t.Fatal(err)
		}
		var ours []string
		for p, err := range m.Parts() {
			if err != nil {
				t.Fatal(err)
			}
			if p.Parent() == nil && p.Container() {
				continue
			}
			if p.Parent() != nil && p.Parent().Parent() != nil {
				continue
			}
			b, err := io.ReadAll(p.Raw())
			if err != nil {
				t.Fatal(err)
			}
			ours = append(ours, string(b))
		}
		if len(m.Defects()) > 0 {
			return // it breaks a rule, which net/mail may read in another way
		}
		if !slices.Equal(ours, theirs) {
			t.Errorf("we read %q, net/mail %q", ours, theirs)
		}
	})
}

// netMailParts returns the parts of a message as they came, as the standard
// library divides it.
func netMailParts(data []byte) (parts []string, ok bool) {
	if bytes.ContainsAny(data, "\x00") || bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")) {
		return nil, false
	}
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil || len(m.Header["Content-Type"]) > 1 {
		return nil, false
	}
	o, err := message.Read(bytes.NewReader(data), nil)
	if err != nil {
		return nil, false
	}
	var root *message.Part
	for p := range o.Parts() {
		root = p
		break
	}
	boundary := root.Params["boundary"]
	if !strings.HasPrefix(root.Type, "multipart/") {
		if root.Container() {
			return nil, false
		}
		b, err := io.ReadAll(m.Body)
		return []string{string(b)}, err == nil
	}
	r := multipart.NewReader(m.Body, boundary)
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return parts, true
		}
		if err != nil {
			return nil, false
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return nil, false
		}
		parts = append(parts, string(b))
	}
}

// FuzzTextFromHTML: any octets give a text without control characters that
// come of tags.
func FuzzTextFromHTML(f *testing.F) {
	for _, s := range []string{"", "<p>a<br>b", "<ul><li>x<a href='y'>z", "<pre>a\n b", "<table><tr><td>a<td>b", "<script>x</script>&amp;", "<blockquote>a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := message.TextFromHTML(s)
		if !utf8.ValidString(text) {
			t.Errorf("%q is not UTF-8", text)
		}
		if len(text) > 100+40*len(s) {
			t.Errorf("%d octets of %d", len(text), len(s))
		}
	})
}

// A folder of seeds that is not there says so.
func TestSeeds(t *testing.T) {
	for _, name := range []string{"FuzzRead", "FuzzNetMail"} {
		if _, err := os.ReadDir(filepath.Join("testdata", "fuzz", name)); err != nil {
			t.Error(err)
		}
	}
}
