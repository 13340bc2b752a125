package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// authBy logs in by one mechanism.
func authBy(mechanism string) func(*testing.T, *imapclient.Client) string {
	return func(t *testing.T, c *imapclient.Client) string {
		return kind(c.Auth(t.Context(), imapclient.Credentials{User: "joe", Password: "secret pass", Mechanisms: []string{mechanism}}))
	}
}

// has tells which of some capabilities there are.
func has(t *testing.T, c *imapclient.Client, names ...string) string {
	caps, err := c.Capabilities(t.Context())
	if err != nil {
		return err.Error()
	}
	var there []string
	for _, n := range names {
		if caps.Has(n) {
			there = append(there, n)
		}
	}
	return strings.Join(there, " ")
}

const greets = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN ID] hi"

var quirksAtLogin = []quirk{
	{3, "NUL ahead of a response", "", []string{"C: a1 NOOP", b64("\x00\x00\x00* 5 EXISTS\r\n"), "S: a1 OK"}, noop, "<nil>"},
	{4, "Server Unavailable", "", []string{"C: a1 NOOP", "S: Server Unavailable. 15", "= CLOSE"}, func(t *testing.T, c *imapclient.Client) string {
		_, err := c.Noop(t.Context())
		return fmt.Sprint(kind(err), strings.Contains(err.Error(), "Server Unavailable. 15"))
	}, "ErrUnavailabletrue"},
	{5, "the end of a line again", "", []string{"C: a1 NOOP", "S: a1 OK CAPABILITY completed.", "S: CAPABILITY completed."}, noop, "<nil>"},
	{7, "a lone + among capabilities", "", []string{"S: * OK [CAPABILITY IMAP4rev1 LITERAL + UIDPLUS] hi", `C: a1 LOGIN "joe" "secret pass"`, "S: * CAPABILITY IMAP4rev1 LITERAL + IDLE", "S: a1 OK in"},
		func(t *testing.T, c *imapclient.Client) string {
			return logIn(t, c) + " " + has(t, c, "LITERAL", "LITERAL+", "UIDPLUS", "IDLE")
		}, "<nil> LITERAL IDLE"},
	{8, "other capabilities after login", "", []string{"S: * OK [CAPABILITY IMAP4rev1 IDLE] hi", `C: a1 LOGIN "joe" "secret pass"`, "S: a1 OK [CAPABILITY IMAP4REV1 UIDPLUS] in"},
		func(t *testing.T, c *imapclient.Client) string {
			return logIn(t, c) + " " + has(t, c, "imap4rev1", "IDLE", "UIDPLUS")
		}, "<nil> imap4rev1 UIDPLUS"},
	{9, "ENABLE without ENABLED", "-ENABLE QRESYNC CONDSTORE", []string{"C: a1 ENABLE QRESYNC CONDSTORE", "S: a1 OK ENABLE completed"}, func(t *testing.T, c *imapclient.Client) string {
		on, err := c.Enable(t.Context(), "QRESYNC", "CONDSTORE")
		return fmt.Sprint(on, err)
	}, "[QRESYNC CONDSTORE] <nil>"},
	{10, "no ID ()", "-ID", []string{"C: a1 ID NIL", "S: a1 BAD Command Argument Error. 11"}, func(t *testing.T, c *imapclient.Client) string {
		_, err := c.ID(t.Context(), map[string]string{})
		return fmt.Sprint(err != nil, c.Err())
	}, "true <nil>"},
	{13, "authenticated but not connected", "", []string{greets, `C: a1 LOGIN "joe" "secret pass"`, "S: a1 OK [CAPABILITY IMAP4rev1] done", "C: a2 EXAMINE INBOX", "S: a2 BAD User is authenticated but not connected."},
		func(t *testing.T, c *imapclient.Client) string {
			mustLogin(t, c)
			_, err := c.Examine(t.Context(), "INBOX")
			return kind(err)
		}, "ErrAuth"},
	{14, "brackets that are no code", "", []string{greets, `C: a1 LOGIN "joe" "secret pass"`,
		`S: a1 OK [Error="Microsoft.Exchange.Data.Storage.WrongServerException: Cross Server access is not allowed for mailbox xxxxxxxx" AuthResultFromPopImapEnd=0 Proxy=XXX.EURXXXX.PROD.OUTLOOK.COM:1993:SSL MailboxBE=XXX Service=Imap4] AUTHENTICATE completed.`,
		"C: a2 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a2 OK"}, logIn, "<nil>"},
	{15, "prompts of another text", "", []string{greets, "C: a1 AUTHENTICATE LOGIN", "S: + VXNlciBOYW1lAA==", "C: " + b64text("joe"), "S: + UGFzc3dvcmQA", "C: " + b64text("secret pass"), "S: a1 OK [CAPABILITY IMAP4rev1] in"}, authBy("LOGIN"), "<nil>"},
	{16, "WEBALERT", "", []string{greets, `C: a1 LOGIN "joe" "secret pass"`, "S: * NO [WEBALERT https://accounts.google.com/signin/continue?x=y] Web login required.",
		"S: a1 NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)"}, func(t *testing.T, c *imapclient.Client) string {
		err := c.Login(t.Context(), "joe", "secret pass")
		var e *imapclient.Error
		return fmt.Sprint(kind(err), errors.As(err, &e), e.Code, strings.Contains(e.Text, "https://support.google.com/"))
	}, "ErrAuthtrueALERTtrue"},
	{17, "+ without a space", "", []string{greets, "C: a1 AUTHENTICATE PLAIN", b64("+\r\n"), "C: " + b64text("\x00joe\x00secret pass"), "S: a1 OK [CAPABILITY IMAP4rev1] in"}, authBy("PLAIN"), "<nil>"},
	{18, "throttled", "", []string{"C: a1 NOOP", "S: a1 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds"}, func(t *testing.T, c *imapclient.Client) string {
		_, err := c.Noop(t.Context())
		var e *imapclient.Error
		return fmt.Sprint(kind(err), errors.As(err, &e), e.RetryAfter)
	}, "ErrUnavailabletrue 1m32.415s"},
}

// Quirks 1 and 2 are greetings that are refused; 6 and 12 are in testdata/quirks.
func TestQuirksOfGreetings(t *testing.T) {
	for _, tt := range []struct{ name, greeting, want string }{
		{"1 intrusion prevention", "* NO LOGOUT Intrusion prevention active for 192.0.2.1", "ErrUnavailable"},
		{"2 POP3", "+OK POP3 server ready", "ErrProtocol"},
		{"2 SMTP", "220 mail.somehost.net ESMTP NO UCE", "ErrProtocol"},
		{"3 NUL", "\x00\x00\x00* OK ready", "<nil>"},
		{"26 BYE without a word", "* BYE", "ErrUnavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tryPlay(t, lines("S: "+tt.greeting, "= CLOSE"), nil)
			if tt.want == "<nil>" {
				wants(t, "New", err, nil)
				return
			}
			said := strings.TrimPrefix(strings.TrimPrefix(tt.greeting, "* NO "), "* BYE")
			if kind(err) != tt.want || !strings.Contains(err.Error(), said) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// Quirk 11: Cyrus 2.3 answers NO to ID; that does not matter, and it is not
// asked again.
func TestQuirkOfID(t *testing.T) {
	for _, answer := range []string{"NO", "BAD"} {
		t.Run("11 "+answer, func(t *testing.T) {
			c := play(t, lines(greets, `C: a1 LOGIN "joe" "secret pass"`, "S: a1 OK [CAPABILITY IMAP4rev1 ID] in", `C: a2 ID ("name" "x")`, "S: a2 "+answer+" no", "C: a3 EXAMINE INBOX", "S: a3 OK", "C: a4 NOOP", "S: a4 OK"),
				&imapclient.Options{ID: map[string]string{"name": "x"}})
			mustLogin(t, c)
			_, err := c.Examine(t.Context(), "INBOX")
			wants(t, "Examine", err, nil)
			_, err = c.Noop(t.Context())
			wants(t, "Noop", err, nil)
		})
	}
}

var quirksOfStatus = []quirk{
	{19, "COPYUID of nothing", "MOVE", []string{`C: a1 UID MOVE 1 "to"`, "S: * OK [COPYUID 14  ]", "S: a1 OK MOVE completed."}, move, "0  <nil>"},
	{20, "a code without a status", "MOVE", []string{`C: a1 UID MOVE 12 "to"`, "S: * [COPYUID 1440437040 12 1] ", "S: a1 OK MOVE completed"}, func(t *testing.T, c *imapclient.Client) string {
		d, err := c.Move(t.Context(), imapclient.UIDs(12), "to", nil)
		return fmt.Sprint(d.UIDValidity, d.UID(12), err)
	}, "1440437040 1 <nil>"},
	{21, "UIDVALIDITY 0", "-", []string{"C: a1 EXAMINE INBOX", "S: * 3 EXISTS", "S: * OK [UIDVALIDITY 0] UIDs valid", "S: * OK [UIDNEXT 0] next", "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		box, err := c.Examine(t.Context(), "INBOX")
		return fmt.Sprint(box.UIDValidity, box.UIDNext, box.Messages, err)
	}, "0 0 3 <nil>"},
	{21, "COPYUID with validity 0", "", []string{`C: a1 UID COPY 1 "to"`, "S: a1 OK [COPYUID 0 35 41] UID COPY completed"}, copied, "0  <nil>"},
	{22, "UNSEEN 0", "-", []string{"C: a1 EXAMINE INBOX", "S: * 3 EXISTS", "S: * OK [UNSEEN 0]", "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		box, err := c.Examine(t.Context(), "INBOX")
		return fmt.Sprint(box.Messages, err)
	}, "3 <nil>"},
	{23, "a code without a text", "-", []string{"C: a1 EXAMINE INBOX", "S: * 3 EXISTS", "S: * OK [HIGHESTMODSEQ 1234567]", "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		box, err := c.Examine(t.Context(), "INBOX")
		return fmt.Sprint(box.HighestModSeq, err)
	}, "1234567 <nil>"},
	{24, "COPYUID of two fields", "", []string{`C: a1 UID COPY 1 "to"`, "S: a1 OK [COPYUID 1609459200 41] Completed"}, copied, "0  <nil>"},
	{26, "BYE without a word", "", []string{"C: a1 NOOP", "S: * BYE", "= CLOSE"}, noop, "ErrUnavailable"},
	{27, "STATUS of nothing", "-", []string{"C: a1 STATUS INBOX (MESSAGES)", `S: * STATUS "INBOX" ()`, "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		s, err := c.Status(t.Context(), "INBOX", imapclient.StatusMessages)
		return fmt.Sprint(s.Told, err)
	}, "0 <nil>"},
	{28, `\* among the flags`, "-", []string{"C: a1 EXAMINE INBOX", "S: * 3 EXISTS", `S: * FLAGS (\Answered \Deleted \Seen \*)`, "S: a1 OK"}, flagsOf, `[\Answered \Deleted \Seen \*] <nil>`},
	{29, "a keyword with a backslash", "-", []string{"C: a1 EXAMINE INBOX", "S: * 3 EXISTS", `S: * FLAGS (\Seen \NonStandard)`, "S: a1 OK"}, flagsOf, `[\Seen \NonStandard] <nil>`},
	{29, "and a search for it", "", []string{`C: a1 UID SEARCH KEYWORD \NonStandard`, "S: * SEARCH 3", "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		r, err := c.Search(t.Context(), &imapclient.Query{Flags: []string{`\NonStandard`}}, nil)
		if err != nil {
			return err.Error()
		}
		return r.UIDs.String()
	}, "3"},
}

func copied(t *testing.T, c *imapclient.Client) string {
	d, err := c.Copy(t.Context(), imapclient.UIDs(1), "to")
	return fmt.Sprint(d.UIDValidity, " ", d.Sources(), " ", err)
}

func move(t *testing.T, c *imapclient.Client) string {
	d, err := c.Move(t.Context(), imapclient.UIDs(1), "to", nil)
	return fmt.Sprint(d.UIDValidity, " ", d.Sources(), " ", err)
}

func flagsOf(t *testing.T, c *imapclient.Client) string {
	box, err := c.Examine(t.Context(), "INBOX")
	return fmt.Sprint(box.Flags, err)
}

// Quirk 25: Yandex says BYE for ever, and neither answers nor hangs up.
func TestQuirkOfBYE(t *testing.T) {
	c, err := newScripted(t, func(string) []string { return []string{"* BYE a", "* BYE b", "* BYE c"} })
	if err != nil {
		t.Fatal(err)
	}
	if got := noop(t, c); got != "ErrUnavailable" || c.Err() == nil {
		t.Errorf("25 BYE for ever: %s, then %v", got, c.Err())
	}
}
