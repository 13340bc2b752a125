package imapclient_test

import (
	"fmt"
	"testing"

	"example.com/postbag/imapclient"
)

// A server that tells of more messages that have vanished than it counts has not
// said that none is left.
func TestNotEmptied(t *testing.T) {
	const date = `INTERNALDATE "17-Jul-1996 02:44:25 -0700"`
	list := lines("C: a2 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", "S: * 1 FETCH (UID 7 FLAGS () RFC822.SIZE 1 "+date+")", "S: * 2 FETCH (UID 9 FLAGS () RFC822.SIZE 1 "+date+")", "S: a2 OK")
	t.Run("Changes", func(t *testing.T) {
		for _, vanished := range []string{"VANISHED 1:3", "VANISHED 1:3\nS: * VANISHED 1:3"} {
			c := authed(t, "QRESYNC ENABLE", lines("C: a0 ENABLE QRESYNC", "S: * ENABLED QRESYNC", "S: a0 OK", "C: a1 SELECT INBOX (QRESYNC (7 5 1:3,7,9))",
				"S: * 2 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 10] n", "S: * OK [HIGHESTMODSEQ 6] m", "S: * "+vanished, "S: a1 OK [READ-WRITE] done")+list)
			ch, err := c.SelectChanges(t.Context(), "INBOX", imapclient.Cursor{UIDValidity: 7, UIDNext: 10, HighestModSeq: 5}, imapclient.UIDs(1, 2, 3, 7, 9))
			if err != nil || ch.Vanished.String() != "1:3" {
				t.Errorf("%+v, %v", ch, err)
			}
		}
	})
	t.Run("Summaries", func(t *testing.T) {
		c := authed(t, "QRESYNC", lines("C: a1 SELECT INBOX", "S: * 2 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: a1 OK [READ-WRITE] done", "C: a1 NOOP", "S: * VANISHED 1:3", "S: a1 OK")+list+
			lines("C: a3 NOOP", "S: * 0 EXISTS", "S: a3 OK"))
		if _, err := c.Select(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		got := ""
		for range 2 { // the second time nothing is sent
			if _, err := c.Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
			for s, err := range c.Summaries(t.Context(), imapclient.All()) {
				got += fmt.Sprint(s.UID, " ", err, ", ")
			}
		}
		if got != "7 <nil>, 9 <nil>, " {
			t.Error(got)
		}
	})
}
