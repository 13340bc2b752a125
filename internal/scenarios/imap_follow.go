package scenarios

import (
	"errors"
	"slices"
	"testing"

	"example.com/postbag/imapclient"
)

// imapFollow follows a mailbox that it changes itself.
func imapFollow(t testing.TB, _ string, c *imapclient.Client) {
	defer c.Close()
	imapLogin(t, c)
	// QUIRK: with Courier and Mailutils the UIDVALIDITY lasts from here on.
	if _, err := c.Select(t.Context(), "INBOX"); !check(t, "Select", err) {
		return
	}
	first, err := c.Changes(t.Context(), "INBOX", imapclient.Cursor{}, imapclient.Set{})
	if !check(t, "Changes", err) {
		return
	}
	var uids []uint32
	for _, s := range first.New {
		uids = append(uids, s.UID)
	}
	if len(uids) != len(Messages()) || first.Vanished.Len() > 0 || len(first.Changed) > 0 {
		t.Errorf("at first %+v", first)
		return
	}
	known := imapclient.UIDs(uids...)
	quiet, err := c.Changes(t.Context(), "INBOX", first.Cursor, known)
	if !check(t, "Changes", err) {
		return
	}
	if len(quiet.New) > 0 || quiet.Vanished.Len() > 0 || len(quiet.Changed) > 0 && !quiet.Partial {
		t.Errorf("nothing has happened, and %+v is told", quiet)
	}

	_, err = c.Select(t.Context(), "INBOX")
	check(t, "Select", err)
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Flagged`}, uids[0]))
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Deleted`}, uids[1]))
	gone := "" // what is gone then
	err = c.Expunge(t.Context(), uids[1])
	switch {
	case errors.Is(err, errors.ErrUnsupported):
	case check(t, "Expunge", err):
		gone = imapclient.UIDs(uids[1]).String()
	}

	ch, err := c.Changes(t.Context(), "INBOX", quiet.Cursor, known)
	if !check(t, "Changes", err) {
		return
	}
	flagged := slices.IndexFunc(ch.Changed, func(s imapclient.Summary) bool { return s.UID == uids[0] })
	if flagged < 0 || !slices.Contains(ch.Changed[flagged].Flags, `\Flagged`) || ch.Vanished.String() != gone || len(ch.New) > 0 {
		t.Errorf("after a flag and an expunge %+v", ch)
	}
	check(t, "Logout", c.Logout(t.Context()))
}
