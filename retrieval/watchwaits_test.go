package retrieval_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// After a failure, too, a server gets the time between two logins that it wants.
func TestWatchLoginDelayAfterFailure(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		capa := "+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN\r\nPIPELINING\r\nLOGIN-DELAY 3600\r\n."
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("CAPA", 1), capa)),
			retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("CAPA", 2), capa)),
			retrievaltest.Always(retrievaltest.Cut(retrievaltest.AfterCommand("UIDL", 1))))
		q.watching(nil, nil, func() {
			time.Sleep(10*time.Hour + time.Minute)
			if _, all := q.server.Sessions(); all > 11 {
				t.Errorf("%d sessions in ten hours, want one an hour", all)
			}
		})
	}, retrieval.POP3)
}

// However long a server wants to be left alone, it is asked once a day.
func TestWatchEndlessDelay(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		capa := "+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN\r\nPIPELINING\r\nLOGIN-DELAY 999999999\r\n."
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Answer(retrievaltest.AfterCommand("CAPA", 1), capa),
			retrievaltest.Answer(retrievaltest.AfterCommand("CAPA", 2), capa))
		q.watching(nil, nil, func() {
			time.Sleep(time.Minute)
			q.server.Deliver(mail("A", 1))
			time.Sleep(25 * time.Hour)
			q.want("A", "A")
		})
	}, retrieval.POP3)
}

// What cannot tell the password now is no server that refuses it.
func TestWatchNoPasswordNow(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		var up atomic.Bool
		password := q.acct.Password
		q.acct.Password = func(ctx context.Context) (string, error) {
			if !up.Load() {
				return "", errors.New("the agent is down")
			}
			return password(ctx)
		}
		q.server.Deliver(mail("A", 1))
		q.watching(nil, nil, func() {
			time.Sleep(12 * time.Hour)
			up.Store(true)
			time.Sleep(30 * time.Minute)
			q.want("A", "A")
		})
	})
}
