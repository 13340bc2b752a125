package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// show is a list of mailboxes in a line.
func show(list []imapclient.ListedMailbox) string {
	var l []string
	for _, m := range list {
		s := m.Name + "[" + strings.Join(m.Attributes, " ") + "]"
		if m.Status != nil {
			s += fmt.Sprint(m.Status.Messages)
		}
		l = append(l, s)
	}
	return strings.Join(l, ", ")
}

func TestList(t *testing.T) {
	const extended = "LIST-EXTENDED SPECIAL-USE LIST-STATUS STATUS=SIZE"
	for _, tt := range []struct {
		name, extensions string
		o                *imapclient.ListOptions
		script           []string
		want             string
	}{
		{"extended", extended, nil,
			[]string{`C: a1 LIST "" "*" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN)`, `S: * LIST (\Subscribed \Sent) "/" a (CHILDINFO (SUBSCRIBED))`, `S: * LIST (\NoSelect) "/" "b c" ("CHILDINFO" ("SUBSCRIBED"))`, "S: a1 OK"},
			`a[\Subscribed \Sent], b c[\NoSelect]`},
		{"IMAP4rev2", "IMAP4rev2", &imapclient.ListOptions{Pattern: "x/%", WithStatus: true, Status: imapclient.StatusMessages | imapclient.StatusSize},
			[]string{`C: a1 LIST "" "x/%" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN STATUS (MESSAGES SIZE))`, `S: * LIST () "/" x/a`, `S: * STATUS x/a (MESSAGES 3 SIZE 99)`, `S: * LIST () "/" x/b`, `S: * LIST () "/" iNbox`, `S: * STATUS INBOX (MESSAGES 4)`, "S: a1 OK"},
			"x/a[]3, x/b[], iNbox[]4"},
		{"selection", extended, &imapclient.ListOptions{Subscribed: true, SpecialUse: true},
			[]string{`C: a1 LIST (SUBSCRIBED SPECIAL-USE) "" "*" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN)`, `S: * LIST (\Subscribed \Sent) "/" a`, `S: * LIST (\Subscribed) "/" b`, "S: a1 OK"},
			`a[\Subscribed \Sent]`},
		{"plain", "", nil, []string{`C: a1 LIST "" "*"`, `S: * LIST (\Sent) "/" a`, "S: a1 OK"}, `a[\Sent]`},
		{"plain selection", "", &imapclient.ListOptions{Subscribed: true, SpecialUse: true},
			[]string{`C: a1 LIST "" "*"`, `S: * LIST (\Sent) "/" a`, `S: * LIST (\Sent) "/" b`, `S: * LIST () "/" c`, "S: a1 OK",
				`C: a2 LSUB "" "*"`, `S: * LSUB (\Noselect) "/" a`, `S: * LSUB () "/" c`, "S: a2 OK"},
			`a[\Sent \Subscribed]`},
		{"subscribed and gone; only what is below is subscribed", "", &imapclient.ListOptions{Pattern: "%", Subscribed: true},
			[]string{`C: a1 LIST "" "%"`, `S: * LIST () "/" a`, `S: * LIST () "/" b`, "S: a1 OK",
				`C: a2 LSUB "" "%"`, `S: * LSUB () "/" a`, `S: * LSUB (\Noselect) "/" b`, `S: * LSUB () "/" gone`, "S: a2 OK"},
			`a[\Subscribed], gone[\Subscribed \NonExistent]`},
		{"status without LIST-STATUS", "LIST-EXTENDED", &imapclient.ListOptions{WithStatus: true, Status: imapclient.StatusMessages},
			[]string{`C: a1 LIST "" "*" RETURN (SUBSCRIBED CHILDREN)`, `S: * LIST () "/" a`, `S: * LIST (\Noselect) "/" b`, `S: * LIST () "/" c`, `S: * LIST () "/" d`, "S: a1 OK",
				`C: a2 STATUS "a" (MESSAGES)`, `C: a3 STATUS "c" (MESSAGES)`, `C: a4 STATUS "d" (MESSAGES)`,
				"S: * STATUS a (MESSAGES 1)", "S: a2 OK", "S: a3 NO [NOPERM] not for you", "S: * STATUS d (MESSAGES 2)", "S: a4 OK"},
			"a[]1, b[\\Noselect], c[], d[]2"},
		{"status with an ID", extended + " OBJECTID", &imapclient.ListOptions{WithStatus: true, Status: imapclient.StatusMessages | imapclient.StatusMailboxID},
			[]string{`C: a1 LIST "" "*" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN STATUS (MESSAGES))`, `S: * LIST () "/" a`, "S: * STATUS a (MESSAGES 1)", "S: a1 OK",
				`C: a2 STATUS "a" (MAILBOXID)`, "S: * STATUS a (MAILBOXID (F1))", "S: a2 OK"},
			"a[]1"},
		// QUIRK: ProtonMail Bridge.
		{"extended is refused", extended, nil,
			[]string{`C: a1 LIST "" "*" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN)`, "S: a1 BAD what?", `C: a2 LIST "" "*"`, `S: * LIST () "/" a`, "S: a2 OK"}, "a[]"},
		// QUIRK: Strato.
		{"extended is empty", extended, &imapclient.ListOptions{Pattern: "INBOX", WithStatus: true, Status: imapclient.StatusMessages},
			[]string{`C: a1 LIST "" INBOX RETURN (SPECIAL-USE SUBSCRIBED CHILDREN STATUS (MESSAGES))`, "S: a1 OK", `C: a2 LIST "" INBOX`, `S: * LIST () "/" INBOX`, "S: a2 OK",
				`C: a3 STATUS INBOX (MESSAGES)`, "S: * STATUS INBOX (MESSAGES 5)", "S: a3 OK"}, "INBOX[]5"},
		{"oddities", "", nil,
			[]string{`C: a1 LIST "" "*"`, `S: * LIST (\HasNoChildren \ ) "." "Argos"`, `S: * LIST () "\\" Folder\Subfolder 1 `, `S: * LIST NIL "" x`, `S: * LIST`, `S: * LIST () "/"`, `S: * LIST () "/" "open`, `S: * LIST (a`, `S: * STATUS x`, `S: * STATUS x (`, "S: a1 OK"},
			`Argos[\HasNoChildren], Folder\Subfolder 1[], x[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := authed(t, tt.extensions, lines(tt.script...))
			list, err := c.List(t.Context(), tt.o)
			if err != nil || show(list) != tt.want {
				t.Errorf("List = %s, %v, want %s", show(list), err, tt.want)
			}
		})
	}
}

func TestListRefused(t *testing.T) {
	c := authed(t, "", lines(`C: a1 LIST "" "*"`, `S: * LIST () "/" a`, "S: a1 NO [SERVERBUG] sorry"))
	list, err := c.List(t.Context(), nil)
	if wants(t, "List", err, imapclient.ErrUnavailable); list != nil {
		t.Errorf("with an error there is %v", list)
	}
}

func TestStatus(t *testing.T) {
	const all = "STATUS=SIZE CONDSTORE APPENDLIMIT OBJECTID QUOTA=RES-MESSAGE"
	for _, tt := range []struct {
		name, extensions string
		items            imapclient.StatusItem
		script           []string
		want             imapclient.Status
	}{
		{"all that there is", "", 0, []string{`C: a1 STATUS "a b" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)`, `S: * STATUS "a b" (MESSAGES 3 UIDNEXT 5 UIDVALIDITY 7 UNSEEN 1)`, "S: a1 OK"},
			imapclient.Status{Name: "a b", Told: 0b1111, Messages: 3, UIDNext: 5, UIDValidity: 7, Unseen: 1}},
		{"extensions", all, 0, []string{`C: a1 STATUS "a b" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ APPENDLIMIT)`,
			`S: * STATUS "a b" (SIZE 5000000000 DELETED 2 HIGHESTMODSEQ 7011231777 APPENDLIMIT NIL)`, "S: a1 OK"},
			imapclient.Status{Name: "a b", Told: imapclient.StatusSize | imapclient.StatusDeleted | imapclient.StatusHighestModSeq | imapclient.StatusAppendLimit, Size: 5000000000, Deleted: 2, HighestModSeq: 7011231777, AppendLimit: -1}},
		{"an ID", all, imapclient.StatusMailboxID, []string{`C: a1 STATUS "a b" (MAILBOXID)`, `S: * STATUS "a b" (MAILBOXID (F2212ea87-6097_x))`, "S: a1 OK"},
			imapclient.Status{Name: "a b", Told: imapclient.StatusMailboxID, MailboxID: "F2212ea87-6097_x"}},
		// QUIRK: Cyrus 3.6.1 must be asked for that alone.
		{"an ID and more", all, imapclient.StatusMailboxID | imapclient.StatusUIDNext, []string{`C: a1 STATUS "a b" (UIDNEXT)`, `C: a2 STATUS "a b" (MAILBOXID)`,
			`S: * STATUS "a b" (UIDNEXT 9)`, "S: a1 OK", `S: * STATUS "a b" (MAILBOXID (x))`, "S: a2 OK"},
			imapclient.Status{Name: "a b", Told: imapclient.StatusMailboxID | imapclient.StatusUIDNext, UIDNext: 9, MailboxID: "x"}},
		{"a limit", all, imapclient.StatusAppendLimit, []string{`C: a1 STATUS "a b" (APPENDLIMIT)`, `S: * STATUS "a b" (APPENDLIMIT 0)`, "S: a1 OK"},
			imapclient.Status{Name: "a b", Told: imapclient.StatusAppendLimit}},
		{"what is not offered is not asked for", "", imapclient.StatusSize | imapclient.StatusUnseen, []string{`C: a1 STATUS "a b" (UNSEEN)`, `S: * STATUS "a b" (UNSEEN 0)`, "S: a1 OK"},
			imapclient.Status{Name: "a b", Told: imapclient.StatusUnseen}},
		{"nothing of it is offered", "", imapclient.StatusSize, []string{`C: a1 STATUS "a b" (MESSAGES)`, `S: * STATUS "a b" ()`, "S: a1 OK"},
			imapclient.Status{Name: "a b"}},
		// QUIRK: GNU Mailutils does not quote.
		{"not quoted", "", imapclient.StatusMessages, []string{`C: a1 STATUS "a b" (MESSAGES)`, `S: * STATUS a b (MESSAGES 2)`, "S: a1 OK"},
			imapclient.Status{Name: "a b", Told: imapclient.StatusMessages, Messages: 2}},
		{"another name", "", imapclient.StatusMessages, []string{`C: a1 STATUS "a b" (MESSAGES)`, `S: * STATUS "INBOX.a b" (MESSAGES 2)`, "S: a1 OK"},
			imapclient.Status{Name: "INBOX.a b", Told: imapclient.StatusMessages, Messages: 2}},
		{"among others", "", imapclient.StatusMessages, []string{`C: a1 STATUS "a b" (MESSAGES)`, `S: * STATUS x (MESSAGES 1)`, "S: * STATUS {3}", "S: a b (MESSAGES 2)", `S: * STATUS y (MESSAGES 3)`, "S: a1 OK"},
			imapclient.Status{Name: "a b", Told: imapclient.StatusMessages, Messages: 2}},
		{"values that are none", all, 0, []string{"C: a1 STATUS …", `S: * STATUS "a b" (MESSAGES -1 UIDNEXT NIL UIDVALIDITY 4294967296 UNSEEN (1 (2)) DELETED "3" SIZE x HIGHESTMODSEQ 99999999999999999999 X-NEW (a "b" {2}`, `S: xx) MESSAGES 4)`, "S: a1 OK"},
			imapclient.Status{Name: "a b", Told: imapclient.StatusDeleted | imapclient.StatusMessages, Messages: 4, Deleted: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := authed(t, tt.extensions, lines(tt.script...))
			s, err := c.Status(t.Context(), "a b", tt.items)
			if err != nil || *s != tt.want {
				t.Errorf("Status = %+v, %v, want %+v", s, err, tt.want)
			}
		})
	}
}

// Servers write INBOX as they like.
func TestStatusInbox(t *testing.T) {
	for _, pair := range [][2]string{{"inbox", "INBOX"}, {"INBOX", "Inbox"}, {"INBOX/a", "Inbox/a"}} {
		c := authed(t, "", lines("C: a1 STATUS …", "S: * STATUS other (MESSAGES 9)", "S: * STATUS "+pair[1]+" (MESSAGES 3)", "S: a1 OK"))
		if s, err := c.Status(t.Context(), pair[0], imapclient.StatusMessages); err != nil || s.Messages != 3 {
			t.Errorf("Status(%s), answered for %s, = %+v, %v", pair[0], pair[1], s, err)
		}
	}
}

func TestStatusErrors(t *testing.T) {
	c := authed(t, "OBJECTID", lines(`C: a1 STATUS "a" (MESSAGES)`, "S: a1 OK", `C: a2 STATUS "a" (MESSAGES)`, "S: a2 NO [NONEXISTENT] no",
		`C: a3 STATUS "a" (MESSAGES)`, `C: a4 STATUS "a" (MAILBOXID)`, "S: * STATUS a (MESSAGES 2)", "S: a3 OK", "S: a4 BAD what?", "C: a5 NOOP", "S: a5 OK"))
	if _, err := c.Status(t.Context(), "a", imapclient.StatusMessages); err == nil {
		t.Error("OK without an answer is no error")
	}
	_, err := c.Status(t.Context(), "a", imapclient.StatusMessages)
	wants(t, "Status", err, imapclient.ErrNoMailbox)
	_, err = c.Status(t.Context(), "a", imapclient.StatusMessages|imapclient.StatusMailboxID)
	if e := (*imapclient.Error)(nil); !errors.As(err, &e) || e.Status != "BAD" {
		t.Errorf("Status = %v, want BAD", err)
	}
	_, err = c.Noop(t.Context())
	wants(t, "Noop", err, nil)
}
