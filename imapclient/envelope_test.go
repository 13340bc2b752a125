package imapclient_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/postbag/message"
)

// shown shows what there is of an envelope.
func shown(e *message.Envelope) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+value)
		}
	}
	if !e.Date.IsZero() {
		add("date", e.Date.UTC().Format(time.RFC3339))
	}
	add("subject", e.Subject)
	for _, l := range []struct {
		name string
		list []message.Address
	}{{"from", e.From}, {"sender", e.Sender}, {"reply-to", e.ReplyTo}, {"to", e.To}, {"cc", e.Cc}, {"bcc", e.Bcc}} {
		var s []string
		for _, a := range l.list {
			s = append(s, a.String())
		}
		add(l.name, strings.Join(s, ", "))
	}
	add("in-reply-to", strings.Join(e.InReplyTo, " "))
	add("id", e.MessageID)
	return strings.Join(parts, " ")
}

func TestEnvelope(t *testing.T) {
	to := func(list string) string { return `(NIL NIL NIL NIL NIL ` + list + ` NIL NIL NIL NIL)` }
	for _, tt := range []struct{ name, value, want string }{
		{"RFC 9051 section 8", `("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US") ("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>")`,
			"date=1996-07-17T09:23:25Z subject=IMAP4rev2 WG mtg summary and minutes from=Terry Gray <gray@cac.washington.edu> sender=Terry Gray <gray@cac.washington.edu> reply-to=Terry Gray <gray@cac.washington.edu> to=imap@cac.washington.edu cc=minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU> id=B27397-0100000@cac.washington.edu"},
		{"encoded words", `(NIL "=?utf-8?Q?gr=C3=BC=C3=9Fe?=" (("=?iso-8859-1?Q?J=FCrgen?=" NIL "j" "x")) NIL NIL NIL NIL NIL "<a@b> <c@d>" NIL)`, "subject=grüße from=Jürgen <j@x> in-reply-to=a@b c@d"},
		{"octets, and line ends in literals", "(NIL {9}\r\ngr\xfc\r\n \x00 x NIL NIL NIL NIL NIL NIL NIL NIL)", "subject=grü     x"},
		{"escapes", `(NIL "a \"b\" \\ c" ((NIL NIL "a b" "x")("\"q\"" NIL "a" "b")) NIL NIL NIL NIL NIL NIL NIL)`, `subject=a "b" \ c from="a b"@x, q <a@b>`},
		{"no space between addresses", to(`((NIL NIL "a" "b")(NIL NIL "c" "d"))`), "to=a@b, c@d"},
		{"groups", to(`((NIL NIL "boys" NIL)(NIL NIL "aaron" "MISSING_DOMAIN")(NIL NIL "jeff" "x")(NIL NIL NIL NIL)(NIL NIL "none" NIL)(NIL NIL NIL NIL)(NIL NIL "z" "y"))`), "to=aaron, jeff@x, z@y"},
		{"a local user, not a group", to(`((NIL NIL "root" NIL))`), "to=root"},
		{"an obsolete route", to(`((NIL "@a,@b" "c" "d"))`), "to=c@d"},

		// What servers send instead; the numbers are those of quirks.md.
		{"64 nothing", `(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)`, ""},
		{"68 nine fields", `("Wed, 7 Aug 2013 16:44:13 +0800" "subj" (("f" NIL "f" "x")) (("s" NIL "s" "x")) (("r" NIL "r" "x")) (("t" NIL "t" "x")) NIL NIL "<xxx@qq.com>")`,
			"date=2013-08-07T08:44:13Z subject=subj from=f <f@x> sender=s <s@x> reply-to=r <r@x> to=t <t@x> in-reply-to=xxx@qq.com"},
		{"68 eight fields", `(NIL "subj" NIL NIL NIL NIL NIL NIL)`, "subject=subj"},
		{"69 NIL before an address", to("(NIL ({8}\r\n=?iso-88 NIL \"x\" \"x.xxx\"))"), "to==?iso-88 <x@x.xxx>"},
		{"70 a literal counted in characters", to("(({38}\r\nРецепция Офис сграда \"Данаил Дечев\" №6 NIL \"facility\" \"x.com\"))"), `to=Рецепция Офис сграда "Данаил Дечев" №6 <facility@x.com>`},
		{"71 name and address swapped", to(`(("<sender@domain.com>" NIL "=?UTF-8?Q?"Dummy=C3=ADa_Pa=C3=A1ndez_Algo"?=" NIL))`), "to=Dummyía Paández Algo <sender@domain.com>"},
		{"72 a backslash before the last quote", to(`(("=?GBK?B?0KHD9w==?=" NIL "power6900637" "sina.com\"))`), "to=小明 <power6900637@sina.com>"},
		{"73 quotes in an identifier", `(NIL NIL NIL NIL NIL NIL NIL NIL NIL "<"abc"@host>")`, `id="abc"@host`},
		{"74 Exchange", `(NIL "Retrieval failed" (("Microsoft Exchange Server" NIL NIL ".MISSING-HOST-NAME.")) NIL NIL ((NIL NIL "a" "b")) NIL NIL NIL NIL)`, "subject=Retrieval failed from=Microsoft Exchange Server to=a@b"},
		{"75 placeholders", to(`((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN")("n" NIL "MISSING_MAILBOX" "x")(NIL NIL "u" "MISSING_DOMAIN"))`), "to=n <@x>, u"},
		{"76 strings without quotes", `(NIL subj ((joe NIL joe x)) NIL NIL NIL NIL NIL NIL <a@b>)`, "subject=subj from=joe <joe@x> id=a@b"},
		{"quotes in a subject", `(NIL "Re: "foo" bar" ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL NIL NIL)`, `subject="Re: "foo" bar" from=a@b`},
		{"brackets in an address", to(`((NIL NIL "<members=headspace.com" "members.headspace.com>"))`), "to=members=headspace.com@members.headspace.com"},
		{"one address without a list", to(`("Joe" NIL "joe" "x")`), "to=Joe <joe@x>"},
		{"a string for a list", to(`"joe@x"`), "to=joe@x"},
		{"three fields", to(`(("Joe" "joe" "x"))`), "to=Joe <joe@x>"},
		{"two fields, one", to(`(("joe" "x")("jim"))`), "to=joe@x, jim"},
		{"() for NIL", to(`()`), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			info := envelopeOf(t, tt.value)
			if info.Envelope == nil || shown(info.Envelope) != tt.want || len(info.Missing) > 0 {
				t.Fatalf("missing %q, got\n%s\nwant\n%s", info.Missing, shown(info.Envelope), tt.want)
			}
		})
	}
	for _, value := range []string{"NIL", "()", `"x"`, `("x")`} {
		if info := envelopeOf(t, value); info.Envelope != nil || fmt.Sprint(info.Missing) != "[ENVELOPE]" {
			t.Errorf("%s: %+v", value, info)
		}
	}
}

// A sender cannot end the session of who reads the mail, whatever the length
// of a field.
func TestEnvelopeLong(t *testing.T) {
	comment := "(" + strings.Repeat("x", 200<<10) + ")"
	info := envelopeOf(t, fmt.Sprintf("(NIL {%d}\r\n%s NIL NIL NIL NIL NIL NIL {%d}\r\n%s \"<a@b>\")", 5<<20, strings.Repeat("y", 5<<20), len(comment), comment))
	if n := len(info.Envelope.Subject); n != 64<<10 || info.Envelope.MessageID != "a@b" {
		t.Errorf("%d octets of subject, id %q", n, info.Envelope.MessageID)
	}
}

// An ENVELOPE becomes what the header that it was made of becomes.
func TestEnvelopeAgainstHeader(t *testing.T) {
	for _, tt := range []struct{ header, value string }{
		{"From: =?utf-8?Q?Doe=2C_John?= <john@x>\r\nTo: g: a@b, \"c d\"@e;, root\r\nSubject:  a  =?utf-8?B?w7w=?=\r\n =?utf-8?B?w7w=?=\r\nDate: 1 Jan 20 10:00 EST\r\nMessage-ID: <a@b>\r\nIn-Reply-To: <c@d> (x) <e@f>\r\n\r\n",
			`("1 Jan 20 10:00 EST" "a  =?utf-8?B?w7w=?= =?utf-8?B?w7w=?=" (("=?utf-8?Q?Doe=2C_John?=" NIL "john" "x")) NIL NIL ((NIL NIL "g" NIL)(NIL NIL "a" "b")(NIL NIL "c d" "e")(NIL NIL NIL NIL)(NIL NIL "root" NIL)) NIL NIL "<c@d> (x) <e@f>" "<a@b>")`},
	} {
		want, err := message.ReadEnvelope(strings.NewReader(tt.header))
		if err != nil {
			t.Fatal(err)
		}
		if got := envelopeOf(t, tt.value).Envelope; !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%+v\nwant\n%+v", got, want)
		}
	}
}

func TestEnvelopeTime(t *testing.T) {
	for name, value := range map[string]func(n int) string{
		"addresses": func(n int) string { return "(NIL NIL (" + strings.Repeat(`(NIL NIL "a" "b")`, n/17) + "))" },
		"groups": func(n int) string {
			return "(NIL NIL (" + strings.Repeat(`(NIL NIL "a" NIL)(NIL NIL NIL NIL)`, n/34) + "))"
		},
		"one group": func(n int) string {
			return "(NIL NIL (" + strings.Repeat(`(NIL NIL "a" NIL)`, n/34) + strings.Repeat(`(NIL NIL NIL NIL)`, n/34) + "))"
		},
		"words of a name":    func(n int) string { return "(NIL NIL ((" + strings.Repeat(`a `, n/2) + "NIL a b)))" },
		"words of a subject": func(n int) string { return "(NIL " + strings.Repeat(`a `, n/2) + "NIL NIL NIL NIL NIL NIL NIL NIL)" },
		"comments":           func(n int) string { return `(NIL NIL NIL NIL NIL NIL NIL NIL "` + strings.Repeat("(", n) + `" NIL)` },
		"identifiers":        func(n int) string { return `(NIL NIL NIL NIL NIL NIL NIL NIL "` + strings.Repeat("<a", n/2) + `" NIL)` },
		"date":               func(n int) string { return `("` + strings.Repeat("1 ", n/2) + `" NIL)` },
	} {
		t.Run(name, func(t *testing.T) {
			const most = 5 * time.Second // a hundred times what it takes
			start := time.Now()
			looseInfos(t, "ENVELOPE "+value(200_000))
			if took := time.Since(start); took > most {
				t.Errorf("%v", took)
			}
		})
	}
}
