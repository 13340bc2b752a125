package retrieval_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A panic over a connection that was opened anew leaves none open.
func TestWatchPanicClosesAll(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.server.Deliver(mail("A", 1))
		q.server.DeliverTo("Work", mail("B", 1))
		q.acct.Mailboxes = []string{"*"}
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Cut(retrievaltest.AfterCommand("UID FETCH", 1)))
		var open atomic.Int64
		dial := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err == nil {
				open.Add(1)
				c = &counted{Conn: c, closed: func() { open.Add(-1) }}
			}
			return c, err
		}
		q.shelf.refuse = func(*retrieval.Message, string) error { panic("a mistake") }
		err := retrieval.Watch(t.Context(), q.shelf, q.store, nil, q.acct)
		synctest.Wait()
		if n := open.Load(); n > 0 {
			t.Errorf("%d connections are left open after %v", n, err)
		}
	}, retrieval.IMAP)
}

type counted struct {
	net.Conn
	closed func()
	done   atomic.Bool
}

func (c *counted) Close() error {
	if !c.done.Swap(true) {
		c.closed()
	}
	return c.Conn.Close()
}
