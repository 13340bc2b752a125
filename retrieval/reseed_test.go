package retrieval_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
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

// A run that is cut short while it looks for what a lost store knew goes on
// with that.
func TestStateLostCutShort(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		f := &seeker{shelf: q.shelf}
		q.store = &named{name: "one"}
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.into(f)
		q.store, q.acct.Reset = &named{name: "two"}, retrieval.Rematch
		f.failing = errors.New("the disk is asleep")
		if _, err := retrieval.Run(t.Context(), q.acct, f, q.store); !errors.Is(err, retrieval.ErrSink) {
			t.Fatalf("%v, want ErrSink", err)
		}
		f.failing = nil
		if rep := q.into(f); rep.Delivered > 0 {
			t.Errorf("%+v, want none delivered again", rep)
		}
		q.want("A B", "A B")
	})
}

// What a filter did not want it does not want after a store was lost either.
func TestStateLostFilter(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		f := &seeker{shelf: q.shelf}
		q.store = &named{name: "one"}
		q.acct.Filter.Envelope = func(_ retrieval.Summary, e *message.Envelope) bool { return e.Subject != "B" }
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.into(f)
		q.store, q.acct.Reset = &named{name: "two"}, retrieval.Rematch
		q.into(f)
		q.want("A", "A B")
	})
}

// Too few are known again if of most nobody knows the header section.
func TestRematchUnnamed(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		msgs, _ := identities(10)
		q.server.Deliver(msgs...)
		q.run()
		for _, rec := range q.state().Records { // as if found after a crash: nobody has seen their headers
			if !strings.HasSuffix(string(rec.UID), ".1") { // the first
				rec.Print = retrieval.Print{}
				q.put(rec)
			}
		}
		q.server.Renumber()
		q.acct.Reset = retrieval.Rematch
		if rep, err := q.try(); !errors.Is(err, retrieval.ErrRenumbered) {
			t.Errorf("%+v, %v, want ErrRenumbered: nine of ten are not known again", rep, err)
		}
	}, retrieval.IMAP)
}

// POP3 has no number for the numbering: a maildrop with other names is known by
// its messages, also if there are few of them, and if it looked empty before.
func TestRenumberedMaildrop(t *testing.T) {
	for _, n := range []int{1, 3, 30} {
		for _, empty := range []bool{false, true} {
			t.Run(fmt.Sprint(n, " empty before ", empty), func(t *testing.T) {
				quickly(t, nil, func(t *testing.T, q *quick) {
					msgs, all := identities(n)
					q.server.Deliver(msgs...)
					q.run()
					sound := q.acct
					if empty {
						q.acct = retrievaltest.Faulty(t, sound,
							retrievaltest.Answer(retrievaltest.AfterCommand("UIDL", 1), "+OK\r\n."),
							retrievaltest.Answer(retrievaltest.AfterCommand("LIST", 1), "+OK\r\n."),
							retrievaltest.Answer(retrievaltest.AfterCommand("STAT", 1), "+OK 0 0"))
						if rep := q.run(); rep.Listed != 0 {
							t.Fatalf("%+v, want none listed", rep)
						}
						q.acct = sound
					}
					q.server.Renumber()
					if rep, err := q.try(); !errors.Is(err, retrieval.ErrRenumbered) {
						t.Errorf("%+v, %v, want ErrRenumbered", rep, err)
					}
					q.acct.Reset = retrieval.Rematch
					if rep := q.run(); rep.Delivered > 0 || rep.Rematched != n {
						t.Errorf("%+v, want %d known again", rep, n)
					}
					q.want(all, all)
				}, retrieval.POP3)
			})
		}
	}
}
