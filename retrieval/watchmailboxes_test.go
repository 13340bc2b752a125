package retrieval_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A mailbox that is made while the others are watched is watched like them, as
// soon as a run has found it.
func TestWatchNewMailbox(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.acct.Mailboxes = []string{"*"}
		q.watching(&retrieval.WatchOptions{Poll: time.Minute}, nil, func() {
			time.Sleep(5 * time.Minute)
			q.server.Create("New")
			time.Sleep(40 * time.Minute) // Resync
			q.server.DeliverTo("New", mail("A", 1))
			time.Sleep(3 * time.Minute)
			if got := q.shelf.from(); got != "New:A" {
				t.Errorf("delivered %q", got)
			}
		})
	}, retrieval.IMAP)
}

// The only mailbox that is chosen is waited in, also if nothing has happened in
// it, so that it was not opened.
func TestWatchOneOfMailboxes(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.server.DeliverTo("Work", mail("A", 1))
		q.acct.Mailboxes = []string{"W*"}
		for range 3 {
			q.run()
		}
		o := &retrieval.WatchOptions{Observe: func(e retrieval.Event) {
			if e.Err != nil {
				t.Error(e.Err)
			}
		}}
		q.watching(o, nil, func() {
			for _, name := range []string{"B", "C"} {
				time.Sleep(2 * time.Hour)
				q.server.DeliverTo("Work", mail(name, 1))
				time.Sleep(10 * time.Second)
				q.shelf.mustHave(t, name)
			}
		})
	}, retrieval.IMAP)
}

// A server that lists its mailboxes in another order each time is not asked
// without end.
func TestWatchShuffledMailboxes(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Without: []string{"LIST-STATUS"}}, func(t *testing.T, q *quick) {
		q.server.Create("A")
		q.server.Create("B")
		q.server.Create("C")
		q.acct.Mailboxes = []string{"%", "-INBOX"}
		var faults []*retrievaltest.Fault
		for i := range 30 {
			order := [][2]string{{"A", "B"}, {"B", "A"}}[i%2]
			faults = append(faults, retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("LIST", i+1),
				"* LIST () \"/\" "+order[0]+"\r\n* LIST () \"/\" "+order[1]+"\r\nOK done")))
		}
		q.acct = retrievaltest.Faulty(t, q.acct, faults...)
		runs := 0
		o := &retrieval.WatchOptions{Observe: func(e retrieval.Event) {
			if e.Kind == retrieval.RunEnds {
				runs++
			}
		}}
		q.watching(o, nil, func() { time.Sleep(time.Hour) })
		if runs > 8 {
			t.Errorf("%d runs in an hour in which nothing happened", runs)
		}
	}, retrieval.IMAP)
}

// A mailbox of several that is lost does not take the others with it.
func TestWatchLosesMailbox(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.server.Deliver(mail("A", 1))
		q.server.DeliverTo("Work", mail("B", 1))
		q.acct.Mailboxes = []string{"*"}
		var given []string
		o := &retrieval.WatchOptions{Poll: time.Minute, Observe: func(e retrieval.Event) {
			if e.Kind == retrieval.GivenUp {
				given = append(given, e.Mailbox+"!")
				if !errors.Is(e.Err, retrieval.ErrRenumbered) {
					t.Error(e.Err)
				}
			}
		}}
		q.watching(o, nil, func() {
			time.Sleep(5 * time.Minute)
			q.server.Renumber()
			for _, name := range []string{"C", "D"} {
				q.server.DeliverTo("Work", mail(name, 1))
				time.Sleep(40 * time.Minute)
				q.server.Deliver(mail("E", 1))
				q.shelf.mustHave(t, name)
			}
		})
		if got := q.shelf.from(); got != "INBOX:A Work:B Work:C Work:D" || strings.Join(given, " ") != "INBOX!" {
			t.Errorf("delivered %q, given up %q", got, given)
		}
	}, retrieval.IMAP)
}

// The account is given up with the last of its mailboxes.
func TestWatchLosesAllMailboxes(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Profile: retrievaltest.Gmail}, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1))
		q.acct.Mailboxes = []string{"INBOX", `\All`}
		q.run()
		q.server.Renumber()
		var given []string
		o := &retrieval.WatchOptions{Observe: func(e retrieval.Event) {
			if e.Kind == retrieval.GivenUp {
				given = append(given, e.Mailbox+"!")
			}
		}}
		err := retrieval.Watch(t.Context(), q.shelf, q.store, o, q.acct)
		if !errors.Is(err, retrieval.ErrRenumbered) || strings.Join(given, " ") != "!" {
			t.Errorf("Watch ended with %v, given up %q", err, given)
		}
	}, retrieval.IMAP)
}

// What is renamed between the listing and the run is only missed by that run, and
// a mailbox that comes back is found.
func TestWatchMailboxComesBack(t *testing.T) {
	for name, account := range map[string]func(*retrieval.Account){
		"by a pattern":   func(a *retrieval.Account) { a.Mailboxes = []string{"*"} },
		"by its name":    func(a *retrieval.Account) { a.Mailboxes = []string{"INBOX", "Work"} },
		"the only one":   func(a *retrieval.Account) { a.Mailbox = "Work" },
		"one of a level": func(a *retrieval.Account) { a.Mailboxes = []string{"W%"} },
	} {
		t.Run(name, func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.server.Create("Work")
				account(&q.acct)
				q.run()
				gone := retrievaltest.OnConnection(2, retrievaltest.Answer(retrievaltest.BeforeCommand("SELECT", 1), "NO [NONEXISTENT] renamed meanwhile"))
				cut := retrievaltest.Cut(retrievaltest.AfterCommand("IDLE", 2))
				q.acct = retrievaltest.Faulty(t, q.acct, cut, gone)
				q.watching(&retrieval.WatchOptions{Poll: time.Minute}, nil, func() {
					time.Sleep(time.Hour)
					q.server.DeliverTo("Work", mail("A", 1))
					time.Sleep(20 * time.Minute)
					q.shelf.mustHave(t, "A")
				})
				if gone.Struck() == 0 {
					t.Error("no mailbox was gone")
				}
			}, retrieval.IMAP)
		})
	}
}

// A server that says something else of a mailbox each time is not asked again and
// again without a pause.
func TestWatchRestlessMailbox(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.acct.Mailboxes = []string{"*"}
		var faults []*retrievaltest.Fault
		for i := range 500 {
			faults = append(faults, retrievaltest.Answer(retrievaltest.AfterCommand("EXAMINE", i+1),
				fmt.Sprintf("* 0 EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n* OK [UIDNEXT %d] n\r\nOK [READ-ONLY] done", i+1)))
		}
		q.acct = retrievaltest.Faulty(t, q.acct, faults...)
		runs := 0
		o := &retrieval.WatchOptions{Observe: func(e retrieval.Event) {
			if e.Kind == retrieval.RunEnds {
				runs++
			}
		}}
		q.watching(o, nil, func() { time.Sleep(time.Minute) })
		if runs > 61 {
			t.Errorf("%d runs in a minute", runs)
		}
	}, retrieval.IMAP)
}
