package retrieval_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/postbag/retrieval"
)

// What the machine's clock does between two runs: a jump back loses nothing of
// the day, and does not make it longer; a jump ahead is time that has passed.
func TestBytesPerDayClock(t *testing.T) {
	for name, tt := range map[string]struct {
		jump time.Duration // of the clock, since it was recorded last
		wait time.Duration // until there is room
	}{
		"back a year":    {-365 * 24 * time.Hour, 25 * time.Hour},
		"ahead two days": {48 * time.Hour, 0},
		"ahead an hour":  {time.Hour, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.acct.Limits.BytesPerDay = perDay
				q.server.Deliver(mail("A", perDay+1), mail("B", 1))
				q.run()
				p, err := q.store.Open(t.Context(), retrieval.Box{Account: q.acct.Identity()})
				if err != nil {
					t.Fatal(err)
				}
				clock := q.clockOf(p)
				clock.Wall = clock.Wall.Add(-tt.jump)
				if err := p.Update(t.Context(), retrieval.Change{Clock: &clock}); err != nil {
					t.Fatal(err)
				}
				p.Close()
				if rep := q.run(); rep.RoomIn != tt.wait || (rep.Delivered == 1) != (tt.wait == 0) {
					t.Errorf("room in %v, want %v; %d delivered", rep.RoomIn, tt.wait, rep.Delivered)
				}
				time.Sleep(tt.wait)
				q.run()
				q.want("A B", "A B")
			})
		})
	}
}

// Hours that are still to come, because the clock was lost, do not last longer
// than others.
func TestBytesPerDayClockLost(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.BytesPerDay = perDay
		q.server.Deliver(mail("A", 1))
		p, err := q.store.Open(t.Context(), retrieval.Box{Account: q.acct.Identity()})
		if err != nil {
			t.Fatal(err)
		}
		hours := []retrieval.Hour{{Begins: time.Now().Add(72 * time.Hour), Octets: perDay}}
		if err := p.Update(t.Context(), retrieval.Change{Hours: hours}); err != nil {
			t.Fatal(err)
		}
		p.Close()
		rep := q.run()
		if rep.RoomIn <= 24*time.Hour || rep.RoomIn > 25*time.Hour {
			t.Errorf("room in %v", rep.RoomIn)
		}
		time.Sleep(rep.RoomIn)
		q.run()
		q.want("A", "A")
	})
}

func (q *quick) clockOf(p retrieval.Page) retrieval.Clock {
	q.t.Helper()
	st, err := p.Load(q.t.Context())
	if err != nil {
		q.t.Fatal(err)
	}
	return st.Clock
}

// What the store cannot record is not received.
func TestBytesPerDayStoreFails(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.BytesPerDay = 64 * perDay
		q.manyMails(10, perDay)
		for n := range 40 {
			store := &failingDay{Memory: new(retrieval.Memory), left: n}
			rep, err := retrieval.Run(t.Context(), q.acct, newShelf(), store)
			if store.left >= 0 && err == nil {
				if n < 10 || rep.Delivered != 10 {
					t.Errorf("%d transactions of the account, %d delivered", n-store.left, rep.Delivered)
				}
				return
			}
			if !errors.Is(err, retrieval.ErrStore) {
				t.Fatalf("after %d transactions: %v, want ErrStore", n, err)
			}
			if came := max(rep.WireIn, rep.Bytes); came > int64(n)*perDay*21/20+10_000 {
				t.Errorf("%d octets came with %d transactions", came, n)
			}
		}
		t.Error("there is no end to the transactions")
	})
}

// failingDay is a store of which the page of an account fails after so many
// transactions.
type failingDay struct {
	*retrieval.Memory
	left int
}

type failingPage struct {
	retrieval.Page
	s *failingDay
}

var errDisk = errors.New("the disk is broken")

func (s *failingDay) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Memory.Open(ctx, box)
	if err != nil || box.Mailbox != "" {
		return p, err
	}
	return failingPage{p, s}, nil
}

func (p failingPage) Update(ctx context.Context, ch retrieval.Change) error {
	if p.s.left--; p.s.left < 0 {
		return errDisk
	}
	return p.Page.Update(ctx, ch)
}
