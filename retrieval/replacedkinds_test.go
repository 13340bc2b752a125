package retrieval_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A new message is not hidden by a settled one of which no header section is
// known, because it was never delivered or was found after a crash: that it was
// received at another moment and has another size is enough. One of both may be
// the server's ways.
func TestReplacedWithoutPrint(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(rec *retrieval.Record)
	}{
		{"seeded", func(rec *retrieval.Record) { rec.Seeded, rec.Ref = true, "" }},
		{"found", func(*retrieval.Record) {}},
	} {
		for size, here := range map[int]string{100: "A B C D E F G H W X Y Z", 1: "A B C D E F G H Z"} {
			for _, o := range listings {
				t.Run(fmt.Sprint(tt.name, " ", size, " without ", o.Without), func(t *testing.T) {
					quickly(t, o, func(t *testing.T, q *quick) {
						q.backed()
						for _, rec := range q.state().Records {
							rec.Print = retrieval.Print{}
							tt.change(&rec)
							q.put(rec)
						}
						q.server.Deliver(mail("W", size), mail("X", size), mail("Y", size), mail("Z", size))
						q.run()
						q.want(here, "A B C D E W X Y Z")
						q.again()
					}, retrieval.IMAP)
				})
			}
		}
	}
}

// A message that has the name of one that was too large comes, also if it is the
// smaller one; and to find out, no message is retrieved that is too large.
func TestReplacedTooLarge(t *testing.T) {
	for size, here := range map[int]string{1: "(A) B", 9000: "(A) (B)"} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.acct.Limits.MessageSize = 1000
				restore := q.server.Backup()
				q.server.Deliver(mail("A", 5000))
				q.run()
				days(1)
				restore()
				q.server.Deliver(mail("B", size))
				n := q.commands()
				q.run()
				q.want(here, "B")
				if size > 1000 && q.does(n, "RETR") > 0 {
					t.Errorf("%q", q.asked(n))
				}
				q.again()
			}, retrieval.POP3)
		})
	}
}

// One whose size the server says otherwise each time is looked at, and stays.
func TestOtherSizesTooLarge(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.MessageSize = 1000
		q.server.Deliver(mail("A", 5000))
		for _, size := range []int{5100, 5000, 5200, 5000} {
			f := retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("LIST", 1), sizes(1, func(int) int { return size })))
			n := q.commands()
			if rep, err := q.with(f); err != nil || q.does(n, "RETR") > 0 || q.bodies(n) > 1 || rep.Failed > 0 {
				t.Errorf("%+v, %v, %q", rep, err, q.asked(n))
			}
		}
		q.want("(A)", "A")
	}, retrieval.POP3)
}

// What a run that was cut short has delivered is not taken for another message
// that has got its name since: that one would be hidden, or deleted.
func TestFoundUnderNameOfAnother(t *testing.T) {
	for _, policy := range []retrieval.Policy{retrieval.LeaveOnServer, retrieval.DownloadAndDelete} {
		quickly(t, listings[2], func(t *testing.T, q *quick) {
			restore := q.server.Backup()
			q.server.Deliver(mail("A", 1))
			q.run()
			for _, rec := range q.state().Records {
				ref := rec.Ref
				rec.Stage, rec.Ref, rec.Print = retrieval.Intended, "", retrieval.Print{}
				q.put(rec)
				q.shelf.found = func(retrieval.Record) (string, bool) { return ref, true }
			}
			days(1)
			restore()
			q.server.Deliver(mail("B", 100))
			q.acct.Policy = policy
			forecast, err := retrieval.DryRun(t.Context(), q.acct, q.shelf, q.store)
			if err != nil || len(forecast[0].Deliver) != 1 {
				t.Errorf("%+v, %v", forecast, err)
			}
			if rep := q.run(); rep.Delivered != 1 {
				t.Errorf("%+v, want B delivered", rep)
			}
			if got := q.shelf.subjects(); got != "A B" {
				t.Errorf("here is %q", got)
			}
		})
	}
}

// What a run that was cut short has delivered is compared later on like the rest:
// another message with its name comes if it has another size, and is not deleted.
// Without TOP it is the size alone that is compared.
func TestFoundAndReplacedLater(t *testing.T) {
	for _, tt := range []struct {
		name        string
		without     []string
		size        int
		here, there string
		failed      int
	}{
		{"another size", nil, 100, "A B", "B", 0},
		{"the same size", nil, 1, "A", "B", 1},
		{"another size, without TOP", []string{"TOP"}, 100, "A", "B", 1},
		{"the same size, without TOP", []string{"TOP"}, 1, "A", "", 0}, // see the package's "What is promised"
	} {
		t.Run(tt.name, func(t *testing.T) {
			quickly(t, &retrievaltest.ServerOptions{Without: tt.without}, func(t *testing.T, q *quick) {
				q.acct.Policy = retrieval.DeleteAfter(48 * time.Hour)
				restore := q.server.Backup()
				q.server.Deliver(mail("A", 1))
				s := &seeker{shelf: q.shelf}
				q.crashed(s, "A")
				if rep := q.into(s); rep.Delivered > 0 {
					t.Errorf("%+v, want A found", rep)
				}
				days(1)
				restore()
				q.server.Deliver(mail("B", tt.size))
				q.into(s)
				days(1.5)
				rep := q.into(s)
				if q.want(tt.here, tt.there); rep.Failed != tt.failed {
					t.Errorf("%+v, want %d failed", rep, tt.failed)
				}
			}, retrieval.POP3)
		})
	}
}

// A server that hangs up over such a header section is asked once.
func TestFoundAndHangUp(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1))
		s := &seeker{shelf: q.shelf}
		q.crashed(s, "A")
		at := map[retrieval.Protocol]retrievaltest.Point{
			retrieval.POP3: retrievaltest.BeforeCommand("TOP", 1),
			retrieval.IMAP: retrievaltest.BeforeCommand("UID FETCH", 2), // the first one lists
		}
		cut := retrievaltest.Always(retrievaltest.Cut(at[q.acct.Protocol]))
		q.acct = retrievaltest.Faulty(t, q.acct, cut)
		if _, err := retrieval.Run(t.Context(), q.acct, s, q.store); !errors.Is(err, retrieval.ErrSession) || cut.Struck() == 0 {
			t.Errorf("%v, want the session lost", err)
		}
		n := q.commands()
		if rep := q.into(s); rep.Delivered > 0 || q.bodies(n) > 0 {
			t.Errorf("%+v, %q", rep, q.asked(n))
		}
		q.want("A", "A")
	})
}
