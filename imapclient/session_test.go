package imapclient_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
)

// newScripted returns a client with INBOX selected, of a server that answers
// each further line as a function says.
func newScripted(t *testing.T, answer func(line string) []string) (*imapclient.Client, error) {
	t.Helper()
	client, server := session.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		fmt.Fprint(server, "* PREAUTH [CAPABILITY IMAP4rev1 UIDPLUS IDLE] hello\r\n")
		lines := bufio.NewScanner(server)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if tag, ok := strings.CutSuffix(lines.Text(), " SELECT INBOX"); ok {
				fmt.Fprintf(server, "* 3 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n%s OK [READ-WRITE] done\r\n", tag)
				continue
			}
			for _, l := range answer(lines.Text()) {
				fmt.Fprintf(server, "%s\r\n", l)
			}
		}
	}()
	c, err := imapclient.New(t.Context(), client, nil)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close(); <-done })
	_, err = c.Select(t.Context(), "INBOX")
	return c, err
}

func TestExamine(t *testing.T) {
	c := play(t, examine, nil)
	mustLogin(t, c)
	box, err := c.Examine(t.Context(), "INBOX")
	want := "{INBOX 4 3857529045 4392 715194045007 [\\Answered \\Seen $Junk] [] true false }"
	if err != nil || fmt.Sprint(*box) != want {
		t.Fatalf("%v, %v, want %s", *box, err, want)
	}
}

func TestSelectOddities(t *testing.T) {
	c := play(t, login+lines("C: b1 SELECT INBOX", "S: * 4 EXISTS", "S: * FLAGS NIL",
		"S: * OK [UIDVALIDITY 4294967296] too large", "S: * OK [UIDNEXT ] nothing", "S: * OK [HIGHESTMODSEQ 99999999999999999999] too large",
		"S: * OK [unterminated x", "S: * OK [PERMANENTFLAGS] none", "S: * NO [UIDNOTSTICKY] no lasting UIDs", "S: * OK [UIDNOTSTICKY] no lasting UIDs", "S: * 5 XFOO", "S: * CAPABILITY IMAP4rev1 (x)", "S: b1 OK [READ-WRITE] done"), nil)
	mustLogin(t, c)
	box, err := c.Select(t.Context(), "INBOX")
	if err != nil || box.UIDValidity != 0 || !box.UIDNotSticky || box.ReadOnly || box.Messages != 4 {
		t.Fatalf("%+v, %v", box, err)
	}
}

func TestNoMailbox(t *testing.T) {
	c := play(t, login+lines("C: b1 EXAMINE none", "S: b1 NO [NONEXISTENT] Mailbox doesn't exist: none",
		"C: b2 EXAMINE none", "S: b2 NO no such mailbox", "C: b3 EXAMINE none", "S: b3 NO [NOPERM] not for you"), nil)
	mustLogin(t, c)
	for i, want := range []bool{true, true, false} {
		if _, err := c.Examine(t.Context(), "none"); errors.Is(err, imapclient.ErrNoMailbox) != want {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestExpunge(t *testing.T) {
	c := examined(t, lines("C: b1 UID STORE 1:2,9 +FLAGS.SILENT (\\Deleted)", "S: * 1 FETCH (FLAGS (\\Deleted))", "S: b1 OK",
		"C: b2 UID EXPUNGE 1:2,9", "S: * 1 EXPUNGE", "S: * 1 EXPUNGE", "S: b2 OK", "C: a3 NOOP", "S: a3 OK"))
	if err := c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Deleted`}, 9, 2, 1); err != nil {
		t.Fatal(err)
	}
	if err := c.Expunge(t.Context(), 1, 9, 2); err != nil {
		t.Fatal(err)
	}
	a, err := c.Noop(t.Context())
	if want := (imapclient.Activity{Messages: 2, Expunged: 2, Changed: 1}); err != nil || a != want {
		t.Errorf("Noop = %+v, %v, want %+v", a, err, want)
	}
}

// Without UIDPLUS nothing is sent: EXPUNGE would take what others marked.
func TestExpungeUnsupported(t *testing.T) {
	c := play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1] hello", "C: b1 SELECT INBOX", "S: * 1 EXISTS", "S: b1 OK"), nil)
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	if err := c.Expunge(t.Context(), 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("%v, want errors.ErrUnsupported", err)
	}
}

func TestMailboxes(t *testing.T) {
	c := play(t, login+lines(`C: b1 LIST "" "*"`,
		`S: * LIST (\HasNoChildren \Sent) "/" Sent`, `S: * LIST () "." "a b"`, `S: * LIST (\Noselect) NIL INBOX`,
		"S: * LIST () \"/\" {3}", "S: x/y", `S: * LIST () "/" "&ZeVnLIqe-/&-"`, `S: * LIST NIL "/" "R&D"`, `S: * LIST () "/" "&bad-"`, `S: * LIST`,
		"S: b1 OK"), nil)
	mustLogin(t, c)
	list, err := c.Mailboxes(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range list {
		names = append(names, m.Name)
	}
	if got, want := strings.Join(names, "|"), "Sent|a b|INBOX|x/y|日本語/&|R&D|&bad-"; got != want {
		t.Fatalf("%q, want %q", got, want)
	}
	if !list[0].Has(`\sent`) || list[2].Delimiter != "" || list[1].Delimiter != "." {
		t.Errorf("%+v", list)
	}
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := examined(t, lines("C: a1 IDLE", "S: + idling", "~ 20m", "S: * OK still here", "S: * 5 EXISTS", "C: DONE", "S: * 6 EXISTS", "S: a1 OK",
			"C: a2 IDLE", "S: + idling", "~ 28m", "C: DONE", "S: a2 OK",
			"C: a3 IDLE", "S: + idling", "C: DONE", "S: a3 OK", "C: a4 NOOP", "S: a4 OK"))
		a, err := c.Idle(t.Context(), 0)
		if want := (imapclient.Activity{Messages: 6, Arrived: 2}); err != nil || a != want {
			t.Errorf("Idle = %+v, %v, want %+v", a, err, want)
		}
		if a, err := c.Idle(t.Context(), 0); err != nil || a.Any() {
			t.Errorf("a quiet Idle = %+v, %v", a, err)
		}
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, cause)
		defer cancel()
		if _, err := c.Idle(ctx, 0); !errors.Is(err, cause) {
			t.Errorf("a cancelled Idle: %v, want the cause", err)
		}
		if _, err := c.Noop(t.Context()); err != nil {
			t.Errorf("after a cancelled Idle: %v", err)
		}
		c.Close()
	})
}

// A server that does not answer DONE does not hold the client.
func TestIdleWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := examined(t, lines("C: a1 IDLE", "S: + idling", "C: DONE", "~ 1h"))
		if _, err := c.Idle(t.Context(), time.Minute); !errors.Is(err, imapclient.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		c.Close()
	})
}

func TestIdleUnsupported(t *testing.T) {
	c := play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1] hello", "C: b1 SELECT INBOX", "S: * 1 EXISTS", "S: b1 OK"), nil)
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Idle(t.Context(), 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("%v, want errors.ErrUnsupported", err)
	}
}

// A server that falls silent is given up.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := examined(t, lines("C: a1 NOOP", "~ 2m"))
		if _, err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		c.Close()
	})
}

// What a server says without end is bounded.
func TestBounds(t *testing.T) {
	flood := func(piece string) func(string) []string {
		return func(line string) []string {
			var l []string
			for range (80 << 20) / len(piece) {
				l = append(l, piece)
			}
			return l
		}
	}
	for _, tt := range []struct {
		name   string
		answer func(line string) []string
	}{
		{"endless line", flood(strings.Repeat("x", 3<<20))},
		{"endless responses", flood("* OK " + strings.Repeat("x", 60_000))},
		{"huge literal", func(string) []string { return []string{"* LIST () \"/\" {1099511627776}"} }},
		{"deep nesting", func(line string) []string {
			tag, _, _ := strings.Cut(line, " ")
			return []string{"* 1 FETCH (UID 1 BODYSTRUCTURE " + strings.Repeat("(", 1<<20-100), tag + " OK done"}
		}},
		{"capability with a parenthesis", func(line string) []string {
			tag, _, _ := strings.Cut(line, " ")
			return []string{"* CAPABILITY IMAP4rev1 (", "* OK [CAPABILITY (", "* ENABLED a(", tag + " OK done"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := newScripted(t, tt.answer)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Mailboxes(t.Context(), "")
			if err != nil && !errors.Is(err, imapclient.ErrProtocol) {
				t.Errorf("%v, want ErrProtocol", err)
			}
		})
	}
}
