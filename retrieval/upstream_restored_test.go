package retrieval_test

import (
	"fmt"
	"testing"

	"example.com/postbag/retrieval"
)

// What was removed here is removed on the server only if it is the same message
// there: after the server was put back to a backup its name may be another one's,
// and the server may not tell of that.
func TestRemovedAndRestored(t *testing.T) {
	for _, trash := range []string{"", "Bin"} {
		for _, o := range listings {
			t.Run(fmt.Sprint(trash, " without ", o.Without), func(t *testing.T) {
				o := *o
				b, _ := twoWay(t, 2, &o)
				b.server.Create("Bin")
				b.acct.Upstream.Trash = trash
				restore := b.server.Backup()
				lost := mails(4)[2:]
				b.server.Deliver(lost...)
				b.sync()
				b.sync() // the cursor
				restore()
				b.server.Deliver(mail("X", 1), mail("Y", 1))
				b.remove(lost[0])
				var foretold []retrieval.Forecast
				rep, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
					var err error
					if foretold, err = retrieval.DryRun(t.Context(), b.acct, s, st); err != nil {
						t.Fatal(err)
					}
					return s, st
				})
				if err != nil || rep.Sent+rep.Deleted > 0 || rep.Delivered == 0 {
					t.Errorf("%+v, %v, want nothing removed on the server, and X delivered", rep, err)
				}
				if f := foretold[0]; len(f.Delete) > 0 || len(f.Deliver) != rep.Delivered {
					t.Errorf("foretold: %+v", f)
				}
				(&composedBox{box: b}).wantThere("0 1 X Y")
				b.remove(mail("X", 1))
				b.sync()
				(&composedBox{box: b}).wantThere("0 1 Y")
			})
		}
	}
}

// Nor is a message moved away that has the name of one whose After is due: it
// would never be delivered.
func TestDueAndRestored(t *testing.T) {
	for _, o := range listings {
		quickly(t, o, func(t *testing.T, q *quick) {
			q.server.Create("Done")
			restore := q.server.Backup()
			q.server.Deliver(mail("A", 1))
			q.run()
			q.run() // the cursor
			for _, rec := range q.state().Records {
				rec.Due = true // as a run leaves it that was cut short before it had moved it
				q.put(rec)
			}
			restore()
			q.server.Deliver(mail("X", 1))
			q.acct.After.MoveTo = "Done"
			if rep := q.run(); rep.Acted > 0 || rep.Failed != 1 {
				t.Errorf("%+v, want X not moved, and told so", rep)
			}
			q.want("A", "X")
		}, retrieval.IMAP)
	}
}
