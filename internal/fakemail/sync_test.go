package fakemail_test

import (
	"testing"

	"example.com/postbag/internal/fakemail"
)

// selected is what a session is told that selects the INBOX.
const selected = `
	S: * FLAGS …
	S: * OK [PERMANENTFLAGS …
	S: * … EXISTS
	S: * … RECENT
	S: * OK [UNSEEN 1] …
	S: * OK [UIDVALIDITY 3857529045] …
	S: * OK [UIDNEXT …] …
	S: * OK [HIGHESTMODSEQ …] …
	S: * OK [MAILBOXID …`

// The messages have the modseqs 2 to 6; flags, expunges and new ones take the
// next. RFC 7162.
func TestCondstore(t *testing.T) {
	for _, tt := range []struct{ name, script string }{
		{"enabled by ENABLE", login + `
			C: 1 ENABLE CONDSTORE
			S: * ENABLED CONDSTORE
			S: 1 OK ENABLE completed` + inbox[len(login):] + `
			C: 2 STORE 1 +FLAGS (\Seen)
			S: * 1 FETCH (FLAGS (\Recent \Seen) MODSEQ (7))
			S: 2 OK STORE completed
			C: 3 STORE 2 +FLAGS.SILENT (\Seen)
			S: * 2 FETCH (MODSEQ (8))
			S: 3 OK STORE completed`},
		{"enabled by SELECT", login + `
			C: 1 SELECT INBOX (CONDSTORE)` + selected + `
			S: 1 OK …
			do: flag 3
			C: 2 NOOP
			S: * 3 FETCH (FLAGS (\Recent \Flagged) MODSEQ (7))
			S: 2 OK NOOP completed`},
		{"enabled by use", inbox + `
			do: flag 3
			C: 1 NOOP
			S: * 3 FETCH (FLAGS (\Recent \Flagged))
			S: 1 OK NOOP completed
			C: 2 FETCH 3 MODSEQ
			S: * OK [HIGHESTMODSEQ 7] …
			S: * 3 FETCH (MODSEQ (7))
			S: 2 OK FETCH completed
			do: flag 2
			C: 3 NOOP
			S: * 2 FETCH (FLAGS (\Recent \Flagged) MODSEQ (8))
			S: 3 OK NOOP completed`},
		{"CHANGEDSINCE", inbox + `
			do: flag 3
			C: 1 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5)
			S: * OK [HIGHESTMODSEQ 7] …
			S: * 3 FETCH (UID 3 FLAGS (\Recent \Flagged) MODSEQ (7))
			S: * 5 FETCH (UID 5 FLAGS (\Recent) MODSEQ (6))
			S: * 3 FETCH (FLAGS (\Recent \Flagged) MODSEQ (7))
			S: 1 OK UID FETCH completed
			C: 2 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 7)
			S: 2 OK UID FETCH completed
			C: 3 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 3 VANISHED)
			S: 3 BAD no modifier "VANISHED" here`},
		// RFC 7162 section 3.1.3, examples 5 to 9.
		{"UNCHANGEDSINCE", inbox + `
			C: 1 STORE 2 +FLAGS.SILENT (\Answered)
			S: 1 OK STORE completed
			C: 2 STORE 1:3 (UNCHANGEDSINCE 6) +FLAGS (\Deleted)
			S: * OK [HIGHESTMODSEQ 7] …
			S: * 1 FETCH (FLAGS (\Recent \Deleted) MODSEQ (8))
			S: * 3 FETCH (FLAGS (\Recent \Deleted) MODSEQ (8))
			S: 2 OK [MODIFIED 2] changed since
			C: 3 UID STORE 1:3 (UNCHANGEDSINCE 7) +FLAGS.SILENT ($x)
			S: * 2 FETCH (UID 2 MODSEQ (9))
			S: 3 OK [MODIFIED 1,3] changed since
			C: 4 UID STORE 5 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($x)
			S: 4 OK [MODIFIED 5] changed since
			C: 5 UID STORE 5 (UNCHANGEDSINCE 6) +FLAGS.SILENT ($x)
			S: * 5 FETCH (UID 5 MODSEQ (10))
			S: 5 OK UID STORE completed
			C: 6 UID STORE 5 +FLAGS.SILENT ($x)
			S: * 5 FETCH (UID 5 MODSEQ (10))
			S: 6 OK UID STORE completed`},
		{"SEARCH", inbox + `
			do: flag 3
			C: 1 UID SEARCH MODSEQ 6
			S: * OK [HIGHESTMODSEQ 7] …
			S: * SEARCH 3 5 (MODSEQ 7)
			S: * 3 FETCH (FLAGS (\Recent \Flagged) MODSEQ (7))
			S: 1 OK UID SEARCH completed
			C: 2 SEARCH MODSEQ "/flags/\\draft" all 7
			S: * SEARCH 3 (MODSEQ 7)
			S: 2 OK SEARCH completed
			C: 3 SEARCH RETURN (MIN ALL) MODSEQ 6
			S: * ESEARCH (TAG "3") MIN 3 ALL 3,5 MODSEQ 7
			S: 3 OK SEARCH completed
			C: 4 SEARCH MODSEQ 8
			S: * SEARCH
			S: 4 OK SEARCH completed`},
		{"STATUS", login + `
			do: flag 3
			C: 1 STATUS INBOX (HIGHESTMODSEQ)
			S: * STATUS "INBOX" (HIGHESTMODSEQ 7)
			S: 1 OK STATUS completed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := start(t, 0, nil)
			m.mails(t, 5)
			talk(t, m, tt.script, meanwhile(t, m))
		})
	}
}

func meanwhile(t *testing.T, m *mailer) map[string]func() {
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	flag := func(i int) func() { return func() { must(m.SetFlags(m.uids[i-1], `\Flagged`)) } }
	remove := func(i int) func() { return func() { must(m.Store.Delete(m.uids[i-1])) } }
	return map[string]func(){
		"flag 2": flag(2), "flag 3": flag(3), "flag 4": flag(4),
		"delete 1": remove(1), "delete 2": remove(2), "delete 4": remove(4),
		"deliver":  func() { m.mails(t, 1) },
		"renumber": func() { must(m.Renumber("joe", "INBOX")) },
	}
}

const resyncing = login + `
	C: e ENABLE QRESYNC
	S: * ENABLED QRESYNC
	S: e OK ENABLE completed`

func TestQresync(t *testing.T) {
	for _, tt := range []struct{ name, script string }{
		{"not before ENABLE", login + `
			C: 1 SELECT INBOX (QRESYNC (3857529045 6))
			S: 1 BAD no parameter "QRESYNC" here`},
		// RFC 7162 section 3.2.5.1: what happened while the client was away.
		{"all at once", resyncing + `
			do: flag 3
			do: delete 2
			do: delete 4
			do: deliver
			C: 1 SELECT INBOX (QRESYNC (3857529045 6))` + selected + `
			S: * VANISHED (EARLIER) 2,4
			S: * 2 FETCH (UID 3 FLAGS (\Recent \Flagged) MODSEQ (7))
			S: * 4 FETCH (UID 6 FLAGS (\Recent) MODSEQ (10))
			S: 1 OK [READ-WRITE] selected
			C: 2 SELECT INBOX (QRESYNC (3857529045 7 1:3 (1,3 1,3)))
			S: * OK [CLOSED] …
			S: * FLAGS …
			S: * OK [PERMANENTFLAGS …
			S: * 4 EXISTS
			S: * 0 RECENT
			S: * OK [UNSEEN 1] …
			S: * OK [UIDVALIDITY 3857529045] …
			S: * OK [UIDNEXT 7] …
			S: * OK [HIGHESTMODSEQ 10] …
			S: * OK [MAILBOXID …
			S: * VANISHED (EARLIER) 2
			S: 2 OK [READ-WRITE] selected`},
		{"nothing new", resyncing + `
			C: 1 SELECT INBOX (QRESYNC (3857529045 6))` + selected + `
			S: 1 OK [READ-WRITE] selected`},
		{"another UIDVALIDITY", resyncing + `
			do: delete 2
			C: 1 SELECT INBOX (QRESYNC (3857529044 1))` + selected + `
			S: 1 OK [READ-WRITE] selected`},
		{"VANISHED instead of EXPUNGE", resyncing + inbox[len(login):] + `
			do: delete 1
			do: delete 4
			do: flag 3
			C: 1 NOOP
			S: * VANISHED 1,4
			S: * 2 FETCH (UID 3 FLAGS (\Recent \Flagged) MODSEQ (9))
			S: 1 OK NOOP completed
			C: 2 STORE 1:2 +FLAGS.SILENT (\Deleted)
			S: * 1 FETCH (UID 2 MODSEQ (10))
			S: * 2 FETCH (UID 3 MODSEQ (10))
			S: 2 OK STORE completed
			C: 3 UID EXPUNGE 1:2
			S: * VANISHED 2
			S: 3 OK [HIGHESTMODSEQ 11] expunged
			C: 4 EXPUNGE
			S: * VANISHED 3
			S: 4 OK [HIGHESTMODSEQ 12] expunged
			C: 5 EXPUNGE
			S: 5 OK EXPUNGE completed
			C: 6 FETCH 1 FLAGS
			S: * 1 FETCH (UID 5 FLAGS (\Recent))
			S: 6 OK FETCH completed`},
		{"UID FETCH VANISHED", resyncing + inbox[len(login):] + `
			do: delete 1
			do: delete 4
			C: 1 UID FETCH 1:3 (FLAGS) (CHANGEDSINCE 6 VANISHED)
			S: * VANISHED (EARLIER) 1
			S: * VANISHED 1,4
			S: 1 OK UID FETCH completed
			C: 2 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 5 VANISHED)
			S: * VANISHED (EARLIER) 1,4
			S: * 3 FETCH (UID 5 FLAGS (\Recent) MODSEQ (6))
			S: 2 OK UID FETCH completed
			C: 3 UID FETCH 1:* (FLAGS) (VANISHED)
			S: 3 BAD VANISHED needs CHANGEDSINCE
			C: 4 FETCH 1:* (FLAGS) (CHANGEDSINCE 5 VANISHED)
			S: 4 BAD no modifier "VANISHED" here`},
		{"MOVE", resyncing + inbox[len(login):] + `
			C: 1 CREATE a
			S: 1 OK …
			C: 2 MOVE 2,4 a
			S: * OK [COPYUID 3857529046 2,4 1:2] moved
			S: * VANISHED 2,4
			S: 2 OK MOVE completed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := start(t, 0, nil)
			m.mails(t, 5)
			talk(t, m, tt.script, meanwhile(t, m))
		})
	}
}

func TestQresyncWithout(t *testing.T) {
	m := start(t, 0, &fakemail.Options{Without: []string{"QRESYNC"}})
	talk(t, m, login+`
		C: 1 ENABLE QRESYNC
		S: * ENABLED
		S: 1 OK ENABLE completed
		C: 2 SELECT INBOX (QRESYNC (1 1))
		S: 2 BAD …`, nil)
	m = start(t, 0, &fakemail.Options{Without: []string{"CONDSTORE"}})
	talk(t, m, login+`
		C: 1 ENABLE QRESYNC CONDSTORE
		S: * ENABLED
		S: 1 OK ENABLE completed`, nil)
}
