package fakemail_test

import "testing"

func TestSearch(t *testing.T) {
	m := start(t, 0, nil)
	m.put(t, "INBOX", nested, `\Seen`, "$Junk")
	m.put(t, "INBOX", "From: bob@example.net\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\nDate: Wed, 1 Jan 2020 23:59:00 +0000\r\nX-Odd:\r\n\r\nHello World\r\n", `\Flagged`)
	m.put(t, "INBOX", "To: carol@example.net\r\n\r\n"+string(make([]byte, 5000)), `\Deleted`, `\Answered`, `\Draft`)
	for _, tt := range []struct{ keys, want string }{
		{"ALL", "1 2 3"},
		{"2:3", "2 3"},
		{"*", "3"},
		{"UID 2:*", "2 3"},
		{"2,17", "2"},
		{"SEEN", "1"},
		{"UNSEEN", "2 3"},
		{"FLAGGED", "2"},
		{"DELETED ANSWERED DRAFT", "3"},
		{"UNDELETED UNDRAFT UNANSWERED", "1 2"},
		{"KEYWORD $junk", "1"},
		{"UNKEYWORD $Junk UNFLAGGED", "3"},
		{"NEW", "2 3"},
		{"OLD", ""},
		{"RECENT", "1 2 3"},
		{"NOT SEEN", "2 3"},
		{"OR SEEN FLAGGED", "1 2"},
		{"OR (SEEN UNSEEN) (FLAGGED)", "2"},
		{"(1:2 (FLAGGED))", "2"},
		{"LARGER 4000", "3"},
		{"SMALLER 1000", "1 2"},
		{"FROM bob", "2"},
		{`FROM "JANE"`, "1"},
		{"TO c@example.com", "1"},
		{"CC undisclosed", "1"},
		{"BCC x", ""},
		{"SUBJECT nested", "1"},
		{`SUBJECT "nested parts"`, "1"},
		{"CHARSET UTF-8 SUBJECT {7+}\nC: grüße", "2"},
		{"HEADER Message-ID nested@", "1"},
		{`HEADER X-Odd ""`, "2"},
		{"HEADER X-Odd a", ""},
		{"BODY world", "2"},
		{"BODY bob", ""},
		{"TEXT bob", "2"},
		{"CHARSET UTF-8 BODY {5+}\nC: grün", "1"},
		{"TEXT epilogue", "1"},
		{"SENTON 1-Jan-2020", "2"},
		{"SENTSINCE 1-Feb-1994 SENTBEFORE 8-Feb-1994", "1"},
		{"SINCE 1-Jan-2020", "1 2 3"},
		{"BEFORE 1-Jan-2020", ""},
		{"ON 1-Jan-2020", ""},
		{"EMAILID M11bdfc5cae0c8191", "1"},
		{"THREADID T11bdfc5cae0c8192", "2"},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			want := "* SEARCH"
			if tt.want != "" {
				want += " " + tt.want
			}
			talk(t, m, login+examinedWith+"\nC: 1 SEARCH "+tt.keys+"\nS: "+want+"\nS: 1 OK SEARCH completed", nil)
		})
	}
	t.Run("results", func(t *testing.T) {
		talk(t, m, login+examinedWith+`
			C: 1 UID SEARCH RETURN () UNSEEN
			S: * ESEARCH (TAG "1") UID ALL 2:3
			S: 1 OK UID SEARCH completed
			C: 2 SEARCH RETURN (MIN MAX COUNT) ALL
			S: * ESEARCH (TAG "2") MIN 1 MAX 3 COUNT 3
			S: 2 OK SEARCH completed
			C: 3 SEARCH RETURN (COUNT ALL) BEFORE 1-Jan-2001
			S: * ESEARCH (TAG "3") COUNT 0
			S: 3 OK SEARCH completed
			C: 4 SEARCH RETURN (SAVE) UNSEEN
			S: 4 OK SEARCH completed
			C: 5 FETCH $ UID
			S: * 2 FETCH (UID 2)
			S: * 3 FETCH (UID 3)
			S: 5 OK FETCH completed
			C: 6 SEARCH $ FLAGGED
			S: * SEARCH 2
			S: 6 OK SEARCH completed
			C: 7 SEARCH RETURN (SAVE MIN) $
			S: * ESEARCH (TAG "7") MIN 2
			S: 7 OK SEARCH completed
			C: 8 UID FETCH $ UID
			S: * 2 FETCH (UID 2)
			S: 8 OK UID FETCH completed`, nil)
	})
	t.Run("errors", func(t *testing.T) {
		talk(t, m, login+examinedWith+`
			C: 1 SEARCH CHARSET KOI8-R SUBJECT x
			S: 1 NO [BADCHARSET (US-ASCII UTF-8)] no such charset
			C: 2 SEARCH XYZZY
			S: 2 BAD …
			C: 3 SEARCH XYZZY x
			S: 3 BAD no search key "XYZZY" here
			C: 4 SEARCH
			S: 4 BAD …
			C: 5 SEARCH OR SEEN
			S: 5 BAD …
			C: 6 SEARCH (SEEN
			S: 6 BAD …
			C: 7 SEARCH SINCE yesterday
			S: 7 BAD …
			C: 8 SEARCH RETURN (PARTIAL) ALL
			S: 8 BAD …
			C: 9 SEARCH X-GM-RAW x
			S: 9 BAD …`, nil)
	})
}

const examinedWith = `
	C: i EXAMINE INBOX` + selected2 + `
	S: i OK [READ-ONLY] selected`

const selected2 = `
	S: * FLAGS …
	S: * OK [PERMANENTFLAGS ()] …
	S: * 3 EXISTS
	S: * 3 RECENT
	S: * OK [UNSEEN 2] …
	S: * OK [UIDVALIDITY 3857529045] …
	S: * OK [UIDNEXT 4] …
	S: * OK [HIGHESTMODSEQ 4] …
	S: * OK [MAILBOXID …`
