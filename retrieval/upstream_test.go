package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// twoWay is a box whose Maildir is kept in step both ways.
func twoWay(t *testing.T, n int, o *retrievaltest.ServerOptions) (*box, []retrievaltest.Message) {
	b := &box{t: t, dir: t.TempDir(), server: retrievaltest.NewServer(t, o)}
	b.acct = b.server.Account(retrieval.IMAP)
	b.acct.Policy = retrieval.ServerSync
	b.acct.Upstream = retrieval.Upstream{Flags: true, Removals: true}
	b.server.Deliver(mails(n)...)
	rep := b.sync()
	if rep.Delivered != n {
		t.Fatalf("%+v, want %d delivered", rep, n)
	}
	return b, b.contents()
}

// sync runs, which must succeed.
func (b *box) sync() retrieval.Report {
	b.t.Helper()
	rep, err := b.run()
	if err != nil {
		b.t.Fatal(err)
	}
	return rep
}

// fileOf returns the path of the one delivered file that holds data.
func (b *box) fileOf(data []byte) string {
	b.t.Helper()
	for name, got := range b.files() {
		if string(got) == string(data) {
			return filepath.Join(b.dir, "mail", name)
		}
	}
	b.t.Fatalf("there is no file with %.60q", data)
	return ""
}

// mark gives a delivered file letters, as a mail program does.
func (b *box) mark(data []byte, letters string) {
	b.t.Helper()
	old := b.fileOf(data)
	name, _, _ := strings.Cut(filepath.Base(old), ":")
	if err := os.Rename(old, filepath.Join(b.dir, "mail", "cur", name+":2,"+letters)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) remove(data []byte) {
	b.t.Helper()
	if err := os.Remove(b.fileOf(data)); err != nil {
		b.t.Fatal(err)
	}
}

// wantBoth fails unless server and Maildir hold the same messages with the same
// flags, as far as a Maildir can keep them: by subject, "0:FS 1: 2:S".
func (b *box) wantBoth(want string) {
	b.t.Helper()
	var here, there []string
	for name, data := range b.files() {
		_, letters, _ := strings.Cut(name, ":2,")
		here = append(here, subjectOf(data)+":"+letters)
	}
	for _, m := range b.contents() {
		var letters []string
		for _, f := range m.Flags {
			letters = append(letters, map[retrieval.Flag]string{retrieval.FlagSeen: "S", retrieval.FlagFlagged: "F", retrieval.FlagAnswered: "R", retrieval.FlagForwarded: "P", retrieval.FlagDeleted: "T", retrieval.FlagDraft: "D"}[f])
		}
		slices.Sort(letters)
		there = append(there, subjectOf(m.Data)+":"+strings.Join(letters, ""))
	}
	slices.Sort(here)
	slices.Sort(there)
	if strings.Join(here, " ") != want || strings.Join(there, " ") != want {
		b.t.Fatalf("here %q and there %q, want %q", here, there, want)
	}
}

func subjectOf(data []byte) string {
	_, s, _ := strings.Cut(string(data), "Subject: ")
	s, _, _ = strings.Cut(s, "\r\n")
	return s
}

func TestFlagsBothWays(t *testing.T) {
	for _, without := range [][]string{nil, {"CONDSTORE", "QRESYNC"}, {"UIDPLUS"}} {
		t.Run(fmt.Sprint(without), func(t *testing.T) {
			o := &retrievaltest.ServerOptions{Without: without}
			b := &box{t: t, dir: t.TempDir(), server: retrievaltest.NewServer(t, o)}
			b.acct = b.server.Account(retrieval.IMAP)
			b.acct.Policy = retrieval.ServerSync
			b.acct.Upstream = retrieval.Upstream{Flags: true}
			b.server.Deliver(mails(6)...)
			on := b.contents()
			b.server.SetFlags(on[5].UID, "keyword")
			b.sync()
			b.server.SetFlags(on[2].UID, retrieval.FlagSeen, retrieval.FlagFlagged)
			b.sync()

			b.mark(on[0].Data, "S")                                     // here
			b.server.SetFlags(on[1].UID, retrieval.FlagAnswered)        // there
			b.mark(on[2].Data, "F")                                     // one taken away here
			b.server.SetFlags(on[2].UID, retrieval.FlagSeen)            // and another there
			b.mark(on[3].Data, "FP")                                    // the same on both
			b.server.SetFlags(on[3].UID, retrieval.FlagFlagged, "mine") // and a keyword there
			b.mark(on[5].Data, "R")
			rep := b.sync()
			if rep.Sent != 4 || rep.Reflagged != 3 || rep.Failed != 0 {
				t.Errorf("%+v, want 4 sent and 3 reflagged", rep)
			}
			b.wantBoth("0:S 1:R 2: 3:FP 4: 5:R")
			if got := b.contents()[5].Flags; !retrieval.SameFlags(got, []retrieval.Flag{"keyword", retrieval.FlagAnswered}) {
				t.Errorf("the keyword was not left alone: %q", got)
			}
			if rep := b.sync(); rep.Sent+rep.Reflagged+rep.Failed != 0 {
				t.Errorf("a second run did something: %+v", rep)
			}
			b.wantBoth("0:S 1:R 2: 3:FP 4: 5:R")
		})
	}
}

func TestRemovalsBothWays(t *testing.T) {
	for _, without := range [][]string{nil, {"CONDSTORE", "QRESYNC"}} {
		t.Run(fmt.Sprint(without), func(t *testing.T) {
			b, on := twoWay(t, 8, &retrievaltest.ServerOptions{Without: without})
			b.server.SetFlags(on[7].UID, retrieval.FlagDeleted) // somebody else's mark
			b.remove(on[0].Data)
			b.mark(on[1].Data, "ST")
			b.server.Delete(on[2].UID)
			b.remove(on[3].Data)
			b.server.SetFlags(on[3].UID, retrieval.FlagFlagged) // wanted there
			b.mark(on[4].Data, "T")
			b.server.SetFlags(on[4].UID, retrieval.FlagSeen)
			rep := b.sync()
			if rep.Sent != 2 || rep.Deleted != 2 || rep.Discarded != 1 || rep.Delivered != 1 {
				t.Errorf("%+v, want 2 removed there, 1 here, 1 delivered anew", rep)
			}
			b.sync() // sees that it is gone, and removes what is marked here
			b.wantBoth("3:F 4:S 5: 6: 7:T")
			b.sync()
			b.wantBoth("3:F 4:S 5: 6: 7:T")
		})
	}
}

func TestTrash(t *testing.T) {
	for _, without := range [][]string{nil, {"MOVE"}} {
		t.Run(fmt.Sprint(without), func(t *testing.T) {
			b, on := twoWay(t, 4, &retrievaltest.ServerOptions{Without: without})
			b.server.SetFlags(on[3].UID, retrieval.FlagDeleted)
			b.acct.Upstream.Trash = "Bin"
			b.remove(on[1].Data)
			if _, err := b.run(); !errors.Is(err, retrieval.ErrNoMailbox) || len(b.contents()) != 4 {
				t.Fatalf("%v, want ErrNoMailbox and nothing done", err)
			}
			b.server.Create("Bin")
			if rep := b.sync(); rep.Sent != 1 || rep.Deleted != 0 {
				t.Errorf("%+v, want 1 sent", rep)
			}
			b.sync()
			b.wantBoth("0: 2: 3:T")
			if in := b.server.ContentsOf("Bin"); len(in) != 1 || string(in[0].Data) != string(on[1].Data) {
				t.Errorf("%d messages in the trash, want the one", len(in))
			}
		})
	}
}

// Only: the server gets what was changed here, and this side new mail.
func TestOnlyFromHere(t *testing.T) {
	b, on := twoWay(t, 5, nil)
	b.acct.Upstream.Only = true
	b.server.SetFlags(on[0].UID, retrieval.FlagSeen)
	b.server.Delete(on[1].UID)
	b.remove(on[2].Data)
	b.server.SetFlags(on[2].UID, retrieval.FlagSeen)
	b.mark(on[3].Data, "F")
	b.server.Deliver([]byte("Subject: new\r\n\r\n"))
	for range 3 {
		if rep := b.sync(); rep.Reflagged+rep.Discarded != 0 {
			t.Errorf("%+v, want nothing changed here", rep)
		}
	}
	b.fileOf(on[1].Data)
	b.fileOf([]byte("Subject: new\r\n\r\n"))
	left := b.contents()
	if len(left) != 4 || !retrieval.SameFlags(left[0].Flags, []retrieval.Flag{retrieval.FlagSeen}) || !retrieval.SameFlags(left[1].Flags, []retrieval.Flag{retrieval.FlagFlagged}) {
		t.Errorf("on the server are %v", left)
	}
	if strings.HasSuffix(b.fileOf(on[0].Data), ":2,S") {
		t.Error("the copy has followed the server")
	}
}

// A Maildir that is not the one that was delivered to is filled, and the server
// keeps its mail. F130.
func TestLostMaildir(t *testing.T) {
	b, on := twoWay(t, 3, nil)
	if err := os.Rename(filepath.Join(b.dir, "mail"), filepath.Join(b.dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	rep := b.sync()
	if rep.Delivered != 3 || rep.Sent+rep.Deleted+rep.Held != 0 {
		t.Errorf("%+v, want 3 delivered anew", rep)
	}
	b.remove(on[0].Data)
	b.sync()
	b.wantBoth("1: 2:")
}

// A Maildir that is emptied: that is believed when it is seen again.
func TestEmptiedMaildir(t *testing.T) {
	b, on := twoWay(t, 3, nil)
	for _, m := range on {
		b.remove(m.Data)
	}
	for range 2 {
		if rep := b.sync(); rep.Held != 3 || rep.Sent+rep.Deleted+rep.Delivered != 0 {
			t.Errorf("%+v, want 3 held", rep)
		}
	}
	if n := len(b.contents()); n != 3 {
		t.Errorf("%d messages on the server, want 3", n)
	}
}

// A dry run tells what would be carried, and carries nothing.
func TestDryRunBothWays(t *testing.T) {
	b, on := twoWay(t, 5, nil)
	b.mark(on[0].Data, "S")
	b.remove(on[1].Data)
	b.server.SetFlags(on[2].UID, retrieval.FlagSeen)
	b.remove(on[2].Data)
	before := fmt.Sprint(b.contents())
	rep, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
		f, err := retrieval.DryRun(t.Context(), b.acct, s, st)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(f[0].Send, []retrieval.UID{on[0].UID}) || !slices.Equal(f[0].Delete, []retrieval.UID{on[1].UID}) || len(f[0].Deliver) != 1 || len(f[0].Reflag) != 0 {
			t.Errorf("%+v, want the first sent, the second deleted and the third delivered", f[0])
		}
		if after := fmt.Sprint(b.contents()); after != before {
			t.Errorf("on the server were %s and are %s", before, after)
		}
		return s, st
	})
	if err != nil || rep.Sent != 2 || rep.Deleted != 1 || rep.Delivered != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
	b.wantBoth("0:S 2:S 3: 4:")
}

func TestUpstreamRefused(t *testing.T) {
	both := retrieval.Upstream{Flags: true, Removals: true}
	for _, tt := range []struct {
		name    string
		without []string
		change  func(a *retrieval.Account)
		wrap    func(retrieval.Sink, retrieval.Store) (retrieval.Sink, retrieval.Store)
	}{
		{"no UIDPLUS", []string{"UIDPLUS"}, nil, nil},
		{"no MOVE nor UIDPLUS", []string{"MOVE", "UIDPLUS"}, func(a *retrieval.Account) { a.Upstream.Trash = "Bin" }, nil},
		{"no witness", nil, nil, func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
			return struct {
				retrieval.Sink
				retrieval.Mirrorer
				retrieval.Inventory
			}{s, s.(retrieval.Mirrorer), s.(retrieval.Inventory)}, st
		}},
		{"no inventory", nil, nil, func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
			return struct {
				retrieval.Sink
				retrieval.Mirrorer
			}{s, s.(retrieval.Mirrorer)}, st
		}},
		{"a Tee", nil, nil, func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
			return retrieval.Tee(s, s), st
		}},
		{"no witness in a Route", nil, nil, func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
			return retrieval.Route(map[string]retrieval.Sink{"a": s, "b": struct {
				retrieval.Sink
				retrieval.Mirrorer
				retrieval.Inventory
			}{s, s.(retrieval.Mirrorer), s.(retrieval.Inventory)}}, nil), st
		}},
		{"no identity", nil, nil, func(s retrieval.Sink, _ retrieval.Store) (retrieval.Sink, retrieval.Store) {
			return s, new(retrieval.Memory)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &box{t: t, dir: t.TempDir(), server: retrievaltest.NewServer(t, &retrievaltest.ServerOptions{Without: tt.without})}
			b.server.Create("Bin")
			b.server.Deliver(mails(1)...)
			b.acct = b.server.Account(retrieval.IMAP)
			b.acct.Policy, b.acct.Upstream = retrieval.ServerSync, both
			if tt.change != nil {
				tt.change(&b.acct)
			}
			rep, err := b.runWith(tt.wrap)
			if !errors.Is(err, errors.ErrUnsupported) || rep.Delivered != 0 {
				t.Errorf("%+v, %v, want ErrUnsupported before anything is done", rep, err)
			}
		})
	}
}

func TestUpstreamCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy retrieval.Policy
		u      retrieval.Upstream
	}{
		{"nothing", retrieval.ServerSync, retrieval.Upstream{Only: true}},
		{"another policy", retrieval.LeaveOnServer, retrieval.Upstream{Flags: true}},
		{"a trash for nothing", retrieval.ServerSync, retrieval.Upstream{Flags: true, Trash: "Trash"}},
		{"a policy that deletes", func(s *retrieval.Summary, r *retrieval.Record, at retrieval.Position) retrieval.Action {
			if s != nil && at.Newer > 5 {
				return retrieval.Delete
			}
			return retrieval.ServerSync(s, r, at)
		}, retrieval.Upstream{Removals: true}},
	} {
		_, err := retrieval.Open(t.Context(), retrieval.Account{Protocol: retrieval.IMAP, Host: "mail.example.com", User: "joe",
			Password: func(context.Context) (string, error) { return "", nil }, Policy: tt.policy, Upstream: tt.u})
		if err == nil || !strings.Contains(err.Error(), "Upstream") {
			t.Errorf("%s: %v, want an error that names Upstream", tt.name, err)
		}
	}
}

// What another client changes between the listing and the change is left to the
// next run, and so is what it wants after all.
func TestChangedMeanwhile(t *testing.T) {
	b, on := twoWay(t, 5, nil)
	b.mark(on[0].Data, "S")
	b.mark(on[1].Data, "S")
	b.remove(on[2].Data)
	b.remove(on[3].Data)
	b.server.SetFlags(on[4].UID, retrieval.FlagSeen)
	rep, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
		return &hookedInventory{s.(bothWays), func() {
			b.mark(on[4].Data, "R")
			b.server.SetFlags(on[0].UID, retrieval.FlagFlagged)
			b.server.SetFlags(on[2].UID, retrieval.FlagFlagged)
		}}, st
	})
	if err != nil || rep.Sent != 2 || rep.Deleted != 1 || rep.Delivered != 0 {
		t.Errorf("%+v, %v, want 2 sent, 1 of them deleted", rep, err)
	}
	if rep := b.sync(); rep.Sent != 2 || rep.Delivered != 1 {
		t.Errorf("%+v, want 2 sent and 1 delivered anew", rep)
	}
	b.wantBoth("0:FS 1:S 2:F 4:RS")
}

// bothWays is what a sink can do that is kept in step both ways.
type bothWays interface {
	maildir
	retrieval.Inventory
	retrieval.Witness
}

// hookedInventory lets something happen while the sink takes stock.
type hookedInventory struct {
	bothWays
	meanwhile func()
}

func (s *hookedInventory) Copies(ctx context.Context, box retrieval.Box) (map[string][]retrieval.Flag, error) {
	defer s.meanwhile()
	return s.bothWays.Copies(ctx, box)
}
