package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// TestConnectionFaults are the faults of the catalogue up to a mailbox that is
// open: each is an error that says whether to come back, and has no effect.
func TestConnectionFaults(t *testing.T) {
	before := func(test func(t *testing.T, q *quick)) func(t *testing.T, q *quick) {
		return func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.DownloadAndDelete
			q.server.Deliver(mail("A", 1))
			q.run()
			q.server.Deliver(mail("B", 1))
			test(t, q)
			q.run()
			q.want("A B", "")
		}
	}
	want := func(t *testing.T, what string, err, is, not error) {
		t.Helper()
		if !errors.Is(err, is) || not != nil && errors.Is(err, not) {
			t.Errorf("%s: %v, want %v and not %v", what, err, is, not)
		}
	}
	testFaults(t, []faultCase{
		{"F1 not to be reached", nil, nil, before(func(t *testing.T, q *quick) {
			want(t, "refused", q.withoutEffect(retrievaltest.Refuse()), retrieval.ErrUnavailable, retrieval.ErrAuth)
			sound := q.acct
			defer func() { q.acct = sound }()
			for name, dial := range map[string]retrievaltest.DialFunc{
				"no such name": func(context.Context, string, string) (net.Conn, error) {
					return nil, &net.DNSError{Err: "no such host", Name: "mail.invalid", IsNotFound: true}
				},
				"no answer": func(ctx context.Context, _, _ string) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				},
			} {
				q.acct.Dial = dial
				begun := time.Now()
				want(t, name, q.withoutEffect(), retrieval.ErrUnavailable, retrieval.ErrAuth)
				if took := time.Since(begun); took > 5*time.Minute {
					t.Errorf("%s: it took %v", name, took)
				}
			}
		})},
		{"F2 no greeting", nil, nil, before(func(t *testing.T, q *quick) {
			begun := time.Now()
			want(t, "silence", q.withoutEffect(retrievaltest.Always(retrievaltest.Stall(retrievaltest.AtGreeting(), 0))), retrieval.ErrUnavailable, retrieval.ErrAuth)
			if took := time.Since(begun); took > 5*time.Minute {
				t.Errorf("it took %v", took)
			}
		})},
		{"F3 a greeting that refuses", nil, nil, before(func(t *testing.T, q *quick) {
			refusal := q.at("-ERR [SYS/TEMP] later", "* BYE [UNAVAILABLE] later")
			err := q.withoutEffect(retrievaltest.Always(retrievaltest.Answer(retrievaltest.AtGreeting(), refusal)))
			want(t, refusal, err, retrieval.ErrUnavailable, retrieval.ErrAuth)
			if wait := retrieval.RetryAfter(err); wait != 30*time.Second {
				t.Errorf("%v asks for %v, want half a minute", err, wait)
			}
		})},
		{"F3 a greeting of something else", nil, nil, before(func(t *testing.T, q *quick) {
			want(t, "HTTP", q.withoutEffect(retrievaltest.Always(retrievaltest.Answer(retrievaltest.AtGreeting(), "HTTP/1.1 400 Bad Request"))), retrieval.ErrProtocol, retrieval.ErrAuth)
		})},
		{"F4 in use", nil, nil, before(func(t *testing.T, q *quick) {
			q.server.RefuseLogins(q.at("[IN-USE]", "[INUSE]") + " locked")
			err := q.withoutEffect()
			want(t, "in use", err, retrieval.ErrUnavailable, retrieval.ErrAuth)
			if wait := retrieval.RetryAfter(err); wait != 30*time.Second {
				t.Errorf("%v asks for %v, want half a minute", err, wait)
			}
			q.server.RefuseLogins("")
		})},
		{"F5 cut within the login", nil, nil, before(func(t *testing.T, q *quick) {
			for _, command := range map[retrieval.Protocol][]string{retrieval.POP3: {"USER", "PASS"}, retrieval.IMAP: {"LOGIN"}}[q.acct.Protocol] {
				for _, at := range []retrievaltest.Point{retrievaltest.BeforeCommand(command, 1), retrievaltest.AfterCommand(command, 1), retrievaltest.WithinReply(command, 1, 1)} {
					want(t, fmt.Sprint(at), q.withoutEffect(retrievaltest.Always(retrievaltest.Cut(at))), retrieval.ErrUnavailable, retrieval.ErrAuth)
				}
			}
		})},
		{"F6 cut within a list", nil, nil, before(func(t *testing.T, q *quick) {
			q.server.Deliver(mail("C", 1), mail("D", 1))
			defer q.run()
			for _, command := range map[retrieval.Protocol][]string{retrieval.POP3: {"STAT", "LIST", "UIDL"}, retrieval.IMAP: {"SELECT", "UID FETCH"}}[q.acct.Protocol] {
				for n := int64(0); n < 55; n += 3 {
					at := retrievaltest.WithinReply(command, 1, n)
					err := q.withoutEffect(retrievaltest.Always(retrievaltest.Cut(at)))
					want(t, fmt.Sprint(at), err, retrieval.ErrUnavailable, nil)
				}
			}
			for _, m := range q.server.Contents() {
				if s := subject(string(m.Data)); s == "C" || s == "D" {
					q.server.Delete(m.UID)
				}
			}
		})},
	})
}

// F29: a maildrop that is locked for ten minutes, by our own session that died,
// is asked for again, but not often, and never twice at a time.
func TestMaildropInUse(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1))
		q.server.RefuseLogins("[IN-USE] locked by another session")
		most := 0
		q.watching(nil, nil, func() {
			for range 600 {
				time.Sleep(time.Second)
				open, _ := q.server.Sessions()
				most = max(most, open)
			}
			if _, all := q.server.Sessions(); all < 2 || all > 20 {
				t.Errorf("%d logins in ten minutes", all)
			}
			q.server.RefuseLogins("")
			time.Sleep(16 * time.Minute)
			q.want("A", "A")
		})
		if most > 1 {
			t.Errorf("%d sessions at a time", most)
		}
	}, retrieval.POP3)
}
