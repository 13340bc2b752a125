package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/postbag/imapclient"
)

// withBinary is examine with a server that decodes.
var withBinary = strings.Replace(examine, "CAPABILITY IMAP4rev1 IDLE UIDPLUS]", "CAPABILITY IMAP4rev1 BINARY]", 1)

const structure2 = `S: * 1 FETCH (UID 5 RFC822.SIZE 99 BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 3 1)("text" "html" NIL NIL NIL "quoted-printable" 9 1)("image" "png" NIL NIL NIL "base64" 8)("a" "b" NIL NIL NIL "x-other" 8) "mixed"))`

func readPart(t *testing.T, c *imapclient.Client, part string, o *imapclient.PartOptions) (string, error) {
	t.Helper()
	p, err := c.Part(t.Context(), 5, part, o)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(iotest.OneByteReader(p))
	if closed := p.Close(); closed != nil && err == nil {
		t.Errorf("Close = %v", closed)
	}
	return string(data), err
}

func TestPart(t *testing.T) {
	row := func(item, data string) string {
		return b64(fmt.Sprintf("* 1 FETCH (UID 5 %s {%d}\r\n%s)\r\n", item, len(data), data))
	}
	structure := []string{"C: a1 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", structure2, "S: a1 OK"}
	with := func(more ...string) []string { return append(structure[:3:3], more...) }
	for _, tt := range []struct {
		name   string
		part   string
		o      *imapclient.PartOptions
		script []string
		want   string
	}{
		{"7bit", "1", nil, with("C: a2 UID FETCH 5 (UID BODY.PEEK[1])", row("BODY[1]", "a=41"), "S: a2 OK"), "a=41"},
		{"quoted-printable", "2", nil, with("C: a2 UID FETCH 5 (UID BODY.PEEK[2])", row("BODY[2]", "gr=C3=BC=\r\n=C3=9Fe \r\n"), "S: a2 OK"), "grüße \r\n"},
		{"base64", "3", nil, with("C: a2 UID FETCH 5 (UID BODY.PEEK[3])", row("BODY[3]", "YWJj\r\nZGU=\r\n"), "S: a2 OK"), "abcde"},
		{"another encoding", "4", nil, with("C: a2 UID FETCH 5 (UID BODY.PEEK[4])", row("BODY[4]", "YWJj"), "S: a2 OK"), "YWJj"},
		{"the encoding is known", "3", &imapclient.PartOptions{Encoding: "BASE64"}, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[3])", row("BODY[3]", "YWJj"), "S: a2 OK"}, "abc"},
		{"raw", "3", &imapclient.PartOptions{Raw: true}, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[3])", row("BODY[3]", "YWJj"), "S: a2 OK"}, "YWJj"},
		{"the header of a part", "3.mime", nil, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[3.MIME])", row("BODY[3.MIME]", "A: b\r\n\r\n"), "S: a2 OK"}, "A: b\r\n\r\n"},
		{"the header of a message", "3.1.HEADER", nil, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[3.1.HEADER])", row("body[3.1.header]", "A: b\r\n\r\n"), "S: a2 OK"}, "A: b\r\n\r\n"},
		{"the whole message", "", nil, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[])", row("BODY[]", "YWJj"), "S: a2 OK"}, "YWJj"},
		{"seen", "1", &imapclient.PartOptions{Raw: true, MarkSeen: true}, []string{"C: a2 UID FETCH 5 (UID BODY[1])", row("BODY[1]", "x"), "S: * 1 FETCH (FLAGS (\\Seen))", "S: a2 OK"}, "x"},
		{"the UID last", "1", &imapclient.PartOptions{Raw: true}, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[1])", b64("* 1 FETCH (BODY[1] {3}\r\nabc UID 5)\r\n"), "S: a2 OK"}, "abc"},
		{"quoted", "1", &imapclient.PartOptions{Raw: true}, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[1])", `S: * 1 FETCH (UID 5 BODY[1] "a\"b")`, "S: a2 OK"}, `a"b`},
		{"another message", "1", &imapclient.PartOptions{Raw: true}, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[1])", `S: * 4 FETCH (UID 8 BODY[1] "wrong")`, `S: * 1 FETCH (UID 5 BODY[2] "wrong" BODY[1] "right")`, "S: a2 OK"}, "right"},
		{"nothing", "1", &imapclient.PartOptions{Raw: true}, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[1])", `S: * 1 FETCH (UID 5 BODY[1] "")`, "S: a2 OK",
			"C: a3 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", `S: * 1 FETCH (UID 5 RFC822.SIZE 99 BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 0 0))`, "S: a3 OK"}, ""},
		{"NO behind it", "1", &imapclient.PartOptions{Raw: true}, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[1])", row("BODY[1]", "x"), "S: a2 NO [EXPUNGEISSUED] some are gone"}, "x"},
		{"a stray line end", "1", &imapclient.PartOptions{Raw: true}, []string{"C: a2 UID FETCH 5 (UID BODY.PEEK[1])", b64("* 1 FETCH (UID 5 BODY[1] {3}\r\nabc\r\n)\r\n"), "S: a2 OK"}, "abc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := examined(t, lines(append(tt.script, "C: a9 NOOP", "S: a9 OK")...))
			got, err := readPart(t, c, tt.part, tt.o)
			if got != tt.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if _, err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A server with BINARY decodes; if it cannot after all, the client does.
func TestPartBinary(t *testing.T) {
	for _, tt := range []struct {
		name   string
		o      *imapclient.PartOptions
		script []string
	}{
		{"decoded by the server", nil, []string{"C: a1 UID FETCH 5 (UID BINARY.PEEK[3])", "S: * 1 FETCH (UID 5 BINARY[3] ~{5}", "S64: YWIAZGU=", "S: )", "S: a1 OK"}},
		{"refused", nil, []string{"C: a1 UID FETCH 5 (UID BINARY.PEEK[3])", "S: a1 NO [UNKNOWN-CTE] cannot decode", "C: a2 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", structure2, "S: a2 OK", "C: a3 UID FETCH 5 (UID BODY.PEEK[3])", `S: * 1 FETCH (UID 5 BODY[3] "YWIAZGU=")`, "S: a3 OK"}},
		{"not wanted", &imapclient.PartOptions{Encoding: "base64", Chunk: 100}, []string{"C: a1 UID FETCH 5 (UID BODY.PEEK[3]<0.100>)", `S: * 1 FETCH (UID 5 BODY[3]<0> "YWIAZGU=")`, "S: a1 OK"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := play(t, withBinary+lines(tt.script...), nil)
			mustLogin(t, c)
			if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
				t.Fatal(err)
			}
			if got, err := readPart(t, c, "3", tt.o); got != "ab\x00de" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// A large part comes in chunks, also from servers that know no ranges or get
// them wrong.
func TestPartChunks(t *testing.T) {
	const part = "0123456789abcdefghijklmno" // 25 octets
	ask := func(n, from int) string { return fmt.Sprintf("C: a%d UID FETCH 5 (UID BODY.PEEK[3]<%d.10>)", n, from) }
	row := func(origin, data string) string {
		return fmt.Sprintf("S: * 1 FETCH (UID 5 BODY[3]%s \"%s\")", origin, data)
	}
	for _, tt := range []struct {
		name   string
		o      imapclient.PartOptions
		script []string
		want   string
		err    error
	}{
		{"as it should be", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), row("<10>", part[10:20]), "S: a2 OK", ask(3, 20), row("<20>", part[20:]), "S: a3 OK"}, part, nil},
		{"a multiple of the chunk, then nothing", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), row("<10>", ""), "S: a2 OK"}, part[:10], nil},
		{"a multiple of the chunk, then NIL", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), "S: * 1 FETCH (UID 5 BODY[3]<10> NIL)", "S: a2 OK"}, part[:10], nil},
		{"short answers, the size is known", imapclient.PartOptions{Size: 25}, []string{ask(1, 0), row("<0>", part[:7]), "S: a1 OK", ask(2, 7), row("<7>", part[7:17]), "S: a2 OK", ask(3, 17), row("<17>", part[17:]), "S: a3 OK"}, part, nil},
		{"ranges are ignored", imapclient.PartOptions{}, []string{ask(1, 0), row("", part), "S: a1 OK"}, part, nil},
		{"how many is ignored", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part), "S: a1 OK"}, part, nil},
		{"ranges are ignored later", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), row("", part), "S: a2 OK"}, part, nil},
		{"ranges are ignored, and a range was asked for", imapclient.PartOptions{Offset: 12, Limit: 5}, []string{"C: a1 UID FETCH 5 (UID BODY.PEEK[3]<12.10>)", row("", part), "S: a1 OK"}, part[12:17], nil},
		{"too early a range", imapclient.PartOptions{Offset: 12}, []string{"C: a1 UID FETCH 5 (UID BODY.PEEK[3]<12.10>)", row("<10>", part[10:20]), "S: a1 OK", "C: a2 UID FETCH 5 (UID BODY.PEEK[3]<20.10>)", row("<20>", part[20:]), "S: a2 OK"}, part[12:], nil},
		{"too late a range", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), row("<11>", part[11:20]), "S: a2 OK"}, part[:10], imapclient.ErrTruncated},
		{"the same again and again", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), row("<0>", part[:10]), "S: a2 OK"}, part[:10], imapclient.ErrTruncated},
		{"gone in between", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), "S: * 1 EXPUNGE", "S: a2 OK"}, part[:10], imapclient.ErrGone},
		{"refused in between", imapclient.PartOptions{}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), "S: a2 NO [SERVERBUG] x"}, part[:10], imapclient.ErrTruncated},
		{"NIL in between", imapclient.PartOptions{Size: 25}, []string{ask(1, 0), row("<0>", part[:10]), "S: a1 OK", ask(2, 10), "S: * 1 FETCH (UID 5 BODY[3]<10> NIL)", "S: a2 OK"}, part[:10], imapclient.ErrTruncated},
		{"a range behind the end", imapclient.PartOptions{Offset: 50}, []string{"C: a1 UID FETCH 5 (UID BODY.PEEK[3]<50.10>)", row("<50>", ""), "S: a1 OK"}, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := examined(t, lines(append(tt.script, "C: a9 NOOP", "S: a9 OK")...))
			tt.o.Raw, tt.o.Chunk = true, 10
			got, err := readPart(t, c, "3", &tt.o)
			if got != tt.want || !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Errorf("got %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
			if _, err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A range is one of the octets that come.
func TestPartRange(t *testing.T) {
	c := examined(t, lines("C: a1 UID FETCH 5 (UID BODY.PEEK[3]<0.1030>)", `S: * 1 FETCH (UID 5 BODY[3]<0> "YWJjZGVmZ2hp")`, "S: a1 OK"))
	if got, err := readPart(t, c, "3", &imapclient.PartOptions{Encoding: "base64", Offset: 2, Limit: 4}); got != "cdef" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	c = examined(t, lines("C: a1 UID FETCH 5 (UID BODY.PEEK[3]<7.4294967295>)", `S: * 1 FETCH (UID 5 BODY[3]<7> "hi")`, "S: a1 OK"))
	if got, err := readPart(t, c, "3", &imapclient.PartOptions{Raw: true, Offset: 7}); got != "hi" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	// What is known to be very large is asked for in chunks.
	c = examined(t, lines("C: a1 UID FETCH 5 (UID BODY.PEEK[3]<0.4194304>)", `S: * 1 FETCH (UID 5 BODY[3]<0> "hi")`, "S: a1 OK",
		"C: a2 UID FETCH 5 (UID BODY.PEEK[3]<2.4194304>)", `S: * 1 FETCH (UID 5 BODY[3]<2> "")`, "S: a2 OK"))
	if got, err := readPart(t, c, "3", &imapclient.PartOptions{Raw: true, Size: 100 << 20}); got != "hi" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A part that cannot be had is never an empty one.
func TestPartErrors(t *testing.T) {
	raw := &imapclient.PartOptions{Raw: true}
	for _, tt := range []struct {
		name   string
		part   string
		o      *imapclient.PartOptions
		script []string
		want   error
	}{
		{"gone", "3", raw, []string{"C: a1 UID FETCH …", "S: a1 OK"}, imapclient.ErrGone},
		{"gone, from the structure", "3", nil, []string{"C: a1 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", "S: a1 OK"}, imapclient.ErrGone},
		{"refused", "3", raw, []string{"C: a1 UID FETCH …", "S: a1 NO [UNAVAILABLE] not now"}, imapclient.ErrUnavailable},
		{"NIL", "3", raw, []string{"C: a1 UID FETCH …", "S: * 1 FETCH (UID 5 BODY[3] NIL)", "S: a1 OK"}, imapclient.ErrNoPart},
		{"nothing for NIL", "3", raw, []string{"C: a1 UID FETCH …", "S: * 1 FETCH (UID 5 BODY[3] )", "S: a1 OK"}, imapclient.ErrNoPart},
		{"not in the structure", "7", nil, []string{"C: a1 UID FETCH …", structure2, "S: a1 OK"}, imapclient.ErrNoPart},
		{"not in the row", "3", raw, []string{"C: a1 UID FETCH …", "S: * 1 FETCH (UID 5)", "S: a1 OK"}, imapclient.ErrGone},
		{"empty, which it is not", "3", &imapclient.PartOptions{Raw: true, Size: 7}, []string{"C: a1 UID FETCH …", `S: * 1 FETCH (UID 5 BODY[3] "")`, "S: a1 OK"}, imapclient.ErrTruncated},
		{"empty, and not there", "7", raw, []string{"C: a1 UID FETCH …", `S: * 1 FETCH (UID 5 BODY[7] "")`, "S: a1 OK", "C: a2 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", structure2, "S: a2 OK"}, imapclient.ErrNoPart},
		{"empty, and not there", "7.MIME", raw, []string{"C: a1 UID FETCH …", `S: * 1 FETCH (UID 5 BODY[7.MIME] "")`, "S: a1 OK", "C: a2 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", structure2, "S: a2 OK"}, imapclient.ErrNoPart},
		{"empty, and the size is told then", "3", raw, []string{"C: a1 UID FETCH …", `S: * 1 FETCH (UID 5 BODY[3] "")`, "S: a1 OK", "C: a2 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", structure2, "S: a2 OK"}, imapclient.ErrTruncated},
		{"empty, the whole message", "", raw, []string{"C: a1 UID FETCH …", `S: * 1 FETCH (UID 5 BODY[] "")`, "S: a1 OK", "C: a2 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", structure2, "S: a2 OK"}, imapclient.ErrTruncated},
		{"malformed", "3", raw, []string{"C: a1 UID FETCH …", `S: * 1 FETCH (UID 5 BODY[3] "x`, "S: a1 OK"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := examined(t, lines(append(tt.script, "C: a9 NOOP", "S: a9 OK")...))
			_, err := readPart(t, c, tt.part, tt.o)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if _, err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	c := examined(t, "")
	for _, bad := range []string{"0", "1.", ".1", "1.0", "1]", "1 2", "1\r\n", "MIME", "1.X", "a", "1..2", "TEXT.1", strings.Repeat("1.", 1000) + "1"} {
		if _, err := c.Part(t.Context(), 5, bad, nil); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// A line that ends within a part is never the part's end.
func TestPartTruncated(t *testing.T) {
	for _, tail := range []string{"{10}\r\nhalf", "{10}\r\nhalf", "{4}\r\nhalf"} {
		c := examined(t, lines("C: a1 UID FETCH …", b64("* 1 FETCH (UID 5 BODY[3] "+tail), "= CLOSE"))
		got, err := readPart(t, c, "3", &imapclient.PartOptions{Encoding: "7bit"})
		if whole := strings.HasPrefix(tail, "{4}"); got != "half" || whole != (err == nil) || !whole && !errors.Is(err, imapclient.ErrTruncated) {
			t.Errorf("%q: %q, %v", tail, got, err)
		}
	}
}

// The client is busy until the part is closed.
func TestPartClose(t *testing.T) {
	c := examined(t, lines("C: a1 UID FETCH …", `S: * 1 FETCH (UID 5 BODY[3] "abc")`, "S: a1 OK", "C: a2 NOOP", "S: a2 OK"))
	p, err := c.Part(t.Context(), 5, "3", &imapclient.PartOptions{Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	if _, err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrBusy) {
		t.Errorf("Noop = %v, want ErrBusy", err)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("reading what is closed: %v", err)
	}
	if _, err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPartCancel(t *testing.T) {
	c := examined(t, lines("C: a1 UID FETCH …", "S: * 1 FETCH (UID 5 BODY[3] {9}", "S64: YWJj"))
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	p, err := c.Part(ctx, 5, "3", &imapclient.PartOptions{Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	cancel(cause)
	if _, err := io.ReadAll(p); !errors.Is(err, cause) || !errors.Is(err, imapclient.ErrTruncated) {
		t.Errorf("%v, want ErrTruncated and the cause", err)
	}
}

// What is not quite in an encoding is decoded as well as it can be.
func TestPartDecode(t *testing.T) {
	long := strings.Repeat("x", 9000)
	for _, tt := range []struct{ encoding, in, want string }{
		{"base64", "YWJj", "abc"},
		{"BASE64", "YW\r\n Jj", "abc"},
		{"base64", "YWI", "ab"},
		{"base64", "YWI=YWI=", "abab"},
		{"base64", "YW*-!Jj\x00\xff", "abc"},
		{"base64", "YWJj\r\n--\r\nfooter=", "abc\x7e\x8a\x2d\x7a"},
		{" base64 ", strings.Repeat("YWJj", 5000), strings.Repeat("abc", 5000)},
		{"quoted-printable", "a=3Db=3d=\r\nc=\nd", "a=b=cd"},
		{"quoted-printable", "a=XY=4 =", "a=XY=4 "},
		{"quoted-printable", "a  \r\nb\t\n", "a  \r\nb\t\n"},
		{"quoted-printable", "a=  \r\nb", "ab"},
		{"quoted-printable", "=E2=82=AC", "€"},
		{"quoted-printable", long + "=41" + long + "=\r\n=42", long + "A" + long + "B"},
		{"quoted-printable", strings.Repeat("=41", 5000), strings.Repeat("A", 5000)},
		{"quoted-printable", strings.Repeat(" ", 5000) + "x", strings.Repeat(" ", 5000) + "x"},
		{"8bit", "\xff=41", "\xff=41"},
		{"x-uuencode", "begin 644 x\n#86)C\n`\nend\n", "abc"},
		{"", "=41", "=41"},
	} {
		name := fmt.Sprintf("%s %.20q", tt.encoding, tt.in)
		t.Run(name, func(t *testing.T) {
			script := []string{}
			if tt.encoding == "" {
				script = []string{"C: a0 UID FETCH …", `S: * 1 FETCH (UID 5 RFC822.SIZE 99 BODYSTRUCTURE ("text" "plain" NIL NIL NIL NIL 9 1))`, "S: a0 OK"}
			}
			c := examined(t, lines(append(script, "C: a1 UID FETCH …", b64(fmt.Sprintf("* 1 FETCH (UID 5 BODY[1] {%d}\r\n%s)\r\n", len(tt.in), tt.in)), "S: a1 OK")...))
			p, err := c.Part(t.Context(), 5, "1", &imapclient.PartOptions{Encoding: tt.encoding})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(p)
			if string(got) != tt.want || err != nil {
				t.Errorf("got %.200q, %v, want %.200q", got, err, tt.want)
			}
		})
	}
}
