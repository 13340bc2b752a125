package imapclient_test

import (
	"testing"

	"example.com/postbag/imapclient"
)

// Messages that go while a mailbox is being opened are told of after EXISTS,
// and before the command ends.
func TestGoneWhileOpening(t *testing.T) {
	row := "S: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 5)"
	for _, gone := range [][]string{
		{"S: * 2 EXPUNGE", "S: * 2 EXPUNGE"},
		{"S: * 2 EXPUNGED", "S: * 2 EXPUNGED"}, // QUIRK: GNU Mailutils
		{"S: * VANISHED 2:3"},
	} {
		script := append([]string{"C: a1 EXAMINE INBOX", "S: * 3 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * VANISHED (EARLIER) 90:99"}, gone...)
		script = append(script, "S: a1 OK [READ-ONLY] done", "C: a2 UID FETCH 1:* …", row, "S: a2 OK")
		c := authed(t, "", lines(script...))
		box, err := c.Examine(t.Context(), "INBOX")
		if err != nil || box.Messages != 1 {
			t.Errorf("%s: %+v, %v", gone, box, err)
		}
		for sum, err := range c.Summaries(t.Context(), imapclient.All()) {
			if err != nil || sum.UID != 1 {
				t.Errorf("%s: %+v, %v", gone, sum, err)
			}
		}
	}
}

// What is told of the mailbox that was open, until it is closed, is not told of
// the one that is being opened. RFC 7162 section 3.2.11.
func TestGoneBeforeClosed(t *testing.T) {
	c := authed(t, "ENABLE QRESYNC", lines(
		"C: a1 ENABLE QRESYNC", "S: * ENABLED QRESYNC", "S: a1 OK",
		"C: a2 EXAMINE INBOX (QRESYNC (7 9 1:3))", "S: * VANISHED 1:2", "S: * 1 FETCH (UID 3 FLAGS (\\Seen))", "S: * OK [CLOSED] other", "S: * 3 EXISTS",
		"S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 4] n", "S: * OK [HIGHESTMODSEQ 12] m", "S: * VANISHED 2", "S: a2 OK"))
	ch, err := c.Changes(t.Context(), "INBOX", imapclient.Cursor{UIDValidity: 7, UIDNext: 4, HighestModSeq: 9}, imapclient.Range(1, 3))
	if err != nil || ch.Vanished.String() != "2" || len(ch.Changed) > 0 {
		t.Errorf("%+v, %v", ch, err)
	}
}

// No flags that last, and not a word of that, are not the same.
func TestPermanentFlags(t *testing.T) {
	c := authed(t, "", lines("C: a1 SELECT INBOX", "S: * OK [PERMANENTFLAGS ()] none", "S: a1 OK [READ-WRITE]", "C: a2 SELECT INBOX", "S: a2 OK [READ-WRITE]"))
	for _, told := range []bool{true, false} {
		box, err := c.Select(t.Context(), "INBOX")
		if err != nil || len(box.PermanentFlags) > 0 || (box.PermanentFlags != nil) != told {
			t.Errorf("%#v, %v", box, err)
		}
	}
}
