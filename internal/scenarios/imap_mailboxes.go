package scenarios

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
)

// imapPrefix logs in and returns what the names of new mailboxes begin with.
func imapPrefix(t testing.TB, c *imapclient.Client) string {
	t.Helper()
	imapLogin(t, c)
	n, err := c.Namespaces(t.Context())
	if !check(t, "Namespaces", err) || len(n.Personal) == 0 {
		return ""
	}
	return n.Personal[0].Prefix
}

func named(name string) func(imapclient.ListedMailbox) bool {
	return func(m imapclient.ListedMailbox) bool { return m.Name == name }
}

func imapManage(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	prefix := imapPrefix(t, c)
	one, two := prefix+"Entw\u00fcrfe & Co", prefix+"\u65e5\u672c\u8a9e"
	id, err := c.CreateMailbox(t.Context(), one)
	check(t, "CreateMailbox", err)
	check(t, "Subscribe", c.Subscribe(t.Context(), one))

	list, err := c.List(t.Context(), &imapclient.ListOptions{WithStatus: true})
	check(t, "List", err)
	if i := slices.IndexFunc(list, named(one)); i < 0 {
		t.Errorf("%q is not in %+v", one, list)
	} else if s := list[i].Status; s == nil || s.Told&imapclient.StatusMessages == 0 || s.Messages != 0 {
		t.Errorf("its status is %+v", s)
	}
	if i := slices.IndexFunc(list, named("INBOX")); i < 0 || list[i].Status == nil || int(list[i].Status.Messages) != len(Messages()) {
		t.Errorf("no INBOX with its status in %+v", list)
	}
	list, err = c.List(t.Context(), &imapclient.ListOptions{Subscribed: true})
	check(t, "List", err)
	if i := slices.IndexFunc(list, named(one)); i < 0 || !list[i].Has(`\Subscribed`) {
		t.Errorf("%q is not subscribed to: %+v", one, list)
	}
	s, err := c.Status(t.Context(), "inbox", ^imapclient.StatusItem(0))
	if check(t, "Status", err) && (int(s.Messages) != len(Messages()) || s.UIDNext == 0 || s.UIDValidity == 0 || (s.MailboxID == "") != (id == "")) {
		t.Errorf("status %+v", s)
	}

	check(t, "RenameMailbox", c.RenameMailbox(t.Context(), one, two))
	box, err := c.Select(t.Context(), two)
	if check(t, "Select", err) && box.ID != id {
		t.Errorf("ID %q, want %q", box.ID, id)
	}
	check(t, "Unselect", c.Unselect(t.Context()))
	check(t, "Unsubscribe", c.Unsubscribe(t.Context(), one))
	check(t, "DeleteMailbox", c.DeleteMailbox(t.Context(), two))
	if _, err := c.Examine(t.Context(), two); !errors.Is(err, imapclient.ErrNoMailbox) {
		t.Errorf("Examine = %v, want ErrNoMailbox", err)
	}
	if _, err := c.Quota(t.Context(), "INBOX"); !errors.Is(err, errors.ErrUnsupported) {
		check(t, "Quota", err)
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapUTF8(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	prefix := imapPrefix(t, c)
	on, err := c.Enable(t.Context(), "UTF8=ACCEPT")
	if !check(t, "Enable", err) || len(on) == 0 {
		return
	}
	for _, name := range []string{prefix + "Entw\u00fcrfe", prefix + "R&D"} {
		_, err := c.CreateMailbox(t.Context(), name)
		check(t, "CreateMailbox", err)
		list, err := c.Mailboxes(t.Context(), "")
		check(t, "Mailboxes", err)
		if !slices.ContainsFunc(list, named(name)) {
			t.Errorf("%q is not in %+v", name, list)
		}
		_, err = c.Select(t.Context(), name)
		check(t, "Select", err)
		_, err = c.Search(t.Context(), &imapclient.Query{Subject: "Gr\u00fc\u00dfe"}, nil)
		check(t, "Search", err)
		check(t, "Unselect", c.Unselect(t.Context()))
		check(t, "DeleteMailbox", c.DeleteMailbox(t.Context(), name))
	}
	imapAppendUTF8(t, c)
	check(t, "Logout", c.Logout(t.Context()))
}

// imapAppendUTF8 adds a message with UTF-8 in its header section.
func imapAppendUTF8(t testing.TB, c *imapclient.Client) {
	want := []byte("From: \u00f6 <o@example.com>\r\nSubject: Gr\u00fc\u00dfe\r\n\r\nbody\r\n")
	at, err := c.Append(t.Context(), "INBOX", bytes.NewReader(want), int64(len(want)), nil)
	if !check(t, "Append", err) {
		return
	}
	_, err = c.Select(t.Context(), "INBOX")
	check(t, "Select", err)
	for m, err := range c.Bodies(t.Context(), at.UID) {
		if check(t, "Bodies", err) {
			got, err := io.ReadAll(m)
			check(t, "read", err)
			if !bytes.Equal(got, want) {
				t.Errorf("it became %q", got)
			}
		}
	}
}

func imapAppend(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	before := imapOpen(t, c, (*imapclient.Client).Select)
	received := time.Date(2020, 2, 3, 4, 5, 6, 0, time.FixedZone("", 3600))
	want := append(bytes.Repeat([]byte("X-Filler: nothing of importance\r\n"), 20), "\r\nGr\xc3\xbc\xdfe\r\n"...)
	at, err := c.Append(t.Context(), "INBOX", bytes.NewReader(want), int64(len(want)), &imapclient.AppendOptions{Flags: []string{`\Flagged`}, Received: received})
	if !check(t, "Append", err) {
		return
	}
	_, err = c.Noop(t.Context())
	check(t, "Noop", err)
	var uid uint32
	for s, err := range c.Summaries(t.Context(), imapclient.All()) {
		if check(t, "Summaries", err); !slices.Contains(before, s.UID) {
			uid = s.UID
			// QUIRK: Mailutils takes no notice of flags and time zones.
			if server != "mailutils" && (!slices.Equal(s.Flags, []string{`\Flagged`}) || !s.Received.Equal(received) || s.Size != int64(len(want))) {
				t.Errorf("it became %+v", s)
			}
		}
	}
	if at.UID != uid && at.UID != 0 {
		t.Errorf("message %d, but APPENDUID says %d", uid, at.UID)
	}
	for m, err := range c.Bodies(t.Context(), uid) {
		if check(t, "Bodies", err) {
			got, err := io.ReadAll(m)
			check(t, "read", err)
			checkMessage(t, server, len(before)+1, got, want)
		}
	}
	_, err = c.Append(t.Context(), "no such mailbox", strings.NewReader("x"), 1, nil)
	if e := (*imapclient.Error)(nil); !errors.As(err, &e) {
		t.Errorf("Append to nowhere = %v", err)
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapSearch(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Select)
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Flagged`}, uids[1], uids[4]))
	some := imapclient.UIDs(uids[0], uids[1], uids[2])
	for _, tt := range []struct {
		name string
		q    *imapclient.Query
		want []uint32
	}{
		{"all", nil, uids},
		{"flags", &imapclient.Query{Flags: []string{`\Flagged`}, NotFlags: []string{`\Seen`, `\Draft`}}, []uint32{uids[1], uids[4]}},
		{"set", &imapclient.Query{UIDs: &some, NotFlags: []string{`\Flagged`}}, []uint32{uids[0], uids[2]}},
		{"text", &imapclient.Query{Subject: `number 3`, From: "JANE"}, uids[2:3]},
		{"nothing", &imapclient.Query{Subject: `"quoted \ text"`}, nil},
		{"field", &imapclient.Query{Header: []imapclient.HeaderField{{Name: "X-Long"}}}, uids[3:4]},
		{"one of three", &imapclient.Query{Any: []imapclient.Query{{Subject: "number 1"}, {Subject: "number 6"}, {Subject: "no such"}}}, []uint32{uids[0], uids[5]}},
		{"none of two", &imapclient.Query{Not: []imapclient.Query{{Subject: "number 1"}, {Subject: "number 6"}}}, uids[1:5]},
		{"date", &imapclient.Query{SentSince: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), SentBefore: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)}, uids},
		{"size", &imapclient.Query{Larger: 1200}, uids[3:4]},
	} {
		r, err := c.Search(t.Context(), tt.q, nil)
		if !check(t, "Search "+tt.name, err) {
			continue
		}
		if got := slices.Collect(r.UIDs.Values()); !slices.Equal(got, tt.want) || int(r.Count) != len(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	r, err := c.Search(t.Context(), nil, &imapclient.SearchOptions{CountOnly: true})
	if check(t, "Search", err) && (int(r.Count) != len(uids) || r.Min != uids[0] || r.Max != uids[5] || r.UIDs.Len() != 0) {
		t.Errorf("count only: %+v", r)
	}
	r, err = c.Search(t.Context(), nil, &imapclient.SearchOptions{First: 2, Last: 3})
	if check(t, "Search", err) && (int(r.Count) != len(uids) || !slices.Equal(slices.Collect(r.UIDs.Values()), uids[1:3])) {
		t.Errorf("the second and the third: %+v", r)
	}
	r, err = c.Search(t.Context(), nil, &imapclient.SearchOptions{First: -1, Last: -2})
	if check(t, "Search", err) && (int(r.Count) != len(uids) || !slices.Equal(slices.Collect(r.UIDs.Values()), uids[4:])) {
		t.Errorf("the last two: %+v", r)
	}
	_, err = c.Search(t.Context(), &imapclient.Query{Body: "Gr\u00fc\u00dfe"}, nil)
	if !errors.Is(err, errors.ErrUnsupported) {
		check(t, "Search beyond ASCII", err)
	}
	var got []uint32
	for s, err := range c.Matching(t.Context(), &imapclient.Query{Flags: []string{`\Flagged`}}) {
		check(t, "Matching", err)
		got = append(got, s.UID)
	}
	if !slices.Equal(got, []uint32{uids[1], uids[4]}) {
		t.Errorf("flagged are %v", got)
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapSort(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Examine)
	backwards := slices.Clone(uids)
	slices.Reverse(backwards)
	got, err := c.Sort(t.Context(), nil, &imapclient.SortOptions{By: []imapclient.SortBy{{Key: imapclient.SortSubject, Reverse: true}, {Key: imapclient.SortArrival}}})
	if !errors.Is(err, errors.ErrUnsupported) && check(t, "Sort", err) && !slices.Equal(got, backwards) {
		t.Errorf("by subject: %v, want %v", got, backwards)
	}
	got, err = c.Sort(t.Context(), &imapclient.Query{NotFlags: []string{`\Deleted`}}, &imapclient.SortOptions{By: []imapclient.SortBy{{Key: imapclient.SortDate, Reverse: true}}, First: 1, Last: 2})
	if !errors.Is(err, errors.ErrUnsupported) && check(t, "Sort", err) && !slices.Equal(got, backwards[:2]) {
		t.Errorf("the two newest: %v, want %v", got, backwards[:2])
	}
	for _, algorithm := range []string{"", "ORDEREDSUBJECT"} {
		threads, err := c.Threads(t.Context(), algorithm, nil)
		if errors.Is(err, errors.ErrUnsupported) || !check(t, "Threads", err) {
			continue
		}
		got = nil
		for _, m := range threads {
			if m.Level != 0 {
				t.Errorf("%s: threads %v", algorithm, threads)
			}
			got = append(got, m.UID)
		}
		if slices.Sort(got); !slices.Equal(got, uids) {
			t.Errorf("%s: threads of %v, want %v", algorithm, got, uids)
		}
	}
	check(t, "Logout", c.Logout(t.Context()))
}

func imapCopy(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	other := imapPrefix(t, c) + "copies"
	_, err := c.CreateMailbox(t.Context(), other)
	check(t, "CreateMailbox", err)
	uids := imapOpenAgain(t, c, "INBOX")
	copied, err := c.Copy(t.Context(), imapclient.UIDs(uids[0], uids[2], uids[5], uids[5]+1000), other)
	check(t, "Copy", err)
	there := imapOpenAgain(t, c, other)
	if len(there) != 3 {
		t.Errorf("copies %v", there)
	} else if copied.UIDValidity != 0 && (copied.UID(uids[0]) != there[0] || copied.UID(uids[2]) != there[1] || copied.UID(uids[5]) != there[2] || copied.UID(uids[1]) != 0) {
		t.Errorf("COPYUID says %+v, they are %v", copied, there)
	}
	check(t, "Unselect", c.Unselect(t.Context()))
	check(t, "DeleteMailbox", c.DeleteMailbox(t.Context(), other))
	check(t, "Logout", c.Logout(t.Context()))
}

func imapMove(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	other := imapPrefix(t, c) + "moved"
	_, err := c.CreateMailbox(t.Context(), other)
	check(t, "CreateMailbox", err)
	uids := imapOpenAgain(t, c, "INBOX")
	// What another client has marked must stay.
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Deleted`}, uids[0], uids[3]))
	moved, err := c.Move(t.Context(), imapclient.UIDs(uids[1], uids[2]), other, nil)
	if errors.Is(err, errors.ErrUnsupported) {
		if n := len(imapOpenAgain(t, c, "INBOX")); n != len(uids) {
			t.Errorf("%d messages are left", n)
		}
		moved, err = c.Move(t.Context(), imapclient.UIDs(uids[1], uids[2]), other, &imapclient.MoveOptions{EmulateExpunge: true})
	}
	check(t, "Move", err)
	marked, err := c.Search(t.Context(), &imapclient.Query{Flags: []string{`\Deleted`}}, nil)
	if check(t, "Search", err) && !slices.Equal(slices.Collect(marked.UIDs.Values()), []uint32{uids[0], uids[3]}) {
		t.Errorf("marked are %v", marked.UIDs)
	}
	if left := imapOpenAgain(t, c, "INBOX"); !slices.Equal(left, []uint32{uids[0], uids[3], uids[4], uids[5]}) {
		t.Errorf("left are %v", left)
	}
	there := imapOpenAgain(t, c, other)
	if len(there) != 2 || moved.UIDValidity != 0 && (moved.UID(uids[1]) != there[0] || moved.UID(uids[2]) != there[1]) {
		t.Errorf("moved are %v, said to be %+v", there, moved)
	}
	check(t, "Unselect", c.Unselect(t.Context()))
	check(t, "DeleteMailbox", c.DeleteMailbox(t.Context(), other))
	check(t, "Logout", c.Logout(t.Context()))
}

// imapOpenAgain opens a mailbox and returns the UIDs in it.
func imapOpenAgain(t testing.TB, c *imapclient.Client, name string) []uint32 {
	t.Helper()
	_, err := c.Select(t.Context(), name)
	check(t, "Select", err)
	var uids []uint32
	for s, err := range c.Summaries(t.Context(), imapclient.All()) {
		check(t, "Summaries", err)
		uids = append(uids, s.UID)
	}
	return uids
}

func imapConflict(t testing.TB, server string, c *imapclient.Client) {
	defer c.Close()
	uids := imapOpen(t, c, (*imapclient.Client).Select)
	s, err := c.Select(t.Context(), "INBOX")
	check(t, "Select", err)
	since := max(s.HighestModSeq, 1)
	both := imapclient.UIDs(uids[0], uids[1])
	check(t, "SetFlags", c.SetFlags(t.Context(), imapclient.AddFlags, []string{`\Flagged`}, uids[0]))
	changed, err := c.SetFlagsUnlessChanged(t.Context(), since, imapclient.AddFlags, []string{`\Draft`}, both)
	if errors.Is(err, errors.ErrUnsupported) {
		check(t, "Logout", c.Logout(t.Context()))
		return
	}
	if check(t, "SetFlagsUnlessChanged", err) && !slices.Equal(slices.Collect(changed.Values()), uids[:1]) {
		t.Errorf("changed are %v, want %d", changed, uids[0])
	}
	r, err := c.Search(t.Context(), &imapclient.Query{Flags: []string{`\Draft`}}, nil)
	if check(t, "Search", err) && !slices.Equal(slices.Collect(r.UIDs.Values()), uids[1:2]) {
		t.Errorf("drafts are %v, want %d", r.UIDs, uids[1])
	}
	r, err = c.Search(t.Context(), &imapclient.Query{ModSeq: since + 1}, nil)
	if check(t, "Search", err) && (!slices.Equal(slices.Collect(r.UIDs.Values()), uids[:2]) || r.ModSeq <= since) {
		t.Errorf("changed since %d are %+v", since, r)
	}
	check(t, "Logout", c.Logout(t.Context()))
}
