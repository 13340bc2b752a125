package imapclient_test

import (
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
)

// What a server says of a large mailbox that has many gaps is one line of more
// than a megabyte.
func TestChangesOfVastMailbox(t *testing.T) {
	var uids []uint32
	var list strings.Builder
	for uid := uint32(1_000_001); uid < 1_400_000; uid += 2 {
		uids = append(uids, uid)
		fmt.Fprintf(&list, " %d", uid)
	}
	known := imapclient.UIDs(append(uids, 1_400_001)...)
	since := imapclient.Cursor{UIDValidity: 7, UIDNext: 1_400_003, HighestModSeq: 5}
	opened := func(n int) []string {
		return []string{fmt.Sprintf("S: * %d EXISTS", n), "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 1400003] n", "S: * OK [HIGHESTMODSEQ 6] m"}
	}
	const done = "S: a1 OK [READ-WRITE] done"

	c := authed(t, "CONDSTORE", lines("C: a1 SELECT INBOX (CONDSTORE)")+lines(opened(len(uids))...)+lines(done, "C: a2 UID FETCH 1:1400002 (UID FLAGS) (CHANGEDSINCE 5)", "S: a2 OK",
		"C: a3 UID SEARCH UID 1:1400002", "S: * SEARCH"+list.String(), "S: a3 OK"))
	ch, err := c.SelectChanges(t.Context(), "INBOX", since, known)
	if err != nil || ch.Vanished.String() != "1400001" {
		t.Errorf("CONDSTORE: %v", err)
	}

	c = authed(t, "QRESYNC ENABLE", lines("C: a0 ENABLE QRESYNC", "S: * ENABLED QRESYNC", "S: a0 OK", "C: a1 SELECT INBOX (QRESYNC (7 5))")+lines(opened(1)...)+
		lines("S: * VANISHED (EARLIER) "+strings.ReplaceAll(list.String()[1:], " ", ","), done))
	ch, err = c.SelectChanges(t.Context(), "INBOX", since, known)
	if err != nil || int(ch.Vanished.Len()) != len(uids) {
		t.Errorf("QRESYNC: %v", err)
	}
}

// A cursor of an empty mailbox does not make a set of no UIDs.
func TestChangesSinceEmpty(t *testing.T) {
	c := authed(t, "CONDSTORE", lines("C: a1 SELECT INBOX (CONDSTORE)", "S: * 1 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 3] n", "S: * OK [HIGHESTMODSEQ 6] m", "S: a1 OK [READ-WRITE] x",
		"C: a2 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", `S: * 1 FETCH (UID 2 FLAGS (x) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 5)`, "S: a2 OK"))
	ch, err := c.SelectChanges(t.Context(), "INBOX", imapclient.Cursor{UIDValidity: 7, UIDNext: 1, HighestModSeq: 5}, imapclient.UIDs(2, 4))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(len(ch.New), len(ch.Changed), ch.Vanished); got != "0 1 4" {
		t.Errorf("new, changed, vanished: %s", got)
	}
}

// A long line that goes on behind a literal costs one message what it should
// have told, and not the session.
func TestLongRowBehindLiteral(t *testing.T) {
	long := strings.Repeat("x", 2<<20)
	c := selected(t, "", lines("C: a1 UID FETCH 1:2 (UID FLAGS)", b64("* 1 FETCH (UID 1 X-A {1}\r\na X-B \""+long+"\" FLAGS ())\r\n"),
		b64("* 9 FETCH (UID {1}\r\nx {1}\r\na X-B \""+long+"\" FLAGS ())\r\n"), "S: * 2 FETCH (UID 2 FLAGS ())", "S: a1 OK", "C: a2 UID FETCH 1:2 (UID)", "S: a2 OK"))
	got := ""
	for info, err := range c.Fetch(t.Context(), imapclient.UIDs(1, 2), imapclient.Items{Flags: true}) {
		got += fmt.Sprint(info.UID, " ", err, ", ")
	}
	if got != "1 <nil>, 2 <nil>, " {
		t.Error(got)
	}
}
