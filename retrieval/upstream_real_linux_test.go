package retrieval_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	"example.com/postbag/retrieval/retrievaltest"
)

// realBox is a mailbox on a real server, and another client of it.
type realBox struct {
	box
	real  *servers.Server
	other *imapclient.Client
}

func newRealBox(t *testing.T, kind servers.Kind) *realBox {
	t.Helper()
	user := servers.User{Name: "joe", Password: "correct horse"}
	s := servers.Start(t, kind, user)
	host, port, err := net.SplitHostPort(s.IMAPS)
	if err != nil {
		t.Fatal(err)
	}
	b := &realBox{box: box{t: t, dir: t.TempDir()}, real: s}
	b.acct = retrieval.Account{
		Protocol: retrieval.IMAP, Host: host, User: user.Name,
		Password:  func(context.Context) (string, error) { return user.Password, nil },
		TLSConfig: &tls.Config{RootCAs: s.CA},
		Policy:    retrieval.ServerSync,
		Upstream:  retrieval.Upstream{Flags: true, Removals: true},
	}
	if b.acct.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if b.other, err = imapclient.Dial(t.Context(), s.IMAPS, &imapclient.Options{TLSConfig: b.acct.TLSConfig}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.other.Close() })
	if err := b.other.Login(t.Context(), user.Name, user.Password); err != nil {
		t.Fatal(err)
	}
	return b
}

// held returns what a mailbox of the server holds: "subject:flags" in order.
func (b *realBox) held(mailbox string) []string {
	b.t.Helper()
	if _, err := b.other.Select(b.t.Context(), mailbox); err != nil {
		b.t.Fatal(err)
	}
	flags := make(map[uint32][]string)
	var uids []uint32
	for s, err := range b.other.Summaries(b.t.Context(), imapclient.All()) {
		if err != nil {
			b.t.Fatal(err)
		}
		slices.Sort(s.Flags)
		flags[s.UID] = s.Flags
		uids = append(uids, s.UID)
	}
	var all []string
	if len(uids) == 0 {
		return nil
	}
	for m, err := range b.other.Headers(b.t.Context(), uids...) {
		if err != nil {
			b.t.Fatal(err)
		}
		var head strings.Builder
		if _, err := m.WriteTo(&head); err != nil {
			b.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s:%s", subjectOf([]byte(head.String())), strings.Join(flags[m.UID], ",")))
	}
	return all
}

// flag changes flags of messages of the selected mailbox by number, from 0.
func (b *realBox) flag(op imapclient.FlagOp, flag string, uids ...uint32) {
	b.t.Helper()
	if err := b.other.SetFlags(b.t.Context(), op, []string{flag}, uids...); err != nil {
		b.t.Fatal(err)
	}
}

// TestRealBothWays keeps a Maildir and a mailbox of a real server in step that
// both are changed, and leaves alone what is somebody else's.
func TestRealBothWays(t *testing.T) {
	for _, kind := range []servers.Kind{servers.Dovecot, servers.Cyrus} {
		for _, trash := range []string{"", "Bin"} {
			t.Run(fmt.Sprintf("%s %s", kind, trash), func(t *testing.T) {
				b := newRealBox(t, kind)
				b.acct.Upstream.Trash = trash
				if _, err := b.other.CreateMailbox(t.Context(), "Bin"); err != nil {
					t.Fatal(err)
				}
				msgs := mails(9)
				b.real.Deliver(t, "joe", msgs...)
				if rep := b.sync(); rep.Delivered != 9 {
					t.Fatalf("%+v, want 9 delivered", rep)
				}
				b.held("INBOX") // selects it
				var uids []uint32
				for s, err := range b.other.Summaries(t.Context(), imapclient.All()) {
					if err != nil {
						t.Fatal(err)
					}
					uids = append(uids, s.UID)
				}
				b.mark(msgs[0], "FS")
				b.flag(imapclient.AddFlags, `\Answered`, uids[0], uids[1])
				b.flag(imapclient.AddFlags, "keyword", uids[0], uids[8])
				b.flag(imapclient.AddFlags, `\Deleted`, uids[2]) // somebody else's mark
				b.remove(msgs[3])
				b.mark(msgs[4], "T")
				b.remove(msgs[5])
				b.flag(imapclient.AddFlags, `\Flagged`, uids[5]) // wanted there
				b.flag(imapclient.AddFlags, `\Deleted`, uids[6])
				if err := b.other.Expunge(t.Context(), uids[6]); err != nil {
					t.Fatal(err)
				}
				b.mark(msgs[8], "P")
				rep := b.sync()
				if rep.Sent != 4 || rep.Discarded != 1 || rep.Delivered != 1 || rep.Failed != 0 {
					t.Errorf("%+v, %v, want 4 sent, 1 discarded, 1 delivered anew", rep, rep.Failures)
				}
				b.sync()
				want := `[0:\Answered,\Flagged,\Seen,keyword 1:\Answered 2:\Deleted 5:\Flagged 7: 8:$Forwarded,keyword]`
				if got := fmt.Sprint(b.held("INBOX")); got != want {
					t.Errorf("on the server are %s, want %s", got, want)
				}
				var here []string
				for name, data := range b.files() {
					_, letters, _ := strings.Cut(name, ":2,")
					here = append(here, subjectOf(data)+":"+letters)
				}
				slices.Sort(here)
				if got, want := fmt.Sprint(here), "[0:FRS 1:R 2:T 5:F 7: 8:P]"; got != want {
					t.Errorf("here are %s, want %s", got, want)
				}
				want = "[]"
				if trash != "" {
					want = "[3: 4:]"
				}
				if got := fmt.Sprint(b.held("Bin")); got != want {
					t.Errorf("in Bin are %s, want %s", got, want)
				}
				if rep := b.sync(); rep.Sent+rep.Reflagged+rep.Discarded+rep.Delivered+rep.Deleted != 0 {
					t.Errorf("a last run did something: %+v", rep)
				}
			})
		}
	}
}

// TestDovecotReadsTree mirrors an account into a Maildir++ tree, and lets a
// Dovecot serve it.
func TestDovecotReadsTree(t *testing.T) {
	b := newRealBox(t, servers.Dovecot)
	from := retrievaltest.NewServer(t, nil)
	boxes := []string{"INBOX", "Work", "Work/2024", "Entwürfe", "日本語/A & B", strings.Repeat("long/", 50) + "x"}
	for i, name := range boxes {
		from.Create(name)
		from.DeliverTo(name, mails(i + 2)[i:]...)
		from.SetFlags(from.ContentsOf(name)[0].UID, retrieval.FlagSeen)
	}
	acct := from.Account(retrieval.IMAP)
	acct.Mailboxes, acct.Policy = []string{"*"}, retrieval.ServerSync
	acct.Upstream = retrieval.Upstream{Flags: true, Removals: true}
	dir := b.real.Maildir("joe")
	tree, err := disk.OpenMaildirPlus(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	ledger, err := disk.OpenLedger(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	if rep, err := retrieval.Run(t.Context(), acct, tree, ledger); err != nil || rep.Delivered != 2*len(boxes) {
		t.Fatalf("%+v, %v, want %d delivered", rep, err, 2*len(boxes))
	}
	handOver(t, dir)
	for i, name := range boxes[:5] {
		if got, want := fmt.Sprint(b.held(name)), fmt.Sprintf(`[%d:\Seen %d:]`, i, i+1); !sameItems(got, want) {
			t.Errorf("Dovecot has %s in %q, want %s", got, name, want)
		}
	}
	found, err := b.other.Mailboxes(t.Context(), "*")
	if err != nil || len(found) < len(boxes) {
		t.Errorf("Dovecot lists %d mailboxes, %v, want all %d", len(found), err, len(boxes))
	}

	// And the other way: what is done in Dovecot reaches the server that it came from.
	b.held("Entwürfe")
	b.flag(imapclient.AddFlags, `\Flagged`, 1, 2)
	if err := b.other.Unselect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rep, err := retrieval.Run(t.Context(), acct, tree, ledger); err != nil || rep.Sent != 2 {
		t.Errorf("%+v, %v, want 2 sent", rep, err)
	}
	for _, m := range from.ContentsOf("Entwürfe") {
		if !slices.Contains(m.Flags, retrieval.FlagFlagged) {
			t.Errorf("%s has the flags %q, want \\Flagged", m.UID, m.Flags)
		}
	}
}

// sameItems compares two lists as they are printed, in whatever order.
func sameItems(a, b string) bool {
	x, y := strings.Fields(strings.Trim(a, "[]")), strings.Fields(strings.Trim(b, "[]"))
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// handOver gives all that is in a folder to the folder's owner.
func handOver(t *testing.T, dir string) {
	t.Helper()
	fi, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	owner, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		t.Skip("files have no owners here")
	}
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(owner.Uid), int(owner.Gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}
