package imapclient_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// quirk is what a server was seen to do, by its number in quirks.md: a client
// of a server with these extensions, and with INBOX open if there is a
// mailbox, hears the script, and comes to want.
type quirk struct {
	number     int
	name       string
	extensions string
	script     []string
	do         func(*testing.T, *imapclient.Client) string
	want       string
}

// shownElsewhere are quirks in tables of their own, by the file where the
// number begins a name.
var shownElsewhere = map[int]string{
	67: "structure_test.go", 68: "envelope_test.go", 69: "envelope_test.go", 70: "envelope_test.go", 71: "envelope_test.go", 72: "envelope_test.go",
	73: "envelope_test.go", 74: "envelope_test.go", 75: "envelope_test.go", 76: "envelope_test.go",
	77: "structure_test.go", 78: "structure_test.go", 79: "structure_test.go", 80: "structure_test.go", 81: "structure_test.go",
	83: "structure_test.go", 84: "structure_test.go", 85: "structure_test.go", 86: "structure_test.go",
	87: "structure_test.go", 88: "structure_test.go", 89: "structure_test.go", 90: "structure_test.go", 91: "structure_test.go", 92: "structure_test.go",
	93: "structure_test.go", 94: "structure_test.go",
}

// 99 to 113 are POP3's.
const lastIMAPQuirk = 98

// TestQuirks has every quirk of IMAP servers that is known.
func TestQuirks(t *testing.T) {
	shown := make(map[int]bool)
	for _, table := range [][]quirk{quirksAtLogin, quirksOfStatus, quirksOfMailboxes, quirksOfSearch, quirksOfFetch, quirksOfBodies, quirksOfIdle} {
		for _, q := range table {
			shown[q.number] = true
			t.Run(fmt.Sprintf("%d %s", q.number, q.name), func(t *testing.T) {
				script := lines(append(q.script, "C: z9 NOOP", "S: z9 OK")...)
				over := strings.HasSuffix(q.script[len(q.script)-1], "= CLOSE")
				if over {
					script = lines(q.script...)
				}
				c := begun(t, q, script)
				if got := q.do(t, c); got != q.want {
					t.Errorf("got  %s\nwant %s", got, q.want)
				}
				if !over { // the session goes on
					_, err := c.Noop(t.Context())
					wants(t, "Noop", err, nil)
				}
			})
		}
	}
	for number, file := range shownElsewhere {
		src, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(src), fmt.Sprintf("{\"%d ", number)) {
			t.Errorf("quirk %d is not in %s: %v", number, file, err)
		}
		shown[number] = true
	}
	for _, n := range []int{1, 2, 6, 11, 12, 25} { // TestQuirksOfGreetings, TestQuirksByName, TestQuirkOfID, TestQuirkOfBYE
		shown[n] = true
	}
	for n := 1; n <= lastIMAPQuirk; n++ {
		if !shown[n] {
			t.Errorf("quirk %d is not shown", n)
		}
	}
}

// begun begins a quirk's session: with its own greeting, or after PREAUTH with
// or without a mailbox.
func begun(t *testing.T, q quirk, script string) *imapclient.Client {
	t.Helper()
	switch {
	case strings.HasPrefix(script, "S"):
		return play(t, script, nil)
	case strings.HasPrefix(q.extensions, "-"): // no mailbox
		return authed(t, q.extensions[1:], script)
	}
	return selected(t, q.extensions, script)
}

// The rows of the table of servers that have to be known by name: each session
// fails without its row.
func TestQuirksByName(t *testing.T) {
	files, err := filepath.Glob("testdata/quirks/*.txt")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := play(t, string(script), nil)
			mustLogin(t, c)
			_, err = c.Examine(t.Context(), "INBOX")
			wants(t, "Examine", err, nil)
			if strings.Contains(file, "exchange-2003") {
				_, err = c.Namespaces(t.Context())
				wants(t, "Namespaces", err, errors.ErrUnsupported)
			}
			wants(t, "Logout", c.Logout(t.Context()), nil)
		})
	}
}

// kind names an error.
func kind(err error) string {
	for name, k := range map[string]error{"ErrUnavailable": imapclient.ErrUnavailable, "ErrProtocol": imapclient.ErrProtocol, "ErrAuth": imapclient.ErrAuth, "ErrGone": imapclient.ErrGone, "ErrTruncated": imapclient.ErrTruncated, "ErrNoMailbox": imapclient.ErrNoMailbox} {
		if errors.Is(err, k) {
			return name
		}
	}
	return fmt.Sprint(err)
}

// noop, and what it came to.
func noop(t *testing.T, c *imapclient.Client) string {
	_, err := c.Noop(t.Context())
	return kind(err)
}

func logIn(t *testing.T, c *imapclient.Client) string {
	return kind(c.Login(t.Context(), "joe", "secret pass"))
}
