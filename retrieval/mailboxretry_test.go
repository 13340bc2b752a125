package retrieval_test

import (
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A mailbox over which the line was lost, and that was gone on with, is reported
// once, with what all attempts have done; and its limits count for all of them.
func TestRetriesInMailboxesReport(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Mailboxes = []string{"INBOX"}
		q.acct.Retries = 2
		q.acct.Limits.Messages = 3
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1), mail("D", 1), mail("E", 1))
		cut := retrievaltest.Cut(retrievaltest.WithinReply("UID FETCH", 2, 250))
		q.acct = retrievaltest.Faulty(t, q.acct, cut)
		rep := q.run()
		if cut.Struck() == 0 {
			t.Fatal("the line was not cut")
		}
		if n := len(q.shelf.copies); n != 3 {
			t.Errorf("%d delivered, want 3: %s", n, q.shelf.subjects())
		}
		box := rep.Mailboxes["INBOX"]
		if rep.Delivered != 3 || box.Delivered != 3 || rep.Listed != 5 || box.Listed != 5 || rep.Skipped != box.Skipped || rep.Failed != box.Failed {
			t.Errorf("%+v", rep)
		}
	}, retrieval.IMAP)
}
