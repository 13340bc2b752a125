package retrieval_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// With retries, a run that loses the line goes on with the messages that are
// left; and a message over which the server hangs up each time is all that does
// not come. F58.
func TestRetries(t *testing.T) {
	o := &retrievaltest.ServerOptions{Security: retrieval.Plaintext}
	quickly(t, o, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.acct.Retries = 3
		q.server.Deliver(mail("A", 1), mail("POISON", 1), mail("C", 1), mail("POISON TOO", 1), mail("E", 1))
		sound := q.acct.Dial
		q.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := sound(ctx, network, addr)
			return &allergicConn{c, "Subject: POISON"}, err
		}
		if rep := q.run(); rep.Delivered != 3 || rep.Deleted != 3 || rep.Failed != 2 {
			t.Errorf("%+v", rep)
		}
		q.want("A C E", "POISON POISON TOO")
		q.acct.Dial = sound
		q.run()
		q.want("A C E POISON POISON TOO", "")
	})
}

// Each mailbox is gone on with, too.
func TestRetriesInMailboxes(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Create("Work")
		q.acct.Mailboxes = []string{"*"}
		q.acct.Retries = 1
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.server.DeliverTo("Work", mail("C", 1))
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Cut(retrievaltest.AfterCommand("UID FETCH", 1)),
			retrievaltest.OnConnection(2, retrievaltest.Cut(retrievaltest.BeforeCommand("SELECT", 2))))
		q.run()
		if got := q.shelf.from(); got != "INBOX:A INBOX:B Work:C" {
			t.Errorf("delivered %q", got)
		}
	}, retrieval.IMAP)
}

// There is an end to it, and it takes time; limits count for all attempts
// together; and credentials are not tried twice.
func TestRetriesEnd(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Retries = 4
		sound := q.acct
		q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Always(retrievaltest.Cut(retrievaltest.AtGreeting())))
		begun := time.Now()
		if _, err := q.try(); !errors.Is(err, retrieval.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		if took := time.Since(begun); took < 4*time.Second || took > time.Hour {
			t.Errorf("it took %v", took)
		}
		q.acct = sound
		q.acct.Limits.Messages = 3
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1), mail("D", 1), mail("E", 1))
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Cut(retrievaltest.WithinReply(map[retrieval.Protocol]string{
			retrieval.POP3: "RETR", retrieval.IMAP: "UID FETCH"}[q.acct.Protocol], 2, 140)))
		q.run()
		if n := len(q.shelf.copies); n != 3 {
			t.Errorf("%d delivered, want 3: %s", n, q.shelf.subjects())
		}
		q.server.SetPassword("another")
		_, before := q.server.Sessions()
		if _, err := q.try(); !errors.Is(err, retrieval.ErrAuth) {
			t.Errorf("%v, want ErrAuth", err)
		}
		if _, all := q.server.Sessions(); all != before+1 {
			t.Errorf("%d sessions, want one", all-before)
		}
	})
}
