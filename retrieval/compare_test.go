package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A server that hangs up whenever it is to show a header section holds up new
// mail for a few runs, and then for few of many: what would have to be compared
// before it is deleted is left alone for so long.
func TestHangUpOverComparison(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DeleteAfter(time.Hour)
		msgs, all := identities(40)
		q.server.Deliver(msgs...)
		q.run()
		days(1)
		q.server.Deliver(mail("NEW", 1))
		sound := q.acct
		q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Always(retrievaltest.Cut(retrievaltest.BeforeCommand("TOP", 1))))
		runs := 0
		for ; runs < 10; runs++ {
			rep, err := q.try()
			if err == nil {
				if rep.Delivered != 1 || rep.Deleted > 0 || rep.Quarantined != 40 {
					t.Errorf("%+v", rep)
				}
				break
			}
			if !errors.Is(err, retrieval.ErrSession) {
				t.Fatal(err)
			}
		}
		if q.want(all+" NEW", all+" NEW"); runs > 4 {
			t.Errorf("after %d runs", runs)
		}
		q.acct = sound
		days(1)
		if rep := q.run(); rep.Deleted != 41 { // the server is well again
			t.Errorf("%+v", rep)
		}
		for uid, rec := range q.state().Records {
			if rec.Attempts > 0 {
				t.Errorf("%s has failed %d times", uid, rec.Attempts)
			}
		}
	}, retrieval.POP3)
}

// If it does so over one of them, the others are deleted in the end.
func TestHangUpOverOneComparison(t *testing.T) {
	quickly(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext}, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DeleteAfter(time.Hour)
		msgs, all := identities(40)
		q.server.Deliver(msgs...)
		q.run()
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			for i, m := range q.server.Contents() {
				if subject(string(m.Data)) == "M004" {
					return topplingConn{c, fmt.Sprintf("TOP %d 0\r\n", i+1)}, err
				}
			}
			return c, err
		}
		days(1)
		for range 3000 { // three weeks
			time.Sleep(10 * time.Minute)
			q.try()
			if len(q.server.Contents()) == 1 {
				break
			}
		}
		q.want(all, "M004")
	}, retrieval.POP3)
}

// topplingConn is to a server that hangs up over a command.
type topplingConn struct {
	net.Conn
	over string
}

func (c topplingConn) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.over) {
		c.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}
