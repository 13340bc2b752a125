package retrieval_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// Of a message that is too large the header section comes, and when the limit
// is raised the message takes its place. F137.
func TestOversize(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.acct.Limits.MessageSize = 1000
		q.server.Deliver(mail("A", 1), mail("BIG", 5000), mail("C", 1))
		if rep := q.run(); rep.HeaderOnly != 1 || rep.Delivered != 3 || rep.Deleted != 2 {
			t.Errorf("%+v", rep)
		}
		q.want("(BIG) A C", "BIG")
		if rep := q.run(); rep.Delivered != 0 || rep.Skipped != 1 {
			t.Errorf("nothing new: %+v", rep)
		}
		q.acct.Limits.MessageSize = 2000
		q.run()
		q.want("(BIG) A C", "BIG")
		q.acct.Limits.MessageSize = 0
		q.run()
		q.want("A BIG C", "")
	})
}

// A server that says less than it sends is broken off, and the others come.
// F56.
func TestOversizeLie(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			lie := map[retrieval.Protocol]*retrievaltest.Fault{
				retrieval.POP3: retrievaltest.Answer(retrievaltest.AfterCommand("LIST", 1), "+OK\r\n1 100\r\n2 100\r\n3 100\r\n."),
				retrieval.IMAP: retrievaltest.Answer(retrievaltest.AfterCommand("UID FETCH", 1),
					"* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 100)\r\n* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 100)\r\n* 3 FETCH (UID 3 FLAGS () RFC822.SIZE 100)\r\nOK done"),
			}[p]
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.acct.Policy = retrieval.DownloadAndDelete
				q.acct.Limits.MessageSize = 1000
				q.server.Deliver(mail("A", 1), mail("BIG", 300_000), mail("C", 1))
				sound := q.acct
				q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Always(lie))
				rep := q.run()
				if rep.Failed != 1 || len(rep.Failures) != 1 || !errors.Is(rep.Failures[0], retrieval.ErrTooLarge) {
					t.Errorf("%+v, want one ErrTooLarge", rep)
				}
				q.want("A C", "BIG")
				if lie.Struck() == 0 {
					t.Fatal("the server did not lie")
				}
				q.acct = sound
				q.run()
				q.want("(BIG) A C", "BIG")
			}, p)
		})
	}
}

// What a filter does not want is left alone, and looked at again.
func TestAccountFilter(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.acct.Filter.Summary = func(s retrieval.Summary) bool { return s.Size < 1000 }
		q.acct.Filter.Envelope = func(_ retrieval.Summary, e *message.Envelope) bool { return e.Subject > "B" }
		q.server.Deliver(mail("A", 1), mail("B", 5000), mail("C", 1), mail("D", 1))
		if rep := q.run(); rep.Skipped != 2 {
			t.Errorf("%+v, want two skipped", rep)
		}
		q.want("C D", "A B")
		q.acct.Filter.Summary = nil
		q.acct.Filter.Envelope = func(_ retrieval.Summary, e *message.Envelope) bool { return e.From[0].Address == "A@example.com" }
		q.run()
		q.want("A C D", "B")
		q.acct.Filter = retrieval.Filter{}
		q.run()
		q.want("A B C D", "")
	})
}

// What is to be done after delivery is done once, also when the session ended
// before, and never before delivery.
func TestAfter(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Done")
		q.acct.After = retrieval.After{Flags: []retrieval.Flag{retrieval.FlagSeen, "$Fetched"}, MoveTo: "Done"}
		q.server.Deliver(mail("A", 1), mail("B", 1))
		sound := q.acct
		cut := retrievaltest.Cut(retrievaltest.BeforeCommand("UID MOVE", 1))
		q.acct = retrievaltest.Faulty(t, sound, cut)
		if _, err := q.try(); !errors.Is(err, retrieval.ErrSession) {
			t.Fatalf("%v, want ErrSession", err)
		}
		q.want("A B", "A B")
		q.acct = sound
		if rep := q.run(); rep.Acted != 2 || rep.Delivered != 0 {
			t.Errorf("%+v, want two acted on, none delivered", rep)
		}
		q.want("A B", "")
		done := q.server.ContentsOf("Done")
		if len(done) != 2 || !retrieval.SameFlags(done[0].Flags, q.acct.After.Flags) {
			t.Errorf("%+v", done)
		}
		q.server.Deliver(mail("C", 1))
		q.run()
		if q.want("A B C", ""); len(q.server.ContentsOf("Done")) != 3 {
			t.Error("the third was not moved")
		}
	}, retrieval.IMAP)
}

// Nothing is delivered that could not be moved afterwards, and nothing comes
// again from where it was moved to.
func TestAfterNowhere(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1))
		q.acct.After.MoveTo = "Nowhere"
		if rep, err := q.try(); !errors.Is(err, retrieval.ErrNoMailbox) || rep.Delivered > 0 {
			t.Errorf("%+v, %v, want ErrNoMailbox and nothing delivered", rep, err)
		}
		q.server.Create("Done")
		q.acct.After.MoveTo = "Done"
		q.acct.Mailboxes = []string{"*"}
		for range 3 {
			q.run()
		}
		if got := q.shelf.from(); got != "INBOX:A" {
			t.Errorf("delivered %q", got)
		}
	}, retrieval.IMAP)
}

// Accounts that want what does not go together are refused before anything is
// sent.
func TestImpossibleAccounts(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   retrieval.Protocol
		want func(a *retrieval.Account)
	}{
		{"flags after delivery with POP3", retrieval.POP3, func(a *retrieval.Account) { a.After.Flags = []retrieval.Flag{retrieval.FlagSeen} }},
		{"moving and deleting", retrieval.IMAP, func(a *retrieval.Account) {
			a.After.MoveTo, a.Policy = "Done", retrieval.DownloadAndDelete
		}},
		{"moving and mirroring", retrieval.IMAP, func(a *retrieval.Account) { a.After.MoveTo, a.Policy = "Done", retrieval.ServerSync }},
		{"moving to itself", retrieval.IMAP, func(a *retrieval.Account) { a.After.MoveTo = "INBOX" }},
		{"mirroring POP3", retrieval.POP3, func(a *retrieval.Account) { a.Policy = retrieval.ServerSync }},
		{"upstream without mirroring", retrieval.IMAP, func(a *retrieval.Account) { a.Upstream.Flags = true }},
		{"upstream of nothing", retrieval.IMAP, func(a *retrieval.Account) { a.Upstream.Trash, a.Policy = "Trash", retrieval.ServerSync }},
		{"mailboxes with POP3", retrieval.POP3, func(a *retrieval.Account) { a.Mailboxes = []string{"*"} }},
		{"mailbox and mailboxes", retrieval.IMAP, func(a *retrieval.Account) { a.Mailbox, a.Mailboxes = "A", []string{"*"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := &quick{t: t, server: retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true}), shelf: newShelf(), store: new(retrieval.Memory)}
			q.acct = q.server.Account(tt.of)
			tt.want(&q.acct)
			if _, err := retrieval.Run(context.Background(), q.acct, q.shelf, q.store); err == nil {
				t.Error("no error")
			}
			if _, all := q.server.Sessions(); all > 0 {
				t.Error("there was a session")
			}
		})
	}
}

// A header section goes when the message that takes its place is found after a
// crash.
func TestOversizeCrash(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		f := &seeker{shelf: q.shelf}
		q.acct.Limits.MessageSize = 1000
		q.server.Deliver(mail("BIG", 5000))
		q.into(f)
		q.want("(BIG)", "BIG")
		time.Sleep(time.Second)
		q.acct.Limits.MessageSize = 0
		q.crashed(f, "BIG")
		q.into(f)
		q.want("BIG", "BIG")
	})
}

// A sink within another one is told that it gets a header section alone.
func TestOversizeComposed(t *testing.T) {
	always := func(*retrieval.Head) bool { return true }
	for name, compose := range map[string]func(retrieval.Sink) retrieval.Sink{
		"tee":    func(s retrieval.Sink) retrieval.Sink { return retrieval.Tee(s) },
		"filter": func(s retrieval.Sink) retrieval.Sink { return retrieval.DropUnless(s, always) },
		"route": func(s retrieval.Sink) retrieval.Sink {
			return retrieval.Route(map[string]retrieval.Sink{"": s}, func(*retrieval.Head) string { return "" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.acct.Limits.MessageSize = 1000
				q.server.Deliver(mail("BIG", 5000))
				q.into(compose(q.shelf))
				q.want("(BIG)", "BIG")
			})
		})
	}
}
