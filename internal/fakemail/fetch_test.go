package fakemail_test

import (
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/internal/fakemail"
)

// nested has parts of parts, and a message in one.
var nested = strings.ReplaceAll(`From: "Doe, Jane" <jane@example.org>, (the chief) joe@example.org
To: team: a@example.com, B <b@example.com>;, =?utf-8?q?C=C3=A9?= <c@example.com>
Cc: undisclosed-recipients:;
Subject: nested
 parts
Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)
Message-ID: <nested@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer; b"

preamble
--outer; b
Content-Type: multipart/alternative;
 boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

gr=C3=BC=
n
--inner
Content-Type: text/html

<b>green</b>
--inner--
--outer; b
Content-Type: message/rfc822
Content-Disposition: attachment; filename="a \"b\".eml"

From: x@example.com
Subject: within

one line
--outer; b
Content-Type: application/octet-stream; name=x.bin
Content-Transfer-Encoding: base64
Content-ID: <cid@example.org>

AAEC
Aw==
--outer; b--
epilogue
`, "\n", "\r\n")

func TestFetch(t *testing.T) {
	m := start(t, 0, nil)
	m.put(t, "INBOX", nested)
	m.put(t, "INBOX", "Subject: no body\r\n")
	m.put(t, "INBOX", "\r\n.body\nbare\r\n")
	for _, tt := range []struct{ name, script string }{
		{"items", `
			C: 1 FETCH 1 (UID FLAGS RFC822.SIZE MODSEQ EMAILID THREADID)
			S: * OK [HIGHESTMODSEQ 4] …
			S: * 1 FETCH (UID 1 FLAGS (\Recent) RFC822.SIZE 925 MODSEQ (2) EMAILID (M11bdfc5cae0c8191) THREADID (T11bdfc5cae0c8191))
			S: 1 OK FETCH completed
			C: 2 FETCH 1 FAST
			S: * 1 FETCH (FLAGS (\Recent) INTERNALDATE "…" RFC822.SIZE 925)
			S: 2 OK FETCH completed`},
		{"envelope", `
			C: 1 FETCH 1:2 ENVELOPE
			S: * 1 FETCH (ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800 (PST)" "nested parts" (("Doe, Jane" NIL "jane" "example.org")("the chief" NIL "joe" "example.org")) (("Doe, Jane" NIL "jane" "example.org")("the chief" NIL "joe" "example.org")) (("Doe, Jane" NIL "jane" "example.org")("the chief" NIL "joe" "example.org")) ((NIL NIL "team" NIL)(NIL NIL "a" "example.com")("B" NIL "b" "example.com")(NIL NIL NIL NIL)("=?utf-8?q?C=C3=A9?=" NIL "c" "example.com")) ((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) NIL NIL "<nested@example.org>"))
			S: * 2 FETCH (ENVELOPE (NIL "no body" NIL NIL NIL NIL NIL NIL NIL NIL))
			S: 1 OK FETCH completed`},
		{"structure", `
			C: 1 FETCH 1 BODYSTRUCTURE
			S: * 1 FETCH (BODYSTRUCTURE ((("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 12 1 NIL NIL NIL NIL)("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 12 0 NIL NIL NIL NIL) "alternative" ("boundary" "inner") NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 48 (NIL "within" ((NIL NIL "x" "example.com")) ((NIL NIL "x" "example.com")) ((NIL NIL "x" "example.com")) NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 8 0 NIL NIL NIL NIL) 3 NIL ("attachment" ("filename" "a \"b\".eml")) NIL NIL)("application" "octet-stream" ("name" "x.bin") "<cid@example.org>" NIL "base64" 10 NIL NIL NIL NIL) "mixed" ("boundary" "outer; b") NIL NIL NIL))
			S: 1 OK FETCH completed
			C: 2 FETCH 2 BODY
			S: * 2 FETCH (BODY ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0))
			S: 2 OK FETCH completed`},
		{"sections", `
			C: 1 FETCH 1 (BODY.PEEK[1.1] BODY.PEEK[1.2.MIME] BODY.PEEK[2] BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT] BODY.PEEK[2.1] BODY.PEEK[4] BODY.PEEK[1.1.HEADER])
			S: * 1 FETCH (BODY[1.1] {12}
			S: gr=C3=BC=
			S: n BODY[1.2.MIME] {27}
			S: Content-Type: text/html
			S:
			S:  BODY[2] {48}
			S: From: x@example.com
			S: Subject: within
			S:
			S: one line BODY[2.HEADER] {40}
			S: From: x@example.com
			S: Subject: within
			S:
			S:  BODY[2.TEXT] {8}
			S: one line BODY[2.1] {8}
			S: one line BODY[4] NIL BODY[1.1.HEADER] NIL)
			S: 1 OK FETCH completed`},
		{"header fields and partials", `
			C: 1 FETCH 1 (BODY.PEEK[HEADER.FIELDS (subject DATE)] BODY.PEEK[HEADER.FIELDS.NOT (From To Cc Date Message-ID MIME-Version Content-Type)] BODY.PEEK[]<0.4> BODY.PEEK[TEXT]<2.3> BODY.PEEK[]<9999.5>)
			S: * 1 FETCH (BODY[HEADER.FIELDS (subject DATE)] {71}
			S: Subject: nested
			S:  parts
			S: Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)
			S:
			S:  BODY[HEADER.FIELDS.NOT (From To Cc Date Message-ID MIME-Version Content-Type)] {27}
			S: Subject: nested
			S:  parts
			S:
			S:  BODY[]<0> {4}
			S: From BODY[TEXT]<2> {3}
			S: eam BODY[]<9999> {0}
			S: )
			S: 1 OK FETCH completed`},
		{"odd messages", `
			C: 1 FETCH 2:3 (BODY.PEEK[HEADER] BODY.PEEK[TEXT] BODY.PEEK[1])
			S: * 2 FETCH (BODY[HEADER] {18}
			S: Subject: no body
			S:  BODY[TEXT] {0}
			S:  BODY[1] {0}
			S: )
			S: * 3 FETCH (BODY[HEADER] {2}
			S:
			S:  BODY[TEXT] {12}
			S: .body
			S: bare
			S:  BODY[1] {12}
			S: .body
			S: bare
			S: )
			S: 1 OK FETCH completed`},
		{"decoded", `
			C: 1 FETCH 1 (BINARY.PEEK[1.1] BINARY.SIZE[3] BINARY.PEEK[3]<1.2>)
			S: * 1 FETCH (BINARY[1.1] ~{5}
			S: grün BINARY.SIZE[3] 4 BINARY[3]<1> ~{2}
			S: ` + "\x01\x02" + `)
			S: 1 OK FETCH completed`},
		{"by UID", `
			C: 1 UID FETCH 2,1 RFC822.SIZE
			S: * 1 FETCH (UID 1 RFC822.SIZE 925)
			S: * 2 FETCH (UID 2 RFC822.SIZE 18)
			S: 1 OK UID FETCH completed
			C: 2 UID FETCH 17:* RFC822.SIZE
			S: * 3 FETCH (UID 3 RFC822.SIZE 14)
			S: 2 OK UID FETCH completed
			C: 3 UID FETCH 17 RFC822.SIZE
			S: 3 OK UID FETCH completed
			C: 4 FETCH * UID
			S: * 3 FETCH (UID 3)
			S: 4 OK FETCH completed
			C: 5 FETCH 4 UID
			S: 5 BAD there is no message of that number
			C: 6 FETCH 0 UID
			S: 6 BAD "0" is no set of numbers`},
		{"what is no item", `
			C: 1 FETCH 1 (UID XYZZY)
			S: 1 BAD no item "XYZZY" here
			C: 2 FETCH 1 X-GM-MSGID
			S: 2 BAD no item "X-GM-MSGID" here
			C: 3 FETCH 1 BODY[MIME]
			S: 3 BAD no section "MIME" here
			C: 4 FETCH 1 (UID
			S: 4 BAD a list without its end
			C: 5 FETCH 1 BODY[1
			S: 5 BAD …`},
	} {
		t.Run(tt.name, func(t *testing.T) { talk(t, m, login+examined+tt.script, nil) })
	}
}

const examined = `
	C: i EXAMINE INBOX
	S: * FLAGS …
	S: * OK [PERMANENTFLAGS ()] …
	S: * … EXISTS
	S: * … RECENT
	S: * OK [UNSEEN 1] …
	S: * OK [UIDVALIDITY 3857529045] …
	S: * OK [UIDNEXT …] …
	S: * OK [HIGHESTMODSEQ …] …
	S: * OK [MAILBOXID (Fe5ed38d5)] …
	S: i OK [READ-ONLY] selected`

// BODY[…] without PEEK sets \Seen, and both sessions are told.
func TestFetchSeen(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 2)
	talk(t, m, of("1", inbox)+of("2", inbox)+`
		C1: 1 FETCH 1 BODY.PEEK[TEXT]
		S1: * 1 FETCH (BODY[TEXT] {10}
		S1: number 1
		S1: )
		S1: 1 OK FETCH completed
		C1: 2 FETCH 1 BODY[TEXT]
		S1: * 1 FETCH (BODY[TEXT] {10}
		S1: number 1
		S1:  FLAGS (\Recent \Seen))
		S1: 2 OK FETCH completed
		C1: 3 FETCH 1 (FLAGS RFC822.HEADER)
		S1: * 1 FETCH (FLAGS (\Recent \Seen) RFC822.HEADER {14}
		S1: Subject: 1
		S1:
		S1: )
		S1: 3 OK FETCH completed
		C2: 3 NOOP
		S2: * 1 FETCH (FLAGS (\Seen))
		S2: 3 OK NOOP completed`, nil)
}

func TestFetchWithout(t *testing.T) {
	m := start(t, 0, &fakemail.Options{Without: []string{"BINARY", "CONDSTORE", "OBJECTID"}})
	m.mails(t, 1)
	talk(t, m, login+`
		C: i EXAMINE INBOX
		S: * FLAGS …
		S: * OK [PERMANENTFLAGS ()] …
		S: * 1 EXISTS
		S: * 1 RECENT
		S: * OK [UNSEEN 1] …
		S: * OK [UIDVALIDITY 3857529045] …
		S: * OK [UIDNEXT 2] …
		S: i OK [READ-ONLY] selected
		C: 1 FETCH 1 BINARY[1]
		S: 1 BAD no item "BINARY" here
		C: 2 FETCH 1 MODSEQ
		S: 2 BAD no item "MODSEQ" here
		C: 3 FETCH 1 UID (CHANGEDSINCE 1)
		S: 3 BAD no modifier "CHANGEDSINCE" here
		C: 4 FETCH 1 EMAILID
		S: 4 BAD no item "EMAILID" here
		C: 5 EXAMINE INBOX (CONDSTORE)
		S: 5 BAD no parameter "CONDSTORE" here`, nil)
}

// Bodies that are not as they should be, and what is made of them.
func TestStructure(t *testing.T) {
	multipart := "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	text := func(octets, lines int) string {
		return fmt.Sprintf(`("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" %d %d)`, octets, lines)
	}
	for _, tt := range []struct{ name, data, want string }{
		{"nothing", "", text(0, 0)},
		{"a boundary within a line", multipart + "--b\r\n\r\nx --b\r\n--b--\r\n", "(" + text(5, 0) + ` "mixed")`},
		{"a longer boundary", multipart + "--b\r\n\r\n--bb\r\n--b--\r\n", "(" + text(4, 0) + ` "mixed")`},
		{"no end", multipart + "--b\r\n\r\nx\r\n--b \r\n\r\ny\r\n", "(" + text(1, 0) + text(3, 1) + ` "mixed")`},
		{"an empty part", multipart + "--b\r\n--b--", "(" + text(0, 0) + ` "mixed")`},
		{"no part", multipart + "x\r\n", `("text" "plain" ("boundary" "b" "charset" "us-ascii") NIL NIL "7bit" 3 1)`},
		{"no boundary", "Content-Type: multipart/mixed\r\n\r\n--\r\n", text(4, 1)},
		{"bare LF", strings.ReplaceAll(multipart+"--b\r\n\r\nx\r\n--b--", "\r", ""), "(" + text(1, 0) + ` "mixed")`},
		{"digest", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\n--b--", `(("message" "rfc822" NIL NIL NIL "7bit" 12 (NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL) ` + text(0, 0) + ` 1) "digest")`},
		{"a type that is none", "Content-Type: what?\r\n\r\nx", text(1, 0)},
		{"comments and quotes", "Content-Type: Text (a \\) b)/Plain; Name=\"a;\\\"b\" (c); x\r\n\r\n", `("text" "plain" ("Name" "a;\"b" "charset" "us-ascii") NIL NIL "7bit" 0 0)`},
		{"8 bit", "Content-Type: text/plain; name=ü\r\n\r\n", `("text" "plain" ("name" {2}` + "\nS: ü" + ` "charset" "us-ascii") NIL NIL "7bit" 0 0)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := start(t, 0, nil)
			m.put(t, "INBOX", tt.data)
			talk(t, m, login+examined+"\nC: 1 FETCH 1 BODY\nS: * 1 FETCH (BODY "+tt.want+")\nS: 1 OK FETCH completed", nil)
		})
	}
	t.Run("deep", func(t *testing.T) {
		var b strings.Builder
		for i := range 2000 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d_\r\n\r\n--b%[1]d_\r\n", i)
		}
		m := start(t, 0, nil)
		m.put(t, "INBOX", b.String())
		talk(t, m, login+examined+"\nC: 1 FETCH 1 BODYSTRUCTURE\nS: * 1 FETCH (BODYSTRUCTURE (…))\nS: 1 OK FETCH completed", nil)
	})
}
