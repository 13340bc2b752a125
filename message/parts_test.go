package message_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/postbag/message"
)

// parse reads a message written with LF, in the form with CRLF.
func parse(t *testing.T, s string) *message.Message {
	t.Helper()
	m, err := message.Read(strings.NewReader(crlf(s)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// outline is a line for each part: its path, type and content.
func outline(t *testing.T, m *message.Message) (lines []string) {
	t.Helper()
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		line := p.Path + " " + p.Type
		if !p.Container() {
			b, err := io.ReadAll(p)
			if err != nil {
				t.Fatal(err)
			}
			line += fmt.Sprintf(" %q", b)
		}
		lines = append(lines, line)
	}
	return lines
}

func kinds(m *message.Message) (all []message.Kind) {
	for _, d := range m.Defects() {
		all = append(all, d.Kind)
	}
	return all
}

// How messages are divided, and what is said of those that break the rules.
func TestParts(t *testing.T) {
	const mixed = "Content-Type: multipart/mixed; boundary=b\n\n"
	for _, tt := range []struct {
		name, message string
		parts         []string
		defects       []message.Kind
	}{
		{"one part", "Subject: x\n\nbody\n", []string{`1 text/plain "body\r\n"`}, nil},
		{"multipart", mixed + "preamble\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--\nepilogue",
			[]string{"TEXT multipart/mixed", `1 text/plain "one"`, `2 text/html "two"`}, []message.Kind{message.TextAfterParts}},
		{"in one another", mixed + "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c\n\ntwo\n--c--\n--b\n\nthree\n--b--\n",
			[]string{"TEXT multipart/mixed", "1 multipart/alternative", `1.1 text/plain "one"`, `1.2 text/plain "two"`, `2 text/plain "three"`}, nil},
		{"an inner one without its end", mixed + "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--\n",
			[]string{"TEXT multipart/mixed", "1 multipart/alternative", `1.1 text/plain "one"`, `2 text/plain "two"`}, []message.Kind{message.Unclosed}},
		{"no end", mixed + "--b\n\none\n", []string{"TEXT multipart/mixed", `1 text/plain "one\r\n"`}, []message.Kind{message.Unclosed}},
		{"a boundary that begins with another", mixed + "--b\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n\none\n--b1--\n--b\n\ntwo\n--b--\n",
			[]string{"TEXT multipart/mixed", "1 multipart/mixed", `1.1 text/plain "one"`, `2 text/plain "two"`}, nil},
		{"the same boundary within", mixed + "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n",
			[]string{"TEXT multipart/mixed", "1 multipart/mixed", `1.1 text/plain "one"`, `2 text/plain "two"`}, nil},
		{"what only begins like a boundary", mixed + "--b\n\n--because\n-- b\n--b--\n",
			[]string{"TEXT multipart/mixed", `1 text/plain "--because\r\n-- b"`}, nil},
		{"white space after a boundary", mixed + "--b \t\n\none\n--b--  \n", []string{"TEXT multipart/mixed", `1 text/plain "one"`}, nil},
		{"text after a boundary", mixed + "--b and more\n\none\n--b--and more\n",
			[]string{"TEXT multipart/mixed", `1 text/plain "one"`}, []message.Kind{message.TextOnBoundary}},
		{"no boundary said", "Content-Type: multipart/mixed\n\n--b\nContent-Type: text/html\n\none\n--b--\n",
			[]string{"TEXT multipart/mixed", `1 text/html "one"`}, []message.Kind{message.NoBoundary}},
		{"another boundary", "Content-Type: multipart/mixed; boundary=x\n\n--b\nContent-Type: text/html\n\none\n--b--\n",
			[]string{"TEXT multipart/mixed", `1 text/html "one"`}, []message.Kind{message.WrongBoundary}},
		{"no parts", mixed + "only text\n", []string{"TEXT multipart/mixed", `1 text/plain "only text\r\n"`}, []message.Kind{message.BoundaryNotFound}},
		{"nothing", mixed, []string{"TEXT multipart/mixed"}, nil},
		{"an empty part", mixed + "--b\n--b--\n", []string{"TEXT multipart/mixed", `1 text/plain ""`}, []message.Kind{message.NoBlankLine}},
		{"a part without a blank line", mixed + "--b\nContent-Type: text/html\nno field\nat all\n--b--\n",
			[]string{"TEXT multipart/mixed", `1 text/html "no field\r\nat all"`}, []message.Kind{message.NoBlankLine}},
		{"a message", "Content-Type: message/rfc822\n\nSubject: y\n\nbody", []string{"1 message/rfc822", `1.1 text/plain "body"`}, nil},
		{"a multipart in a message", mixed + "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--c--\n--b--\n",
			[]string{"TEXT multipart/mixed", "1 message/rfc822", "1.TEXT multipart/mixed", `1.1 text/plain "one"`}, nil},
		{"an encoded message", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeQoKYm9keQo=\n",
			[]string{"1 message/rfc822", `1.1 text/plain "body\n"`}, []message.Kind{message.EncodedMessage}},
		{"digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: y\n\none\n--b--\n",
			[]string{"TEXT multipart/digest", "1 message/rfc822", `1.1 text/plain "one"`}, nil},
		{"encoded multipart", "Content-Transfer-Encoding: base64\n" + mixed + "--b\n\none\n--b--\n",
			[]string{"TEXT multipart/mixed", `1 text/plain "one"`}, []message.Kind{message.EncodedMultipart}},
		{"lines that are no fields before fields", "X: y\n\\tone\n\\ttwo\n\\tthree\nContent-Type: text/html\n\nbody", []string{`1 text/html "body"`}, []message.Kind{message.NoField}},
		{"text after the header section with a colon", "X: y\nHello, all\nof you\nNote: this\n", []string{`1 text/plain "Hello, all\r\nof you\r\nNote: this\r\n"`}, []message.Kind{message.NoBlankLine}},
		{"a blank line of spaces before a boundary", "Content-Type: multipart/mixed; boundary=b\n \n--b\nContent-Type: text/html\n\none\n--b--\n",
			[]string{"TEXT multipart/mixed", `1 text/html "one"`}, []message.Kind{message.NoBlankLine}},
		{"no header", "just text, no more\nand more\n", []string{`1 text/plain "just text, no more\r\nand more\r\n"`}, []message.Kind{message.NoBlankLine, message.NoHeader}},
		{"mbox", "From joe Tue Mar 31 17:05:09 2026\nSubject: x\n\nbody", []string{`1 text/plain "body"`}, []message.Kind{message.FromLine}},
		{"byte order mark", "\xef\xbb\xbfSubject: x\n\nbody", []string{`1 text/plain "body"`}, []message.Kind{message.ByteOrderMark}},
		{"NUL", "Subject: x\n\nbo\x00dy", []string{`1 text/plain "bo\x00dy"`}, nil},
		{"not quite a type", "Content-Type: text\n\nx", []string{`1 text/plain "x"`}, nil},
		{"no type", "Content-Type: !!\n\nx", []string{`1 text/plain "x"`}, []message.Kind{message.BadType}},
		{"nothing at all", "", []string{`1 text/plain ""`}, []message.Kind{message.NoHeader}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, tt.message)
			if got := outline(t, m); !slices.Equal(got, tt.parts) {
				t.Errorf("got  %q\nwant %q", got, tt.parts)
			}
			if got := kinds(m); !slices.Equal(got, tt.defects) {
				t.Errorf("defects %v, want %v", m.Defects(), tt.defects)
			}
			data := crlf(tt.message)
			once := checkRead(t, []byte(data), strings.NewReader(data), nil)
			bytewise := checkRead(t, []byte(data), iotest.OneByteReader(strings.NewReader(data)), nil)
			if !slices.Equal(once, bytewise) {
				t.Errorf("an octet at a time: %q, else %q", bytewise, once)
			}
		})
	}
}

// Where the octets are cut does not matter: a boundary comes after more and
// more of them.
func TestPieces(t *testing.T) {
	for n := range 450 {
		body := strings.Repeat("x", n)
		data := crlf("X: " + strings.Repeat("x", 1000) + "\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n" + body + "\n--b\n\ny\n--b--\n")
		for _, r := range []io.Reader{iotest.OneByteReader(strings.NewReader(data)), iotest.DataErrReader(iotest.HalfReader(strings.NewReader(data))), &slowReader{r: strings.NewReader(data), n: n}} {
			m, err := message.Read(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := outline(t, m); len(got) != 3 || got[1] != fmt.Sprintf("1 text/plain %q", body) || got[2] != `2 text/plain "y"` {
				t.Fatalf("%d octets: %.300q", n, got)
			}
		}
	}
}

func TestUTF16AndBareCR(t *testing.T) {
	m, err := message.Read(strings.NewReader("\xff\xfeS\x00u\x00b\x00j\x00e\x00c\x00t\x00:\x00 \x00=\xd8\x4d\xdc\n\x00\n\x00x\x00"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := outline(t, m); m.Envelope().Subject != "\U0001f44d" || got[0] != `1 text/plain "x"` || kinds(m)[0] != message.UTF16 {
		t.Errorf("UTF-16: %q %q %v", m.Envelope().Subject, got, m.Defects())
	}
	m, err = message.Read(strings.NewReader("Subject: x\rContent-Type: multipart/mixed; boundary=b\r\r--b\r\rone\r--b--\r"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := outline(t, m); m.Envelope().Subject != "x" || len(got) != 2 || got[1] != `1 text/plain "one"` || kinds(m)[0] != message.BareCR {
		t.Errorf("CR: %q %q %v", m.Envelope().Subject, got, m.Defects())
	}
}

// A signed part is there to the octet, and then not divided.
func TestWhole(t *testing.T) {
	signed := crlf("Content-Type: multipart/mixed; boundary=c\n\n--c\n\n one \n--c--\n")
	m := parse(t, "Content-Type: multipart/signed; boundary=b\n\n--b\n"+strings.ReplaceAll(signed, "\r", "")+"\n--b\nContent-Type: application/pgp-signature\n\nsig\n--b--\n")
	var got []string
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Path)
		if p.Path == "1" {
			body, err := io.ReadAll(p.Raw())
			if err != nil {
				t.Fatal(err)
			}
			if whole := string(p.Header.Raw()) + "\r\n" + string(body); whole != signed {
				t.Errorf("the signed part is %q, want %q", whole, signed)
			}
		}
	}
	if want := []string{"TEXT", "1", "2"}; !slices.Equal(got, want) {
		t.Errorf("parts %q, want %q", got, want)
	}
}

func TestDescription(t *testing.T) {
	m := parse(t, "Content-Type: Application/PDF; name=\"=?utf-8?q?=C3=A1?=.pdf\"; x*0*=utf-8'en'%C3; x*1*=%A1; x*2=b (comment)\n"+
		"Content-Disposition: ATTACHMENT; filename=../../etc/pass wd; size=3\n"+
		"Content-ID: <a@b>\nContent-Transfer-Encoding: Base64 (really)\n\nYWJj")
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ name, got, want string }{
			{"Type", p.Type, "application/pdf"},
			{"name", p.Params["name"], "á.pdf"},
			{"x", p.Params["x"], "áb"},
			{"Disposition", p.Disposition, "attachment"},
			{"filename", p.DispositionParams["filename"], "../../etc/pass wd"},
			{"Filename", p.Filename, "pass wd"},
			{"ContentID", p.ContentID, "a@b"},
			{"Encoding", p.Encoding, "base64"},
		} {
			if c.got != c.want {
				t.Errorf("%s = %q, want %q", c.name, c.got, c.want)
			}
		}
		if p.Offset != 0 || p.BodyOffset <= 0 {
			t.Errorf("Offset %d, BodyOffset %d", p.Offset, p.BodyOffset)
		}
		io.Copy(io.Discard, p)
		if p.Size() != 3 || p.RawSize() != 4 {
			t.Errorf("Size %d, RawSize %d", p.Size(), p.RawSize())
		}
	}
	if want := []message.Kind{message.BadParameter, message.UnsafeName}; !slices.Equal(kinds(m), want) {
		t.Errorf("defects %v", m.Defects())
	}
}

func TestReadTwice(t *testing.T) {
	const s = "Subject: x\r\n\r\nbody"
	m, err := message.Read(io.MultiReader(strings.NewReader(s)), nil)
	if err != nil {
		t.Fatal(err)
	}
	outline(t, m)
	for _, err := range m.Parts() {
		if !errors.Is(err, message.ErrRead) {
			t.Errorf("the second time: %v, want ErrRead", err)
		}
	}
	r := strings.NewReader("before" + s)
	io.CopyN(io.Discard, r, 6)
	if m, err = message.Read(r, nil); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := outline(t, m); got[0] != `1 text/plain "body"` {
			t.Errorf("got %q", got)
		}
	}
}

// A part is gone when the next one was asked for.
func TestPast(t *testing.T) {
	m := parse(t, "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n")
	var past *message.Part
	for p, err := range m.Parts() {
		if err != nil {
			t.Fatal(err)
		}
		if past != nil {
			if n, err := past.Read(make([]byte, 1)); n != 0 || !errors.Is(err, message.ErrPast) {
				t.Errorf("%d octets, %v, want ErrPast", n, err)
			}
		}
		if !p.Container() {
			past = p
			io.ReadFull(p, make([]byte, 1)) // there is more
		}
	}
	if n, err := past.Read(make([]byte, 1)); n != 0 || !errors.Is(err, message.ErrPast) {
		t.Errorf("after the last part: %d octets, %v, want ErrPast", n, err)
	}
}

// An error of the reader is reported, wherever it comes, and nothing is made
// of it.
func TestPartsReadError(t *testing.T) {
	data := []byte(crlf("Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\nYWJj\n--b\n\ntwo\n--b--\n"))
	broken := errors.New("broken")
	for n := range data {
		m, err := message.Read(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(broken)), nil)
		for p, e := range func(yield func(*message.Part, error) bool) {
			if err == nil {
				m.Parts()(yield)
			}
		} {
			if err = e; err == nil && !p.Container() {
				_, err = io.Copy(io.Discard, p)
			}
			if err != nil {
				break
			}
		}
		if !errors.Is(err, broken) {
			t.Errorf("after %d octets: %v", n, err)
		}
	}
}

func TestBounds(t *testing.T) {
	deep := ""
	for i := range 30 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%[1]d\n", i)
	}
	many := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 30)
	for _, tt := range []struct {
		name, message string
		o             message.Options
		kind          message.Kind
		parts         int
	}{
		{"depth", deep, message.Options{MaxDepth: 10}, message.TooDeep, 11},
		{"parts", many, message.Options{MaxParts: 10}, message.TooManyParts, 10},
		{"header", "X: " + strings.Repeat("x", 2000) + "\n\nx", message.Options{MaxHeader: 1000}, message.HeaderTooLong, 1},
		{"fields", strings.Repeat("X: y\n", 20) + "\nx", message.Options{MaxFields: 10}, message.TooManyFields, 1},
		{"parameters", "Content-Type: text/plain" + strings.Repeat("; a=b", 20) + "\n\nx", message.Options{MaxParams: 10}, message.TooManyParameters, 1},
		{"decoded", "X: y\n\n" + strings.Repeat("x", 2000), message.Options{MaxDecoded: 1000}, message.TooMuchDecoded, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := crlf(tt.message)
			if n := len(checkRead(t, []byte(data), strings.NewReader(data), &tt.o)); tt.kind != message.TooMuchDecoded && n != tt.parts {
				t.Errorf("%d parts, want %d", n, tt.parts)
			}
			m, err := message.Read(strings.NewReader(data), &tt.o)
			if err != nil {
				t.Fatal(err)
			}
			n := int64(0)
			for p := range m.Parts() {
				k, _ := io.Copy(io.Discard, p)
				n += k
				if p.Container() {
					break
				}
			}
			outline(t, m)
			if got := kinds(m); !slices.Contains(got, tt.kind) {
				t.Errorf("defects %v, want %s", got, tt.kind)
			}
			if tt.kind == message.TooMuchDecoded && n != 1000 {
				t.Errorf("%d octets came out", n)
			}
		})
	}
}
