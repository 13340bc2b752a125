package imapclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// told1 asks for some items of message 1, and shows what is told.
func told1(items imapclient.Items, show func(imapclient.Info) any) func(*testing.T, *imapclient.Client) string {
	return func(t *testing.T, c *imapclient.Client) string {
		got := fetchInfos(t, c, imapclient.UIDs(1), items)
		if len(got.infos) != 1 || got.last != nil {
			return fmt.Sprintf("%+v", got)
		}
		return fmt.Sprint(show(got.infos[0]), got.infos[0].Missing)
	}
}

func size1(i imapclient.Info) any { return i.Size }

var quirksOfFetch = []quirk{
	{49, "a space before the parenthesis", "", []string{"C: a1 UID FETCH 1 …", "S: * 1 FETCH (UID 1 RFC822.SIZE 5 )", "S: a1 OK"}, sizes(1), "1:5 "},
	{62, "MODSEQ below 0", "CONDSTORE", []string{"C: a1 UID FETCH 1 …", "S: * 5 FETCH (UID 1 MODSEQ (-1) FLAGS ())", "S: a1 OK"}, told1(imapclient.Items{ModSeq: true, Flags: true}, func(i imapclient.Info) any { return i.ModSeq }), "0 [MODSEQ]"},
	{63, "items of its own", "", []string{"C: a1 UID FETCH 1 …", b64("* 1 FETCH (XAOL.SPAM.REASON \"a \\\" b\" XAOL-MSGID {3}\r\na)b X-LIST ((a) \"b\") UID 1 RFC822.SIZE 5)\r\n"), "S: a1 OK"}, sizes(1), "1:5 "},
	{64, "parentheses round an item", "", []string{"C: a1 UID FETCH 1 …", "S: * 2 FETCH (UID 1 (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)) RFC822.SIZE 5)", "S: a1 OK"}, told1(imapclient.Items{Envelope: true, Size: true}, size1), "5 []"},
	{65, "labels that are odd atoms", "X-GM-EXT-1", []string{"C: a1 UID FETCH 1 …", `S: * 1 FETCH (UID 1 X-GM-MSGID 1 X-GM-THRID 2 X-GM-LABELS (+IMNews "\\Inbox"))`, "S: a1 OK"},
		told1(imapclient.Items{Gmail: true}, func(i imapclient.Info) any { return i.Gmail.Labels }), `[+IMNews \Inbox] []`},
	{66, "one list of fields", "", []string{"C: a1 UID FETCH 1 (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE LIST-ID)])", "S: * 1 FETCH (UID 1 RFC822.SIZE 5 BODY[HEADER.FIELDS (DATE LIST-ID)] \"\")", "S: a1 OK"}, told1(imapclient.Items{Size: true, Fields: []string{"Date", "List-Id"}}, size1), "5 []"},
	{82, "a description behind a multipart", "", []string{"C: a1 UID FETCH 1 …", `S: * 1 FETCH (BODYSTRUCTURE (("text" "plain")("text" "html") "alternative" NIL) "S/MIME Encrypted Message" NIL UID 1 RFC822.SIZE 5)`, "S: a1 OK"},
		told1(imapclient.Items{Structure: true, Size: true}, func(i imapclient.Info) any { return outline(i.Structure) }), "TEXT multipart/alternative\n1 text/plain 7bit -1/-1\n2 text/html 7bit -1/-1[]"},
}

// retrieved retrieves messages, and shows what comes.
func retrieved(uids ...uint32) func(*testing.T, *imapclient.Client) string {
	return func(t *testing.T, c *imapclient.Client) string {
		f := fetchAll(t, c, uids...)
		var s []string
		for _, uid := range uids {
			if err := f.gone[uid]; err != nil {
				s = append(s, fmt.Sprintf("%d:%s", uid, kind(err)))
			} else {
				s = append(s, fmt.Sprintf("%d:%q", uid, f.bodies[uid]))
			}
		}
		if f.last != nil {
			s = append(s, f.last.Error())
		}
		return strings.Join(s, " ")
	}
}

const peek1, peek12 = "C: a1 UID FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])", "C: a1 UID FETCH 1:2 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"

var quirksOfBodies = []quirk{
	{50, "an item is left out", "", []string{peek1, "S: * 5 FETCH (UID 1)", "S: a1 OK"}, retrieved(1), "1:ErrGone"},
	{51, "no value", "", []string{"C: a1 UID FETCH 1 (UID BODY.PEEK[2])", "S: * 1 FETCH (UID 1 BODY[2] )", "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		_, err := c.Part(t.Context(), 1, "2", &imapclient.PartOptions{Raw: true})
		return fmt.Sprint(errors.Is(err, imapclient.ErrNoPart), c.Err())
	}, "true <nil>"},
	{52, "cut off, then the next", "", []string{peek12, "S: * 1 FETCH (UID 1 BODY[] ", `S: * 2 FETCH (UID 2 BODY[] "two")`, "S: a1 OK"}, retrieved(1, 2), `1:imap: malformed response 2:"two"`},
	{53, "a line end behind the body", "", []string{peek1, b64("* 1 FETCH (UID 1 BODY[] {3}\r\nabc\r\n)\r\n"), "S: a1 OK"}, retrieved(1), `1:"abc"`},
	{54, "items behind the end", "", []string{peek1, b64("* 3 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n FLAGS (\\Seen) RFC822.SIZE 3)\r\n"), "S: a1 OK"}, retrieved(1), `1:"abc"`},
	// A message has a header: NIL, which could stand for none, is sent for those that have gone.
	{55, "NIL for a body", "", []string{peek12, "S: * 1 FETCH (UID 1 RFC822.SIZE 0 BODY[] NIL)", "S: * 2 FETCH (UID 2 RFC822.SIZE 9 BODY[] NIL)", "S: a1 OK"}, retrieved(1, 2), "1:imap: the server sent NIL instead of the message 2:imap: the server sent NIL instead of the message"},
	{56, "a body in quotes", "", []string{peek12, `S: * 7 FETCH (UID 1 RFC822.SIZE 0 BODY[] "")`, `S: * 8 FETCH (UID 2 BODY[] "a\"b")`, "S: a1 OK"}, retrieved(1, 2), `1:"" 2:"a\"b"`},
	{57, "a body without its length", "", []string{peek12, b64("* 1 FETCH (UID 1 BODY[] \r\nSubject: x\r\n\r\nhello\r\n)\r\n"), `S: * 2 FETCH (UID 2 BODY[] "two")`, "S: a1 OK"}, retrieved(1, 2), `1:imap: malformed response 2:"two"`},
	{59, "OK and no message", "", []string{peek1, "S: a1 OK FETCH completed."}, retrieved(1), "1:ErrGone"},
	{60, "sizes that are not", "", []string{peek12, b64("* 1 FETCH (UID 1 RFC822.SIZE 19189 BODY[] {3}\r\nabc)\r\n"), b64("* 2 FETCH (UID 2 RFC822.SIZE 1 BODY[] {3}\r\nabc)\r\n"), "S: a1 OK"}, retrieved(1, 2), `1:"abc" 2:"abc"`},
	{61, "the encoding is from the structure", "", []string{"C: a1 UID FETCH 5 (UID RFC822.SIZE BODYSTRUCTURE)", structure2, "S: a1 OK", "C: a2 UID FETCH 5 (UID BODY.PEEK[3])", `S: * 1 FETCH (UID 5 BODY[3] "YWJj")`, "S: a2 OK"}, func(t *testing.T, c *imapclient.Client) string {
		got, err := readPart(t, c, "3", nil)
		return fmt.Sprint(got, err)
	}, "abc<nil>"},
	{58, "a literal beyond reason", "", []string{peek1, "S: * 1 FETCH (UID 1 BODY[] {18446744073709551612}", "= CLOSE"}, retrieved(1), `1:"" the server closed the connection: unexpected EOF, and messages had not come, 1 the next of them`},
}

// idle waits a moment, and shows what happened.
func idle(t *testing.T, c *imapclient.Client) string {
	a, err := c.Idle(t.Context(), 10*time.Millisecond)
	return fmt.Sprint(a.Arrived, err)
}

var quirksOfIdle = []quirk{
	{95, "another text", "IDLE", []string{"C: a1 IDLE", "S: + entering idle mode", "S: * 5 EXISTS", "C: DONE", "S: a1 OK"}, idle, "1 <nil>"},
	{96, "a tag before the +", "IDLE", []string{"C: a1 IDLE", "S: a1 + idling", "S: * 5 EXISTS", "C: DONE", "S: a1 OK"}, idle, "1 <nil>"},
	{97, "data before the +", "IDLE", []string{"C: a1 IDLE", "S: * 1521 EXISTS", "S: + IDLE accepted, awaiting DONE command.", "C: DONE", "S: a1 OK"}, idle, "1517 <nil>"},
	{98, "still here", "IDLE", slices.Concat([]string{"C: a1 IDLE", "S: + idling"}, pieces("* OK Still here\r\n* 5 EXISTS\r\n"), []string{"C: DONE", "S: a1 OK"}), idle, "1 <nil>"},
}

// pieces is a text an octet at a time.
func pieces(text string) []string {
	var script []string
	for _, ch := range text {
		script = append(script, b64(string(ch)))
	}
	return script
}
