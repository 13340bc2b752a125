package retrieval_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	"example.com/postbag/retrieval/retrievaltest"
)

// composedBox is a box whose sink is made of its Maildir and another one.
type composedBox struct {
	*box
	make func(mail, other retrieval.Sink) retrieval.Sink
}

func newComposedBox(t *testing.T, n int, make func(mail, other retrieval.Sink) retrieval.Sink) *composedBox {
	b := &composedBox{&box{t: t, dir: t.TempDir(), server: retrievaltest.NewServer(t, nil)}, make}
	b.acct = b.server.Account(retrieval.IMAP)
	b.acct.Policy = retrieval.ServerSync
	b.acct.Upstream = retrieval.Upstream{Flags: true, Removals: true}
	b.server.Deliver(mails(n)...)
	return b
}

func (b *composedBox) sync() retrieval.Report {
	b.t.Helper()
	other, err := disk.OpenMaildir(filepath.Join(b.dir, "other"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer other.Close()
	rep, err := b.runWith(func(mail retrieval.Sink, store retrieval.Store) (retrieval.Sink, retrieval.Store) {
		return b.make(mail, other), store
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return rep
}

// copyOf returns the path of the file in a Maildir that has a subject.
func (b *composedBox) copyOf(maildir, subject string) string {
	b.t.Helper()
	for _, sub := range []string{"new", "cur"} {
		files, _ := filepath.Glob(filepath.Join(b.dir, maildir, sub, "*"))
		for _, file := range files {
			if data, err := os.ReadFile(file); err == nil && subjectOf(data) == subject {
				return file
			}
		}
	}
	b.t.Fatalf("%q is not in %q", subject, maildir)
	return ""
}

// remove removes a copy, as a mail program does.
func (b *composedBox) remove(maildir, subject string) {
	b.t.Helper()
	if err := os.Remove(b.copyOf(maildir, subject)); err != nil {
		b.t.Fatal(err)
	}
}

// read marks a copy as read.
func (b *composedBox) read(maildir, subject string) {
	b.t.Helper()
	old := b.copyOf(maildir, subject)
	if err := os.Rename(old, filepath.Join(b.dir, maildir, "cur", filepath.Base(old)+":2,S")); err != nil {
		b.t.Fatal(err)
	}
}

// wantThere fails unless the server has messages with these subjects and flags.
func (b *composedBox) wantThere(want string) {
	b.t.Helper()
	var all []string
	for _, m := range b.contents() {
		s := subjectOf(m.Data)
		for _, f := range m.Flags {
			s += string(f)
		}
		all = append(all, s)
	}
	if got := strings.Join(all, " "); got != want {
		b.t.Errorf("on the server is %s, want %s", got, want)
	}
}

// byNumber routes the messages with even numbers to one sink, the others to the
// other one.
func byNumber(mail, other retrieval.Sink) retrieval.Sink {
	return retrieval.Route(map[string]retrieval.Sink{"even": mail, "odd": other}, func(h *retrieval.Head) string {
		if subjectOf(h.Header)[0]%2 == 0 {
			return "even"
		}
		return "odd"
	})
}

// What is done in any of the sinks of a composition goes to the server, and what
// is done there comes to the sink that has the message.
func TestBothWaysComposed(t *testing.T) {
	dropped := func(want func(int) bool) func(*retrieval.Head) bool {
		return func(h *retrieval.Head) bool { return want(int(subjectOf(h.Header)[0] - '0')) }
	}
	for name, make := range map[string]func(mail, other retrieval.Sink) retrieval.Sink{
		"Route": byNumber,
		"RejectUnless in Route": func(mail, other retrieval.Sink) retrieval.Sink {
			all := dropped(func(int) bool { return true })
			return byNumber(retrieval.RejectUnless(mail, all), retrieval.DropUnless(other, all))
		},
		"DropUnless": func(mail, other retrieval.Sink) retrieval.Sink {
			return retrieval.DropUnless(byNumber(mail, other), dropped(func(n int) bool { return n < 8 }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newComposedBox(t, 8, make)
			b.server.Deliver(mails(9)[8]) // which one of the sinks drops
			if rep := b.sync(); rep.Delivered != 9 {
				t.Fatalf("%+v", rep)
			}
			on := b.contents()
			b.read("mail", "0")
			b.read("other", "1")
			b.remove("mail", "2")
			b.remove("other", "3")
			b.server.SetFlags(on[4].UID, retrieval.FlagFlagged)
			b.server.SetFlags(on[5].UID, retrieval.FlagFlagged)
			b.server.Delete(on[6].UID)
			b.server.Delete(on[7].UID)
			rep := b.sync()
			if rep.Sent != 4 || rep.Deleted != 2 || rep.Reflagged != 2 || rep.Discarded != 2 || rep.Delivered+rep.Held+rep.Failed != 0 {
				t.Errorf("%+v, want 4 sent, 2 of them deleted, 2 reflagged, 2 discarded", rep)
			}
			b.wantThere(`0\Seen 1\Seen 4\Flagged 5\Flagged 8`)
			for maildir, subject := range map[string]string{"mail": "4", "other": "5"} {
				if file := b.copyOf(maildir, subject); !strings.HasSuffix(file, ":2,F") {
					t.Errorf("the copy of %s is %s", subject, file)
				}
			}
			if rep := b.sync(); rep.Sent+rep.Deleted+rep.Reflagged+rep.Discarded+rep.Delivered+rep.Held+rep.Failed != 0 {
				t.Errorf("%+v, want nothing done", rep)
			}
		})
	}
}

// What was delivered into another sink, of which this one knows nothing, was not
// removed here: it stays on the server.
func TestAnotherSinkBefore(t *testing.T) {
	alone := func(mail, _ retrieval.Sink) retrieval.Sink { return mail }
	for _, tt := range []struct {
		name          string
		before, after func(mail, other retrieval.Sink) retrieval.Sink
	}{
		{"a Maildir, then a Route to it", alone, byNumber},
		{"a Route, then one of its Maildirs", byNumber, alone},
		{"a sink of a Route that has another name now", byNumber, func(mail, other retrieval.Sink) retrieval.Sink {
			return retrieval.Route(map[string]retrieval.Sink{"": mail}, nil)
		}},
		{"a Tee, then its first", func(mail, other retrieval.Sink) retrieval.Sink { return retrieval.Tee(mail, other) }, alone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newComposedBox(t, 1, tt.before)
			b.acct.Upstream = retrieval.Upstream{}
			b.sync()
			b.make, b.acct.Upstream = tt.after, retrieval.Upstream{Flags: true, Removals: true}
			for range 2 {
				if rep := b.sync(); rep.Sent+rep.Deleted+rep.Held+rep.Delivered != 0 {
					t.Errorf("%+v, want nothing done", rep)
				}
			}
			b.wantThere("0")
		})
	}
}

// Nor was what a Maildir has that is now the INBOX of a tree.
func TestMaildirBecomesTree(t *testing.T) {
	b, _ := twoWay(t, 1, nil)
	tree, err := disk.OpenMaildirPlus(filepath.Join(b.dir, "mail"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	rep, err := b.runWith(func(_ retrieval.Sink, store retrieval.Store) (retrieval.Sink, retrieval.Store) { return tree, store })
	if err != nil || rep.Sent+rep.Deleted+rep.Held+rep.Delivered != 0 || len(b.contents()) != 1 {
		t.Errorf("%+v, %v, want nothing done", rep, err)
	}
}
