package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// TestFaults are faults that befall mailboxes, searches and changes, each with
// its number in the catalogue (tools.md section 9).
func TestFaults(t *testing.T) {
	deleted := []string{`\Deleted`}
	t.Run("F60 marked by others before", func(t *testing.T) {
		for extensions, script := range map[string][]string{
			"UIDPLUS": {"C: a1 UID STORE 1 +FLAGS.SILENT (\\Deleted)", "S: a1 OK", "C: a2 UID EXPUNGE 1", "S: a2 OK"},
			"":        {"C: a1 UID STORE 1 +FLAGS.SILENT (\\Deleted)", "S: a1 OK"},
		} {
			c := selected(t, extensions, lines(script...))
			wants(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, deleted, 1), nil)
			wants(t, "Expunge", c.Expunge(t.Context(), 1), map[string]error{"": errors.ErrUnsupported}[extensions])
		}
	})
	t.Run("F61 marked by others meanwhile", func(t *testing.T) {
		c := selected(t, "UIDPLUS", lines(`C: a1 UID COPY 1 "to"`, "S: * 2 FETCH (FLAGS (\\Deleted))", "S: a1 OK", "C: a2 UID STORE 1 +FLAGS.SILENT (\\Deleted)", "S: * 3 FETCH (FLAGS (\\Deleted))", "S: a2 OK", "C: a3 UID EXPUNGE 1", "S: * 1 EXPUNGE", "S: a3 OK"))
		_, err := c.Move(t.Context(), imapclient.UIDs(1), "to", nil)
		wants(t, "Move", err, nil)
	})
	t.Run("F63 F65 no EXPUNGE and no CLOSE", func(t *testing.T) {
		c := selected(t, "", lines("C: a1 EXAMINE INBOX", "S: * 4 EXISTS", "S: a1 OK [READ-ONLY]", "C: a2 CLOSE", "S: a2 OK"))
		_, err := c.Move(t.Context(), imapclient.UIDs(1), "to", nil)
		wants(t, "Move", err, errors.ErrUnsupported)
		wants(t, "Unselect", c.Unselect(t.Context()), nil)
		c = selected(t, "", lines("C: a1 EXAMINE INBOX", "S: a1 NO gone"))
		if err := c.Unselect(t.Context()); err == nil {
			t.Error("Unselect of a mailbox that cannot be examined is no error")
		}
		c = examined(t, lines("C: a1 CLOSE", "S: a1 OK"))
		wants(t, "Unselect", c.Unselect(t.Context()), nil)
	})
	t.Run("F64 UID EXPUNGE is refused", func(t *testing.T) {
		c := selected(t, "UIDPLUS", lines("C: a1 UID EXPUNGE 1", "S: a1 BAD what?", `C: a2 UID COPY 1 "to"`, "S: a2 OK", "C: a3 UID STORE 1 +FLAGS.SILENT (\\Deleted)", "S: a3 OK", "C: a4 UID EXPUNGE 1", "S: a4 BAD what?"))
		e := (*imapclient.Error)(nil)
		if err := c.Expunge(t.Context(), 1); !errors.As(err, &e) || e.Status != "BAD" {
			t.Errorf("Expunge = %v", err)
		}
		if _, err := c.Move(t.Context(), imapclient.UIDs(1), "to", &imapclient.MoveOptions{EmulateExpunge: true}); !errors.As(err, &e) || e.Status != "BAD" {
			t.Errorf("Move = %v", err)
		}
	})
	t.Run("F67 expunged by others meanwhile", func(t *testing.T) {
		c := selected(t, "ESEARCH", lines("C: a1 UID SEARCH RETURN (ALL) ALL", "S: * 1 EXPUNGE", `S: * ESEARCH (TAG "A1") UID ALL 7`, "S: * 1 EXPUNGE", "S: a1 OK", `C: a2 UID COPY 7 "to"`, "S: * 2 EXPUNGE", "S: a2 OK", "C: a3 NOOP", "S: a3 OK"))
		r, err := c.Search(t.Context(), nil, nil)
		if err != nil || r.UIDs.String() != "7" {
			t.Errorf("Search = %+v, %v", r, err)
		}
		_, err = c.Copy(t.Context(), imapclient.UIDs(7), "to")
		wants(t, "Copy", err, nil)
		if a, err := c.Noop(t.Context()); err != nil || a.Expunged != 3 || a.Messages != 1 {
			t.Errorf("Noop = %+v, %v", a, err)
		}
	})
	t.Run("F72 F73 not allowed", func(t *testing.T) {
		c := selected(t, "MOVE CONDSTORE", lines("C: a1 UID STORE 1 +FLAGS.SILENT (\\Seen)", "S: a1 NO [NOPERM] no", "C: a2 UID STORE 1 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen)", "S: a2 NO [READ-ONLY] no",
			`C: a3 UID MOVE 1 "to"`, "S: a3 NO [OVERQUOTA] no", `C: a4 CREATE "x"`, "S: a4 NO [CANNOT] no", `C: a5 DELETE "x"`, "S: a5 NO [INUSE] no"))
		_, unlessChanged := c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Seen`}, 1), error(nil)
		_, unlessChanged = c.SetFlagsUnlessChanged(t.Context(), 5, imapclient.AddFlags, []string{`\Seen`}, imapclient.UIDs(1))
		_, move := c.Move(t.Context(), imapclient.UIDs(1), "to", nil)
		_, create := c.CreateMailbox(t.Context(), "x")
		for code, err := range map[string]error{"READ-ONLY": unlessChanged, "OVERQUOTA": move, "CANNOT": create} {
			if e := (*imapclient.Error)(nil); !errors.As(err, &e) || e.Code != code || e.Status != "NO" {
				t.Errorf("%v, want %s", err, code)
			}
		}
		wants(t, "DeleteMailbox", c.DeleteMailbox(t.Context(), "x"), imapclient.ErrUnavailable)
	})
	t.Run("F80 made anew under the same name", func(t *testing.T) {
		c := authed(t, "OBJECTID", lines(`C: a1 STATUS "a" (UIDVALIDITY)`, `C: a2 STATUS "a" (MAILBOXID)`, "S: * STATUS a (UIDVALIDITY 7)", "S: a1 OK", "S: * STATUS a (MAILBOXID (F1))", "S: a2 OK",
			`C: a3 SELECT "a"`, "S: * 0 EXISTS", "S: * OK [UIDVALIDITY 7] same", "S: * OK [MAILBOXID (F2)] another", "S: a3 OK"))
		s, err := c.Status(t.Context(), "a", imapclient.StatusUIDValidity|imapclient.StatusMailboxID)
		wants(t, "Status", err, nil)
		box, err := c.Select(t.Context(), "a")
		if err != nil || box.UIDValidity != s.UIDValidity || box.ID == s.MailboxID {
			t.Errorf("%+v, %v, then %+v", s, err, box)
		}
	})
	t.Run("F82 listed and not there", func(t *testing.T) {
		c := authed(t, "", lines(`C: a1 LIST "" "*"`, `S: * LIST () "/" ghost`, `S: * LIST () "/" a`, "S: a1 OK", `C: a2 STATUS "ghost" (MESSAGES)`, `C: a3 STATUS "a" (MESSAGES)`, "S: a2 NO [NONEXISTENT] no", "S: * STATUS a (MESSAGES 1)", "S: a3 OK",
			`C: a4 SELECT "ghost"`, "S: a4 NO no"))
		list, err := c.List(t.Context(), &imapclient.ListOptions{WithStatus: true, Status: imapclient.StatusMessages})
		if err != nil || show(list) != "ghost[], a[]1" {
			t.Errorf("List = %s, %v", show(list), err)
		}
		_, err = c.Select(t.Context(), "ghost")
		wants(t, "Select", err, imapclient.ErrNoMailbox)
	})
	t.Run("F86 EXISTS that cannot be", func(t *testing.T) {
		c := selected(t, "", lines("C: a1 UID SEARCH ALL", "S: * 1000000000 EXISTS", "S: * 1 EXISTS", "S: * 4294967296 EXISTS", "S: * SEARCH 5", "S: a1 OK"))
		r, err := c.Search(t.Context(), nil, nil)
		if err != nil || r.Count != 1 {
			t.Errorf("Search = %+v, %v", r, err)
		}
	})
	t.Run("F87 a search of 10 MB, and of more", func(t *testing.T) {
		answer := func(n int) string {
			var b strings.Builder
			b.WriteString("* SEARCH")
			for uid := 1_000_000; b.Len() < n; uid += 2 {
				fmt.Fprintf(&b, " %d", uid)
			}
			return b.String()
		}
		for n, want := range map[int]error{10 << 20: nil, 17 << 20: imapclient.ErrProtocol} {
			c, err := newScripted(t, func(line string) []string {
				tag, _, _ := strings.Cut(line, " ")
				return []string{answer(n), tag + " OK"}
			})
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.Search(t.Context(), nil, nil)
			if wants(t, "Search", err, want); want == nil && err == nil && (r.Min != 1_000_000 || int(r.Count) < n/10) {
				t.Errorf("%d messages from %d", r.Count, r.Min)
			}
			// A line that is no search's stays bounded.
			_, err = c.Mailboxes(t.Context(), "")
			wants(t, "Mailboxes", err, imapclient.ErrProtocol)
		}
	})
}
