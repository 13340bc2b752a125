package imapclient_test

import (
	"fmt"
	"testing"

	"example.com/postbag/imapclient"
)

// What was done before a refusal is known.
func TestRefusedInPart(t *testing.T) {
	var uids []uint32
	for uid := uint32(1); uid < 4000; uid += 2 {
		uids = append(uids, uid)
	}
	set := imapclient.UIDs(uids...)
	for _, tt := range []struct {
		name, extensions string
		script           []string
		do               func(c *imapclient.Client) (imapclient.Copied, error)
		want             string
	}{
		{"Copy, the second part", "UIDPLUS", []string{"C: a1 UID COPY …", "S: a1 OK [COPYUID 5 1,3 11:12]", "C: a2 UID COPY …", "S: a2 NO [UNAVAILABLE] no"},
			func(c *imapclient.Client) (imapclient.Copied, error) { return c.Copy(t.Context(), set, "to") }, "5 1,3 12"},
		{"Move, the second part", "MOVE", []string{"C: a1 UID MOVE …", "S: a1 OK [COPYUID 5 1,3 11:12]", "C: a2 UID MOVE …", "S: a2 NO [UNAVAILABLE] no"},
			func(c *imapclient.Client) (imapclient.Copied, error) { return c.Move(t.Context(), set, "to", nil) }, "5 1,3 12"},
		{"Move, after some", "MOVE", []string{"C: a1 UID MOVE 1,3,5 \"to\"", "S: * OK [COPYUID 5 1,3 11:12] moved", "S: * 1 EXPUNGE", "S: a1 NO [UNAVAILABLE] no"},
			func(c *imapclient.Client) (imapclient.Copied, error) {
				return c.Move(t.Context(), imapclient.UIDs(1, 3, 5), "to", nil)
			}, "5 1,3 12"},
		{"Move without MOVE, STORE", "UIDPLUS", []string{"C: a1 UID COPY 1,3 \"to\"", "S: a1 OK [COPYUID 5 1,3 11:12]", "C: a2 UID STORE …", "S: a2 NO [UNAVAILABLE] no"},
			func(c *imapclient.Client) (imapclient.Copied, error) {
				return c.Move(t.Context(), imapclient.UIDs(1, 3), "to", nil)
			}, "5 1,3 12"},
		{"Move without MOVE, EXPUNGE", "UIDPLUS", []string{"C: a1 UID COPY 1,3 \"to\"", "S: a1 OK [COPYUID 5 1,3 11:12]", "C: a2 UID STORE …", "S: a2 OK", "C: a3 UID EXPUNGE 1,3", "S: a3 NO [UNAVAILABLE] no"},
			func(c *imapclient.Client) (imapclient.Copied, error) {
				return c.Move(t.Context(), imapclient.UIDs(1, 3), "to", nil)
			}, "5 1,3 12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := authed(t, tt.extensions, lines(append([]string{"C: z1 SELECT INBOX", "S: * 4 EXISTS", "S: * OK [UIDNEXT 5000] n", "S: z1 OK [READ-WRITE] done"}, tt.script...)...))
			if _, err := c.Select(t.Context(), "INBOX"); err != nil {
				t.Fatal(err)
			}
			d, err := tt.do(c)
			wants(t, tt.name, err, imapclient.ErrUnavailable)
			if got := fmt.Sprint(d.UIDValidity, " ", d.Sources(), " ", d.UID(3)); got != tt.want {
				t.Errorf("copied are %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("SetFlagsUnlessChanged", func(t *testing.T) {
		c := selected(t, "CONDSTORE", lines("C: a1 UID STORE …", "S: a1 OK [MODIFIED 3] some", "C: a2 UID STORE …", "S: a2 NO [UNAVAILABLE] no"))
		changed, err := c.SetFlagsUnlessChanged(t.Context(), 12, imapclient.AddFlags, []string{"x"}, set)
		wants(t, "SetFlagsUnlessChanged", err, imapclient.ErrUnavailable)
		if changed.String() != "3" {
			t.Errorf("changed are %v, want 3", changed)
		}
	})
}

// A server that says that something has happened, and not what, is asked.
func TestSilentResync(t *testing.T) {
	c := authed(t, "QRESYNC ENABLE", lines("C: a0 ENABLE QRESYNC", "S: a0 OK", "C: a1 SELECT INBOX (QRESYNC (7 5 1:2))",
		"S: * 2 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 3] n", "S: * OK [HIGHESTMODSEQ 6] m", "S: a1 OK [READ-WRITE] done",
		"C: a2 UID FETCH 1:2 (UID FLAGS) (CHANGEDSINCE 5)", "S: * 2 FETCH (UID 2 FLAGS (x) MODSEQ (6))", "S: a2 OK"))
	ch, err := c.SelectChanges(t.Context(), "INBOX", imapclient.Cursor{UIDValidity: 7, UIDNext: 3, HighestModSeq: 5}, imapclient.UIDs(1, 2))
	if err != nil || len(ch.Changed) != 1 || ch.Changed[0].UID != 2 {
		t.Errorf("%+v, %v", ch, err)
	}
}
