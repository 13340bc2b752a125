package fakemail_test

import (
	"testing"

	"example.com/postbag/internal/fakemail"
)

func TestMailboxes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		without []string
		script  string
	}{
		{"create, list, delete", nil, `
			C: 1 CREATE Work/Old/Older
			S: 1 OK [MAILBOXID (F…)] created
			C: 2 LIST "" *
			S: * LIST (\HasNoChildren) "/" "INBOX"
			S: * LIST (\HasChildren) "/" "Work"
			S: * LIST (\HasChildren) "/" "Work/Old"
			S: * LIST (\HasNoChildren) "/" "Work/Old/Older"
			S: 2 OK LIST completed
			C: 3 LIST "" %
			S: * LIST (\HasNoChildren) "/" "INBOX"
			S: * LIST (\HasChildren) "/" "Work"
			S: 3 OK LIST completed
			C: 4 LIST Work/ %
			S: * LIST (\HasChildren) "/" "Work/Old"
			S: 4 OK LIST completed
			C: 5 LIST "" inb*
			S: * LIST (\HasNoChildren) "/" "INBOX"
			S: 5 OK LIST completed
			C: 6 LIST "" ""
			S: * LIST (\Noselect) "/" ""
			S: 6 OK LIST completed
			C: 7 DELETE Work/Old
			S: 7 OK DELETE completed
			C: 8 LIST "" W*
			S: * LIST (\HasChildren) "/" "Work"
			S: * LIST (\Noselect \HasChildren) "/" "Work/Old"
			S: * LIST (\HasNoChildren) "/" "Work/Old/Older"
			S: 8 OK LIST completed
			C: 9 SELECT Work/Old
			S: 9 NO [NONEXISTENT] no such mailbox
			C: 10 DELETE Work/Old
			S: 10 NO [INUSE] there are mailboxes below it
			C: 11 DELETE INBOX
			S: 11 NO [CANNOT] INBOX cannot be deleted
			C: 12 CREATE inbox
			S: 12 NO [ALREADYEXISTS] the mailbox exists
			C: 13 DELETE none
			S: 13 NO [NONEXISTENT] no such mailbox`},
		{"without CHILDREN", []string{"CHILDREN"}, `
			C: 1 LIST "" *
			S: * LIST () "/" "INBOX"
			S: 1 OK LIST completed`},
		{"rename", nil, `
			C: 1 CREATE a/b
			S: 1 OK …
			C: 2 RENAME a c/d
			S: 2 OK RENAME completed
			C: 3 LIST "" *
			S: * LIST (\HasNoChildren) "/" "INBOX"
			S: * LIST (\HasChildren) "/" "c"
			S: * LIST (\HasChildren) "/" "c/d"
			S: * LIST (\HasNoChildren) "/" "c/d/b"
			S: 3 OK LIST completed
			C: 4 APPEND INBOX {4+}
			C: mail
			S: 4 OK [APPENDUID 3857529045 1] appended
			C: 5 RENAME INBOX e
			S: 5 OK RENAME completed
			C: 6 STATUS INBOX (MESSAGES UIDNEXT)
			S: * STATUS "INBOX" (MESSAGES 0 UIDNEXT 2)
			S: 6 OK STATUS completed
			C: 7 STATUS e (MESSAGES UIDNEXT)
			S: * STATUS "e" (MESSAGES 1 UIDNEXT 2)
			S: 7 OK STATUS completed
			C: 8 RENAME e c
			S: 8 NO [ALREADYEXISTS] …
			C: 9 RENAME c c/x
			S: 9 NO [CANNOT] …`},
		{"a new mailbox of an old name has another UIDVALIDITY", nil, `
			C: 1 CREATE a
			S: 1 OK …
			C: 2 STATUS a (UIDVALIDITY)
			S: * STATUS "a" (UIDVALIDITY 3857529046)
			S: 2 OK STATUS completed
			C: 3 DELETE a
			S: 3 OK DELETE completed
			C: 4 CREATE a/
			S: 4 OK …
			C: 5 STATUS a (UIDVALIDITY)
			S: * STATUS "a" (UIDVALIDITY 3857529047)
			S: 5 OK STATUS completed`},
		{"subscriptions", nil, `
			C: 1 CREATE a
			S: 1 OK …
			C: 2 SUBSCRIBE a
			S: 2 OK SUBSCRIBE completed
			C: 3 LSUB "" *
			S: * LSUB () "/" "INBOX"
			S: * LSUB () "/" "a"
			S: 3 OK LSUB completed
			C: 4 DELETE a
			S: 4 OK DELETE completed
			C: 5 LIST (SUBSCRIBED) "" *
			S: * LIST (\HasNoChildren \Subscribed) "/" "INBOX"
			S: * LIST (\NonExistent \Subscribed) "/" "a"
			S: 5 OK LIST completed
			C: 6 UNSUBSCRIBE a
			S: 6 OK UNSUBSCRIBE completed
			C: 7 LIST "" * RETURN (SUBSCRIBED)
			S: * LIST (\HasNoChildren \Subscribed) "/" "INBOX"
			S: 7 OK LIST completed
			C: 8 SUBSCRIBE b
			S: 8 NO [NONEXISTENT] no such mailbox`},
		{"special use and status", nil, `
			C: 1 CREATE Sent (USE (\Sent))
			S: 1 OK …
			C: 2 CREATE x (USE (\Own))
			S: 2 NO [USEATTR] no such use
			C: 3 LIST (SPECIAL-USE) "" ("S*" "T*") RETURN (STATUS (MESSAGES SIZE))
			S: * LIST (\HasNoChildren \Sent) "/" "Sent"
			S: * STATUS "Sent" (MESSAGES 0 SIZE 0)
			S: 3 OK LIST completed
			C: 4 LIST "" * RETURN (MYRIGHTS)
			S: 4 BAD no return option "MYRIGHTS" here`},
		{"without the extensions", []string{"LIST-EXTENDED", "SPECIAL-USE", "STATUS=SIZE", "CONDSTORE"}, `
			C: 1 LIST "" * RETURN (CHILDREN)
			S: 1 BAD …
			C: 2 STATUS INBOX (SIZE)
			S: 2 BAD no status item "SIZE" here
			C: 3 STATUS INBOX (HIGHESTMODSEQ)
			S: 3 BAD …`},
		{"names beyond ASCII", nil, `
			C: 1 CREATE "Entw&APw-rfe & mehr"
			S: 1 BAD the mailbox name "Entw&APw-rfe & mehr" is not modified UTF-7
			C: 2 CREATE "Entw&APw-rfe &- mehr"
			S: 2 OK …
			C: 3 LIST "" E%
			S: * LIST (\HasNoChildren) "/" "Entw&APw-rfe &- mehr"
			S: 3 OK LIST completed
			C: 4 ENABLE UTF8=ACCEPT X
			S: * ENABLED UTF8=ACCEPT
			S: 4 OK ENABLE completed
			C: 5 LIST "" "Entwürfe*"
			S: * LIST (\HasNoChildren) "/" {16}
			S: Entwürfe & mehr
			S: 5 OK LIST completed`},
		{"status", nil, `
			C: 1 APPEND INBOX (\Deleted) {4+}
			C: mail
			S: 1 OK …
			C: 2 STATUS inbox (MESSAGES RECENT UNSEEN UIDNEXT UIDVALIDITY DELETED SIZE MAILBOXID APPENDLIMIT)
			S: * STATUS "INBOX" (MESSAGES 1 RECENT 1 UNSEEN 1 UIDNEXT 2 UIDVALIDITY 3857529045 DELETED 1 SIZE 4 MAILBOXID (Fe5ed38d5) APPENDLIMIT 67108864)
			S: 2 OK STATUS completed
			C: 3 NAMESPACE
			S: * NAMESPACE (("" "/")) NIL NIL
			S: 3 OK NAMESPACE completed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			talk(t, start(t, 0, &fakemail.Options{Without: tt.without}), login+tt.script, nil)
		})
	}
}

// \Recent belongs to the first session that selects, and to none that only
// examines.
func TestRecent(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 2)
	talk(t, m, of("1", login)+of("2", login)+`
		C1: 1 EXAMINE INBOX
		S1: * FLAGS …
		S1: * OK [PERMANENTFLAGS ()] …
		S1: * 2 EXISTS
		S1: * 2 RECENT
		S1: * OK [UNSEEN 1] …
		S1: * OK [UIDVALIDITY 3857529045] …
		S1: * OK [UIDNEXT 3] …
		S1: * OK [HIGHESTMODSEQ 3] …
		S1: * OK [MAILBOXID (Fe5ed38d5)] …
		S1: 1 OK [READ-ONLY] selected
		C2: 1 SELECT INBOX
		S2: * FLAGS …
		S2: * OK [PERMANENTFLAGS …
		S2: * 2 EXISTS
		S2: * 2 RECENT
		S2: * OK [UNSEEN 1] …
		S2: * OK [UIDVALIDITY 3857529045] …
		S2: * OK [UIDNEXT 3] …
		S2: * OK [HIGHESTMODSEQ 3] …
		S2: * OK [MAILBOXID (Fe5ed38d5)] …
		S2: 1 OK [READ-WRITE] selected
		C2: 2 FETCH 1 FLAGS
		S2: * 1 FETCH (FLAGS (\Recent))
		S2: 2 OK FETCH completed
		C1: 2 SELECT INBOX
		S1: * OK [CLOSED] …
		S1: * FLAGS …
		S1: * OK [PERMANENTFLAGS …
		S1: * 2 EXISTS
		S1: * 0 RECENT
		S1: * OK [UNSEEN 1] …
		S1: * OK [UIDVALIDITY 3857529045] …
		S1: * OK [UIDNEXT 3] …
		S1: * OK [HIGHESTMODSEQ 3] …
		S1: * OK [MAILBOXID (Fe5ed38d5)] …
		S1: 2 OK [READ-WRITE] selected
		C1: 3 SELECT none
		S1: * OK [CLOSED] …
		S1: 3 NO [NONEXISTENT] …
		C1: 4 FETCH 1 FLAGS
		S1: 4 BAD no mailbox is selected`, nil)
}

func TestRev2(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 2)
	talk(t, m, login+`
		C: 1 ENABLE imap4rev2
		S: * ENABLED IMAP4REV2
		S: 1 OK ENABLE completed
		C: 2 SELECT INBOX
		S: * FLAGS …
		S: * OK [PERMANENTFLAGS …
		S: * 2 EXISTS
		S: * OK [UIDVALIDITY 3857529045] …
		S: * OK [UIDNEXT 3] …
		S: * OK [HIGHESTMODSEQ 3] …
		S: * OK [MAILBOXID …
		S: * LIST (\HasNoChildren) "/" "INBOX"
		S: 2 OK [READ-WRITE] selected
		C: 3 SEARCH UNSEEN
		S: * ESEARCH (TAG "3") ALL 1:2
		S: 3 OK SEARCH completed
		do: deliver
		C: 4 NOOP
		S: * 3 EXISTS
		S: 4 OK NOOP completed
		C: 5 CREATE "Entwürfe"
		S: 5 OK …
		C: 6 LIST "" E*
		S: * LIST (\HasNoChildren) "/" {9}
		S: Entwürfe
		S: 6 OK LIST completed`, map[string]func(){"deliver": func() { m.mails(t, 1) }})
}

// Who has a mailbox selected that another deletes is told BYE.
func TestDeleteSelected(t *testing.T) {
	talk(t, start(t, 0, nil), of("1", login)+of("2", login)+`
		C1: 1 CREATE a
		S1: 1 OK …
		C1: 2 EXAMINE a
		S1: * FLAGS …
		S1: * OK [PERMANENTFLAGS …
		S1: * 0 EXISTS
		S1: * 0 RECENT
		S1: * OK [UIDVALIDITY …
		S1: * OK [UIDNEXT 1] …
		S1: * OK [HIGHESTMODSEQ 1] …
		S1: * OK [MAILBOXID …
		S1: 2 OK [READ-ONLY] selected
		C2: 1 DELETE a
		S2: 1 OK DELETE completed
		C1: 3 UID FETCH 1:* FLAGS
		S1: * BYE the mailbox is no more, or has been renumbered
		S1: END`, nil)
}
