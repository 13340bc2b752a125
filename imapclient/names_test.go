package imapclient_test

import (
	"bufio"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/postbag/imapclient"
)

// Every command that names a mailbox writes the name as the server has it.
func TestNames(t *testing.T) {
	for _, tt := range []struct{ name, listed, sent string }{
		{"Sent", "Sent", `"Sent"`},
		{"inbox", "inbox", "INBOX"},
		{"a b", `"a b"`, `"a b"`},
		{`a"b\c`, `"a\"b\\c"`, `"a\"b\\c"`},
		{"R&D", `"R&-D"`, `"R&-D"`},
		{"Entwürfe", `"Entw&APw-rfe"`, `"Entw&APw-rfe"`},
		{"😀 ü", `"&2D3eAA- &APw-"`, `"&2D3eAA- &APw-"`},
		// Names that are in no modified UTF-7, and go back as they came.
		{"R&D", `"R&D"`, `"R&D"`},
		{"Entwürfe", `"Entwürfe"`, `"Entwürfe"`},
		{"&bad-", `"&bad-"`, `"&bad-"`},
		{"a\tb", "a\tb", "\"a\tb\""},
		{"Entw\ufffdrfe", "\"Entw\xfcrfe\"", "\"Entw\xfcrfe\""},
		{"Folder\\Sub 1", `Folder\Sub 1`, `"Folder\\Sub 1"`},
		{`ab"cd`, `"ab"cd"`, `"ab\"cd"`},
		{"[Gmail]/Starred", "[Gmail]/Starred", `"[Gmail]/Starred"`},
		{"NIL", "NIL", `"NIL"`},
		{"200", "200", `"200"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			other := strings.Replace(tt.sent, "INBOX", `"inbox"`, 1) // where go-imap has no part
			c := authed(t, "UIDPLUS QUOTA LITERAL+ MOVE UNSELECT", lines(
				`C: a1 LIST "" "*"`, `S: * LIST () "/" `+tt.listed, "S: a1 OK",
				"C: a2 CREATE "+tt.sent, "S: a2 OK",
				"C: a3 DELETE "+tt.sent, "S: a3 OK",
				"C: a4 RENAME "+tt.sent+` "x"`, "S: a4 OK",
				`C: a5 RENAME "x" `+tt.sent, "S: a5 OK",
				"C: a6 SUBSCRIBE "+tt.sent, "S: a6 OK",
				"C: a7 UNSUBSCRIBE "+tt.sent, "S: a7 OK",
				"C: a8 GETQUOTAROOT "+tt.sent, "S: a8 OK",
				"C: a9 STATUS "+other+" (MESSAGES)", "S: * STATUS "+tt.sent+" (MESSAGES 3)", "S: a9 OK",
				"C: b1 APPEND "+other+" {2+}", "C64: aGk=", "C: ", "S: b1 OK",
				"C: b2 SELECT "+tt.sent, "S: * 1 EXISTS", "S: b2 OK",
				"C: b3 UID COPY 1 "+tt.sent, "S: b3 OK",
				"C: b4 UID MOVE 1 "+other, "S: b4 OK"))
			list, err := c.Mailboxes(t.Context(), "")
			if err != nil || len(list) != 1 || list[0].Name != tt.name {
				t.Fatalf("Mailboxes = %+v, %v", list, err)
			}
			_, err = c.CreateMailbox(t.Context(), tt.name)
			wants(t, "CreateMailbox", err, nil)
			wants(t, "DeleteMailbox", c.DeleteMailbox(t.Context(), tt.name), nil)
			wants(t, "RenameMailbox", c.RenameMailbox(t.Context(), tt.name, "x"), nil)
			wants(t, "RenameMailbox", c.RenameMailbox(t.Context(), "x", tt.name), nil)
			wants(t, "Subscribe", c.Subscribe(t.Context(), tt.name), nil)
			wants(t, "Unsubscribe", c.Unsubscribe(t.Context(), tt.name), nil)
			_, err = c.Quota(t.Context(), tt.name)
			wants(t, "Quota", err, nil)
			s, err := c.Status(t.Context(), tt.name, imapclient.StatusMessages)
			if err != nil || s.Messages != 3 {
				t.Errorf("Status = %+v, %v", s, err)
			}
			_, err = c.Append(t.Context(), tt.name, strings.NewReader("hi"), 2, nil)
			wants(t, "Append", err, nil)
			_, err = c.Select(t.Context(), tt.name)
			wants(t, "Select", err, nil)
			_, err = c.Copy(t.Context(), imapclient.UIDs(1), tt.name)
			wants(t, "Copy", err, nil)
			_, err = c.Move(t.Context(), imapclient.UIDs(1), tt.name, nil)
			wants(t, "Move", err, nil)
		})
	}
}

// The two names of a RENAME may both be odd.
func TestRenameOddNames(t *testing.T) {
	c := authed(t, "", lines(`C: a1 LIST "" "*"`, `S: * LIST () "/" "R&D"`, `S: * LIST () "/" "S&M"`, "S: a1 OK",
		`C: a2 RENAME "R&D" "S&M"`, "S: a2 OK", `C: a3 LIST "" "R&D"`, "S: a3 OK"))
	_, err := c.Mailboxes(t.Context(), "")
	wants(t, "Mailboxes", err, nil)
	wants(t, "RenameMailbox", c.RenameMailbox(t.Context(), "R&D", "S&M"), nil)
	_, err = c.Mailboxes(t.Context(), "R&D")
	wants(t, "Mailboxes", err, nil)
}

// After ENABLE UTF8=ACCEPT everything is UTF-8, and "&" only itself.
func TestNamesInUTF8(t *testing.T) {
	c := authed(t, "ENABLE UTF8=ACCEPT", lines("C: a1 ENABLE UTF8=ACCEPT", "S: * ENABLED UTF8=ACCEPT", "S: a1 OK",
		`C: a2 LIST "" "Entwürfe*"`, `S: * LIST () "/" "Entwürfe & Co"`, `S: * LIST () "/" "&APw-"`, "S: a2 OK",
		`C: a3 EXAMINE "Entwürfe & Co"`, "S: * 1 EXISTS", "S: a3 OK",
		`C: a4 UID SEARCH SUBJECT "Grüße"`, "S: * SEARCH 1", "S: a4 OK"))
	_, err := c.Enable(t.Context(), "utf8=accept")
	wants(t, "Enable", err, nil)
	list, err := c.Mailboxes(t.Context(), "Entwürfe*")
	if err != nil || len(list) != 2 || list[0].Name != "Entwürfe & Co" || list[1].Name != "&APw-" {
		t.Errorf("Mailboxes = %+v, %v", list, err)
	}
	_, err = c.Examine(t.Context(), "Entwürfe & Co")
	wants(t, "Examine", err, nil)
	_, err = c.Search(t.Context(), &imapclient.Query{Subject: "Grüße"}, nil)
	wants(t, "Search", err, nil)

	c = authed(t, "ENABLE UTF8=ACCEPT", lines("C: a1 ENABLE UTF8=ACCEPT", "S: * ENABLED", "S: a1 OK", `C: a2 CREATE "&APw-"`, "S: a2 OK"))
	_, err = c.Enable(t.Context(), "UTF8=ACCEPT")
	wants(t, "Enable", err, nil)
	_, err = c.CreateMailbox(t.Context(), "ü")
	wants(t, "CreateMailbox", err, nil)
}

// Names that cannot be sent are refused, and nothing is written.
func TestBadNames(t *testing.T) {
	c := selected(t, "UIDPLUS QUOTA MOVE", "")
	before := c.Stats().Out
	for _, name := range []string{"", "a\r\nb1 DELETE INBOX", "a\nb", "a\rb", "a\x00b", "a\xffb", strings.Repeat("x", 1025)} {
		for what, do := range map[string]func(string) error{
			"Select":        func(s string) error { _, err := c.Select(t.Context(), s); return err },
			"Status":        func(s string) error { _, err := c.Status(t.Context(), s, 0); return err },
			"CreateMailbox": func(s string) error { _, err := c.CreateMailbox(t.Context(), s); return err },
			"DeleteMailbox": func(s string) error { return c.DeleteMailbox(t.Context(), s) },
			"RenameMailbox": func(s string) error { return c.RenameMailbox(t.Context(), s, "x") },
			"rename to":     func(s string) error { return c.RenameMailbox(t.Context(), "x", s) },
			"Subscribe":     func(s string) error { return c.Subscribe(t.Context(), s) },
			"Unsubscribe":   func(s string) error { return c.Unsubscribe(t.Context(), s) },
			"Quota":         func(s string) error { _, err := c.Quota(t.Context(), s); return err },
			"SetQuota": func(s string) error {
				if s == "" {
					return errors.New("is a quota root")
				}
				_, err := c.SetQuota(t.Context(), s, nil)
				return err
			},
			"Append": func(s string) error { _, err := c.Append(t.Context(), s, strings.NewReader("x"), 1, nil); return err },
			"Copy":   func(s string) error { _, err := c.Copy(t.Context(), imapclient.UIDs(1), s); return err },
			"Move":   func(s string) error { _, err := c.Move(t.Context(), imapclient.UIDs(1), s, nil); return err },
			"List": func(s string) error {
				if s == "" {
					return errors.New("stands for *")
				}
				_, err := c.List(t.Context(), &imapclient.ListOptions{Pattern: s})
				return err
			},
		} {
			if err := do(name); err == nil {
				t.Errorf("%s(%q) is no error", what, name)
			}
		}
	}
	if c.Stats().Out != before || c.Err() != nil {
		t.Errorf("%d octets were written; %v", c.Stats().Out-before, c.Err())
	}
}

// FuzzNames: a name that is listed as go-imap writes it is the name.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"INBOX", "R&D", "Entwürfe", "&APw-", "😀&-", "a\tb", "日本語/台北", "\u007f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || len(name) > 1024 || !utf8.ValidString(name) || strings.ContainsAny(name, "\r\n\x00\ufffd") {
			t.Skip()
		}
		var wire string
		c, err := newScripted(t, func(line string) []string {
			tag, rest, _ := strings.Cut(line, " ")
			switch command, arg, _ := strings.Cut(rest, " "); command {
			case "CREATE":
				wire = arg
			case "LIST":
				return []string{`* LIST () "/" ` + wire, tag + " OK"}
			}
			return []string{tag + " OK"}
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.CreateMailbox(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(strings.NewReader(wire)).ReadString('\n'); err == nil {
			t.Fatalf("%q is sent as %q", name, line)
		}
		list, err := c.Mailboxes(t.Context(), "")
		if err != nil || len(list) != 1 || list[0].Name != name && !strings.EqualFold(name, "INBOX") {
			t.Fatalf("%q, sent as %s, is listed as %+v, %v", name, wire, list, err)
		}
	})
}
