package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
)

// What a dry run foretells comes true, and the dry run itself leaves no trace:
// not on the server, not here.
func TestDryRun(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DeleteAfter(24 * time.Hour)
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.run()
		days(2)
		q.server.Deliver(mail("C", 1), mail("BIG", 5000), mail("D", 1))
		q.acct.Limits.MessageSize = 1000
		q.acct.Filter.Envelope = func(_ retrieval.Summary, e *message.Envelope) bool { return e.Subject != "D" }
		remembered, contents, commands := fmt.Sprint(q.state()), fmt.Sprint(q.server.Contents()), len(q.server.Commands())
		dry := &untouched{q.shelf, t}
		f, err := retrieval.DryRun(t.Context(), q.acct, dry, q.store)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("deliver %d, header only %d, delete %d, skipped %d", len(f[0].Deliver), len(f[0].HeaderOnly), len(f[0].Delete), f[0].Skipped)
		if want := "deliver 1, header only 1, delete 2, skipped 1"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if now := fmt.Sprint(q.state()); now != remembered {
			t.Errorf("the store was\n%s and is\n%s", remembered, now)
		}
		if now := fmt.Sprint(q.server.Contents()); now != contents {
			t.Errorf("the server had\n%s and has\n%s", contents, now)
		}
		for _, c := range q.server.Commands()[commands:] {
			switch c.Name {
			case "SELECT", "STORE", "UID STORE", "EXPUNGE", "UID EXPUNGE", "CLOSE", "UID MOVE", "DELE", "QUIT", "RETR", "APPEND":
				t.Errorf("the dry run sent %s", c.Name)
			}
		}
		commands = len(q.server.Commands())
		rep := q.run()
		acted := false
		for _, c := range q.server.Commands()[commands:] {
			acted = acted || c.Name == "SELECT" || c.Name == "QUIT"
		}
		if !acted {
			t.Error("the real run sent neither SELECT nor QUIT: is this what commands are called?")
		}
		if rep.Delivered != 2 || rep.HeaderOnly != 1 || rep.Deleted != 2 || rep.Skipped != 1 {
			t.Errorf("%+v", rep)
		}
	})
}

func TestDryRunMailboxes(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.server.DeliverTo("Work", mail("A", 1))
		q.acct.Mailboxes = []string{"*"}
		f, err := retrieval.DryRun(t.Context(), q.acct, &untouched{q.shelf, t}, q.store)
		if err != nil || len(f) != 2 || len(f[0].Deliver) != 0 || len(f[1].Deliver) != 1 || f[1].Mailbox != "Work" {
			t.Errorf("%+v, %v", f, err)
		}
	}, retrieval.IMAP)
}

// After a crash, a dry run foretells what the next run finds, and what it does
// not, whatever the sink is made of.
func TestDryRunAfterCrash(t *testing.T) {
	all := func(*retrieval.Head) bool { return true }
	for name, compose := range map[string]func(retrieval.Sink) retrieval.Sink{
		"alone":        func(s retrieval.Sink) retrieval.Sink { return s },
		"Tee":          func(s retrieval.Sink) retrieval.Sink { return retrieval.Tee(s) },
		"DropUnless":   func(s retrieval.Sink) retrieval.Sink { return retrieval.DropUnless(s, all) },
		"RejectUnless": func(s retrieval.Sink) retrieval.Sink { return retrieval.RejectUnless(s, all) },
		"Route": func(s retrieval.Sink) retrieval.Sink {
			return retrieval.Route(map[string]retrieval.Sink{"a": s}, func(*retrieval.Head) string { return "a" })
		},
	} {
		for _, mends := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " mends ", mends), func(t *testing.T) {
				quickly(t, nil, func(t *testing.T, q *quick) {
					q.acct.Policy = retrieval.DownloadAndDelete
					q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
					f := &seeker{shelf: q.shelf}
					q.crashed(f, "B")
					remembered := fmt.Sprint(q.state())
					var dry retrieval.Sink = &untouchedSeeker{&untouched{q.shelf, t}, f}
					if mends {
						dry = &lookedAt{&untouchedSeeker{&untouched{q.shelf, t}, &seeker{failing: errTouched}}, f}
					}
					fc, err := retrieval.DryRun(t.Context(), q.acct, compose(dry), q.store)
					if err != nil || len(fc[0].Deliver) != 1 || len(fc[0].Delete) != 2 {
						t.Errorf("foretold is %+v, %v; want one delivery and two deletions", fc, err)
					}
					if now := fmt.Sprint(q.state()); now != remembered {
						t.Errorf("the store was\n%s and is\n%s", remembered, now)
					}
					rep, err := retrieval.Run(t.Context(), q.acct, f, q.store)
					if err != nil || rep.Delivered != 1 || rep.Deleted != 3 {
						t.Errorf("%+v, %v", rep, err)
					}
					q.want("A B C", "")
				})
			})
		}
	}
}

// In a Tee, what only one part has is delivered.
func TestDryRunTee(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1))
		f := &seeker{shelf: q.shelf}
		q.crashed(f, "A")
		has, lacks := &untouchedSeeker{&untouched{q.shelf, t}, f}, &untouchedSeeker{&untouched{q.shelf, t}, new(seeker)}
		fc, err := retrieval.DryRun(t.Context(), q.acct, retrieval.Tee(has, lacks), q.store)
		if err != nil || len(fc[0].Deliver) != 2 {
			t.Errorf("foretold is %+v, %v; want two deliveries", fc, err)
		}
	})
}

// untouchedSeeker must not be changed either, and is asked.
type untouchedSeeker struct {
	*untouched
	seeker *seeker
}

func (u *untouchedSeeker) Find(ctx context.Context, box retrieval.Box, intent retrieval.Record) (string, bool, error) {
	return u.seeker.Find(ctx, box, intent)
}

// lookedAt must not be asked by Find.
type lookedAt struct {
	*untouchedSeeker
	seeker *seeker
}

func (l *lookedAt) Look(ctx context.Context, box retrieval.Box, intent retrieval.Record) (string, bool, error) {
	return l.seeker.Find(ctx, box, intent)
}

// untouched is a sink that must not be changed.
type untouched struct {
	*shelf
	t *testing.T
}

var errTouched = errors.New("the sink was touched")

func (u *untouched) touched() error {
	u.t.Error(errTouched)
	return errTouched
}

func (u *untouched) Deliver(context.Context, *retrieval.Message) (string, error) {
	return "", u.touched()
}

func (u *untouched) Flush(context.Context) error { return u.touched() }

func (u *untouched) SetFlags(context.Context, string, []retrieval.Flag) (string, error) {
	return "", u.touched()
}

func (u *untouched) Discard(context.Context, string) error { return u.touched() }

func (u *untouched) Note(context.Context, retrieval.Box, string) error { return u.touched() }

// What is marked as deleted here, and gone on the server as it was to be, is
// foretold to be removed here.
func TestDryRunOfMarked(t *testing.T) {
	for _, only := range []bool{false, true} {
		b, on := twoWay(t, 2, nil)
		b.acct.Upstream.Only = only
		b.mark(on[0].Data, "T")
		b.sync()
		_, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
			f, err := retrieval.DryRun(t.Context(), b.acct, s, st)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(f[0].Discard); got != 1 && !only || got != 0 && only {
				t.Errorf("only %v: %+v", only, f[0])
			}
			return s, st
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(b.files()); got != 1 && !only || got != 2 && only {
			t.Errorf("only %v: %d files", only, got)
		}
	}
}
