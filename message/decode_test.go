package message_test

import (
	"reflect"
	"testing"
	"time"

	"example.com/postbag/message"
)

func TestSubject(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "hello  world", "hello  world"},
		{"quoted-printable", "=?utf-8?Q?J=C3=A1_pubs?=", "Já pubs"},
		{"base64", "=?UTF-8?b?SsOhIHB1YnM=?=", "Já pubs"},
		{"beside text", "Re: =?utf-8?q?=C3=A1?= and =?utf-8?q?=C3=A9?=.", "Re: á and é."},
		{"adjacent words", "=?utf-8?q?a?= \t =?utf-8?q?b?= c", "ab c"},
		{"adjacent words of two charsets", "=?iso-8859-1?q?=E1?= =?utf-8?q?=C3=A9?=", "áé"},
		{"split character", "=?utf-8?q?=C3?= =?UTF-8?q?=A1?=", "á"},
		{"split character, base64", "=?utf-8?b?w?= =?utf-8?b?oQ==?=", "¡"},
		{"language", "=?utf-8*en?q?a?=", "a"},
		{"spaces within", "=?utf-8?q?a b=20c?=", "a b c"},
		{"question mark within", "=?utf-8?q?what??=", "what?"},
		{"no white space around", "(=?utf-8?q?a?=)x=?utf-8?q?b?=y", "(a)xby"},
		{"empty", "=?utf-8?q??=", ""},
		{"equals sign at the end", "=?utf-8?q?a=?=", "a="},
		{"bad escape", "=?utf-8?q?=ZZ=4?=", "=ZZ=4"},
		{"bad base64", "=?utf-8?b?SsOh*IHB1Yn-M?=", "Já pubs"},
		{"no padding", "=?utf-8?b?SsOhIHB1YnMh?= =?utf-8?b?YQ?=", "Já pubs!a"},
		{"padding within", "=?utf-8?b?YQ==YQ==?=", "aa"},
		{"no end", "=?utf-8?q?cut=20off", "cut off"},
		{"no end, then another", "=?utf-8?q?a =?utf-8?q?b?=", "ab"},
		{"no word", "=?utf-8?x?a?= =? =?? =??? a=?b", "=?utf-8?x?a?= =? =?? =??? a=?b"},
		{"octets within", "=?koi8-r?q?\xf0\xd2\xc9\xd7\xc5\xd4?= \xe1 =?iso-8859-2?q?\xb1?=", "Привет á ą"},
		{"UTF-7", "=?utf-7?q?+AOk-?=", "é"},
		{"UTF-16", "=?utf-16?b?AEEAQg==?= x =?utf-16?b?//5BAEIA?=", "AB x AB"},
		{"UTF-16 that is not", "=?utf-16?q?abcd?=", "abcd"},
		{"ISO-2022-JP that is Shift_JIS", "=?iso-2022-jp?b?k/qWe4zqg2WDWINngsWCtw==?=", "日本語テストです"},
		{"unknown charset", "=?x-none?q?=C3=A1?=", "á"},
		{"unknown charset, not UTF-8", "=?x-none?q?=E1?=", "á"},
		{"wrong charset", "=?utf-8?q?=E1?=", "á"},
		{"ASCII that is UTF-8", "=?us-ascii?q?=C3=A1?=", "á"},
		{"ASCII that is Latin-1", "=?us-ascii?q?=E1?=", "á"},
		{"Latin-1 that is UTF-8", "=?iso-8859-1?q?=C3=A1?=", "á"},
		{"cut off within a character", "=?utf-8?q?=C3=A1x=E2=82?=", "áx\ufffd"},
		{"one octet damaged", "=?utf-8?q?=C3=A1=C3=A1=C3=A1=C3=A1=C3=A1=C3x?=", "ááááá\ufffdx"},
		{"Latin-1 that is Windows-1252", "=?iso-8859-1?q?=93a=94?=", "“a”"},
		{"gb2312 beyond itself", "=?gb2312?b?lkM=?=", "朇"},
		{"ISO-2022-JP", "=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"},
		{"ISO-2022-JP, split", "=?iso-2022-jp?b?GyRCRnwbKEI=?= =?iso-2022-jp?b?GyRCS1wbKEI=?=", "日本"},
		{"ISO-2022-JP, raw", "\x1b$BF|K\\\x1b(B", "日本"},
		{"Shift_JIS", "=?cp932?q?=93=FA=96{?=", "日本"},
		{"KOI8-R", "=?koi8-r?b?8NLJ18XU?=", "Привет"},
		{"EUC-KR", "=?ks_c_5601-1987?b?x9GxuQ==?=", "한국"},
		{"HZ", "=?hz-gb-2312?q?~{VPND~}?=", "中文"},
		{"replaced for safety", "=?iso-2022-kr?q?a?=", "a"},
		{"raw UTF-8", "Já", "Já"},
		{"raw Latin-1", "J\xe1", "Já"},
		{"line breaks within", "=?utf-8?q?a=0D=0ABcc:_x?=", "a  Bcc: x"},
		{"controls within", "=?utf-8?q?=1B]0;x=07?=", "]0;x"},
	} {
		if got := read(t, "Subject: "+tt.in+"\r\n").Subject; got != tt.want {
			t.Errorf("%s: %q is %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
	raw := "Content-Type: text/plain;\r\n charset=\"koi8-r\"\r\nSubject: \xf0\xd2\xc9\xd7\xc5\xd4\r\n"
	if got := read(t, raw).Subject; got != "Привет" {
		t.Errorf("raw octets in the charset of the text: %q", got)
	}
}

func TestAddresses(t *testing.T) {
	type list = []message.Address
	for _, tt := range []struct {
		in   string
		want list
	}{
		{"", nil},
		{"a@b", list{{Address: "a@b"}}},
		{"<a@b>", list{{Address: "a@b"}}},
		{"Joe <a@b>", list{{"Joe", "a@b"}}},
		{"Joe Q. Public <a@b>", list{{"Joe Q. Public", "a@b"}}},
		{`"Joe \"Q\" Public" <a@b>`, list{{`Joe "Q" Public`, "a@b"}}},
		{`"Doe, Joe" <a@b>, c@d`, list{{"Doe, Joe", "a@b"}, {"", "c@d"}}},
		{"a@b (Joe)", list{{"Joe", "a@b"}}},
		{"<a@b> (Joe)", list{{"Joe", "a@b"}}},
		{"(x) Joe (y(z)) <a@b> (w), c@d", list{{"Joe", "a@b"}, {"", "c@d"}}},
		{"a@b (=?utf-8?q?=C3=A1?=)", list{{"á", "a@b"}}},
		{"=?utf-8?q?Doe,_Joe?= <a@b>", list{{"Doe, Joe", "a@b"}}},
		{"=?utf-8?q?Doe, Joe <x>?= <a@b>", list{{"Doe, Joe <x>", "a@b"}}},
		{`"=?utf-8?q?=C3=A1?=" <a@b>`, list{{"á", "a@b"}}},
		{"=?utf-8?q?a?=\r\n =?utf-8?q?b?= <a@b>", list{{"ab", "a@b"}}},
		{"\"a\r\n  b\" <a@b>", list{{"a b", "a@b"}}},
		{"J\xe1 <a@b>", list{{"Já", "a@b"}}},
		{"\x1b$BF|\"<K\\\x1b(B <a@b>", list{{"日⊆本", "a@b"}}},
		{"Doe, Joe <a@b>", list{{"Doe, Joe", "a@b"}}},
		{"x@y, Doe, Joe <a@b>, c@d", list{{"", "x@y"}, {"Doe, Joe", "a@b"}, {"", "c@d"}}},
		{"root, daemon", list{{"", "root"}, {"", "daemon"}}},
		{"root; Joe <a@b>", list{{"", "root"}, {"Joe", "a@b"}}},
		{"a@b; c@d;", list{{"", "a@b"}, {"", "c@d"}}},
		{"a@b,,c@d,", list{{"", "a@b"}, {"", "c@d"}}},
		{"a@b c@d", list{{"", "a@b"}, {"", "c@d"}}},
		{"Joe a@b", list{{"Joe", "a@b"}}},
		{"Joe <a@b", list{{"Joe", "a@b"}}},
		{"Joe <a@b, Jim <c@d>", list{{"Joe", "a@b"}, {"Jim", "c@d"}}},
		{"Joe a@b>", list{{"Joe", "a@b"}}},
		{`"Joe <a@b>`, list{{"Joe", "a@b"}}},
		{`Joe" <a@b>, c@d`, list{{"Joe", "a@b"}, {"", "c@d"}}},
		{"Joe (x <a@b>", list{{"Joe x", "a@b"}}},
		{"<>", nil},
		{"Joe <>", list{{Name: "Joe"}}},
		{"Joe Doe", list{{Name: "Joe Doe"}}},
		{`""`, nil},
		{`"", Joe <a@b>`, list{{"Joe", "a@b"}}},
		{"friends:a@b,Joe <c@d>;, e@f", list{{"", "a@b"}, {"Joe", "c@d"}, {"", "e@f"}}},
		{"undisclosed-recipients:;", nil},
		{"a @ b . c", list{{"", "a@b.c"}}},
		{"<a (x) @ b>", list{{"", "a@b"}}},
		{"<@x,@y:a@b>", list{{"", "a@b"}}},
		{"<mailto:a@b>", list{{"", "a@b"}}},
		{`"a b"@c`, list{{"", `"a b"@c`}}},
		{`"a"@c, <"a.b"@c>, <"a..b"@c>`, list{{"", "a@c"}, {"", "a.b@c"}, {"", `"a..b"@c`}}},
		{`<"a\"b>"@c>`, list{{"", `"a\"b>"@c`}}},
		{"a@[127.0.0.1], b@[IPv6:::1]", list{{"", "a@[127.0.0.1]"}, {"", "b@[IPv6:::1]"}}},
		{"ü@bücher.example", list{{"", "ü@bücher.example"}}},
		{"a@b@c", list{{"", "a@b@c"}}},
		{"<<a@b>>", list{{"", "a@b"}}},
		{"Joe <a\x07@b>", list{{"Joe", "a @b"}}},
	} {
		if got := read(t, "To: "+tt.in+"\r\n").To; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q is\n%q, want\n%q", tt.in, got, tt.want)
		}
	}
}

func TestDate(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"Tue, 31 Mar 2026 17:05:09 +0200", "2026-03-31T17:05:09+02:00"},
		{"31 Mar 2026 17:05 -0330", "2026-03-31T17:05:00-03:30"},
		{"Tue, 31 Mar 2026 17:05:09 GMT", "2026-03-31T17:05:09Z"},
		{"Tue, 31 Mar 2026 17:05:09", "2026-03-31T17:05:09Z"},
		{"Tue, 31 Mar 2026 17:05:09 EST", "2026-03-31T17:05:09-05:00"},
		{"Tue, 31 Mar 2026 17:05:09 CEST", "2026-03-31T17:05:09+02:00"},
		{"Tue, 31 Mar 2026 17:05:09 A", "2026-03-31T17:05:09Z"},
		{"Tue,31(x(y))Mar 2026 17:05:09 +0200 (Paris)", "2026-03-31T17:05:09+02:00"},
		{"Tue, 31 Mar 26 17:05:09 +0200", "2026-03-31T17:05:09+02:00"},
		{"Tue, 31 Mar 99 17:05:09 +0200", "1999-03-31T17:05:09+02:00"},
		{"Tue, 31 Mar 100 17:05:09 +0200", "2000-03-31T17:05:09+02:00"},
		{"Tue Mar 31 17:05:09 2026", "2026-03-31T17:05:09Z"},
		{"Tue Mar 31 17:05:09 PDT 2026", "2026-03-31T17:05:09-07:00"},
		{"tuesday, 31-mar-2026 17:05:09 gmt", "2026-03-31T17:05:09Z"},
		{"2026-03-31T17:05:09Z", "2026-03-31T17:05:09Z"},
		{"2026-03-31T17:05:09.123+02:00", "2026-03-31T17:05:09+02:00"},
		{"2026-03-31 17:05:09 +0200", "2026-03-31T17:05:09+02:00"},
		{"March 31st, 2026 5:05:09 PM", "2026-03-31T17:05:09Z"},
		{"3/31/2026 5:05PM", "2026-03-31T17:05:00Z"},
		{"31/3/2026 12:05 am", "2026-03-31T00:05:00Z"},
		{"31 Mar 2026 17.05.09 +0200", "2026-03-31T17:05:09+02:00"},
		{"31 Mar 2026", "2026-03-31T00:00:00Z"},
		{"Sat, 30 Dec 2016 23:59:60 +0000", "2016-12-31T00:00:00Z"},
		{"Tue, 31 Mar 2026 17:05:09 +9900", "2026-03-31T17:05:09Z"},
		{"31 Dec 9999 24:00:00 +0000", ""},
		{"Tue Mar 31 2026 17:05:09 GMT+0200 (Paris)", "2026-03-31T17:05:09+02:00"},
		{"Tue, 31 Mar 2026 17:05:09 UTC-3", "2026-03-31T17:05:09-03:00"},
		{"Mon, 30 Feb 2026 17:05:09 +0200", ""},
		{"31 Apr 2026", ""},
		{"29 Feb 2024", "2024-02-29T00:00:00Z"},
		{"Tue, 31 Mar 2026 99:05:09 +0200", ""},
		{"Tue, 99 Mar 2026 17:05:09 +0200", ""},
		{"Tue, 31 Mar", ""},
		{"17:05:09", ""},
		{"soon", ""},
		{"", ""},
		{"1-1 + - : :: T 0T0 // -- 1/x/2", ""},
	} {
		got := ""
		if d := read(t, "Date: "+tt.in+"\r\n").Date; !d.IsZero() {
			got = d.Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q is %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestIdentifiers(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"<a@b>", []string{"a@b"}},
		{"<a@b><c@d>,<e@f>", []string{"a@b", "c@d", "e@f"}},
		{"<a@b", []string{"a@b"}},
		{"a@b c@d", []string{"a@b", "c@d"}},
		{"<x <a@b>", []string{"a@b"}},
		{"<a@\r\n\tb>", []string{"a@b"}},
		{"Your message of Tuesday <a@b>", []string{"a@b"}},
		{"Your message of Tuesday", nil},
		{"<>", nil},
		{"<no-at-sign>", []string{"no-at-sign"}},
		{"<\xe1@b>", []string{"á@b"}},
	} {
		if got := read(t, "References: "+tt.in+"\r\n").References; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q is %q, want %q", tt.in, got, tt.want)
		}
	}
}
