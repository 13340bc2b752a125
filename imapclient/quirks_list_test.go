package imapclient_test

import (
	"fmt"
	"testing"

	"example.com/postbag/imapclient"
)

func listed(t *testing.T, c *imapclient.Client) string {
	list, err := c.Mailboxes(t.Context(), "*")
	if err != nil {
		return err.Error()
	}
	s := ""
	for _, m := range list {
		s += fmt.Sprintf("%q%q%q ", m.Attributes, m.Delimiter, m.Name)
	}
	return s
}

func aList(rows ...string) []string {
	script := []string{`C: a1 LIST "" "*"`}
	for _, r := range rows {
		script = append(script, b64("* LIST "+r+"\r\n"))
	}
	return append(script, "S: a1 OK")
}

var quirksOfMailboxes = []quirk{
	{30, "brackets", "-", aList(`(\UnMarked) "/" [Gmail]/Starred`, `() "." INBOX.[Airmail].Snooze`), listed, `["\\UnMarked"]"/""[Gmail]/Starred" []".""INBOX.[Airmail].Snooze" `},
	{31, "tabs", "-", aList("() \"/\" INBOX/Da\tOggetto\tRicevuto\t"), listed, `[]"/""INBOX/Da\tOggetto\tRicevuto\t" `},
	{32, "spaces and backslashes", "-", aList(`() "\\" Folder\Subfolder 1`), listed, `[]"\\""Folder\\Subfolder 1" `},
	{33, "NIL and digits", "-", aList(`() "/" NIL`, `() "/" 200`), listed, `[]"/""NIL" []"/""200" `},
	{34, "no delimiter", "-", aList(`(\NoInferiors) NIL "INBOX"`, `() "/" a`), listed, `["\\NoInferiors"]"""INBOX" []"/""a" `},
	{35, "quotes", "-", aList(`() "." "ab"cd"`), listed, `[]".""ab\"cd" `},
	{36, "a literal", "-", aList("() \"/\" {17}\r\nFolder\\with\\slash"), listed, `[]"/""Folder\\with\\slash" `},
	{37, "a lone backslash", "-", aList(`(\HasNoChildren \) "." "Argos"`), listed, `["\\HasNoChildren"]".""Argos" `},
	{38, "LIST-EXTENDED is refused", "-SPECIAL-USE LIST-EXTENDED", []string{`C: a1 LIST "" "*" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN)`, "S: a1 BAD what?", `C: a2 LIST "" "*"`, `S: * LIST () "/" a`, "S: a2 OK"},
		func(t *testing.T, c *imapclient.Client) string {
			list, err := c.List(t.Context(), nil)
			return fmt.Sprint(show(list), err)
		}, "a[]<nil>"},
	{39, "LIST-EXTENDED is not answered", "-LIST-EXTENDED", []string{`C: a1 LIST "" INBOX RETURN (SUBSCRIBED CHILDREN)`, "S: a1 OK LIST completed", `C: a2 LIST "" INBOX`, `S: * LIST () "/" INBOX`, "S: a2 OK", `C: a3 LIST "" INBOX`, `S: * LIST () "/" INBOX`, "S: a3 OK"},
		func(t *testing.T, c *imapclient.Client) string {
			list, err := c.List(t.Context(), &imapclient.ListOptions{Pattern: "INBOX"})
			again, err2 := c.List(t.Context(), &imapclient.ListOptions{Pattern: "INBOX"})
			return fmt.Sprint(show(list), err, show(again), err2)
		}, "INBOX[]<nil>INBOX[]<nil>"},
}

func search(o *imapclient.SearchOptions) func(*testing.T, *imapclient.Client) string {
	return func(t *testing.T, c *imapclient.Client) string {
		r, err := c.Search(t.Context(), nil, o)
		if err != nil {
			return kind(err)
		}
		return fmt.Sprint(r.UIDs, " ", r.Count, " ", r.Min, " ", r.Max)
	}
}

var quirksOfSearch = []quirk{
	{40, "a space at the end", "", []string{"C: a1 UID SEARCH ALL", b64("* SEARCH 7456 \r\n"), "S: a1 OK"}, search(nil), "7456 1 7456 7456"},
	{40, "an empty set is not sent", "", []string{"C: a1 UID SEARCH ALL", b64("* SEARCH \r\n"), "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		r, err := c.Search(t.Context(), nil, nil)
		if err != nil {
			return err.Error()
		}
		got := fetchInfos(t, c, r.UIDs, imapclient.Items{Size: true})
		return fmt.Sprint(len(got.infos), got.last)
	}, "0 <nil>"},
	{41, "SERVERBUG", "", []string{"C: a1 UID SEARCH ALL", "S: a1 NO [SERVERBUG] UID SEARCH Server error - Please try again later"}, search(nil), "ErrUnavailable"},
	{42, "answered plainly", "ESEARCH", []string{"C: a1 UID SEARCH RETURN (ALL) ALL", "S: * SEARCH 1 2 3", "S: a1 OK"}, search(nil), "1:3 3 1 3"},
	{43, "ALL is asked for by name", "ESEARCH", []string{"C: a1 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A1") UID ALL 5`, "S: a1 OK"}, search(nil), "5 1 5 5"},
	{44, "no MIN and MAX", "ESEARCH", []string{"C: a1 UID SEARCH RETURN (MIN MAX COUNT) ALL", `S: * ESEARCH (TAG "A1") UID COUNT 2`, "S: a1 OK", "C: a2 UID SEARCH RETURN (ALL) ALL", `S: * ESEARCH (TAG "A2") UID ALL 3,9`, "S: a2 OK"},
		search(&imapclient.SearchOptions{CountOnly: true}), " 2 3 9"},
	{45, "sets ascend", "", []string{"C: a1 UID FETCH 1,3:5,20 (UID RFC822.SIZE)", "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		got := fetchInfos(t, c, imapclient.UIDs(20, 4, 3, 5, 1), imapclient.Items{Size: true})
		return fmt.Sprint(imapclient.Range(20, 1), len(got.infos), got.last)
	}, " 0 <nil>"},
	{46, "a message beyond the last", "", []string{"C: a1 NOOP", `S: * 919 FETCH (FLAGS (\Recent) UID 919)`, "S: * 919 EXISTS", "S: a1 OK"}, func(t *testing.T, c *imapclient.Client) string {
		a, err := c.Noop(t.Context())
		return fmt.Sprint(a.Messages, err)
	}, "919 <nil>"},
	{47, "message 0", "", []string{"C: a1 UID FETCH 1 (UID RFC822.SIZE)", "S: * 0 FETCH (RFC822.SIZE 7)", "S: * 1 FETCH (UID 1 RFC822.SIZE 5)", "S: a1 OK"}, sizes(1), "1:5 "},
	{48, "UIDs alone", "", []string{"C: a1 UID FETCH 7,9 (UID RFC822.SIZE)", "S: * 1 EXPUNGE", "S: * 2 FETCH (UID 7 RFC822.SIZE 5)", "S: * 2 FETCH (UID 9 RFC822.SIZE 6)", "S: a1 OK"}, sizes(7, 9), "7:5 9:6 "},
}

// sizes asks for the sizes of messages.
func sizes(uids ...uint32) func(*testing.T, *imapclient.Client) string {
	return func(t *testing.T, c *imapclient.Client) string {
		got := fetchInfos(t, c, imapclient.UIDs(uids...), imapclient.Items{Size: true})
		s := ""
		for _, i := range got.infos {
			s += fmt.Sprintf("%d:%d ", i.UID, i.Size)
		}
		if got.last != nil {
			s += got.last.Error()
		}
		return s
	}
}

// Sohu answers NAMESPACE in the name of CAPABILITY
// (https://github.com/jstedfast/MailKit/issues/2006).
func TestNamespaceAsCapability(t *testing.T) {
	c := authed(t, "NAMESPACE", lines("C: a1 NAMESPACE", `S: * CAPABILITY (("" "/")) NIL NIL`, "S: a1 OK"))
	n, err := c.Namespaces(t.Context())
	if err != nil || len(n.Personal) != 1 || n.Personal[0].Delimiter != "/" || has(t, c, "NAMESPACE") == "" {
		t.Errorf("%+v, %v", n, err)
	}
}
