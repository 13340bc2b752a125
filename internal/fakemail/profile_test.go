package fakemail_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/internal/fakemail"
)

const gmailLogin = `
	C: l LOGIN joe secret
	S: * CAPABILITY …
	S: l OK …`

func gmailSelect(tag, name string, n int) string {
	unseen := ""
	if n > 0 {
		unseen = "\n\tS: * OK [UNSEEN …"
	}
	return fmt.Sprintf(`
	C: %s SELECT %q
	S: * FLAGS …
	S: * OK [PERMANENTFLAGS …
	S: * %d EXISTS
	S: * … RECENT%s
	S: * OK [UIDVALIDITY …
	S: * OK [UIDNEXT …
	S: * OK [HIGHESTMODSEQ …
	S: %[1]s OK …`, tag, name, n, unseen)
}

func TestGmail(t *testing.T) {
	const closed = "\n\tS: * OK [CLOSED] …"
	reselect := func(tag, name string, n int) string {
		lines := strings.SplitN(gmailSelect(tag, name, n), "\n", 3)
		return "\n" + lines[1] + closed + "\n" + lines[2]
	}
	for _, tt := range []struct{ name, script string }{
		{"mailboxes", `
			C: 1 LIST "" *
			S: * LIST (\HasNoChildren) "/" "INBOX"
			S: * LIST (\Noselect \HasChildren) "/" "[Gmail]"
			S: * LIST (\HasNoChildren \All) "/" "[Gmail]/All Mail"
			S: * LIST (\HasNoChildren \Drafts) "/" "[Gmail]/Drafts"
			S: * LIST (\HasNoChildren \Important) "/" "[Gmail]/Important"
			S: * LIST (\HasNoChildren \Sent) "/" "[Gmail]/Sent Mail"
			S: * LIST (\HasNoChildren \Junk) "/" "[Gmail]/Spam"
			S: * LIST (\HasNoChildren \Flagged) "/" "[Gmail]/Starred"
			S: * LIST (\HasNoChildren \Trash) "/" "[Gmail]/Trash"
			S: 1 OK LIST completed
			C: 2 DELETE [Gmail]/Trash
			S: 2 NO [CANNOT] …`},
		{"one message, two mailboxes", gmailSelect("1", "INBOX", 2) + `
			C: 2 FETCH 1 (X-GM-MSGID X-GM-THRID X-GM-LABELS)
			S: * 1 FETCH (X-GM-MSGID 1278455344230334865 X-GM-THRID 1278455344230334865 X-GM-LABELS ())
			S: 2 OK FETCH completed
			C: 3 STORE 1 +FLAGS.SILENT (\Seen)
			S: 3 OK STORE completed` + reselect("4", "[Gmail]/All Mail", 2) + `
			C: 5 FETCH 1 (FLAGS X-GM-MSGID X-GM-LABELS)
			S: * 1 FETCH (FLAGS (\Recent \Seen) X-GM-MSGID 1278455344230334865 X-GM-LABELS ("\\Inbox"))
			S: 5 OK FETCH completed`},
		{"what is deleted in INBOX stays in All Mail", gmailSelect("1", "INBOX", 2) + `
			C: 2 UID STORE 1 +FLAGS (\Deleted)
			S: * 1 FETCH (UID 1 FLAGS (\Recent))
			S: * 1 EXPUNGE
			S: 2 OK UID STORE completed
			C: 3 UID EXPUNGE 1
			S: 3 OK UID EXPUNGE completed` + reselect("4", "[Gmail]/All Mail", 2) + `
			C: 5 FETCH 1 X-GM-LABELS
			S: * 1 FETCH (X-GM-LABELS ())
			S: 5 OK FETCH completed
			C: 6 STORE 1 +FLAGS.SILENT (\Deleted)
			S: 6 OK STORE completed
			C: 7 EXPUNGE
			S: 7 OK EXPUNGE completed
			C: 8 STATUS "[Gmail]/All Mail" (MESSAGES)
			S: * STATUS "[Gmail]/All Mail" (MESSAGES 2)
			S: 8 OK STATUS completed`},
		{"what is moved to Trash is nowhere else", gmailSelect("1", "INBOX", 2) + `
			C: 2 MOVE 1 [Gmail]/Trash
			S: * OK [COPYUID … 1 1] moved
			S: * 1 EXPUNGE
			S: 2 OK MOVE completed` + reselect("3", "[Gmail]/All Mail", 1) + reselect("4", "[Gmail]/Trash", 1) + `
			C: 5 COPY 1 INBOX
			S: * 1 EXPUNGE
			S: 5 OK [COPYUID … 1 3] copied
			C: 6 STATUS "[Gmail]/All Mail" (MESSAGES)
			S: * STATUS "[Gmail]/All Mail" (MESSAGES 2)
			S: 6 OK STATUS completed
			C: 7 STATUS "[Gmail]/Trash" (MESSAGES)
			S: * STATUS "[Gmail]/Trash" (MESSAGES 0)
			S: 7 OK STATUS completed`},
		{"what is expunged from Trash is gone", gmailSelect("1", "INBOX", 2) + `
			C: 2 COPY 2 [Gmail]/Trash
			S: * 2 EXPUNGE
			S: 2 OK …` + reselect("4", "[Gmail]/Trash", 1) + `
			C: 5 STORE 1 +FLAGS.SILENT (\Deleted)
			S: 5 OK STORE completed
			C: 6 NOOP
			S: * 1 EXPUNGE
			S: 6 OK NOOP completed
			C: 7 STATUS "[Gmail]/All Mail" (MESSAGES)
			S: * STATUS "[Gmail]/All Mail" (MESSAGES 1)
			S: 7 OK STATUS completed`},
		{"labels", `
			C: 0 CREATE Work
			S: 0 OK CREATE completed` + gmailSelect("1", "INBOX", 2) + `
			C: 2 COPY 1 Work
			S: 2 OK [COPYUID … 1 1] copied
			C: 3 COPY 1 Work
			S: 3 OK [COPYUID … 1 1] copied
			C: 4 FETCH 1 X-GM-LABELS
			S: * 1 FETCH (X-GM-LABELS ("Work"))
			S: 4 OK FETCH completed
			C: 5 STORE 1 +X-GM-LABELS ("Très bien" \Starred)
			S: 5 BAD the mailbox name …
			C: 6 STORE 1 +X-GM-LABELS ("Tr&AOg-s bien" \Starred)
			S: * 1 FETCH (X-GM-LABELS ("Tr&AOg-s bien" "Work" "\\Starred"))
			S: 6 OK STORE completed
			C: 7 SEARCH X-GM-LABELS work
			S: * SEARCH 1
			S: 7 OK SEARCH completed
			C: 8 SEARCH FLAGGED
			S: * SEARCH 1
			S: 8 OK SEARCH completed
			C: 9 STORE 1 -X-GM-LABELS (Work \Starred)
			S: * 1 FETCH (X-GM-LABELS ("Tr&AOg-s bien"))
			S: 9 OK STORE completed
			C: 10 STORE 1 -X-GM-LABELS \Inbox
			S: * 1 FETCH (X-GM-LABELS ("Tr&AOg-s bien"))
			S: 10 OK STORE completed
			C: 11 NOOP
			S: * 1 EXPUNGE
			S: 11 OK NOOP completed
			C: 12 SEARCH X-GM-MSGID 1278455344230334866
			S: * SEARCH 1
			S: 12 OK SEARCH completed
			C: 13 SEARCH X-GM-RAW "number subject"
			S: * SEARCH 1
			S: 13 OK SEARCH completed`},
		{"COPYUID pairs what was there with what is new", `
			C: 0 CREATE Work
			S: 0 OK CREATE completed` + gmailSelect("1", "INBOX", 2) + `
			C: 2 COPY 2 Work
			S: 2 OK [COPYUID … 2 1] copied
			C: 3 COPY 1:2 Work
			S: 3 OK [COPYUID … 1:2 2,1] copied`},
		{"stars", gmailSelect("1", "INBOX", 2) + `
			C: 2 STORE 1:2 +FLAGS.SILENT (\Flagged)
			S: 2 OK STORE completed
			C: 3 STORE 1 -FLAGS.SILENT (\Flagged)
			S: 3 OK STORE completed` + reselect("4", "[Gmail]/Starred", 1) + `
			C: 5 FETCH 1 (FLAGS X-GM-MSGID)
			S: * 1 FETCH (FLAGS (\Recent \Flagged) X-GM-MSGID 1278455344230334866)
			S: 5 OK FETCH completed
			C: 6 STORE 1 -FLAGS.SILENT (\Flagged)
			S: 6 OK STORE completed
			C: 7 NOOP
			S: * 1 EXPUNGE
			S: 7 OK NOOP completed`},
		{"no QRESYNC", `
			C: 1 ENABLE QRESYNC
			S: * ENABLED
			S: 1 OK ENABLE completed`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := start(t, fakemail.Gmail, nil)
			m.mails(t, 2)
			talk(t, m, gmailLogin+tt.script, nil)
		})
	}
}

// Replies share the thread of what they answer.
func TestThreads(t *testing.T) {
	m := start(t, fakemail.Gmail, nil)
	m.put(t, "INBOX", "Message-ID: <1@x>\r\n\r\n")
	m.put(t, "INBOX", "Message-ID: <2@x>\r\nReferences: <0@x> <1@x>\r\n\r\n")
	m.put(t, "INBOX", "Message-ID: <3@x>\r\nIn-Reply-To: <2@x>\r\n\r\n")
	m.put(t, "INBOX", "Message-ID: <4@x>\r\n\r\n")
	talk(t, m, gmailLogin+gmailSelect("1", "INBOX", 4)+`
		C: 2 SEARCH X-GM-THRID 1278455344230334865
		S: * SEARCH 1 2 3
		S: 2 OK SEARCH completed`, nil)
}

func TestGmailPOP3(t *testing.T) {
	m := start(t, fakemail.Gmail, nil)
	m.mails(t, 255)
	uids := func(name string) (all []string) {
		d, refusal := m.Open(name, "secret")
		if d == nil {
			t.Fatal(refusal)
		}
		for _, msg := range d.Messages() {
			all = append(all, msg.UID)
		}
		return all
	}
	first := uids("joe")
	if len(first) != 250 || first[0] != "GmailId11bdfc5cae0c8191" {
		t.Fatalf("%d messages, %q the first, want 250", len(first), first[0])
	}
	d, _ := m.Open("joe", "secret")
	d.Update(d.Messages()[:1], d.Messages()[1:10]) // one deleted, nine retrieved
	second := uids("joe")
	if len(second) != 245 || second[0] != first[10] {
		t.Errorf("%d messages, %q the first, want 245 and %q", len(second), second[0], first[10])
	}
	if recent := uids("recent:joe"); len(recent) != 255 || !slices.Equal(recent[:250], first) {
		t.Errorf("%d messages with recent:, want 255", len(recent))
	}
	if held, err := m.Messages("joe", "INBOX"); err != nil || len(held) != 255 {
		t.Errorf("%d messages in the INBOX, %v, want 255", len(held), err)
	}
}

func TestExchange(t *testing.T) {
	m := start(t, fakemail.Exchange, nil)
	m.put(t, "INBOX", "Subject: a mail of some length\r\n\r\n")
	talk(t, m, login+`
		C: 1 SELECT INBOX
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $MDNSent)
		S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $MDNSent)] …
		S: * 1 EXISTS
		S: * 1 RECENT
		S: * OK [UNSEEN 1] …
		S: * OK [UIDVALIDITY 3857529045] …
		S: * OK [UIDNEXT 2] …
		S: 1 OK [READ-WRITE] selected
		C: 2 FETCH 1 RFC822.SIZE
		S: * 1 FETCH (RFC822.SIZE 5)
		S: 2 OK FETCH completed
		C: 3 STORE 1 +FLAGS ($Junk $mdnsent \Seen)
		S: * 1 FETCH (FLAGS (\Recent $mdnsent \Seen))
		S: 3 OK STORE completed
		C: 4 UID MOVE 7 INBOX
		S: * OK [COPYUID 3857529045  ] moved
		S: 4 OK UID MOVE completed
		C: 5 UID SEARCH RETURN (ALL) ALL
		S: 5 BAD …
		C: 6 ENABLE CONDSTORE
		S: 6 BAD unknown command`, nil)
}
