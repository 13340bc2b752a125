package imapclient_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// outline shows a structure: of each part its number, type, encoding, size,
// lines and what else there is.
func outline(p *imapclient.Part) string {
	var parts []string
	for q := range p.All() {
		s := fmt.Sprintf("%s %s", q.Number, q.Type)
		for _, key := range slices.Sorted(maps.Keys(q.Params)) {
			s += fmt.Sprintf(" %s=%s", key, q.Params[key])
		}
		if !q.IsMultipart() {
			s += fmt.Sprintf(" %s %d/%d", q.Encoding, q.Size, q.Lines)
		}
		for _, f := range []struct{ name, value string }{
			{"id", q.ID}, {"desc", q.Description}, {"md5", q.MD5}, {"disp", q.Disposition}, {"file", q.Filename}, {"lang", strings.Join(q.Language, "+")}, {"loc", q.Location},
		} {
			if f.value != "" {
				s += " " + f.name + "=" + f.value
			}
		}
		if q.Envelope != nil {
			s += " subject=" + q.Envelope.Subject
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "\n")
}

func TestStructure(t *testing.T) {
	const text = `("text" "plain" NIL NIL NIL "7bit" 1 1)`
	for _, tt := range []struct{ name, value, want string }{
		{"RFC 9051 section 7.5.2", `(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73) "MIXED")`,
			"TEXT multipart/mixed\n1 text/plain charset=US-ASCII 7bit 1152/23\n2 text/plain charset=US-ASCII name=cc.diff base64 4554/73 id=960723163407.20117h@cac.washington.edu desc=Compiler diff file=cc.diff"},
		{"RFC 9051 section 8", `("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 3028 92 NIL NIL NIL NIL)`, "1 text/plain charset=us-ascii 7bit 3028/92"},
		{"extension data", `("application" "pdf" NIL NIL NIL "base64" 9 "md5" ("attachment" ("filename" "a.pdf" "size" "7")) ("de" NIL "en") "http://x/" "more" (1 (2)))`,
			"1 application/pdf base64 9/-1 md5=md5 disp=attachment file=a.pdf lang=de+en loc=http://x/"},
		{"numbers as in RFC 9051 section 6.4.5.1", `(` + text + `("application" "octet-stream" NIL NIL NIL "7bit" 1)("message" "rfc822" NIL NIL NIL "7bit" 1 (NIL "m" NIL NIL NIL NIL NIL NIL NIL NIL) (` + text + `("application" "octet-stream" NIL NIL NIL "7bit" 1) "mixed") 1)` +
			`(("image" "gif" NIL NIL NIL "7bit" 1)("message" "rfc822" NIL NIL NIL "7bit" 1 (NIL "n" NIL NIL NIL NIL NIL NIL NIL NIL) (` + text + `(` + text + `("text" "richtext" NIL NIL NIL "7bit" 1 1) "alternative") "mixed") 1) "mixed") "mixed")`,
			"TEXT multipart/mixed\n1 text/plain 7bit 1/1\n2 application/octet-stream 7bit 1/-1\n3 message/rfc822 7bit 1/1 subject=m\n3.TEXT multipart/mixed\n3.1 text/plain 7bit 1/1\n3.2 application/octet-stream 7bit 1/-1\n" +
				"4 multipart/mixed\n4.1 image/gif 7bit 1/-1\n4.2 message/rfc822 7bit 1/1 subject=n\n4.2.TEXT multipart/mixed\n4.2.1 text/plain 7bit 1/1\n4.2.2 multipart/alternative\n4.2.2.1 text/plain 7bit 1/1\n4.2.2.2 text/richtext 7bit 1/1"},
		{"a message of one part", `("message" "rfc822" NIL NIL NIL "7bit" 9 (NIL "m" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "html" NIL NIL NIL "8bit" 5 1) 3)`, "1 message/rfc822 7bit 9/3 subject=m\n1.1 text/html 8bit 5/1"},
		{"literals", "({4}\r\ntext {5}\r\nplain ({4}\r\nname {5}\r\na\"b)() NIL NIL \"7bit\" 1 1)", `1 text/plain name=a"b)( 7bit 1/1 file=a"b)(`},

		// Names.
		{"RFC 2047", `("a" "b" ("name" "=?utf-8?Q?gr=C3=BC=C3=9Fe?=") NIL "=?iso-8859-1?Q?=FC?=" "7bit" 1)`, "1 a/b name=grüße 7bit 1/-1 desc=ü file=grüße"},
		{"RFC 2231", `("a" "b" ("name*" "UTF-8'de'gr%C3%BC%C3%9Fe" "name" "gruesse") NIL NIL "7bit" 1)`, "1 a/b name=grüße 7bit 1/-1 file=grüße"},
		{"RFC 2231 in pieces", `("a" "b" NIL NIL NIL "7bit" 1 NIL ("attachment" ("filename*1*" "%DFe" "filename*0*" "iso-8859-1''gr%FC" "filename*2" ".txt")))`, "1 a/b 7bit 1/-1 disp=attachment file=grüße.txt"},
		{"RFC 2231, a character in two pieces", `("a" "b" ("name*0*" "utf-8''gr%C3" "name*1*" "%BC%C3%9Fe") NIL NIL "7bit" 1)`, "1 a/b name=grüße 7bit 1/-1 file=grüße"},
		{"RFC 2231 without a charset", `("a" "b" ("name*" "gr%C3%BC%zz" "*" "x" NIL "y" "odd") NIL NIL "7bit" 1)`, "1 a/b name=grü%zz odd= 7bit 1/-1 file=grü%zz"},
		{"octets", "(\"a\" \"b\" (\"name\" \"gr\xfc\") NIL NIL \"7bit\" 1)", "1 a/b name=grü 7bit 1/-1 file=grü"},
		{"a path", `("a" "b" ("name" "../../x") NIL NIL "7bit" 1)`, "1 a/b name=../../x 7bit 1/-1 file=../../x"},

		// What servers send instead; the numbers are those of quirks.md.
		{"67 a float", `("a" "b" NIL NIL NIL "base64" 9.3736e+06)`, "1 a/b base64 9373600/-1"},
		{"77 quotes in a description", `("application" "octet-stream" ("name" "2154973550.pdf") NIL """" "base64" 65322)`, `1 application/octet-stream name=2154973550.pdf base64 65322/-1 desc="" file=2154973550.pdf`},
		{"78 a header in a subtype", "(\"APPLICATION\" \"PDF\r\n    NAME=\"ATT1-160708123935.PDF\"\" NIL NIL NIL \"base64\" 257328 NIL (\"attachment\" (\"filename\" \"x.pdf\")) NIL)", "1 application/pdf base64 257328/-1 disp=attachment file=x.pdf"},
		{"79 quotes in a type", `("MOUNDARY="_006_5DBB50A5..._"" "OCTET-STREAM" ("name" "test.dat") NIL NIL "quoted-printable" 383137 NIL ("attachment" ("filename" "test.dat")))`,
			`1 moundary="_006_5dbb50a5..._"/octet-stream name=test.dat quoted-printable 383137/-1 disp=attachment file=test.dat`},
		{"80 a disposition without parentheses", `("text" "html" NIL NIL NIL "7bit" 850 31 NIL "inline" NIL NIL)`, "1 text/html 7bit 850/31 disp=inline"},
		{"80 NIL twice", `("application" "msword" NIL NIL NIL "base64" 1 NIL (NIL NIL) NIL NIL)`, "1 application/msword base64 1/-1"},
		{"81 no disposition but a name", `("a" "b" NIL NIL NIL "base64" 1 NIL (NIL ("filename" "x")) NIL NIL)`, "1 a/b base64 1/-1 file=x"},
		{"81 quoted twice", `("a" "b" NIL NIL NIL "base64" 1 NIL ("\"attachment\"" ("filename" "x")) NIL NIL)`, "1 a/b base64 1/-1 disp=attachment file=x"},
		{"83 RELATED", `("RELATED" NIL ("ATTACHMENT" NIL) NIL)`, "TEXT multipart/related disp=attachment"},
		{"83 ALTERNATIVE with a boundary", `("ALTERNATIVE" ("BOUNDARY" "==x") NIL NIL)`, "TEXT multipart/alternative boundary===x"},
		{"83 ALTERNATIVE", `(("ALTERNATIVE")` + text + ` "MIXED")`, "TEXT multipart/mixed\n1 multipart/alternative\n2 text/plain 7bit 1/1"},
		{"84 NIL for parts", `(NIL "alternative" ("boundary" "b3_") NIL NIL NIL)`, "TEXT multipart/alternative boundary=b3_"},
		{"85 no type", `(NIL NIL NIL NIL NIL "7BIT" 563 NIL NIL NIL NIL)`, "1 application/octet-stream 7bit 563/-1"},
		{"86 no subtype", `(("X-ZIP" ("BOUNDARY" "") NIL NIL "base64" 4096)("APPLICATION" NIL NIL NIL "base64" 356)("TEXT" ("CHARSET" "windows-1251") NIL NIL "8bit" 5 1) "MIXED")`,
			"TEXT multipart/mixed\n1 application/x-zip boundary= base64 4096/-1\n2 application/octet-stream base64 356/-1\n3 text/plain charset=windows-1251 8bit 5/1"},
		{"87 a message that is encoded", `("MESSAGE" "RFC822" NIL NIL NIL "BASE64" 2942 NIL ("attachment" NIL) NIL)`, "1 message/rfc822 base64 2942/-1 disp=attachment"},
		{"87 a message of which nothing is told", `("MESSAGE" "RFC822" ("NAME" "ATT00026.eml") NIL NIL "7BIT" 4079755)`, "1 message/rfc822 name=ATT00026.eml 7bit 4079755/-1 file=ATT00026.eml"},
		{"88 () for a body", `("message" "rfc822" NIL NIL NIL "7BIT" 787 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) () 0 NIL NIL NIL)`, "1 message/rfc822 7bit 787/0 subject="},
		{"a message without an envelope", `("message" "rfc822" NIL NIL NIL "7BIT" 787 NIL ` + text + ` 0 NIL NIL NIL)`, "1 message/rfc822 7bit 787/0\n1.1 text/plain 7bit 1/1"},
		{"89 a multipart as a part", `(("multipart" "related" ("boundary" "x") NIL NIL "7BIT" 400 ("boundary" "x") NIL NIL NIL) "mixed" ("boundary" "y") NIL NIL NIL)`, "TEXT multipart/mixed boundary=y\n1 multipart/related boundary=x"},
		{"90 NIL for a value", `(` + text + ` "alternative" ("boundary" NIL))`, "TEXT multipart/alternative boundary=\n1 text/plain 7bit 1/1"},
		{"91 no encoding", `("text" "plain" NIL NIL NIL NIL 12 1)`, "1 text/plain 7bit 12/1"},
		{"92 -1", `("multipart" "digest" ("boundary" "omm") NIL NIL "7BIT" -1 NIL NIL NIL NIL)`, "1 multipart/digest boundary=omm"},
		{"93 NIL for a language", `("text" "plain" NIL NIL NIL "7bit" 12 1 NIL NIL ("en" NIL) NIL)`, "1 text/plain 7bit 12/1 lang=en"},
		{"94 unknown subtypes, few fields", `((` + text + ` "RELATIVE" ("BOUNDARY" "a") NIL NIL) "ALTERNATIVE" ("boundary" "b") NIL NIL)`, "TEXT multipart/alternative boundary=b\n1 multipart/relative boundary=a\n1.1 text/plain 7bit 1/1"},
		{"() for a location", `("text" "html" ("charset" "utf-8") NIL NIL "base64" 38706 497 NIL NIL NIL ())`, "1 text/html charset=utf-8 base64 38706/497"},
		{"no lines", `("text" "plain" NIL NIL NIL "7bit" 12 NIL ("inline" NIL) NIL NIL)`, "1 text/plain 7bit 12/-1 disp=inline"},
		{"NIL for lines", `("text" "plain" NIL NIL NIL "7bit" 12 NIL NIL ("inline" NIL) NIL NIL)`, "1 text/plain 7bit 12/-1 disp=inline"},
		{"numbers in quotes", `("text" "plain" NIL NIL NIL "7bit" "12" "1")`, "1 text/plain 7bit 12/1"},
		{"a parameter in the type", `("text" "plain; charset=utf-8" NIL NIL NIL "7bit" 12 1)`, "1 text/plain 7bit 12/1"},
		{"atoms", `(TEXT PLAIN NIL nil NIL 7BIT 12 1)`, "1 text/plain 7bit 12/1"},
		{"nothing but a type", `("text" "plain")`, "1 text/plain 7bit -1/-1"},
		{"a huge number", `("text" "plain" NIL NIL NIL "7bit" 99999999999999999999 1)`, "1 text/plain 7bit -1/1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			info := structureOf(t, tt.value)
			if got := outline(info.Structure); got != tt.want || len(info.Missing) > 0 {
				t.Errorf("%s: missing %q, got\n%s\nwant\n%s", tt.value, info.Missing, got, tt.want)
			}
		})
	}
}

// What cannot be understood is missing; the session and the other items go on.
func TestNoStructure(t *testing.T) {
	for _, value := range []string{"NIL", "()", `"x"`, "nothing", "", "(", strings.Repeat("((", 2000) + strings.Repeat("))", 2000), "(" + strings.Repeat(`("a" "b" NIL NIL NIL "7bit" 1)`, 10_001) + ` "mixed")`, `("text" "plain`} {
		got := looseInfos(t, "BODYSTRUCTURE "+value)
		if len(got.infos)+len(got.gone) != 2 || got.last != nil {
			t.Fatalf("%.40q: %+v", value, got)
		}
		for _, info := range got.infos {
			switch {
			case info.UID == 2 && info.Envelope.Subject == "two" && info.Structure != nil:
			case info.UID == 1 && info.Envelope.Subject == "one" && info.Structure == nil && slices.Equal(info.Missing, []string{"BODYSTRUCTURE"}):
			default:
				t.Errorf("%.40q: %+v", value, info)
			}
		}
	}
}

// looseInfos asks a server for envelopes and structures that says of message 1
// what it is told to, and of message 2 something sound.
func looseInfos(t *testing.T, value string) told {
	t.Helper()
	rows := map[string]string{
		"1": "* 1 FETCH (UID 1 ENVELOPE (NIL \"one\") " + value + ")",
		"2": "* 2 FETCH (UID 2 ENVELOPE (NIL \"two\") BODYSTRUCTURE (\"text\" \"plain\"))",
	}
	c, err := newScripted(t, func(line string) []string {
		tag, command, _ := strings.Cut(line, " ")
		var answer []string
		if args, ok := strings.CutPrefix(command, "UID FETCH "); ok {
			set, items, _ := strings.Cut(args, " ")
			for _, uid := range []string{"1", "2"} {
				switch {
				case set != uid && set != "1:2":
				case items == "(UID)":
					answer = append(answer, "* "+uid+" FETCH (UID "+uid+")")
				default:
					answer = append(answer, rows[uid])
				}
			}
		}
		return append(answer, tag+" OK done")
	})
	if err != nil {
		t.Fatal(err)
	}
	got := fetchInfos(t, c, imapclient.UIDs(1, 2), imapclient.Items{Envelope: true, Structure: true})
	if _, err := c.Noop(t.Context()); err != nil {
		t.Errorf("after %.40q: %v", value, err)
	}
	return got
}

// As many parts as Dovecot lets a message have, however many octets a line then
// has.
func TestManyParts(t *testing.T) {
	part := `("application" "octet-stream" ("name" "` + strings.Repeat("x", 60) + `") NIL NIL "base64" 100000 NIL ("attachment" ("filename" "x")) NIL NIL)`
	got := looseInfos(t, "BODYSTRUCTURE ("+strings.Repeat(part, 9_999)+` "mixed" ("boundary" "b") NIL NIL)`)
	if len(got.infos) != 2 || len(got.infos[0].Structure.Parts) != 9_999 || got.infos[0].Structure.Parts[9_998].Number != "9999" {
		t.Errorf("%d messages, %v, %v", len(got.infos), got.gone, got.last)
	}
}

func TestFind(t *testing.T) {
	p := structureOf(t, `(("text" "plain")(("text" "html")("image" "png") "related") "mixed")`).Structure
	for number, want := range map[string]string{"TEXT": "multipart/mixed", "1": "text/plain", "2": "multipart/related", "2.2": "image/png"} {
		if q := p.Find(number); q == nil || q.Type != want {
			t.Errorf("Find(%s) = %+v, want %s", number, q, want)
		}
	}
	if q := p.Find("3"); q != nil {
		t.Errorf("Find(3) = %+v", q)
	}
	if (*imapclient.Part)(nil).Find("1") != nil {
		t.Error("nothing has a part")
	}
	for range p.All() {
		break
	}
}

// Reading takes time in proportion to what is read.
func TestStructureTime(t *testing.T) {
	for name, value := range map[string]func(n int) string{
		"parts":       func(n int) string { return "(" + strings.Repeat(`("a" "b" NIL NIL NIL "7bit" 1)`, n/100) + ` "mixed")` },
		"quotes":      func(n int) string { return `("` + strings.Repeat(`"a`, n) + `" "b")` },
		"backslashes": func(n int) string { return `("` + strings.Repeat(`\"`, n) + `" "b")` },
		"open":        func(n int) string { return `(` + strings.Repeat(`"a `, n) },
		"braces":      func(n int) string { return "(" + strings.Repeat("{ ", n) + "{" + strings.Repeat("0", n) + "1}\r\nx)" },
		"words":       func(n int) string { return `("a" "b" ("name" "` + strings.Repeat("=?utf-8?Q?a?=", n/4) + `"))` },
		"half words":  func(n int) string { return `("a" "b" ("name" "` + strings.Repeat("=?utf-8?Q?", n/4) + `"))` },
		"pieces": func(n int) string {
			return `("a" "b" (` + strings.Repeat(`"name*1" "x" `, n/20) + `))`
		},
		"percents": func(n int) string { return `("a" "b" ("name*" "utf-8''` + strings.Repeat("%", n) + `"))` },
	} {
		t.Run(name, func(t *testing.T) {
			const most = 5 * time.Second // a hundred times what it takes
			start := time.Now()
			looseInfos(t, "BODYSTRUCTURE "+value(200_000))
			if took := time.Since(start); took > most {
				t.Errorf("%v", took)
			}
		})
	}
}
