package imapclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// fake is a fake mailbox and a client that is logged in.
func fake(t *testing.T, without ...string) (*retrievaltest.Server, *imapclient.Client) {
	t.Helper()
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Security: retrieval.Plaintext, Without: without})
	a := s.Account(retrieval.IMAP)
	c, err := imapclient.DialPlaintext(t.Context(), a.Host+":143", &imapclient.Options{Dial: a.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), retrievaltest.User, retrievaltest.Password); err != nil {
		t.Fatal(err)
	}
	return s, c
}

func uidOf(t *testing.T, m retrievaltest.Message) uint32 {
	t.Helper()
	_, num, _ := strings.Cut(string(m.UID), ".")
	n, err := strconv.ParseUint(num, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// follower follows a mailbox and knows what it has been told.
type follower struct {
	cursor imapclient.Cursor
	known  map[uint32]string // flags
}

func (f *follower) set() imapclient.Set {
	var uids []uint32
	for uid := range f.known {
		uids = append(uids, uid)
	}
	return imapclient.UIDs(uids...)
}

// follow asks for the changes and takes them over.
func (f *follower) follow(t *testing.T, c *imapclient.Client) *imapclient.Changes {
	t.Helper()
	ch, err := c.Changes(t.Context(), "INBOX", f.cursor, f.set())
	if err != nil {
		t.Fatal(err)
	}
	flags := func(s imapclient.Summary) string {
		l := slices.Clone(s.Flags)
		slices.Sort(l)
		return strings.Join(l, " ")
	}
	for _, s := range ch.New {
		if _, had := f.known[s.UID]; had || s.Size < 0 || s.Received.IsZero() {
			t.Errorf("new: %+v, known before: %v", s, had)
		}
		f.known[s.UID] = flags(s)
	}
	for _, s := range ch.Changed {
		if _, had := f.known[s.UID]; !had {
			t.Errorf("changed: %+v, which was not known", s)
		}
		f.known[s.UID] = flags(s)
	}
	for uid := range ch.Vanished.Values() {
		if _, had := f.known[uid]; !had {
			t.Errorf("vanished: %d, which was not known", uid)
		}
		delete(f.known, uid)
	}
	f.cursor = ch.Cursor
	return ch
}

// check compares what the follower knows with what there is.
func (f *follower) check(t *testing.T, s *retrievaltest.Server) {
	t.Helper()
	there := make(map[uint32]string)
	for _, m := range s.Contents() {
		var l []string
		for _, fl := range m.Flags {
			l = append(l, string(fl))
		}
		slices.Sort(l)
		there[uidOf(t, m)] = strings.Join(l, " ")
	}
	if fmt.Sprint(there) != fmt.Sprint(f.known) {
		t.Errorf("known is %v, there is %v", f.known, there)
	}
}

// TestChanges follows a mailbox through changes of all kinds, whatever the
// server can do.
func TestChanges(t *testing.T) {
	for _, tt := range []struct {
		name    string
		without []string
		quiet   int64 // round trips when nothing has changed
	}{
		{"QRESYNC", nil, 1},
		{"CONDSTORE", []string{"QRESYNC"}, 1},
		{"CONDSTORE without ESEARCH", []string{"QRESYNC", "ESEARCH"}, 1},
		{"neither", []string{"QRESYNC", "CONDSTORE"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, c := fake(t, tt.without...)
			for i := range 300 {
				s.Deliver(fmt.Appendf(nil, "Subject: %d\r\n\r\nx\r\n", i))
			}
			f := &follower{known: make(map[uint32]string)}
			if ch := f.follow(t, c); len(ch.New) != 300 || ch.Partial != (tt.name == "neither") {
				t.Errorf("first: %d new, partial %v", len(ch.New), ch.Partial)
			}
			f.check(t, s)

			before := c.Stats()
			ch := f.follow(t, c)
			trips, octets := c.Stats().RoundTrips-before.RoundTrips, c.Stats().In-before.In
			if len(ch.New) > 0 || ch.Vanished.Len() > 0 || !ch.Partial && len(ch.Changed) > 0 {
				t.Errorf("nothing happened, and %+v is told", ch)
			}
			if trips != tt.quiet || tt.name != "neither" && octets > 1000 {
				t.Errorf("for nothing: %d round trips, %d octets", trips, octets)
			}

			all := s.Contents()
			for i := range 10 {
				s.Delete(all[i*20].UID)
				s.SetFlags(all[i*20+1].UID, retrieval.FlagSeen, "$x")
				s.Deliver(fmt.Appendf(nil, "Subject: late %d\r\n\r\nx\r\n", i))
			}
			ch = f.follow(t, c)
			if len(ch.New) != 10 || ch.Vanished.Len() != 10 || !ch.Partial && len(ch.Changed) != 10 {
				t.Errorf("%d new, %d changed, %d vanished, want 10 of each", len(ch.New), len(ch.Changed), ch.Vanished.Len())
			}
			f.check(t, s)

			s.Delete(s.Contents()[289].UID, s.Contents()[299].UID) // the last of the known, and the last of all
			s.SetFlags(s.Contents()[0].UID)
			f.follow(t, c)
			f.check(t, s)

			for _, m := range s.Contents() {
				s.Delete(m.UID)
			}
			f.follow(t, c)
			f.check(t, s)
			s.Deliver([]byte("Subject: again\r\n\r\n"))
			f.follow(t, c)
			f.check(t, s)

			s.Renumber()
			if _, err := c.Changes(t.Context(), "INBOX", f.cursor, f.set()); !errors.Is(err, imapclient.ErrRenumbered) {
				t.Errorf("%v, want ErrRenumbered", err)
			}
		})
	}
}

// A server whose UIDNEXT has gone down is asked for everything, even if there are
// as many messages as there should be. If that does not contradict, the cursor
// goes back, too.
func TestChangesGoBack(t *testing.T) {
	row := func(uid int) string {
		return fmt.Sprintf(`S: * %d FETCH (UID %d FLAGS () INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 5)`, uid, uid)
	}
	for _, tt := range []struct {
		name, next string
		want       uint32
	}{
		{"restored", "4", 4},
		{"not true", "2", 6},
	} {
		c := play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1 ENABLE QRESYNC CONDSTORE] hi",
			"C: a1 ENABLE QRESYNC CONDSTORE", "S: * ENABLED QRESYNC", "S: a1 OK",
			"C: a2 EXAMINE INBOX (QRESYNC (7 9 1:2,5))", "S: * 3 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT "+tt.next+"] n", "S: * OK [HIGHESTMODSEQ 12] m", "S: a2 OK",
			"C: a3 UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)", row(1), row(2), row(3), "S: a3 OK"), nil)
		ch, err := c.Changes(t.Context(), "INBOX", imapclient.Cursor{UIDValidity: 7, UIDNext: 6, HighestModSeq: 9}, imapclient.UIDs(1, 2, 5))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if ch.Cursor.UIDNext != tt.want || ch.Vanished.String() != "5" || len(ch.New) != 1 || ch.New[0].UID != 3 || len(ch.Changed) != 2 || ch.Changed[1].Size != 5 || ch.Changed[1].Received.IsZero() {
			t.Errorf("%s: %+v", tt.name, ch)
		}
	}
}

// The wire of QRESYNC, and a server that tells half.
func TestChangesWire(t *testing.T) {
	preauth := "S: * PREAUTH [CAPABILITY IMAP4rev1 ENABLE QRESYNC CONDSTORE] hi"
	since := imapclient.Cursor{UIDValidity: 7, UIDNext: 30, HighestModSeq: 100}
	c := play(t, lines(preauth, "C: a1 ENABLE QRESYNC CONDSTORE", "S: * ENABLED QRESYNC", "S: a1 OK",
		"C: a2 EXAMINE INBOX (QRESYNC (7 100 1:20))", "S: * 18 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 31] n", "S: * OK [HIGHESTMODSEQ 120] m",
		"S: * VANISHED (EARLIER) 4:6,900:4294967295", `S: * 1 FETCH (UID 1 FLAGS (\Seen) MODSEQ (110))`, `S: * 18 FETCH (UID 30 FLAGS () MODSEQ (120))`, `S: * 9 FETCH (UID 25 FLAGS () MODSEQ (120))`, "S: a2 OK [READ-ONLY] done",
		"C: a3 UID FETCH 20:4294967295 …", "S: * 17 FETCH (UID 20 FLAGS () RFC822.SIZE 7)", "S: * 18 FETCH (UID 30 FLAGS () RFC822.SIZE 5)", "S: a3 OK"), nil)
	ch, err := c.Changes(t.Context(), "INBOX", since, imapclient.Range(1, 20))
	if err != nil {
		t.Fatal(err)
	}
	if len(ch.New) != 1 || len(ch.Changed) != 1 || ch.Changed[0].UID != 1 || ch.Newest.UID != 20 || ch.Newest.Size != 7 || ch.Vanished.String() != "4:6" || ch.Cursor != (imapclient.Cursor{UIDValidity: 7, UIDNext: 31, HighestModSeq: 120}) {
		t.Errorf("%+v", ch)
	}

	// 18 messages, but by what is told there should be 20: it is not believed.
	list := []string{"C: a3 UID FETCH 1:* …"}
	for uid := 3; uid <= 20; uid++ {
		list = append(list, fmt.Sprintf("S: * %d FETCH (UID %d FLAGS () RFC822.SIZE 5)", uid-2, uid))
	}
	c = play(t, lines(preauth, "C: a1 ENABLE QRESYNC CONDSTORE", "S: * ENABLED QRESYNC", "S: a1 OK",
		"C: a2 EXAMINE INBOX (QRESYNC (7 100 1:20))", "S: * 18 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [UIDNEXT 30] n", "S: * OK [HIGHESTMODSEQ 120] m", "S: a2 OK [READ-ONLY] done")+
		lines(append(list, "S: a3 OK")...), nil)
	ch, err = c.Changes(t.Context(), "INBOX", since, imapclient.Range(1, 20))
	if err != nil || ch.Vanished.String() != "1:2" || len(ch.New) != 0 {
		t.Errorf("%+v, %v", ch, err)
	}

	// NOMODSEQ: this mailbox has none.
	c = play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1 CONDSTORE] hi",
		"C: a2 EXAMINE INBOX (CONDSTORE)", "S: * 1 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: * OK [NOMODSEQ] no", "S: a2 OK [READ-ONLY] done",
		"C: a3 UID FETCH 1:* …", "S: * 1 FETCH (UID 40 FLAGS () RFC822.SIZE 5)", "S: a3 OK"), nil)
	ch, err = c.Changes(t.Context(), "INBOX", since, imapclient.Range(1, 2))
	if err != nil || ch.Vanished.String() != "1:2" || len(ch.New) != 1 || ch.Cursor.UIDNext != 41 {
		t.Errorf("%+v, %v", ch, err)
	}
}

// With QRESYNC on, VANISHED takes the place of EXPUNGE.
func TestVanished(t *testing.T) {
	c := examined(t, lines("C: a1 NOOP", "S: * VANISHED 5,9:10", "S: * VANISHED (EARLIER) 1:400", "S: * VANISHED x", "S: a1 OK"))
	a, err := c.Noop(t.Context())
	if want := (imapclient.Activity{Messages: 1, Expunged: 3}); err != nil || a != want {
		t.Errorf("Noop = %+v, %v, want %+v", a, err, want)
	}
}
