package imapclient_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/message"
)

// told is what a loop over Fetch came to.
type told struct {
	infos []imapclient.Info
	gone  map[uint32]error // about single messages
	last  error            // about the session
}

func fetchInfos(t *testing.T, c *imapclient.Client, set imapclient.Set, items imapclient.Items) told {
	t.Helper()
	got := told{gone: make(map[uint32]error)}
	for info, err := range c.Fetch(t.Context(), set, items) {
		if got.last != nil {
			t.Errorf("after %v there is more", got.last)
		}
		if me := (*imapclient.MessageError)(nil); errors.As(err, &me) {
			got.gone[me.UID] = me.Err
		} else if err != nil {
			got.last = err
		} else {
			got.infos = append(got.infos, info)
		}
	}
	return got
}

// envelopeOf lets a client read an ENVELOPE.
func envelopeOf(t *testing.T, value string) imapclient.Info {
	t.Helper()
	return infoOf(t, imapclient.Items{Envelope: true}, "ENVELOPE "+value)
}

// structureOf lets a client read a BODYSTRUCTURE.
func structureOf(t *testing.T, value string) imapclient.Info {
	t.Helper()
	return infoOf(t, imapclient.Items{Structure: true}, "BODYSTRUCTURE "+value)
}

// infoOf lets a client read a FETCH response about message 1. The session must
// be usable after it.
func infoOf(t *testing.T, items imapclient.Items, value string) imapclient.Info {
	t.Helper()
	c := examined(t, lines("C: a1 UID FETCH 1 …", b64("* 1 FETCH (UID 1 "+value+")\r\n"), "S: a1 OK", "C: a2 NOOP", "S: a2 OK"))
	got := fetchInfos(t, c, imapclient.UIDs(1), items)
	if _, err := c.Noop(t.Context()); err != nil {
		t.Errorf("after %q: %v", value, err)
	}
	if got.last != nil || len(got.gone) > 0 || len(got.infos) != 1 {
		t.Fatalf("%q: %+v", value, got)
	}
	return got.infos[0]
}

// Everything that can be asked for, in one round trip.
func TestFetch(t *testing.T) {
	script := strings.Replace(examine, "CAPABILITY IMAP4rev1 IDLE UIDPLUS]", "CAPABILITY IMAP4rev1 CONDSTORE PREVIEW SAVEDATE OBJECTID X-GM-EXT-1]", 1)
	header := "List-Id: =?utf-8?Q?gr=C3=BC=C3=9Fe?=\r\n <l.example.org>\r\nReferences: <a@b>\r\n\t<c@d>\r\nlist-id: two\r\n\r\n"
	c := play(t, script+lines(
		"C: a1 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE MODSEQ PREVIEW SAVEDATE EMAILID THREADID X-GM-MSGID X-GM-THRID X-GM-LABELS BODY.PEEK[HEADER.FIELDS (LIST-ID REFERENCES)])",
		b64(fmt.Sprintf("* 7 FETCH (UID 9 FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 44827 MODSEQ (12345) PREVIEW \"Dear =?\" "+
			"SAVEDATE \" 1-Jan-2020 00:00:00 +0100\" EMAILID (M1) THREADID (T1) X-GM-MSGID 18446744073709551615 X-GM-THRID 12 X-GM-LABELS (\"\\\\Inbox\" &ZeVnLIqe- \"a b\" NIL) "+
			"BODY[HEADER.FIELDS (\"List-Id\" REFERENCES)] {%d}\r\n%s ENVELOPE (NIL {5}\r\nhello NIL NIL NIL NIL NIL NIL NIL \"<x@y>\") BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1))\r\n", len(header), header)),
		"S: a1 OK"), nil)
	mustLogin(t, c)
	if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	got := fetchInfos(t, c, imapclient.All(), imapclient.Items{Flags: true, Received: true, Size: true, Envelope: true, Structure: true,
		Fields: []string{"List-Id", "References"}, Preview: true, ModSeq: true, Saved: true, ObjectIDs: true, Gmail: true})
	if got.last != nil || len(got.infos) != 1 {
		t.Fatalf("%+v", got)
	}
	want := imapclient.Info{
		Summary:   imapclient.Summary{UID: 9, Size: 44827, Flags: []string{`\Seen`}, Received: time.Date(1996, 7, 17, 9, 44, 25, 0, time.UTC)},
		Envelope:  &message.Envelope{Subject: "hello", MessageID: "x@y", References: []string{"a@b", "c@d"}},
		Structure: &imapclient.Part{Number: "1", Type: "text/plain", Encoding: "7bit", Size: 5, Lines: 1},
		Header:    []byte(header), Preview: "Dear =?", ModSeq: 12345, Saved: time.Date(2019, 12, 31, 23, 0, 0, 0, time.UTC), EmailID: "M1", ThreadID: "T1",
		Gmail: imapclient.Gmail{MessageID: 1<<64 - 1, ThreadID: 12, Labels: []string{`\Inbox`, "日本語", "a b"}},
	}
	if !reflect.DeepEqual(got.infos[0], want) {
		t.Errorf("got\n%+v\nwant\n%+v", got.infos[0], want)
	}
	if got, want := got.infos[0].Field("LIST-ID"), []string{"grüße <l.example.org>", "two"}; !slices.Equal(got, want) {
		t.Errorf("Field = %q, want %q", got, want)
	}
}

// A preview may be asked for where it costs the server nothing.
func TestPreviewLazy(t *testing.T) {
	for _, tt := range []struct {
		items imapclient.Items
		asked string
	}{
		{imapclient.Items{PreviewLazy: true}, "PREVIEW (LAZY)"},
		{imapclient.Items{PreviewLazy: true, Preview: true}, "PREVIEW"},
	} {
		c := selected(t, "PREVIEW", lines("C: a1 UID FETCH 1:2 (UID "+tt.asked+")",
			`S: * 1 FETCH (UID 1 PREVIEW "at hand")`, "S: * 2 FETCH (UID 2 PREVIEW NIL)", "S: a1 OK"))
		got := fetchInfos(t, c, imapclient.Range(1, 2), tt.items)
		if len(got.infos) != 2 || got.infos[0].Preview != "at hand" || got.infos[1].Preview != "" || len(got.infos[1].Missing) > 0 || got.last != nil {
			t.Errorf("%+v", got)
		}
	}
}

// Without the extension nothing is sent.
func TestFetchUnsupported(t *testing.T) {
	c := examined(t, lines("C: a1 NOOP", "S: a1 OK"))
	for _, items := range []imapclient.Items{{Preview: true}, {PreviewLazy: true}, {ModSeq: true}, {Saved: true}, {ObjectIDs: true}, {Gmail: true}} {
		if got := fetchInfos(t, c, imapclient.All(), items); !errors.Is(got.last, errors.ErrUnsupported) || len(got.infos) > 0 {
			t.Errorf("%+v: %v, want errors.ErrUnsupported", items, got.last)
		}
	}
	for _, bad := range []string{"", "a b", "a\r\nb", "a)", "a]", "a:", "{3}", "ä", `"`} {
		if got := fetchInfos(t, c, imapclient.All(), imapclient.Items{Fields: []string{bad}}); got.last == nil {
			t.Errorf("field %q is accepted", bad)
		}
	}
	if got := fetchInfos(t, c, imapclient.All(), imapclient.Items{Gone: true}); got.last == nil {
		t.Error("Gone is accepted for every UID there can be")
	}
	if _, err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Rows come in any form; each message comes once.
func TestFetchRows(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []string
		want   string // UID, size and what is missing of each message
	}{
		{"in two responses", []string{`S: * 1 FETCH (UID 1 FLAGS (\Seen))`, `S: * 2 FETCH (UID 2 FLAGS ())`, `S: * 1 FETCH (RFC822.SIZE 5)`, `S: * 2 FETCH (RFC822.SIZE 6 UID 2)`, "S: a1 OK"}, "1 5 [], 2 6 []"},
		{"the UID last", []string{`S: * 1 FETCH (FLAGS (\Seen) RFC822.SIZE 5)`, `S: * 1 FETCH (UID 1)`, "S: a1 OK"}, "1 5 []"},
		{"twice", []string{`S: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 5)`, `S: * 1 FETCH (UID 1 FLAGS (\Seen) RFC822.SIZE 5)`, "S: a1 OK"}, "1 5 []"},
		{"two messages of one UID", []string{`S: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 5)`, `S: * 2 FETCH (UID 1 FLAGS () RFC822.SIZE 6)`, `S: * 3 FETCH (UID 2 FLAGS ())`, `S: * 4 FETCH (UID 2 FLAGS () RFC822.SIZE 7)`, "S: a1 OK"}, "1 5 [], 1 6 [], 2 -1 [RFC822.SIZE], 2 7 []"},
		{"not all that was asked for", []string{`S: * 1 FETCH (UID 1 RFC822.SIZE 5)`, `S: * 2 FETCH (UID 2)`, `S: * 3 FETCH (UID 3 FLAGS NIL RFC822.SIZE NIL)`, "S: a1 OK"}, "1 5 [FLAGS], 2 -1 [FLAGS RFC822.SIZE], 3 -1 [RFC822.SIZE]"},
		{"not asked for", []string{`S: * 8 FETCH (UID 8 FLAGS () RFC822.SIZE 5)`, `S: * 7 FETCH (FLAGS ())`, `S: * 0 FETCH (FLAGS ())`, "S: a1 OK"}, ""},
		{"sequence numbers change", []string{`S: * 2 FETCH (UID 2 FLAGS ())`, "S: * 1 EXPUNGE", `S: * 2 FETCH (RFC822.SIZE 7)`, `S: * 1 FETCH (UID 2 RFC822.SIZE 5)`, "S: a1 OK"}, "2 5 []"},
		{"sequence numbers change, with QRESYNC", []string{`S: * 2 FETCH (UID 2 FLAGS ())`, "S: * VANISHED 1", `S: * 2 FETCH (RFC822.SIZE 7)`, `S: * 1 FETCH (UID 2 RFC822.SIZE 5)`, "S: a1 OK"}, "2 5 []"},
		{"sequence numbers change, as Mailutils says it", []string{`S: * 2 FETCH (UID 2 FLAGS ())`, "S: * 1 EXPUNGED", `S: * 2 FETCH (RFC822.SIZE 7)`, `S: * 1 FETCH (UID 2 RFC822.SIZE 5)`, "S: a1 OK"}, "2 5 []"},
		{"parentheses", []string{`S: * 2 FETCH (UID 2 (FLAGS ()) RFC822.SIZE 7)`, "S: a1 OK"}, "2 7 []"},
		{"a stray description", []string{`S: * 2 FETCH (UID 2 BODY ("text" "plain" NIL NIL NIL "7bit" 5 1) "S/MIME Encrypted Message" NIL FLAGS () RFC822.SIZE 7)`, "S: a1 OK"}, "2 7 []"},
		{"a loose end", []string{`S: * 2 FETCH (UID 2 FLAGS () RFC822.SIZE 7)`, `S:  X (\Seen) {3}`, "S: abc)", "S: a1 OK"}, "2 7 []"},
		{"space before the parenthesis", []string{`S: * 2 FETCH (UID 2 FLAGS () RFC822.SIZE 7 )`, "S: a1 OK"}, "2 7 []"},
		{"unknown items", []string{`S: * 2 FETCH (XAOL.SPAM.REASON "a \" b" XAOL-MSGID {3}`, `S: a)b X ((1) (2 3)) UID 2 FLAGS () RFC822.SIZE 7)`, "S: a1 OK"}, "2 7 []"},
		{"a row that is none is asked for again", []string{`S: * 1 FETCH (UID 1 FLAGS () RFC822.SIZE 5)`, `S: * 2 FETCH (FLAGS (bad`, "S: a1 OK",
			"C: a2 UID FETCH 1:3 (UID)", "S: * 1 FETCH (UID 1)", "S: * 2 FETCH (UID 2)", "S: a2 OK", "C: a3 UID FETCH 2 (UID FLAGS RFC822.SIZE)", `S: * 2 FETCH (FLAGS () UID 2 RFC822.SIZE 6)`, "S: a3 OK"}, "1 5 [], 2 6 []"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := examined(t, lines(append(append([]string{"C: a1 UID FETCH 1:3 (UID FLAGS RFC822.SIZE)"}, tt.script...), "C: a9 NOOP", "S: a9 OK")...))
			got := fetchInfos(t, c, imapclient.UIDs(1, 2, 3), imapclient.Items{Flags: true, Size: true})
			var s []string
			for _, i := range got.infos {
				s = append(s, fmt.Sprint(i.UID, i.Size, i.Missing))
			}
			if got.last != nil || len(got.gone) > 0 || strings.Join(s, ", ") != tt.want {
				t.Errorf("got %q, %v, %v, want %q", strings.Join(s, ", "), got.gone, got.last, tt.want)
			}
			if _, err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// What the server refuses is narrowed down to the messages that it cannot tell
// of; what it says nothing of is told if that was asked for.
func TestFetchRefused(t *testing.T) {
	row := func(uid int) string { return fmt.Sprintf("S: * %d FETCH (UID %d RFC822.SIZE 1)", uid, uid) }
	c := examined(t, lines(
		"C: a1 UID FETCH 1:9 (UID RFC822.SIZE)", row(1), "S: a1 NO [SERVERBUG] cannot read a message",
		"C: a2 UID FETCH 1:9 (UID)", "S: * 1 FETCH (UID 1)", "S: * 2 FETCH (UID 3)", "S: * 3 FETCH (UID 4)", "S: * 4 FETCH (UID 6)", "S: a2 OK",
		"C: a3 UID FETCH 3 (UID RFC822.SIZE)", row(3), "S: a3 OK",
		"C: a4 UID FETCH 4,6 (UID RFC822.SIZE)", "S: a4 NO [SERVERBUG] cannot read a message", "C: a5 UID FETCH 4,6 (UID)", "S: * 3 FETCH (UID 4)", "S: * 4 FETCH (UID 6)", "S: a5 OK",
		"C: a6 UID FETCH 4 …", "S: a6 NO [SERVERBUG] cannot read a message", "C: a7 UID FETCH 6 …", row(6), "S: a7 OK",
		"C: a8 NOOP", "S: a8 OK"))
	got := fetchInfos(t, c, imapclient.Range(1, 9), imapclient.Items{Size: true, Gone: true})
	var uids []uint32
	for _, i := range got.infos {
		uids = append(uids, i.UID)
	}
	var e *imapclient.Error
	if got.last != nil || !slices.Equal(uids, []uint32{1, 3, 6}) || !errors.As(got.gone[4], &e) || e.Code != "SERVERBUG" {
		t.Errorf("%v, %v, %v", uids, got.gone, got.last)
	}
	for _, uid := range []uint32{2, 5, 7, 8, 9} {
		if !errors.Is(got.gone[uid], imapclient.ErrGone) {
			t.Errorf("message %d: %v, want ErrGone", uid, got.gone[uid])
		}
	}
	if len(got.gone) != 6 {
		t.Errorf("errors %v", got.gone)
	}
	if _, err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFetchBreak(t *testing.T) {
	c := examined(t, lines("C: a1 UID FETCH 1:9 …", "S: * 1 FETCH (UID 1 RFC822.SIZE 5)", "S: * 2 FETCH (UID 2 RFC822.SIZE 6)", "S: a1 NO", "C: a2 NOOP", "S: a2 OK"))
	for info, err := range c.Fetch(t.Context(), imapclient.Range(1, 9), imapclient.Items{Size: true, Gone: true}) {
		if err != nil || info.UID != 1 {
			t.Errorf("%+v, %v", info, err)
		}
		if _, err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrBusy) {
			t.Errorf("Noop within the loop = %v, want ErrBusy", err)
		}
		break
	}
	if _, err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Of what comes in several responses nothing is lost.
func TestFetchSplit(t *testing.T) {
	c := examined(t, lines("C: a1 UID FETCH 1 …", `S: * 1 FETCH (UID 1 ENVELOPE (NIL "s"))`, `S: * 2 FETCH (FLAGS (x))`, `S: * 1 FETCH (BODYSTRUCTURE ("text" "plain"))`,
		`S: * 1 FETCH (BODY[HEADER.FIELDS (A)] {8}`, "S: A: b", "S: ", "S: ) ", "S: a1 OK"))
	got := fetchInfos(t, c, imapclient.UIDs(1), imapclient.Items{Envelope: true, Structure: true, Fields: []string{"A"}})
	if len(got.infos) != 1 || got.infos[0].Envelope.Subject != "s" || got.infos[0].Structure.Type != "text/plain" || got.infos[0].Field("a")[0] != "b" || len(got.infos[0].Missing) > 0 {
		t.Errorf("%+v", got)
	}
}

// metered counts what is read.
type metered struct {
	io.Reader
	n int
}

func (c *metered) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// What comes in pieces is not held back for ever.
func TestFetchIncomplete(t *testing.T) {
	var script strings.Builder
	script.WriteString("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n* 1 EXISTS\r\nT1 OK\r\n")
	const n = 10_000
	for uid := 1; uid <= n; uid++ {
		fmt.Fprintf(&script, "* %d FETCH (UID %d RFC822.SIZE 1)\r\n", uid, uid)
	}
	script.WriteString("A1 OK\r\n")
	read := &metered{Reader: strings.NewReader(script.String())}
	c, err := imapclient.New(t.Context(), octets{read}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	next := uint32(1)
	for info, err := range c.Fetch(t.Context(), imapclient.All(), imapclient.Items{Size: true, Flags: true}) {
		if err != nil || info.UID != next {
			t.Fatalf("message %d, %v, want message %d", info.UID, err, next)
		}
		if next == 1 && read.n > script.Len()/2 {
			t.Errorf("message 1 comes when %d octets have been read", read.n)
		}
		next++
	}
	if next != n+1 {
		t.Errorf("%d messages", next-1)
	}
}
