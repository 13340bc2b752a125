package retrieval_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// uidl is a reply to UIDL that names the messages in their order.
func uidl(uids ...string) string {
	s := "+OK\r\n"
	for i, uid := range uids {
		s += fmt.Sprintf("%d %s\r\n", i+1, uid)
	}
	return s + "."
}

// names returns what a server calls its messages.
func (q *quick) names() (uids []string) {
	for _, m := range q.server.Contents() {
		uids = append(uids, string(m.UIDL))
	}
	return uids
}

// TestUIDLFaults are the faults of the catalogue that befall POP3's names and
// lists. A mailbox whose list cannot be believed is left alone.
func TestUIDLFaults(t *testing.T) {
	always := func(command, reply string) *retrievaltest.Fault {
		return retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand(command, 1), reply))
	}
	deleting := func(q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
	}
	testFaults(t, []faultCase{
		{"F32 no UIDL", pop3Alone, &retrievaltest.ServerOptions{Without: []string{"UIDL"}}, func(t *testing.T, q *quick) {
			q.server.Deliver(mail("A", 1))
			for name, policy := range leaveOrDelete {
				q.acct.Policy = policy
				if err := q.withoutEffect(); !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("%s: %v, want errors.ErrUnsupported", name, err)
				}
			}
		}},
		{"F33 UIDL is refused for now", pop3Alone, nil, func(t *testing.T, q *quick) {
			deleting(q)
			if err := q.withoutEffect(always("UIDL", "-ERR busy")); err == nil || errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%v, want an error of the server's", err)
			}
			q.run()
			q.want("A B C", "")
		}},
		{"F34 two messages with one name", pop3Alone, nil, func(t *testing.T, q *quick) {
			deleting(q)
			for _, names := range [][]string{{"x", "y", "x"}, {"x", "x", "x"}} {
				n := q.commands()
				if err := q.withoutEffect(always("UIDL", uidl(names...))); !errors.Is(err, retrieval.ErrAmbiguous) {
					t.Errorf("%q: %v, want ErrAmbiguous", names, err)
				}
				if q.does(n, "RETR")+q.does(n, "DELE") > 0 {
					t.Errorf("%q", q.asked(n))
				}
			}
		}},
		{"F35 a name is used again, deleting", pop3Alone, nil, usedAgain},
		{"F35 a name is used again, deleting, without TOP", pop3Alone, &retrievaltest.ServerOptions{Without: []string{"TOP"}}, usedAgain},
		{"F36 all names change", pop3Alone, nil, func(t *testing.T, q *quick) {
			msgs, all := identities(30)
			q.server.Deliver(msgs...)
			q.run()
			q.server.Renumber()
			if err := q.withoutEffect(); !errors.Is(err, retrieval.ErrRenumbered) {
				t.Errorf("%v, want ErrRenumbered", err)
			}
			q.want(all, all)
		}},
		{"F37 names change in case or prefix", pop3Alone, nil, func(t *testing.T, q *quick) {
			msgs, all := identities(30)
			q.server.Deliver(msgs...)
			names := q.names()
			for i := range names {
				names[i] = fmt.Sprint("Uid-", i)
			}
			if _, err := q.with(always("UIDL", uidl(names...))); err != nil {
				t.Fatal(err)
			}
			for _, change := range []func(string) string{strings.ToUpper, func(s string) string { return "UID" + s }} {
				other := make([]string, len(names))
				for i := range names {
					other[i] = change(names[i])
				}
				if err := q.withoutEffect(always("UIDL", uidl(other...))); !errors.Is(err, retrieval.ErrRenumbered) {
					t.Errorf("%s: %v, want ErrRenumbered", other[0], err)
				}
			}
			q.want(all, all)
		}},
		{"F38 F39 long and odd names", pop3Alone, nil, func(t *testing.T, q *quick) {
			q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
			for i := range 2 {
				rep, err := q.with(always("UIDL", uidl(strings.Repeat("u", 70), strings.Repeat("k", 1000), `../../%s\"\xe4:2,S`)))
				if err != nil || rep.Delivered != 3*(1-i) {
					t.Errorf("run %d: %+v, %v", i, rep, err)
				}
			}
			q.want("A B C", "A B C")
		}},
		{"F38 to F46 a list that cannot be", pop3Alone, nil, func(t *testing.T, q *quick) {
			q.server.Deliver(mail("A", 1), mail("B", 1))
			q.run()
			q.acct.Policy = retrieval.DownloadAndDelete
			for name, f := range map[string]*retrievaltest.Fault{
				"F38 a name of a megabyte":  always("UIDL", uidl(strings.Repeat("u", 1<<20), "b")),
				"F39 a name with ESC":       always("UIDL", uidl("a\x1b[2J", "b")),
				"F39 a name in two lines":   always("UIDL", uidl("a\r\nx", "b")),
				"F40 a number too high":     always("UIDL", "+OK\r\n1 a\r\n7 b\r\n."),
				"F40 a number twice":        always("UIDL", "+OK\r\n1 a\r\n1 b\r\n."),
				"F41 fewer than STAT says":  always("UIDL", "+OK\r\n1 a\r\n."),
				"F41 more than STAT says":   always("UIDL", uidl("a", "b", "c")),
				"F42 LIST and UIDL differ":  always("LIST", "+OK\r\n1 66\r\n."),
				"F43 a size of -1":          always("LIST", "+OK\r\n1 -1\r\n2 66\r\n."),
				"F43 a size of 2^80":        always("LIST", "+OK\r\n1 1208925819614629174706176\r\n2 66\r\n."),
				"F44 STAT is out of bounds": always("STAT", "+OK 2000000000 1"),
				"F44 STAT is empty":         always("STAT", "+OK"),
				"F45 a list without end":    retrievaltest.Always(retrievaltest.Flood(retrievaltest.AfterCommand("UIDL", 1), "1 a\r\n", -1)),
			} {
				if err := q.withoutEffect(f); !errors.Is(err, retrieval.ErrProtocol) {
					t.Errorf("%s: %v, want ErrProtocol", name, err)
				}
			}
			f := retrievaltest.Always(retrievaltest.Stall(retrievaltest.WithinReply("UIDL", 1, 9), 0))
			if err := q.withoutEffect(f); !errors.Is(err, retrieval.ErrUnavailable) {
				t.Errorf("F46 a list that stops: %v, want ErrUnavailable", err)
			}
		}},
		{"F47 a list of 250", pop3Alone, &retrievaltest.ServerOptions{Profile: retrievaltest.Gmail}, func(t *testing.T, q *quick) {
			msgs, all := identities(600)
			q.server.Deliver(msgs...)
			runs := 0
			for more := true; more && runs < 10; runs++ {
				more = q.run().Delivered > 0
			}
			if got := q.shelf.subjects(); got != all || runs != 4 {
				t.Errorf("after %d runs there are %d messages, want 600 after 4", runs, len(q.shelf.copies))
			}
		}},
		{"F48 TOP is not the message", pop3Alone, nil, func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.DownloadAndDelete
			q.acct.Limits.MessageSize = 1000
			q.server.Deliver(mail("A", 1), mail("BIG", 5000))
			if _, err := q.with(always("TOP", "+OK\r\nSubject: cut sho\r\n.")); err != nil { // Maillennium
				t.Error(err)
			}
			q.want("(cut sho) A", "BIG")
			q.acct.Limits.MessageSize = 0
			q.run()
			q.want("A BIG", "")
		}},
	})
}

// usedAgain is a server that gives a new message the name of one that it has
// just deleted for us: that is not to be deleted unseen. A message whose
// deletion did not come about is the same, and not retrieved again.
func usedAgain(t *testing.T, q *quick) {
	q.acct.Policy = retrieval.DownloadAndDelete
	q.server.Deliver(mail("A", 1), mail("B", 1))
	names := q.names()
	if _, err := q.with(retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand("DELE 1", 1), "+OK"))); err != nil {
		t.Fatal(err)
	}
	q.server.Deliver(mail("NEW", 20))
	f := retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("UIDL", 1), uidl(names...)))
	if rep, err := q.with(f); err != nil || rep.Delivered != 1 {
		t.Errorf("%+v, %v, want the new message alone delivered", rep, err)
	}
	q.want("A B NEW", "")
}
