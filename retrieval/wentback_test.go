package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// listings are servers that can tell more and less of what has changed.
var listings = []*retrievaltest.ServerOptions{
	{},
	{Without: []string{"QRESYNC"}},
	{Without: []string{"QRESYNC", "CONDSTORE"}},
}

// backed has retrieved A to H from a server of which there is a backup with A to
// E, and another with all. A day later the server is put back to the first.
func (q *quick) backed() (some, all func()) {
	q.t.Helper()
	q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1), mail("D", 1), mail("E", 1))
	some = q.server.Backup()
	q.server.Deliver(mail("F", 1), mail("G", 1), mail("H", 1))
	all = q.server.Backup()
	q.run()
	q.run() // the cursor
	days(1)
	some()
	return some, all
}

// backs runs f with an IMAP server of each kind.
func backs(t *testing.T, f func(t *testing.T, q *quick)) {
	t.Helper()
	for _, o := range listings {
		t.Run(fmt.Sprint("without ", o.Without), func(t *testing.T) { quickly(t, o, f, retrieval.IMAP) })
	}
}

// A server that was restored from a backup, and has given UIDs once more under
// the same UIDVALIDITY, is found out before anything is done, and treated by the
// account's rule. Afterwards what is new comes as ever.
func TestRestored(t *testing.T) {
	for _, tt := range []struct {
		rule                 retrieval.Reset
		err                  error
		delivered, rematched int
		here                 string
	}{
		{retrieval.Stop, retrieval.ErrRenumbered, 0, 0, "A B C D E F G H"},
		{retrieval.Rematch, nil, 2, 5, "A B C D E F G H X Y"},
		{retrieval.Reseed, nil, 0, 0, "A B C D E F G H"},
		{retrieval.Refetch, nil, 7, 0, "A A B B C C D D E E F G H X Y"},
	} {
		t.Run(fmt.Sprint(tt.rule), func(t *testing.T) {
			backs(t, func(t *testing.T, q *quick) {
				q.backed()
				q.server.Deliver(mail("X", 1), mail("Y", 1))
				q.acct.Reset = tt.rule
				before := fmt.Sprint(q.state().Records)
				rep, err := q.try()
				if !errors.Is(err, tt.err) || rep.Delivered != tt.delivered || rep.Rematched != tt.rematched {
					t.Fatalf("%+v, %v; want %d delivered, %d rematched, %v", rep, err, tt.delivered, tt.rematched, tt.err)
				}
				q.want(tt.here, "A B C D E X Y")
				if err != nil {
					if !strings.Contains(err.Error(), "is to be number 8") {
						t.Errorf("%v does not say why", err)
					}
					if after := fmt.Sprint(q.state().Records); after != before {
						t.Errorf("the records were %.200s and are %.200s", before, after)
					}
					q.withoutEffect()
					return
				}
				q.acct.Reset = retrieval.Stop
				q.again()
				q.server.Deliver(mail("Z", 1))
				n := q.commands()
				if q.run(); q.does(n, "SELECT") != 1 {
					t.Errorf("%q", q.asked(n))
				}
				q.want(tt.here+" Z", "A B C D E X Y Z")
				q.again()
			})
		})
	}
}

// A restored server whose modseqs are beyond those of before tells of changes
// as if nothing had happened, but for UIDNEXT.
func TestRestoredAndBusy(t *testing.T) {
	backs(t, func(t *testing.T, q *quick) {
		q.backed()
		q.server.Deliver(mail("X", 1), mail("Y", 1))
		for i := range 40 {
			q.server.SetFlags(q.named("A"), retrieval.Flag(fmt.Sprint("k", i)))
		}
		if _, err := q.try(); !errors.Is(err, retrieval.ErrRenumbered) {
			t.Fatalf("%v, want ErrRenumbered", err)
		}
		q.acct.Reset = retrieval.Rematch
		q.run()
		q.want("A B C D E F G H X Y", "A B C D E X Y")
	})
}

// While nothing is done about it, it stays known, also when the server has given
// more UIDs than were known.
func TestRestoredIsRemembered(t *testing.T) {
	backs(t, func(t *testing.T, q *quick) {
		q.backed()
		q.server.Deliver(mail("X", 1))
		for i := range 3 {
			if err := q.tryTwice(); !errors.Is(err, retrieval.ErrRenumbered) {
				t.Fatalf("after %d more: %v, want ErrRenumbered", 2*i, err)
			}
			q.server.Deliver(mail(fmt.Sprint("Y", i), 1), mail(fmt.Sprint("Z", i), 1))
		}
		q.acct.Reset = retrieval.Rematch
		q.run()
		q.want("A B C D E F G H X Y0 Y1 Y2 Z0 Z1 Z2", "A B C D E X Y0 Y1 Y2 Z0 Z1 Z2")
		q.acct.Reset = retrieval.Stop
		q.again()
	})
}

// tryTwice runs, and then looks what another run would do.
func (q *quick) tryTwice() error {
	_, err := q.try()
	if err != nil {
		_, err = retrieval.DryRun(q.t.Context(), q.acct, q.shelf, q.store)
	}
	return err
}

// bodies counts the commands since n that retrieve messages or parts of them.
func (q *quick) bodies(n int) (times int) {
	for _, c := range q.asked(n) {
		if strings.Contains(c, "BODY") || strings.HasPrefix(c, "TOP") || strings.HasPrefix(c, "RETR") {
			times++
		}
	}
	return times
}

// Where the newest messages are missing and no other has got a name, nothing is
// hidden and there is no alarm: the server may make up UIDNEXT of what is there,
// or be a replica that lags behind. What has a name once more later on comes, and
// what is back does not. It costs one look.
func TestNewestMissing(t *testing.T) {
	backs(t, func(t *testing.T, q *quick) {
		some, all := q.backed()
		for looks := range 2 {
			n := q.commands()
			if rep := q.run(); rep.Delivered+rep.Failed > 0 || q.bodies(n) != 1-looks {
				t.Fatalf("%+v, %q, want nothing done", rep, q.asked(n))
			}
		}
		all()
		q.again()
		some()
		q.run()
		q.server.Deliver(mail("X", 1))
		if rep := q.run(); rep.Delivered != 1 {
			t.Errorf("%+v, want the new message", rep)
		}
		q.want("A B C D E F G H X", "A B C D E X")
		q.again()
	})
}

// A mirror does not follow a server that has lost mail, until somebody says how.
// If it was a replica that lagged behind, all goes on by itself.
func TestMirrorOfRestored(t *testing.T) {
	backs(t, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.ServerSync
		q.acct.Filter.Summary = func(m retrieval.Summary) bool { return m.Size < 5000 }
		some, all := q.backed()
		for range 2 {
			if err := q.tryTwice(); !errors.Is(err, retrieval.ErrRenumbered) {
				t.Fatalf("%v, want ErrRenumbered", err)
			}
		}
		q.want("A B C D E F G H", "A B C D E")
		all()
		q.server.Deliver(mail("LEFT", 9000)) // so that there is no new cursor
		for range 2 {
			if rep := q.run(); rep.Delivered+rep.Discarded > 0 {
				t.Errorf("%+v, want nothing done", rep)
			}
		}
		n := q.commands()
		if q.run(); q.bodies(n) > 0 {
			t.Errorf("looked at again: %q", q.asked(n))
		}
		some()
		q.acct.Reset = retrieval.Rematch
		q.run()
		q.acct.Reset = retrieval.Stop
		q.server.Deliver(mail("X", 1))
		q.run()
		q.want("A B C D E F G H X", "A B C D E X")
		q.server.Delete(q.named("B"))
		q.run()
		q.want("A C D E F G H X", "A C D E X")
	})
}

// What is deleted here is no sign: there are servers that make up UIDNEXT of the
// messages that there are. F71.
func TestUIDNextOfWhatIsThere(t *testing.T) {
	for _, o := range listings {
		quickly(t, o, func(t *testing.T, q *quick) {
			q.server.Deliver(mail("KEPT", 1))
			q.run()
			q.acct.Policy = func(_ *retrieval.Summary, rec *retrieval.Record, _ retrieval.Position) retrieval.Action {
				if rec != nil {
					return retrieval.Keep
				}
				return retrieval.DeliverAndDelete
			}
			q.server.Deliver(mail("A", 1), mail("B", 1))
			q.run()
			n := q.commands()
			generation, _, _ := strings.Cut(string(q.named("KEPT")), ".")
			lines := fmt.Sprintf("* 1 EXISTS\r\n* OK [UIDVALIDITY %s] v\r\n* OK [UIDNEXT 2] n\r\nOK [READ-WRITE] done", generation)
			for range 2 {
				if rep, err := q.with(retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("SELECT", 1), lines))); err != nil {
					t.Errorf("without %v: %+v, %v", o.Without, rep, err)
				}
			}
			if q.bodies(n) > 0 {
				t.Errorf("%q", q.asked(n))
			}
			q.server.Deliver(mail("C", 1))
			q.run()
			q.want("A B C KEPT", "KEPT")
		}, retrieval.IMAP)
	}
}

func onlyKey(recs map[retrieval.UID]retrieval.Record) (uid retrieval.UID) {
	for uid = range recs {
		break
	}
	return uid
}

// Of what was never delivered, it is the moment of arrival that tells.
func TestRestoredAndSeeded(t *testing.T) {
	for _, isReused := range []bool{false, true} {
		t.Run(fmt.Sprint(isReused), func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				some, _ := q.backed()
				for _, rec := range q.state().Records {
					rec.Seeded, rec.Ref, rec.Print = true, "", retrieval.Print{}
					q.put(rec)
				}
				some()
				if isReused {
					q.server.Deliver(mail("X", 1))
				}
				if _, err := q.try(); errors.Is(err, retrieval.ErrRenumbered) != isReused {
					t.Errorf("%v", err)
				}
			}, retrieval.IMAP)
		})
	}
}

// One mailbox that was restored leaves the others alone.
func TestRestoredAmongMailboxes(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Mailboxes = []string{"*"}
		q.server.Create("Work")
		q.backed()
		q.server.Deliver(mail("X", 1))
		q.server.DeliverTo("Work", mail("W", 1))
		rep, err := q.try()
		if !errors.Is(err, retrieval.ErrRenumbered) || rep.Delivered != 1 || rep.Mailboxes["Work"].Delivered != 1 {
			t.Errorf("%+v, %v, want W delivered and ErrRenumbered", rep, err)
		}
		q.want("A B C D E F G H W", "A B C D E X")
	}, retrieval.IMAP)
}

// A watch ends with it, and goes on when the rule is another.
func TestWatchOfRestored(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		some, all := q.backed()
		all()
		q.acct.Reset = retrieval.Rematch
		q.watching(nil, nil, func() {
			time.Sleep(time.Minute)
			some() // which ends the session
			q.server.Deliver(mail("X", 1))
			time.Sleep(time.Hour)
			q.want("A B C D E F G H X", "A B C D E X")
		})
		all()
		q.run()
		some()
		q.server.Deliver(mail("Y", 1))
		q.acct.Reset = retrieval.Stop
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := retrieval.Watch(ctx, q.shelf, q.store, nil, q.acct); !errors.Is(err, retrieval.ErrRenumbered) {
			t.Errorf("%v, want ErrRenumbered", err)
		}
	}, retrieval.IMAP)
}
