package retrieval_test

import (
	"slices"
	"testing"

	"example.com/postbag/retrieval"
)

// What the account's After left to the next run, and what the server has changed
// meanwhile, are both done: a later change back is followed, too.
func TestDueAndFlagsChanged(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.ServerSync
		q.server.Deliver(mail("A", 1))
		q.run()
		q.run() // a cursor
		page, err := q.store.Open(t.Context(), q.acct.Box())
		if err != nil {
			t.Fatal(err)
		}
		st, err := page.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		uid := q.server.Contents()[0].UID
		rec := st.Records[uid]
		rec.Due = true // as a run leaves it that was cut short after it had stored the flag
		if err := page.Update(t.Context(), retrieval.Change{Put: []retrieval.Record{rec}}); err != nil {
			t.Fatal(err)
		}
		page.Close()

		q.acct.After.Flags = []retrieval.Flag{"$done"}
		q.server.SetFlags(uid, "$done", retrieval.FlagFlagged)
		if rep := q.run(); rep.Reflagged != 1 || rep.Acted != 1 {
			t.Errorf("%+v, want one reflagged, and acted on", rep)
		}
		q.run()
		q.server.SetFlags(uid) // no flags, as at first
		q.run()
		for _, flags := range q.shelf.flags {
			if len(flags) > 0 {
				t.Errorf("the copy has the flags %q, the server's has none", flags)
			}
		}
		if there := q.server.Contents()[0].Flags; slices.Contains(there, "$done") {
			t.Errorf("the account's After was carried out again: %q", there)
		}
	}, retrieval.IMAP)
}

// A header section whose message could not be delivered, and is gone on the
// server then, goes here, too.
func TestHeaderOfWhatIsGone(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.ServerSync
		q.acct.Limits.MessageSize = 1000
		q.server.Deliver(mail("A", 1), mail("BIG", 5000))
		q.run()
		q.want("(BIG) A", "A BIG")
		q.acct.Limits.MessageSize = 0
		q.shelf.refuse = func(*retrieval.Message, string) error { return retrieval.ErrDeferred }
		if rep := q.run(); rep.Failed != 1 {
			t.Errorf("%+v, want one to fail", rep)
		}
		q.want("(BIG) A", "A BIG")
		q.server.Delete(q.server.Contents()[1].UID)
		q.run()
		q.want("A", "A")
	}, retrieval.IMAP)
}
