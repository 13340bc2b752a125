package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/postbag/message"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
)

// F139: the day outlasts the process, and a kill does not make it longer: all
// runs of a day together, each ended in a message, receive no more than the
// limit, and not much less.
func TestBytesPerDayKilled(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.BytesPerDay = perDay
		q.manyMails(200, 20_000)
		path := filepath.Join(t.TempDir(), "ledger")
		total, kills := int64(0), 0
		for ; kills < 200; kills++ {
			rep, recorded, err := q.killed(path, kills%5+1)
			total += rep.WireIn
			if recorded < min(total, perDay) {
				t.Fatalf("after %d kills %d octets are recorded, %d came", kills, recorded, total)
			}
			if err == nil {
				if rep.RoomIn == 0 {
					t.Errorf("%+v", rep)
				}
				break
			}
		}
		const lost = perDay/64 + 21_000 // by a kill: what was recorded ahead
		if most := perDay + lost; total > int64(most) || total < int64(perDay-(kills+1)*lost) || kills < 10 {
			t.Errorf("%d octets came by %d runs, the limit is %d", total, kills, perDay)
		}
		t.Logf("%d octets came by %d killed runs, the limit is %d", total, kills, perDay)
		if rep, _, err := q.killed(path, 1); err != nil || rep.WireIn > 10_000 {
			t.Errorf("one more: %+v, %v", rep, err)
		}
		time.Sleep(25 * time.Hour)
		if rep, _, err := q.killed(path, 1); err == nil {
			t.Errorf("a day later nothing comes: %+v", rep)
		}
	})
}

var errKilled = errors.New("killed")

// killed runs with the ledger of a file, until so many messages have come and
// the next is on its way. What is in memory then is lost.
func (q *quick) killed(path string, after int) (rep retrieval.Report, recorded int64, err error) {
	q.t.Helper()
	ctx, kill := context.WithCancelCause(q.t.Context())
	defer kill(nil)
	l, err := disk.OpenLedger(path)
	if err != nil {
		q.t.Fatal(err)
	}
	store := q.store
	defer func() { q.store = store }()
	q.store = l
	sink := retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
		if after--; after < 0 {
			m.Read(make([]byte, 10_000))
			kill(errKilled)
		}
		return ctx.Err()
	})
	rep, err = retrieval.Run(ctx, q.acct, sink, l)
	recorded = q.recorded()
	if err := l.Close(); err != nil {
		q.t.Fatal(err)
	}
	if err != nil && !errors.Is(err, errKilled) {
		q.t.Fatal(err)
	}
	return rep, recorded, err
}

// What comes before the first message is recorded, too: a listing and header
// sections.
func TestBytesPerDayKilledFiltering(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Limits.BytesPerDay = perDay
		head := strings.Repeat("X-Long: "+strings.Repeat("y", 90)+"\r\n", 100)
		for range 100 {
			q.server.Deliver([]byte(head + string(mail("A", 10))))
		}
		for range 1000 { // the listing is more than a sixty-fourth of the limit
			q.server.Deliver(mail("B", 10))
		}
		for _, after := range []int{1, 30} {
			q.store = new(retrieval.Memory)
			ctx, kill := context.WithCancelCause(t.Context())
			left := after
			q.acct.Filter.Envelope = func(retrieval.Summary, *message.Envelope) bool {
				if left--; left == 0 {
					kill(errKilled)
				}
				return true
			}
			rep, err := retrieval.Run(ctx, q.acct, q.shelf, q.store)
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			if n := q.recorded(); n < rep.WireIn-readAhead || n > rep.WireIn+perDay/64 {
				t.Errorf("killed over header section %d: %d octets are recorded, %d came", after, n, rep.WireIn)
			}
		}
	})
}

// So are header sections that are retrieved to know messages again.
func TestBytesPerDayKilledRematching(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		head := strings.Repeat("X-Long: "+strings.Repeat("y", 90)+"\r\n", 100)
		for i := range 100 {
			q.server.Deliver([]byte(fmt.Sprintf("X-Number: %d\r\n", i) + head + string(mail("A", 10))))
		}
		q.run()
		q.server.Renumber()
		q.acct.Reset, q.acct.Limits.BytesPerDay = retrieval.Rematch, perDay
		ctx, kill := context.WithCancelCause(t.Context())
		defer kill(nil)
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return &killingConn{c, 500_000, func() { kill(errKilled) }}, err
		}
		rep, err := retrieval.Run(ctx, q.acct, q.shelf, q.store)
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if n := q.recorded(); n < rep.WireIn-readAhead || n > rep.WireIn+perDay/64 {
			t.Errorf("%d octets are recorded, %d came", n, rep.WireIn)
		}
	})
}

// killingConn kills when so many octets have come.
type killingConn struct {
	net.Conn
	left int
	kill func()
}

func (c *killingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.left -= n; c.left < 0 {
		c.kill()
	}
	return n, err
}

// readAhead is what a client may have received and not yet looked at.
const readAhead = 40_000
