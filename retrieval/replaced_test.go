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

// sizes is a reply to LIST with these sizes.
func sizes(n int, size func(i int) int) string {
	s := "+OK\r\n"
	for i := range n {
		s += fmt.Sprintf("%d %d\r\n", i+1, size(i))
	}
	return s + "."
}

// New messages with the names of settled ones, of which no listing was seen in
// between, come if they have another size. With IMAP another moment of arrival
// is enough. What is left of the old ones stays. F35.
func TestReplaced(t *testing.T) {
	for _, policy := range []struct {
		name string
		retrieval.Policy
		protocols []retrieval.Protocol
	}{
		{"leave", retrieval.LeaveOnServer, protocols},
		{"later", retrieval.DeleteAfter(30 * 24 * time.Hour), protocols},
		{"sync", retrieval.ServerSync, []retrieval.Protocol{retrieval.IMAP}},
	} {
		for _, o := range append(listings, &retrievaltest.ServerOptions{Without: []string{"TOP"}}) {
			for name, size := range map[string]int{"other sizes": 100, "the same size": 1} {
				t.Run(fmt.Sprint(policy.name, " without ", o.Without, " ", name), func(t *testing.T) {
					quickly(t, o, func(t *testing.T, q *quick) {
						q.acct.Policy = policy.Policy
						q.backed()
						q.server.Deliver(mail("W", size), mail("X", size), mail("Y", size), mail("Z", size))
						forecast, err := retrieval.DryRun(t.Context(), q.acct, q.shelf, q.store)
						if err != nil {
							t.Fatal(err)
						}
						q.run()
						if size == 1 && q.acct.Protocol == retrieval.POP3 { // see the package's "What is not promised"
							q.want("A B C D E F G H Z", "A B C D E W X Y Z")
							return
						}
						q.want("A B C D E F G H W X Y Z", "A B C D E W X Y Z")
						if dry := len(forecast[0].Deliver); dry != 4 && len(o.Without) != 1 {
							t.Errorf("a dry run foretells %d deliveries, want 4", dry)
						}
						q.again()
						n := q.commands()
						if q.again(); q.bodies(n) > 0 {
							t.Errorf("%q", q.asked(n))
						}
						days(1)
						if q.run(); policy.name != "later" {
							return
						}
						for range 28 { // of the old ones the time is over, and of what was not delivered it never is
							days(1)
							q.run()
						}
						days(0.5)
						q.run()
						q.want("A B C D E F G H W X Y Z", "W X Y Z")
					}, policy.protocols...)
				})
			}
		}
	}
}

// A server whose sizes are always wrong is not suspected. If they change, each
// message is looked at once, but of many only a few in a run.
func TestOtherSizes(t *testing.T) {
	for _, without := range [][]string{nil, {"TOP"}} {
		for n, looks := range map[int][]int{10: {10, 0, 0}, 40: {3, 3, 3}} {
			t.Run(fmt.Sprint(n, " without ", without), func(t *testing.T) {
				quickly(t, &retrievaltest.ServerOptions{Without: without}, func(t *testing.T, q *quick) {
					msgs, all := identities(n)
					q.server.Deliver(msgs...)
					looked := func(at int) int {
						if without != nil {
							return q.does(at, "RETR")
						}
						return q.bodies(at)
					}
					said := func(size func(i int) int) {
						t.Helper()
						f := retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("LIST", 1), sizes(n, size)))
						if _, err := q.with(f); err != nil {
							t.Fatal(err)
						}
					}
					wrong := func(i int) int { return 10 + i }
					said(wrong)
					at := q.commands()
					said(wrong)
					said(wrong)
					if q.bodies(at) > 0 {
						t.Errorf("%q", q.asked(at))
					}
					for _, want := range looks {
						at := q.commands()
						said(func(i int) int { return 20 + i })
						if got := looked(at); got != want {
							t.Errorf("%d were looked at, want %d: %q", got, want, q.asked(at))
						}
					}
					q.want(all, all)
				}, retrieval.POP3)
			})
		}
	}
}

// An IMAP message whose header section is another one now was changed by the
// server if it was received when it was. It is left alone, and looked at once. Of
// one whose header section cannot be compared nobody knows.
func TestChangedHeader(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Without: []string{"QRESYNC", "CONDSTORE"}}, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.run()
		for uid, rec := range q.state().Records {
			rec.Size++
			if uid == q.named("A") {
				rec.Print[0]++
			} else {
				rec.Print = retrieval.Print{}
			}
			q.put(rec)
		}
		q.again()
		n := q.commands()
		if q.again(); q.bodies(n) > 0 {
			t.Errorf("%q", q.asked(n))
		}
		q.acct.Policy = retrieval.DownloadAndDelete
		if rep := q.run(); rep.Failed != 1 || !errors.Is(rep.Failures[0], retrieval.ErrAmbiguous) {
			t.Errorf("%+v, want A not deleted", rep)
		}
	}, retrieval.IMAP)
}

// A server that gives all its names to other messages is treated by the
// account's rule.
func TestAllReplaced(t *testing.T) {
	for rule, want := range map[retrieval.Reset]int{retrieval.Stop: 0, retrieval.Rematch: 0, retrieval.Reseed: 0, retrieval.Refetch: 30} {
		for _, o := range listings {
			t.Run(fmt.Sprint(rule, " without ", o.Without), func(t *testing.T) {
				quickly(t, o, func(t *testing.T, q *quick) {
					msgs, old := identities(60)
					restore := q.server.Backup()
					q.server.Deliver(msgs[:30]...)
					q.run()
					q.run()
					days(1)
					restore()
					q.server.Deliver(msgs[30:]...)
					if q.acct.Protocol == retrieval.IMAP && len(o.Without) < 2 { // it shows with the next message
						q.run()
						q.server.Deliver(mail("M060", 1))
					}
					q.acct.Reset = rule
					delivered := want
					if delivered > 0 {
						delivered = len(q.server.Contents())
					}
					for range 2 {
						rep, err := q.try()
						if failed := rule == retrieval.Stop || rule == retrieval.Rematch; errors.Is(err, retrieval.ErrRenumbered) != failed || rep.Delivered != delivered {
							t.Errorf("%+v, %v, want %d delivered", rep, err, delivered)
						}
						if rule == retrieval.Refetch {
							delivered, q.acct.Reset = 0, retrieval.Stop
						}
					}
					if got := q.shelf.subjects(); want == 0 && !strings.HasPrefix(old, got) {
						t.Errorf("here is %s", got)
					}
				})
			})
		}
	}
}

// What turned out to be larger than was said is not suspected for it.
func TestLargerThanSaid(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.MessageSize = 1000
		q.server.Deliver(mail("BIG", 5000))
		f := func() *retrievaltest.Fault {
			return retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("LIST", 1), "+OK\r\n1 100\r\n."))
		}
		for range 3 {
			if _, err := q.with(f()); err != nil {
				t.Fatal(err)
			}
		}
		q.want("(BIG)", "BIG")
		n := q.commands()
		if q.with(f()); q.bodies(n) > 0 {
			t.Errorf("%q", q.asked(n))
		}
	}, retrieval.POP3)
}
