package retrieval_test

import (
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
