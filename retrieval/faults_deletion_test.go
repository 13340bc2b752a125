package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// flagged returns what the server holds, with flags: "A:\Seen".
func (q *quick) flagged() string {
	var all []string
	for _, m := range q.server.Contents() {
		s := subject(string(m.Data)) + ":"
		for _, f := range slices.Sorted(slices.Values(m.Flags)) {
			s += string(f)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// named returns the UID of a message on the server.
func (q *quick) named(name string) retrieval.UID {
	q.t.Helper()
	for _, m := range q.server.Contents() {
		if subject(string(m.Data)) == name {
			return m.UID
		}
	}
	q.t.Fatalf("%s is not there", name)
	return ""
}

// onlyByUID fails the test if since n commands anything was said that could
// remove what others have marked, or take flags away.
func (q *quick) onlyByUID(n int) {
	q.t.Helper()
	for _, c := range q.asked(n) {
		if strings.HasPrefix(c, "EXPUNGE") || strings.HasPrefix(c, "CLOSE") || strings.HasPrefix(c, "UID STORE") && strings.Contains(c, " FLAGS") {
			q.t.Errorf("%q was said", c)
		}
	}
}

// foreign is a run during which, and before which, another client marks
// messages for deletion: one that is not wanted here (before), another
// (meanwhile), and one that was delivered and is kept. They stay, with all
// flags.
func foreign(deletes bool) func(t *testing.T, q *quick) {
	return func(t *testing.T, q *quick) {
		q.server.Create("Done")
		q.server.Deliver(mail("KEPT", 1), mail("BEFORE", 9000), mail("MEANWHILE", 9000))
		q.acct.Filter.Summary = func(m retrieval.Summary) bool { return m.Size < 5000 }
		q.run()
		q.server.SetFlags(q.named("KEPT"), retrieval.FlagDeleted, "$Kept")
		q.server.SetFlags(q.named("BEFORE"), retrieval.FlagDeleted)
		q.server.Deliver(mail("OURS", 1))
		q.server.SetFlags(q.named("OURS"), "$Ours")
		kept := q.named("KEPT")
		q.shelf.refuse = func(*retrieval.Message, string) error {
			q.server.SetFlags(q.named("MEANWHILE"), retrieval.FlagDeleted, "$Meanwhile")
			return nil
		}
		if deletes {
			q.acct.Policy = func(_ *retrieval.Summary, rec *retrieval.Record, _ retrieval.Position) retrieval.Action {
				if rec == nil || rec.UID != kept {
					return retrieval.DeliverAndDelete
				}
				return retrieval.Keep
			}
		} else {
			q.acct.After = retrieval.After{Flags: []retrieval.Flag{"$Got"}}
		}
		n := q.commands()
		q.run()
		q.run()
		q.onlyByUID(n)
		want := `KEPT:$Kept\Deleted BEFORE:\Deleted MEANWHILE:$Meanwhile\Deleted`
		if !deletes {
			want += " OURS:$Got$Ours"
		}
		if got := q.flagged(); got != want {
			t.Errorf("on the server is %s, want %s", got, want)
		}
		if got := q.shelf.subjects(); got != "KEPT OURS" {
			t.Errorf("here is %s", got)
		}
	}
}

// TestDeletionFaults are the faults of the catalogue that could have a run
// delete what it should not, or not delete what it should.
func TestDeletionFaults(t *testing.T) {
	without := func(caps ...string) *retrievaltest.ServerOptions {
		return &retrievaltest.ServerOptions{Without: caps}
	}
	deleting := func(test func(t *testing.T, q *quick)) func(t *testing.T, q *quick) {
		return func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.DownloadAndDelete
			q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
			n := q.commands()
			test(t, q)
			q.onlyByUID(n)
		}
	}
	// refused is a run whose command is refused; a clean one only deletes.
	refused := func(command, answer string) func(t *testing.T, q *quick) {
		return deleting(func(t *testing.T, q *quick) {
			_, err := q.with(retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand(command, 1), answer)))
			if !errors.Is(err, retrieval.ErrUncommitted) {
				t.Errorf("%v, want ErrUncommitted", err)
			}
			q.want("A B C", "A B C")
			q.again()
			q.want("A B C", "")
		})
	}
	testFaults(t, []faultCase{
		{"F60 F61 F62 F66 marked by others, deleting", imapAlone, nil, foreign(true)},
		{"F60 F61 F62 F66 marked by others, leaving", imapAlone, nil, foreign(false)},
		{"F60 F61 F62 F66 marked by others, without MOVE", imapAlone, without("MOVE"), foreign(true)},
		{"F60 F61 F62 F63 marked by others, without UIDPLUS", imapAlone, without("UIDPLUS", "MOVE"), foreign(false)},
		{"F63 no UIDPLUS", imapAlone, without("UIDPLUS"), deleting(func(t *testing.T, q *quick) {
			if err := q.withoutEffect(); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%v, want errors.ErrUnsupported", err)
			}
		})},
		{"F64 UID EXPUNGE is BAD", imapAlone, nil, refused("UID EXPUNGE", "BAD what?")},
		{"F65 expunged at once", imapAlone, &retrievaltest.ServerOptions{Profile: retrievaltest.Gmail}, deleting(func(t *testing.T, q *quick) {
			q.run()
			q.again()
			q.want("A B C", "")
		})},
		{"F67 expunged by others meanwhile", imapAlone, nil, deleting(func(t *testing.T, q *quick) {
			q.server.Deliver(mail("X", 9000))
			q.acct.Filter.Summary = func(m retrieval.Summary) bool { return m.Size < 5000 }
			q.shelf.refuse = func(_ *retrieval.Message, data string) error {
				switch subject(data) {
				case "A":
					q.server.Delete(q.named("A"))
				case "C":
					q.server.Delete(q.named("C"))
				}
				return nil
			}
			q.run()
			q.again()
			q.want("A B C", "X")
		})},
		{"F68 NIL instead of a message", imapAlone, nil, deleting(func(t *testing.T, q *quick) {
			nil1 := retrievaltest.Answer(retrievaltest.AfterCommand("UID FETCH", 2), "* 1 FETCH (UID 1 BODY[] NIL)\r\n* 2 FETCH (UID 2 BODY[] \"\")\r\nOK done")
			if rep, err := q.with(retrievaltest.Always(nil1)); rep.Delivered+rep.Deleted > 0 {
				t.Errorf("%+v, %v, want nothing delivered", rep, err)
			}
			q.want("", "A B C")
			q.run()
			q.want("A B C", "")
		})},
		{"F69 of others, and cut before the end", imapAlone, nil, deleting(func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.LeaveOnServer
			list := "* 3 FETCH (UID 3 FLAGS () RFC822.SIZE 67)\r\n* 9 FETCH (UID 9 FLAGS ())\r\n"
			before := q.everything()
			f := retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("UID FETCH", 1), list))
			if _, err := q.with(f, retrievaltest.Always(retrievaltest.Cut(retrievaltest.AfterCommand("UID FETCH", 1)))); err == nil || q.everything() != before {
				t.Errorf("%v, want an error and no effect", err)
			}
			f = retrievaltest.Inject(retrievaltest.WithinReply("UID FETCH", 2, 0), "* 2 FETCH (FLAGS (\\Seen))\r\n* 3 FETCH (UID 3 FLAGS (x))\r\n")
			if _, err := q.with(f); err != nil {
				t.Error(err)
			}
			q.run()
			q.want("A B C", "A B C")
		})},
		{"F70 nothing new", imapAlone, without("CONDSTORE", "QRESYNC"), deleting(func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.LeaveOnServer
			q.run()
			q.again()
			q.want("A B C", "A B C")
		})},
		{"F72 read-only", imapAlone, nil, deleting(func(t *testing.T, q *quick) {
			generation, _, _ := strings.Cut(string(q.named("A")), ".")
			f := retrievaltest.Answer(retrievaltest.AfterCommand("SELECT", 1),
				fmt.Sprintf("* 3 EXISTS\r\n* OK [UIDVALIDITY %s] v\r\n* OK [UIDNEXT 4] n\r\n* FLAGS ()\r\nOK [READ-ONLY] done", generation))
			if _, err := q.with(retrievaltest.Always(f)); !errors.Is(err, retrieval.ErrUncommitted) {
				t.Errorf("%v, want ErrUncommitted", err)
			}
			q.want("A B C", "A B C")
			q.again()
			q.want("A B C", "")
		})},
		{"F73 STORE is not permitted", imapAlone, nil, refused("UID STORE", "NO [NOPERM] no")},
		{"F73 STORE is over quota", imapAlone, nil, refused("UID STORE", "NO [OVERQUOTA] no")},
		{"F75 sent twice", imapAlone, nil, deleting(func(t *testing.T, q *quick) {
			twice := fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n", len(mail("A", 1)), mail("A", 1))
			f := retrievaltest.Always(retrievaltest.Inject(retrievaltest.WithinReply("UID FETCH", 2, 0), twice+twice))
			if _, err := q.with(f); err != nil {
				t.Error(err)
			}
			q.run()
			q.want("A B C", "")
		})},
	})
}

// TestTwoWorkers is F76: of two runs over a mailbox the second is refused
// before it connects; and one whose page was given to somebody else meanwhile
// cannot write, and so deletes nothing.
func TestTwoWorkers(t *testing.T) {
	t.Run("F76 at a time", func(t *testing.T) {
		quickly(t, nil, func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.DownloadAndDelete
			q.server.Deliver(mail("A", 1), mail("B", 1))
			q.shelf.refuse = func(*retrieval.Message, string) error {
				_, before := q.server.Sessions()
				if _, err := q.try(); !errors.Is(err, retrieval.ErrLocked) {
					t.Errorf("%v, want ErrLocked", err)
				}
				if _, after := q.server.Sessions(); after != before {
					t.Error("the second one connected")
				}
				return nil
			}
			q.run()
			q.want("A B", "")
		})
	})
	t.Run("F76 fenced off", func(t *testing.T) {
		for n := range 2 {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.acct.Policy = retrieval.DownloadAndDelete
				q.server.Deliver(mail("A", 1), mail("B", 1))
				sound := q.store
				q.store = &fencedStore{sound, n}
				before := q.commands()
				if _, err := q.try(); !errors.Is(err, retrieval.ErrLocked) || !errors.Is(err, retrieval.ErrStore) {
					t.Errorf("%v, want ErrLocked", err)
				}
				if q.does(before, "DELE")+q.does(before, "UID STORE")+q.does(before, "UID EXPUNGE")+q.does(before, "QUIT") > 0 {
					t.Errorf("%q", q.asked(before))
				}
				if got := len(q.server.Contents()); got != 2 {
					t.Errorf("%d are on the server, want 2", got)
				}
			})
		}
	})
}

// fencedStore gives its pages to somebody else after n changes.
type fencedStore struct {
	retrieval.Store
	n int
}

func (s *fencedStore) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Store.Open(ctx, box)
	return &fencedPage{p, s}, err
}

type fencedPage struct {
	retrieval.Page
	s *fencedStore
}

func (p *fencedPage) Update(ctx context.Context, ch retrieval.Change) error {
	if p.s.n--; p.s.n < 0 {
		return retrieval.ErrLocked
	}
	return p.Page.Update(ctx, ch)
}
