package fakemail_test

import (
	"testing"

	"example.com/postbag/internal/fakemail"
)

func TestStore(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script string
	}{
		{"add, remove, replace", inbox + `
			C: 1 STORE 1:2 +FLAGS (\seen $Junk)
			S: * 1 FETCH (FLAGS (\Recent $Junk \Seen))
			S: * 2 FETCH (FLAGS (\Recent $Junk \Seen))
			S: 1 OK STORE completed
			C: 2 STORE 2 -FLAGS ($junk)
			S: * 2 FETCH (FLAGS (\Recent \Seen))
			S: 2 OK STORE completed
			C: 3 UID STORE 2 FLAGS \Flagged \Draft
			S: * 2 FETCH (UID 2 FLAGS (\Recent \Draft \Flagged))
			S: 3 OK UID STORE completed
			C: 4 STORE 1 FLAGS ()
			S: * 1 FETCH (FLAGS (\Recent))
			S: 4 OK STORE completed
			C: 5 STORE 1 +FLAGS.SILENT (\Seen)
			S: 5 OK STORE completed
			C: 6 STORE 4 +FLAGS (\Seen)
			S: 6 BAD there is no message of that number
			C: 7 UID STORE 4 +FLAGS (\Seen)
			S: 7 OK UID STORE completed
			C: 8 STORE 1 +FLAGS (\a\b)
			S: 8 BAD "\\a\\b" is no flag
			C: 9 STORE 1 +LABELS (a)
			S: 9 BAD no item "LABELS" here`},
		{"read-only", login + examined + `
			C: 1 STORE 1 +FLAGS (\Seen)
			S: 1 NO [READ-ONLY] …
			C: 2 EXPUNGE
			S: 2 NO [READ-ONLY] …
			C: 3 FETCH 1 BODY[TEXT]
			S: * 1 FETCH (BODY[TEXT] {10}
			S: number 1
			S: )
			S: 3 OK FETCH completed
			C: 4 CLOSE
			S: 4 OK CLOSE completed
			C: 5 STATUS INBOX (MESSAGES UNSEEN)
			S: * STATUS "INBOX" (MESSAGES 3 UNSEEN 3)
			S: 5 OK STATUS completed`},
		{"expunge", inbox + `
			C: 1 STORE 1,3 +FLAGS.SILENT (\Deleted)
			S: 1 OK STORE completed
			C: 2 UID EXPUNGE 2:*
			S: * 3 EXPUNGE
			S: 2 OK UID EXPUNGE completed
			C: 3 EXPUNGE
			S: * 1 EXPUNGE
			S: 3 OK EXPUNGE completed
			C: 4 EXPUNGE
			S: 4 OK EXPUNGE completed
			C: 5 FETCH 1 UID
			S: * 1 FETCH (UID 2)
			S: 5 OK FETCH completed
			C: 6 STORE 1 +FLAGS.SILENT (\Deleted)
			S: 6 OK STORE completed
			C: 7 UNSELECT
			S: 7 OK UNSELECT completed
			C: 8 STATUS INBOX (MESSAGES)
			S: * STATUS "INBOX" (MESSAGES 1)
			S: 8 OK STATUS completed` + inbox[len(login):] + `
			C: 9 CLOSE
			S: 9 OK CLOSE completed
			C: 10 STATUS INBOX (MESSAGES UIDNEXT)
			S: * STATUS "INBOX" (MESSAGES 0 UIDNEXT 4)
			S: 10 OK STATUS completed`},
		// RFC 3501 section 7.4.1: each EXPUNGE counts from what is left.
		{"many expunges", inbox + `
			C: 1 STORE 1:3 +FLAGS.SILENT (\Deleted)
			S: 1 OK STORE completed
			C: 2 EXPUNGE
			S: * 1 EXPUNGE
			S: * 1 EXPUNGE
			S: * 1 EXPUNGE
			S: 2 OK EXPUNGE completed
			C: 3 FETCH * UID
			S: 3 BAD there is no message of that number
			C: 4 UID FETCH 1:* UID
			S: 4 OK UID FETCH completed`},
		{"copy and move", inbox + `
			C: 1 CREATE a
			S: 1 OK …
			C: 2 STORE 2 +FLAGS.SILENT (\Flagged)
			S: 2 OK STORE completed
			C: 3 COPY 2:3 a
			S: 3 OK [COPYUID 3857529046 2:3 1:2] copied
			C: 4 UID MOVE 3,1 a
			S: * OK [COPYUID 3857529046 1,3 3:4] moved
			S: * 1 EXPUNGE
			S: * 2 EXPUNGE
			S: 4 OK UID MOVE completed
			C: 5 COPY 1 b
			S: 5 NO [TRYCREATE] no such mailbox
			C: 6 UID COPY 99 a
			S: 6 OK UID COPY completed
			C: 7 COPY 1 INBOX
			S: * 2 EXISTS
			S: * 2 RECENT
			S: 7 OK [COPYUID 3857529045 2 4] copied
			C: 8 SELECT a
			S: * OK [CLOSED] …
			S: * FLAGS …
			S: * OK [PERMANENTFLAGS …
			S: * 4 EXISTS
			S: * 4 RECENT
			S: * OK [UNSEEN 1] …
			S: * OK [UIDVALIDITY 3857529046] …
			S: * OK [UIDNEXT 5] …
			S: * OK [HIGHESTMODSEQ 5] …
			S: * OK [MAILBOXID …
			S: 8 OK …
			C: 9 FETCH 1:* (UID FLAGS BODY.PEEK[TEXT]<7.1>)
			S: * 1 FETCH (UID 1 FLAGS (\Recent \Flagged) BODY[TEXT]<7> {1}
			S: 2)
			S: * 2 FETCH (UID 2 FLAGS (\Recent) BODY[TEXT]<7> {1}
			S: 3)
			S: * 3 FETCH (UID 3 FLAGS (\Recent) BODY[TEXT]<7> {1}
			S: 1)
			S: * 4 FETCH (UID 4 FLAGS (\Recent) BODY[TEXT]<7> {1}
			S: 3)
			S: 9 OK FETCH completed`},
		{"append", inbox + `
			C: 1 APPEND INBOX (\Seen $x) " 7-Feb-1994 21:52:25 -0800" {4}
			S: + go on
			C: mail
			S: * 4 EXISTS
			S: * 4 RECENT
			S: 1 OK [APPENDUID 3857529045 4] appended
			C: 2 FETCH 4 (FLAGS INTERNALDATE BODY.PEEK[])
			S: * 4 FETCH (FLAGS (\Recent $x \Seen) INTERNALDATE " 7-Feb-1994 21:52:25 -0800" BODY[] {4}
			S: mail)
			S: 2 OK FETCH completed
			C: 3 APPEND none {4+}
			C: mail
			S: 3 NO [TRYCREATE] no such mailbox
			C: 4 APPEND INBOX {67108865}
			S: 4 NO [TOOBIG] the literal is too large
			C: 5 APPEND INBOX "yesterday" {4+}
			C: mail
			S: 5 BAD …`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := start(t, 0, nil)
			m.mails(t, 3)
			talk(t, m, tt.script, nil)
		})
	}
}

func TestStoreWithout(t *testing.T) {
	m := start(t, 0, &fakemail.Options{Without: []string{"UIDPLUS", "MOVE", "IDLE", "UNSELECT", "COMPRESS=DEFLATE", "ENABLE", "NAMESPACE", "ID"}})
	m.mails(t, 2)
	talk(t, m, inbox+`
		C: 1 UID EXPUNGE 1
		S: 1 BAD unknown command
		C: 2 UID MOVE 1 INBOX
		S: 2 BAD unknown command
		C: 3 COPY 1 INBOX
		S: * 3 EXISTS
		S: * 3 RECENT
		S: 3 OK COPY completed
		C: 4 APPEND INBOX {4+}
		C: mail
		S: * 4 EXISTS
		S: * 4 RECENT
		S: 4 OK APPEND completed
		C: 5 IDLE
		S: 5 BAD unknown command
		C: 6 UNSELECT
		S: 6 BAD unknown command
		C: 7 COMPRESS DEFLATE
		S: 7 BAD unknown command
		C: 8 ENABLE CONDSTORE
		S: 8 BAD unknown command
		C: 9 NAMESPACE
		S: 9 BAD unknown command
		C: 10 ID NIL
		S: 10 BAD unknown command
		C: 11 CAPABILITY
		S: * CAPABILITY IMAP4rev1 LITERAL+ SASL-IR CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE ESEARCH SEARCHRES CONDSTORE BINARY OBJECTID APPENDLIMIT=67108864
		S: 11 OK CAPABILITY completed`, nil)
}
