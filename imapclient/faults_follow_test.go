package imapclient_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/retrieval"
)

// TestFollowFaults are the faults of the catalogue that befall the names of
// messages: who has marked them, and what they are called next time.
func TestFollowFaults(t *testing.T) {
	t.Run("F62 marked by others, and ours", func(t *testing.T) {
		for _, without := range [][]string{nil, {"MOVE"}, {"UIDPLUS", "MOVE"}} {
			s, c := fake(t, without...)
			s.Deliver([]byte("Subject: 1\r\n\r\n"), []byte("Subject: 2\r\n\r\n"), []byte("Subject: 3\r\n\r\n"))
			_, err := c.Select(t.Context(), "INBOX")
			wants(t, "Select", err, nil)
			all := s.Contents()
			kept, moved, ours := uidOf(t, all[0]), uidOf(t, all[1]), uidOf(t, all[2])
			s.SetFlags(all[0].UID, `\Deleted`) // that we have delivered, and keep
			wants(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Deleted`}, ours), nil)
			err = c.Expunge(t.Context(), ours)
			var left []uint32
			if len(without) == 2 {
				wants(t, "Expunge", err, errors.ErrUnsupported)
				wants(t, "ExpungeEmulated", c.ExpungeEmulated(t.Context(), ours), nil)
				left = []uint32{kept, moved}
			} else {
				wants(t, "Expunge", err, nil)
				s.Create("to")
				_, err = c.Move(t.Context(), imapclient.UIDs(moved), "to", nil)
				wants(t, "Move", err, nil)
				left = []uint32{kept}
			}
			var there []uint32
			for _, m := range s.Contents() {
				there = append(there, uidOf(t, m))
				if uidOf(t, m) == kept && !slices.Contains(m.Flags, `\Deleted`) {
					t.Errorf("without %q: the mark of another client is gone", without)
				}
			}
			if !slices.Equal(there, left) {
				t.Errorf("without %q: left are %v, want %v", without, there, left)
			}
		}
	})
	t.Run("F66 flags are added", func(t *testing.T) {
		s, c := fake(t)
		s.Deliver([]byte("Subject: 1\r\n\r\n"))
		_, err := c.Select(t.Context(), "INBOX")
		wants(t, "Select", err, nil)
		s.SetFlags(s.Contents()[0].UID, "$Foreign", `\Flagged`)
		wants(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Deleted`}, uidOf(t, s.Contents()[0])), nil)
		for _, want := range []retrieval.Flag{"$Foreign", `\Flagged`, `\Deleted`} {
			if m := s.Contents()[0]; !slices.Contains(m.Flags, want) {
				t.Errorf("%q without %q", m.Flags, want)
			}
		}
	})
	t.Run("F77 F78 renumbered", func(t *testing.T) {
		s, c := fake(t)
		s.Deliver([]byte("Subject: 1\r\n\r\n"), []byte("Subject: 2\r\n\r\n"))
		f := &follower{known: make(map[uint32]string)}
		f.follow(t, c)
		s.Renumber()
		for range 2 { // as a new session would, and again
			ch, err := c.Changes(t.Context(), "INBOX", f.cursor, f.set())
			if wants(t, "Changes", err, imapclient.ErrRenumbered); ch != nil {
				t.Errorf("with an error there is %+v", ch)
			}
		}
	})
	t.Run("F79 odd validities", func(t *testing.T) {
		for _, tt := range []struct {
			told string
			want error
		}{
			{"S: * OK [UIDVALIDITY 7]", nil}, {"S: * OK [UIDVALIDITY 6] less", imapclient.ErrRenumbered}, {"S: * OK [UIDVALIDITY 0] none", imapclient.ErrRenumbered},
			{"S: * OK nothing", imapclient.ErrRenumbered}, {"S: * OK [UIDVALIDITY 4294967303] 2^32 more", imapclient.ErrRenumbered}, {"S: * OK [UIDVALIDITY -7]", imapclient.ErrRenumbered},
		} {
			c := authed(t, "CONDSTORE", lines("C: a1 EXAMINE INBOX (CONDSTORE)", "S: * 1 EXISTS", tt.told, "S: * OK [HIGHESTMODSEQ 9] m", "S: * OK [UIDNEXT 2] n", "S: a1 OK"))
			ch, err := c.Changes(t.Context(), "INBOX", imapclient.Cursor{UIDValidity: 7, UIDNext: 2, HighestModSeq: 9}, imapclient.UIDs(1))
			if wants(t, tt.told, err, tt.want); tt.want != nil && ch != nil || tt.want == nil && (len(ch.New) > 0 || ch.Vanished.Len() > 0) {
				t.Errorf("%s: %+v", tt.told, ch)
			}
		}
	})
	t.Run("F81 UIDs that do not last", func(t *testing.T) {
		c := authed(t, "", lines("C: a1 SELECT INBOX", "S: * 1 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * NO [UIDNOTSTICKY] no lasting UIDs", "S: a1 OK"))
		if box, err := c.Select(t.Context(), "INBOX"); err != nil || !box.UIDNotSticky {
			t.Errorf("%+v, %v", box, err)
		}
	})
	t.Run("F83 HIGHESTMODSEQ is not true", func(t *testing.T) {
		row := func(uid int) string {
			return fmt.Sprintf(`S: * %d FETCH (UID %d FLAGS () INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 5)`, uid, uid)
		}
		for name, script := range map[string][]string{
			"the same, and a new message": {"S: * OK [HIGHESTMODSEQ 9] m", "S: a1 OK", "C: a2 UID FETCH 2:4294967295 (UID FLAGS INTERNALDATE RFC822.SIZE)", row(2), row(3), "S: a2 OK"},
			// What has changed a server cannot tell that counts from less than before.
			"lower, and a new message": {"S: * OK [HIGHESTMODSEQ 4] m", "S: a1 OK", "C: a2 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", row(1), row(2), row(3), "S: a2 OK"},
			"no longer there":          {"S: * OK [NOMODSEQ] none", "S: a1 OK", "C: a2 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", row(1), row(2), row(3), "S: a2 OK"},
		} {
			c := authed(t, "CONDSTORE", lines(append([]string{"C: a1 EXAMINE INBOX (CONDSTORE)", "S: * 3 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 4] n"}, script...)...))
			ch, err := c.Changes(t.Context(), "INBOX", imapclient.Cursor{UIDValidity: 7, UIDNext: 3, HighestModSeq: 9}, imapclient.UIDs(1, 2))
			if err != nil || len(ch.New) != 1 || ch.New[0].UID != 3 || ch.Vanished.Len() > 0 || ch.Cursor.UIDNext != 4 {
				t.Errorf("%s: %+v, %v", name, ch, err)
			}
		}
	})
	t.Run("F84 VANISHED of what was never known", func(t *testing.T) {
		for _, told := range []string{"1:4294967295", "2,2,1:2,2:1,500:600", "2:3,4294967295:1"} {
			c := authed(t, "ENABLE QRESYNC", lines("C: a1 ENABLE QRESYNC", "S: * ENABLED QRESYNC", "S: a1 OK", "C: a2 EXAMINE INBOX (QRESYNC (7 9 1:3))", "S: * 1 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 4] n", "S: * OK [HIGHESTMODSEQ 12] m",
				"S: * VANISHED (EARLIER) "+told, "S: * VANISHED (EARLIER) 2:900", "S: a2 OK",
				// What is there, when that does not add up.
				"C: a3 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", `S: * 1 FETCH (UID 1 FLAGS () INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 5)`, "S: a3 OK"))
			ch, err := c.Changes(t.Context(), "INBOX", imapclient.Cursor{UIDValidity: 7, UIDNext: 4, HighestModSeq: 9}, imapclient.Range(1, 3))
			if err != nil || ch.Vanished.String() != "2:3" || len(ch.New) > 0 {
				t.Errorf("%s: %+v, %v", told, ch, err)
			}
		}
	})
	t.Run("F85 no CLOSED", func(t *testing.T) {
		for _, closed := range []string{"S: * OK [CLOSED] Previous mailbox closed.", "S: * OK and now"} {
			c := selected(t, "", lines("C: a1 EXAMINE other", "S: * 9 EXISTS", "S: * 1 EXPUNGE", closed, "S: * 2 EXISTS", "S: * OK [UIDVALIDITY 8] v", "S: a1 OK", "C: a2 NOOP", "S: * 3 EXISTS", "S: a2 OK"))
			box, err := c.Examine(t.Context(), "other")
			if err != nil || box.Messages != 2 || box.UIDValidity != 8 {
				t.Errorf("%s: %+v, %v", closed, box, err)
			}
			if a, err := c.Noop(t.Context()); err != nil || a.Messages != 3 || a.Arrived != 1 {
				t.Errorf("%s: %+v, %v", closed, a, err)
			}
		}
	})
}
