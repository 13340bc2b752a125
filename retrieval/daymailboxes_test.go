package retrieval_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

// All mailboxes of an account have one day, also those of runs that go on side
// by side.
func TestBytesPerDayMailboxes(t *testing.T) {
	for name, split := range map[string]bool{"one run": false, "side by side": true} {
		t.Run(name, func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.acct.Limits.BytesPerDay = perDay
				boxes := []string{"INBOX", "A", "B", "C"}
				for i, name := range boxes {
					if i > 0 {
						q.server.Create(name)
					}
					for j := range 6 {
						q.server.DeliverTo(name, mail(fmt.Sprint(name, j), 70_000))
					}
				}
				var accts []retrieval.Account
				q.acct.Mailboxes = []string{"*"}
				if accts = append(accts, q.acct); split {
					accts = nil
					for _, name := range boxes {
						a := q.acct
						a.Mailboxes, a.Mailbox = nil, name
						accts = append(accts, a)
					}
				}
				var used usage
				var mu sync.Mutex
				sink := &locked{shelf: q.shelf}
				for range 2 {
					var group sync.WaitGroup
					for _, a := range accts {
						group.Go(func() {
							rep, err := retrieval.Run(t.Context(), a, sink, q.store)
							if err != nil {
								t.Error(err)
							}
							mu.Lock()
							defer mu.Unlock()
							used.add(rep)
						})
					}
					group.Wait()
					if most := used.most(); most > perDay || most < perDay*7/10 {
						t.Errorf("%d octets in 24 hours, the limit is %d", most, perDay)
					}
					if !split {
						rep, err := retrieval.Run(t.Context(), accts[0], sink, q.store)
						if len(used) == 1 && (rep.RoomIn == 0 || !rep.More || err != nil || rep.Delivered > 0) {
							t.Errorf("another run at once: %+v, %v", rep, err)
						}
					}
					time.Sleep(25 * time.Hour)
				}
				if got := len(strings.Fields(q.shelf.subjects())); got != 24 {
					t.Errorf("%d delivered, want 24", got)
				}
			}, retrieval.IMAP)
		})
	}
}

// What there is no room for is waited for in all mailboxes, or mail in one could
// keep a large message in another away for ever.
func TestBytesPerDayOrder(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.BytesPerDay = perDay
		q.acct.Mailboxes = []string{"*"}
		q.server.Create("Large")
		q.server.Create("Other")
		q.server.Deliver(mail("A", perDay/5))
		q.server.DeliverTo("Large", mail("BIG", perDay*9/10))
		q.server.DeliverTo("Other", mail("C", 100))
		for _, here := range []string{"A", "A BIG C"} {
			rep := q.run()
			if got := q.shelf.subjects(); got != here {
				t.Errorf("here is %q, want %q", got, here)
			}
			time.Sleep(rep.RoomIn)
		}
	}, retrieval.IMAP)
}

// When one mailbox has used up the day, the others are not even listed.
func TestBytesPerDayOver(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.BytesPerDay = perDay
		q.acct.Mailboxes = []string{"*"}
		q.server.Create("Other")
		q.server.Deliver(mail("A", perDay+1))
		if rep := q.run(); len(rep.Mailboxes) != 1 || !rep.More || rep.RoomIn == 0 {
			t.Errorf("%+v", rep)
		}
	}, retrieval.IMAP)
}

// The page of an account is waited for, but not for ever.
func TestBytesPerDayTaken(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.BytesPerDay = perDay
		q.server.Deliver(mail("A", 1))
		for _, held := range []time.Duration{time.Minute, 5 * time.Second} {
			p, err := q.store.Open(t.Context(), retrieval.Box{Account: q.acct.Identity()})
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(held, func() { p.Close() })
			if _, err = q.try(); errors.Is(err, retrieval.ErrLocked) != (held == time.Minute) {
				t.Errorf("the page is held for %v: %v", held, err)
			}
			time.Sleep(time.Minute)
		}
		q.want("A", "A")
	})
}
