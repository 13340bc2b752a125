package retrieval_test

import (
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

// What counts as settled because it was there is not here, and is not deleted,
// whatever the policy becomes.
func TestReseedThenDelete(t *testing.T) {
	for name, policy := range map[string]retrieval.Policy{
		"download and delete": retrieval.DownloadAndDelete, "delete after": retrieval.DeleteAfter(time.Hour), "keep none": retrieval.KeepLast(0),
	} {
		for _, why := range []string{"renumbered", "lost"} {
			t.Run(name+", "+why, func(t *testing.T) {
				quickly(t, nil, func(t *testing.T, q *quick) {
					msgs, all := identities(30)
					q.store = &named{name: "one"}
					q.server.Deliver(msgs...)
					q.run()
					q.shelf.copies = make(map[string]string)
					if why == "lost" {
						q.store = &named{name: "two"}
					} else {
						q.server.Renumber()
					}
					q.server.Deliver(mail("NEW", 1))
					q.acct.Reset = retrieval.Reseed
					q.run()
					q.acct.Reset, q.acct.Policy = retrieval.Stop, policy
					days(1)
					q.server.Deliver(mail("NEWER", 1))
					q.run()
					days(1)
					q.run()
					q.want("NEWER", all+" NEW")
				})
			})
		}
	}
}

// With a mirror, what counts as settled follows nothing.
func TestReseedThenMirror(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.ServerSync
		q.store = &named{name: "one"}
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.run()
		q.store, q.acct.Reset = &named{name: "two"}, retrieval.Reseed
		q.run()
		q.server.SetFlags(q.server.Contents()[0].UID, retrieval.FlagSeen)
		q.server.Delete(q.server.Contents()[1].UID)
		if rep := q.run(); rep.Reflagged+rep.Discarded+rep.Skipped != 1 {
			t.Errorf("%+v, want one left alone", rep)
		}
		q.want("A B", "A")
	}, retrieval.IMAP)
}
