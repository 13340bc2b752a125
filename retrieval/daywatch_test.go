package retrieval_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

// A watch waits until there is room, and then all comes; it does not ask in
// between.
func TestBytesPerDayWatch(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.BytesPerDay = perDay
		all := q.manyMails(25, 100_000)
		var mu sync.Mutex
		var used usage
		sofar := func() usage {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(used)
		}
		o := &retrieval.WatchOptions{Observe: func(e retrieval.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == retrieval.RunEnds {
				used.add(e.Report)
			}
		}}
		q.watching(o, nil, func() {
			time.Sleep(20 * time.Hour)
			if n := len(strings.Fields(q.shelf.subjects())); n != 10 || len(sofar()) != 1 {
				t.Errorf("%d delivered by %d runs, want 10 by one", n, len(sofar()))
			}
			days(2.5)
			q.want(all, all)
			if most := sofar().most(); most > perDay+10_000 {
				t.Errorf("%d octets in 24 hours, the limit is %d and a listing", most, perDay)
			}
			q.server.Deliver(mail("N", 10))
			time.Sleep(6 * time.Minute)
			q.want(all+" N", all+" N")
		})
	})
}

// A dry run foretells what the limit leaves, and when that comes; it changes
// nothing of what is recorded.
func TestBytesPerDayDryRun(t *testing.T) {
	for _, several := range []bool{false, true} {
		quickly(t, nil, func(t *testing.T, q *quick) {
			q.acct.Limits.BytesPerDay = perDay
			if several {
				q.acct.Mailboxes = []string{"*"}
				q.server.Create("Work")
				q.server.DeliverTo("Work", mail("W", 600_000))
			}
			q.manyMails(15, 100_000)
			for range 2 {
				before := fmt.Sprint(q.account())
				all, err := retrieval.DryRun(t.Context(), q.acct, &untouched{q.shelf, t}, q.store)
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for _, f := range all {
					n += len(f.Deliver)
				}
				if now := fmt.Sprint(q.account()); now != before {
					t.Errorf("the store had\n%s and has\n%s", before, now)
				}
				rep := q.run()
				if rep.Delivered != n || all[0].RoomIn != rep.RoomIn {
					t.Errorf("foretold: %d, and room in %v; came true: %d, %v", n, all[0].RoomIn, rep.Delivered, rep.RoomIn)
				}
				time.Sleep(rep.RoomIn)
			}
		}, map[bool][]retrieval.Protocol{false: protocols, true: {retrieval.IMAP}}[several]...)
	}
}
