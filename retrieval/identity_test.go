package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// identities returns n messages with these headers.
func identities(n int) (msgs [][]byte, subjects string) {
	var all []string
	for i := range n {
		s := fmt.Sprintf("M%03d", i)
		msgs = append(msgs, mail(s, i))
		all = append(all, s)
	}
	return msgs, strings.Join(all, " ")
}

// A mailbox whose messages have other names all of a sudden is left alone, or
// treated by the account's rule. F36, F77.
func TestReset(t *testing.T) {
	msgs, all := identities(30)
	for _, tt := range []struct {
		rule      retrieval.Reset
		err       error
		delivered int
		rematched int
	}{
		{retrieval.Stop, retrieval.ErrRenumbered, 0, 0},
		{retrieval.Rematch, nil, 1, 30},
		{retrieval.Reseed, nil, 0, 0},
		{retrieval.Refetch, nil, 31, 0},
	} {
		t.Run(fmt.Sprint(tt.rule), func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.server.Deliver(msgs...)
				q.run()
				q.want(all, all)
				q.server.Renumber()
				q.server.Deliver(mail("NEW", 1))
				q.acct.Reset = tt.rule
				before := fmt.Sprint(q.state().Records)
				rep, err := q.try()
				if !errors.Is(err, tt.err) || rep.Delivered != tt.delivered || rep.Rematched != tt.rematched {
					t.Fatalf("%+v, %v; want %d delivered, %d rematched, %v", rep, err, tt.delivered, tt.rematched, tt.err)
				}
				if err != nil {
					if after := fmt.Sprint(q.state().Records); after != before {
						t.Errorf("the records were %.200s and are %.200s", before, after)
					}
					return
				}
				q.acct.Reset = retrieval.Stop
				if rep := q.run(); rep.Delivered+rep.Failed > 0 {
					t.Errorf("afterwards: %+v", rep)
				}
			})
		})
	}
}

// Mail that others have replaced is not taken for mail with other names.
func TestReplacedMail(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		msgs, _ := identities(60)
		q.server.Deliver(msgs[:30]...)
		q.run()
		for _, m := range q.server.Contents() {
			q.server.Delete(m.UID)
		}
		q.server.Deliver(msgs[30:]...)
		if rep := q.run(); rep.Delivered != 30 {
			t.Errorf("%+v, want 30 delivered", rep)
		}
	}, retrieval.POP3)
}

// Rematch does not guess: of two messages with the same header it knows
// neither again, and too few known again are none.
func TestRematchTooFew(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		same := []byte("Subject: SAME\r\n\r\nx\r\n")
		q.server.Deliver(same, same, same, mail("A", 1))
		q.run()
		q.server.Renumber()
		q.acct.Reset = retrieval.Rematch
		if _, err := q.try(); !errors.Is(err, retrieval.ErrRenumbered) {
			t.Errorf("%v, want ErrRenumbered", err)
		}
		q.want("A SAME SAME SAME", "A SAME SAME SAME")
	}, retrieval.IMAP)
}

// A ledger that is not the one that this sink was used with is found out
// before anything is done.
func TestStateLost(t *testing.T) {
	for _, tt := range []struct {
		rule      retrieval.Reset
		err       error
		delivered int
	}{
		{retrieval.Stop, retrieval.ErrStateLost, 0},
		{retrieval.Rematch, nil, 1},
		{retrieval.Reseed, nil, 0},
		{retrieval.Refetch, nil, 4},
	} {
		t.Run(fmt.Sprint(tt.rule), func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.store = &named{name: "one"}
				q.acct.Policy = retrieval.DeleteAfter(1e9)
				q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
				q.run()
				q.server.Deliver(mail("D", 1))
				q.store = &named{name: "two"}
				q.acct.Reset = tt.rule
				q.shelf.found = func(rec retrieval.Record) (string, bool) {
					ref := "INBOX " + string(rec.UID[len(rec.UID)-1:])
					_, ok := q.shelf.copies[ref]
					return ref, ok
				}
				rep, err := q.try()
				if !errors.Is(err, tt.err) || rep.Delivered != tt.delivered || rep.Deleted > 0 {
					t.Fatalf("%+v, %v; want %d delivered, none deleted, %v", rep, err, tt.delivered, tt.err)
				}
				if err == nil {
					q.acct.Reset = retrieval.Stop
					q.run()
				} else if q.shelf.noted[q.acct.Box()] != "one" {
					t.Error("the sink was told of the other ledger")
				}
			})
		})
	}
}

// A message that a listing leaves out for once is not delivered again, and a
// new one that has got its name is. F35.
func TestReturned(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.run()
		uid := string(q.server.Contents()[0].UID)
		sound := q.acct
		out := func() retrieval.Account {
			return retrievaltest.Faulty(t, sound,
				retrievaltest.Answer(retrievaltest.AfterCommand("UIDL", 1), "+OK\r\n1 "+string(q.server.Contents()[1].UID)+"\r\n."),
				retrievaltest.Answer(retrievaltest.AfterCommand("LIST", 1), sizes(1, func(int) int { return len(mail("B", 1)) })),
				retrievaltest.Answer(retrievaltest.AfterCommand("STAT", 1), "+OK 1 100"))
		}
		q.acct = out()
		if rep := q.run(); rep.Listed != 1 {
			t.Fatalf("%+v, want one listed", rep)
		}
		q.acct = sound
		if rep := q.run(); rep.Listed != 2 || rep.Delivered != 0 {
			t.Errorf("%+v, want none delivered", rep)
		}
		q.acct = out()
		q.run()
		q.server.Delete(retrieval.UID(uid))
		q.server.Deliver(mail("C", 1))
		q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Answer(retrievaltest.AfterCommand("UIDL", 1),
			"+OK\r\n1 "+string(q.server.Contents()[0].UID)+"\r\n2 "+uid+"\r\n."))
		if rep := q.run(); rep.Delivered != 1 {
			t.Errorf("%+v, want the new message delivered under the old name", rep)
		}
		q.want("A B C", "B C")
	}, retrieval.POP3)
}

// A server that never deletes, or brings back what it has deleted, is asked to
// delete again, without a download, and named. F25, F26.
func TestUndeleted(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver(mail("A", 1))
		sound := q.acct
		for n := range 5 {
			q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Answer(retrievaltest.BeforeCommand("DELE", 1), "+OK"))
			rep := q.run()
			named := len(rep.Failures) == 1 && errors.Is(rep.Failures[0], retrieval.ErrUndeleted)
			if named != (n >= 3) {
				t.Errorf("run %d: %+v", n, rep)
			}
		}
		q.want("A", "A")
	}, retrieval.POP3)
}

// state returns what is remembered.
func (q *quick) state() retrieval.State {
	q.t.Helper()
	p, err := q.store.Open(q.t.Context(), q.acct.Box())
	if err != nil {
		q.t.Fatal(err)
	}
	defer p.Close()
	st, err := p.Load(q.t.Context())
	if err != nil {
		q.t.Fatal(err)
	}
	return st
}

// named is a store with an identity.
type named struct {
	retrieval.Memory
	name string
}

func (s *named) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Memory.Open(ctx, box)
	return &namedPage{p, s.name}, err
}

type namedPage struct {
	retrieval.Page
	name string
}

func (p *namedPage) Load(ctx context.Context) (retrieval.State, error) {
	st, err := p.Page.Load(ctx)
	st.Store = p.name
	return st, err
}

// A POP3 server without lasting names is an error before anything is done, or
// its messages are known by their headers: none comes twice, and what is
// deleted is the right one. F31, F32.
func TestNoUIDL(t *testing.T) {
	for _, tt := range []struct {
		name    string
		without []string
		lie     string
	}{
		{"no UIDL", []string{"UIDL"}, ""},
		{"the same for all", nil, "+OK\r\n1 x\r\n2 x\r\n3 y\r\n."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			quickly(t, &retrievaltest.ServerOptions{Without: tt.without}, func(t *testing.T, q *quick) {
				q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
				sound := q.acct
				lying := func() {
					if q.acct = sound; tt.lie != "" {
						q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Answer(retrievaltest.AfterCommand("UIDL", 1), tt.lie))
					}
				}
				lying()
				if rep, err := q.try(); !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, retrieval.ErrAmbiguous) || rep.Delivered > 0 {
					t.Errorf("%+v, %v", rep, err)
				}
				sound.Reset = retrieval.Rematch
				sound.Limits.Messages = 2
				for range 2 {
					lying()
					q.run()
				}
				q.want("A B C", "A B C")
				if tt.lie == "" {
					q.acct.Policy = retrieval.DownloadAndDelete
					q.server.Delete(q.server.Contents()[0].UID)
					q.server.Deliver(mail("D", 1))
					q.run()
					q.want("A B C D", "")
				}
			}, retrieval.POP3)
		})
	}
}
