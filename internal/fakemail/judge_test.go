package fakemail_test

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"example.com/postbag/internal/fakemail"
)

// Clients that others wrote judge the server.

func goimap(t *testing.T, m *mailer, o *imapclient.Options) *imapclient.Client {
	t.Helper()
	c := imapclient.New(dial(t, m), o)
	t.Cleanup(func() { c.Close() })
	if err := c.Login("joe", "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGoIMAP(t *testing.T) {
	// QUIRK: go-imap v2.0.0-beta.8 writes names in UTF-8 to a server that
	// offers IMAP4rev2 and has not been asked to enable it.
	m := start(t, 0, &fakemail.Options{Without: []string{"IMAP4rev2"}})
	m.put(t, "INBOX", nested)
	m.mails(t, 4)
	c := goimap(t, m, nil)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	caps, err := c.Capability().Wait()
	check(err)
	for _, want := range []imap.Cap{imap.CapIMAP4rev1, imap.CapUIDPlus, imap.CapQResync, imap.CapMove} {
		if !caps.Has(want) {
			t.Errorf("go-imap sees no %s", want)
		}
	}
	id, err := c.ID(&imap.IDData{Name: "test"}).Wait()
	check(err)
	if id.Name != "postbag" {
		t.Errorf("ID %+v", id)
	}
	ns, err := c.Namespace().Wait()
	check(err)
	if len(ns.Personal) != 1 || ns.Personal[0].Delim != '/' {
		t.Errorf("NAMESPACE %+v", ns)
	}
	check(c.Create("Entwürfe", &imap.CreateOptions{SpecialUse: []imap.MailboxAttr{imap.MailboxAttrDrafts}}).Wait())
	check(c.Subscribe("Entwürfe").Wait())
	list, err := c.List("", "*", &imap.ListOptions{ReturnSubscribed: true, ReturnStatus: &imap.StatusOptions{NumMessages: true, UIDNext: true, Size: true}}).Collect()
	check(err)
	if len(list) != 2 || list[1].Mailbox != "Entwürfe" || !slices.Contains(list[1].Attrs, imap.MailboxAttrDrafts) || list[0].Status == nil || *list[0].Status.NumMessages != 5 {
		t.Errorf("LIST %+v", list)
	}
	box, err := c.Select("INBOX", &imap.SelectOptions{CondStore: true}).Wait()
	check(err)
	if box.NumMessages != 5 || box.UIDNext != 6 || box.UIDValidity != 3857529045 || box.HighestModSeq != 6 {
		t.Errorf("SELECT %+v", box)
	}

	bodies := []*imap.FetchItemBodySection{{Peek: true}, {Peek: true, Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"Subject", "Date"}}, {Peek: true, Part: []int{2, 1}}}
	msgs, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{
		UID: true, Flags: true, Envelope: true, InternalDate: true, RFC822Size: true, ModSeq: true,
		BodyStructure: &imap.FetchItemBodyStructure{Extended: true}, BodySection: bodies,
	}).Collect()
	check(err)
	if len(msgs) != 1 {
		t.Fatalf("FETCH: %d messages", len(msgs))
	}
	got := msgs[0]
	if got.UID != 1 || got.RFC822Size != int64(len(nested)) || got.ModSeq != 2 || got.InternalDate.IsZero() {
		t.Errorf("FETCH %+v", got)
	}
	if string(got.FindBodySection(bodies[0])) != nested {
		t.Error("BODY[] is another")
	}
	if s := string(got.FindBodySection(bodies[2])); s != "one line" {
		t.Errorf("BODY[2.1] %q", s)
	}
	env := got.Envelope
	if env.Subject != "nested parts" || env.MessageID != "nested@example.org" || len(env.From) != 2 || env.From[0].Name != "Doe, Jane" || env.From[0].Addr() != "jane@example.org" {
		t.Errorf("ENVELOPE %+v", env)
	}
	if !env.Date.Equal(time.Date(1994, 2, 8, 5, 52, 25, 0, time.UTC)) {
		t.Errorf("ENVELOPE date %v", env.Date)
	}
	var parts []string
	got.BodyStructure.Walk(func(path []int, part imap.BodyStructure) bool {
		parts = append(parts, fmt.Sprint(path, part.MediaType()))
		return true
	})
	if want := "[[]multipart/mixed [1]multipart/alternative [1 1]text/plain [1 2]text/html [2]message/rfc822 [3]application/octet-stream]"; fmt.Sprint(parts) != want {
		t.Errorf("BODYSTRUCTURE %v, want %v", parts, want)
	}

	stored, err := c.Store(imap.UIDSetNum(2, 3), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen, "$x"}}, &imap.StoreOptions{UnchangedSince: 3}).Collect()
	check(err)
	if len(stored) != 1 || stored[0].UID != 2 || len(stored[0].Flags) != 3 {
		t.Errorf("STORE %+v", stored)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}, Or: [][2]imap.SearchCriteria{{{Body: []string{"number 1"}}, {Larger: 1 << 20}}}}, &imap.SearchOptions{ReturnAll: true, ReturnCount: true}).Wait()
	check(err)
	if !slices.Equal(found.AllUIDs(), []imap.UID{2}) || found.Count != 1 {
		t.Errorf("SEARCH %+v", found)
	}
	copied, err := c.Copy(imap.UIDSetNum(2, 4), "Entwürfe").Wait()
	check(err)
	if src, _ := copied.SourceUIDs.Nums(); !slices.Equal(src, []imap.UID{2, 4}) {
		t.Errorf("COPY %+v", copied)
	}
	moved, err := c.Move(imap.UIDSetNum(5), "Entwürfe").Wait()
	check(err)
	if moved.UIDValidity != 3857529046 {
		t.Errorf("MOVE %+v", moved)
	}
	app := c.Append("INBOX", 10, &imap.AppendOptions{Flags: []imap.Flag{imap.FlagDraft}, Time: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)})
	io.WriteString(app, "A: b\r\n\r\nc\n")
	app.Close()
	appended, err := app.Wait()
	check(err)
	if appended.UID != 6 {
		t.Errorf("APPEND %+v", appended)
	}
	check(c.Store(imap.UIDSetNum(1, 6), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
	gone, err := c.UIDExpunge(imap.UIDSetNum(6)).Collect()
	check(err)
	if !slices.Equal(gone, []uint32{5}) {
		t.Errorf("UID EXPUNGE %v", gone)
	}
	gone, err = c.Expunge().Collect()
	check(err)
	if !slices.Equal(gone, []uint32{1}) {
		t.Errorf("EXPUNGE %v", gone)
	}
	status, err := c.Status("Entwürfe", &imap.StatusOptions{NumMessages: true, NumUnseen: true, UIDValidity: true, HighestModSeq: true, Size: true}).Wait()
	check(err)
	if *status.NumMessages != 3 || *status.NumUnseen != 2 || *status.Size != 3*24 {
		t.Errorf("STATUS %+v", status)
	}
	check(c.Logout().Wait())
}

func TestGoIMAPIdle(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 1)
	exists, expunged := make(chan uint32, 10), make(chan uint32, 10)
	c := goimap(t, m, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				exists <- *d.NumMessages
			}
		},
		Expunge: func(seq uint32) { expunged <- seq },
	}})
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	idle, err := c.Idle()
	if err != nil {
		t.Fatal(err)
	}
	m.mails(t, 1)
	if n := <-exists; n != 2 {
		t.Errorf("EXISTS %d, want 2", n)
	}
	if err := m.Store.Delete(m.uids[0]); err != nil {
		t.Fatal(err)
	}
	if n := <-expunged; n != 1 {
		t.Errorf("EXPUNGE %d, want 1", n)
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
}

// imaplibScript uses each command of Python's imaplib that retrieval needs.
const imaplibScript = `
import imaplib, sys
imaplib.Debug = 0
M = imaplib.IMAP4(sys.argv[1], int(sys.argv[2]))
def ok(r, *want):
    assert r[0] == 'OK', r
    for w in want:
        assert w in repr(r[1]), (w, r)
    return r[1]
assert 'UIDPLUS' in M.capabilities or True
ok(M.login('joe', 'secret'))
ok(M.create('Work/Old'))
ok(M.list(), 'Work/Old')
ok(M.subscribe('Work'))
ok(M.lsub(), 'Work')
ok(M.namespace(), '""')
ok(M.status('INBOX', '(MESSAGES UIDNEXT)'), 'MESSAGES 3 UIDNEXT 4')
ok(M.select('INBOX'), "b'3'")
assert M.response('UIDVALIDITY')[1] == [b'3857529045'], M.response('UIDVALIDITY')
ok(M.search(None, 'UNSEEN', 'SUBJECT', '"2"'), "b'2'")
ok(M.uid('SEARCH', None, 'ALL'), "b'1 2 3'")
d = ok(M.fetch('1', '(UID FLAGS RFC822.SIZE BODY.PEEK[])'))
assert d[0][1] == b'Subject: 1\r\n\r\nnumber 1\r\n', d
ok(M.fetch('1:*', '(ENVELOPE BODYSTRUCTURE INTERNALDATE)'))
ok(M.store('1', '+FLAGS', r'(\Seen)'), 'Seen')
ok(M.uid('STORE', '2', '+FLAGS.SILENT', r'(\Deleted)'))
ok(M.uid('COPY', '1:2', 'Work'))
ok(M.append('Work', r'(\Seen)', imaplib.Time2Internaldate(1e9), b'A: b\r\n\r\nc\r\n'), 'APPENDUID')
ok(M.uid('EXPUNGE', '2'))
assert M.untagged_responses.get('EXPUNGE') == [b'2'], M.untagged_responses
ok(M.expunge())
ok(M.noop())
ok(M.rename('Work/Old', 'Older'))
ok(M.delete('Older'))
typ, data = M.select('none')
assert typ == 'NO', typ
ok(M.enable('UTF8=ACCEPT'))
M.logout()
print('fine')
`

func TestImaplib(t *testing.T) {
	m := start(t, 0, nil)
	m.mails(t, 3)
	host, port, _ := strings.Cut(m.addr, ":")
	python(t, imaplibScript, host, port)
	if held, err := m.Messages("joe", "Work"); err != nil || len(held) != 3 || !bytes.HasPrefix(held[2].Data, []byte("A: b")) {
		t.Errorf("Work holds %d messages, %v, want 3", len(held), err)
	}
}

func python(t *testing.T, script string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 here: its imaplib and poplib do not judge the server")
	}
	out, err := exec.CommandContext(t.Context(), path, append([]string{"-c", script}, args...)...).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "fine" {
		t.Errorf("%v\n%s", err, out)
	}
}
