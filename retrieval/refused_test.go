package retrieval_test

import (
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// What a server says of one message is not that it has no RETR, which every server
// has: the others come.
func TestRefusedAsUnsupported(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		sound := q.acct
		refusal := retrievaltest.Answer(retrievaltest.AfterCommand("RETR", 1), "-ERR the format of this message is not supported")
		q.acct = retrievaltest.Faulty(t, sound, refusal)
		if rep := q.run(); rep.Failed != 1 || rep.Delivered != 2 || rep.Deleted != 2 {
			t.Errorf("%+v, want one to fail", rep)
		}
		if refusal.Struck() == 0 {
			t.Fatal("nothing was refused")
		}
		q.want("B C", "A")
	}, retrieval.POP3)
}
