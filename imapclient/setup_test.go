package imapclient_test

import (
	"errors"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
)

// play returns a client of a server that does what the script says (see
// package session). At the test's end the client must have done its part.
func play(t *testing.T, script string, o *imapclient.Options) *imapclient.Client {
	t.Helper()
	c, err := tryPlay(t, script, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryPlay(t *testing.T, script string, o *imapclient.Options) (*imapclient.Client, error) {
	t.Helper()
	s, err := session.Parse("script", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	p := session.NewPlayer(s, nil)
	conn, err := p.Dial(t.Context(), "tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := imapclient.New(t.Context(), conn, o)
	t.Cleanup(func() {
		if c != nil {
			c.Close()
		}
		if err := p.Done(); err != nil {
			t.Error(err)
		}
	})
	return c, err
}

const login = `S: * OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS LITERAL+ AUTH=PLAIN] ready
C: a1 LOGIN "joe" "secret pass"
S: a1 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] in
`

const examine = login + `C: b1 EXAMINE INBOX
S: * FLAGS (\Answered \Seen $Junk)
S: * OK [PERMANENTFLAGS ()] No permanent flags permitted.
S: * 4 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 3857529045] UIDs valid
S: * OK [UIDNEXT 4392] Predicted next UID
S: * OK [HIGHESTMODSEQ 715194045007] modseq
S: b1 OK [READ-ONLY] Examine completed
`

// examined returns a client that has INBOX open, with 4 messages; script goes
// on from there.
func examined(t *testing.T, script string) *imapclient.Client {
	t.Helper()
	c := play(t, examine+script, nil)
	mustLogin(t, c)
	if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	return c
}

func mustLogin(t *testing.T, c *imapclient.Client) {
	t.Helper()
	if err := c.Login(t.Context(), "joe", "secret pass"); err != nil {
		t.Fatal(err)
	}
}

// lines joins lines as a script.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

// authed returns a client of a server with these extensions; script goes on
// from there.
func authed(t *testing.T, extensions, script string) *imapclient.Client {
	t.Helper()
	return play(t, "S: * PREAUTH [CAPABILITY IMAP4rev1 "+extensions+"] hello\n"+script, nil)
}

// selected is authed with INBOX open, in which there are 4 messages, and the
// next UID is 100.
func selected(t *testing.T, extensions, script string) *imapclient.Client {
	t.Helper()
	c := authed(t, extensions, lines("C: z1 SELECT INBOX", "S: * 4 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 100] n", "S: z1 OK [READ-WRITE] done")+script)
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	return c
}

// wants checks an error, nil being success.
func wants(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want %v", what, err, want)
	}
}
