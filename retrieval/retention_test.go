package retrieval_test

import (
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// What is 3 days here goes there, and nothing that is not here. F135.
func TestDeleteAfter(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DeleteAfter(3 * 24 * time.Hour)
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.run()
		q.want("A B", "A B")
		days(2)
		q.server.Deliver(mail("C", 1))
		q.acct.Filter.Summary = func(s retrieval.Summary) bool { return false }
		q.run()
		q.want("A B", "A B C")
		days(2)
		q.run()
		q.want("A B", "C")
		q.acct.Filter = retrieval.Filter{}
		q.run()
		q.want("A B C", "C")
		days(3)
		q.run()
		q.want("A B C", "")
		if rep := q.run(); rep.Listed+rep.Deleted+rep.Failed > 0 {
			t.Errorf("afterwards: %+v", rep)
		}
	})
}

// A clock that jumps far ahead between two runs brings a deletion forward by a
// week at most. F135.
func TestDeleteAfterJump(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DeleteAfter(30 * 24 * time.Hour)
		q.server.Deliver(mail("A", 1))
		q.run()
		days(250)
		for range 4 {
			q.run()
			q.want("A", "A")
			days(7)
		}
		q.run()
		q.want("A", "")
	})
}

// KeepLast keeps the newest, whatever others delete. F136.
func TestKeepLast(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.KeepLast(2)
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		q.run()
		q.want("A B C", "B C")
		q.server.Delete(q.server.Contents()[1].UID)
		q.run()
		q.want("A B C", "B")
		q.server.Deliver(mail("D", 1), mail("E", 1))
		q.run()
		q.want("A B C D E", "D E")
	})
}

// Time limits, sizes and filters leave nothing out for good. F137, F138.
func TestLimits(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.acct.Limits.Messages = 2
		q.server.Deliver(mail("A", 100), mail("B", 100), mail("C", 100), mail("D", 100))
		q.run()
		q.want("A B", "C D")
		q.acct.Limits = retrieval.Limits{Bytes: 150}
		q.acct.NewestFirst = true
		q.run()
		q.want("A B D", "C")
		q.acct.Limits = retrieval.Limits{Bytes: 1} // one message always goes
		q.run()
		q.want("A B C D", "")
	})
}

// F138: a time limit ends a run between two messages, and what came is
// committed.
func TestTimeLimit(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.acct.Limits.Time = time.Minute
		q.shelf.refuse = func(*retrieval.Message, string) error {
			time.Sleep(25 * time.Second)
			return nil
		}
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1), mail("D", 1))
		if rep := q.run(); rep.Delivered != 3 || rep.Skipped != 1 {
			t.Errorf("%d delivered and %d skipped, want 3 and 1", rep.Delivered, rep.Skipped)
		}
		q.want("A B C", "D")
		q.run()
		q.want("A B C D", "")
	})
}

// The newest are those with the highest UIDs, in whatever order the server
// tells of them.
func TestKeepLastOutOfOrder(t *testing.T) {
	o := &retrievaltest.ServerOptions{Without: []string{"CONDSTORE", "QRESYNC"}}
	quickly(t, o, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.KeepLast(1)
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Answer(retrievaltest.AfterCommand("UID FETCH", 1),
			"* 3 FETCH (UID 3 FLAGS () RFC822.SIZE 70)\r\n* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 70)\r\n* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 70)\r\nOK done"))
		q.run()
		q.want("A B C", "C")
	}, retrieval.IMAP)
}

// Where a listing goes on from an earlier one, a message whose delivery failed
// is in it, although it is older.
func TestRaisedLimitFails(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.MessageSize = 1000
		q.server.Deliver(mail("BIG", 5000))
		q.run()
		q.run()
		q.acct.Limits.MessageSize = 0
		q.shelf.refuse = func(*retrieval.Message, string) error { return retrieval.ErrDeferred }
		q.run()
		q.shelf.refuse = nil
		before := len(q.server.Commands())
		q.run()
		q.want("BIG", "BIG")
		n := 0
		for _, c := range q.server.Commands()[before:] {
			if c.Name == "UID FETCH" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("UID FETCH %d times, want once: for the message", n)
		}
	}, retrieval.IMAP)
}
