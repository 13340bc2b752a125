package retrieval_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// TestMessageFaults are the faults of the catalogue while messages come and
// go, beyond those of TestEveryStep.
func TestMessageFaults(t *testing.T) {
	three := func(test func(t *testing.T, q *quick)) func(t *testing.T, q *quick) {
		return func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.DownloadAndDelete
			q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
			test(t, q)
			q.again()
			q.want("A B C", "")
		}
	}
	testFaults(t, []faultCase{
		{"F20 QUIT is refused and nothing removed", pop3Alone, nil, three(func(t *testing.T, q *quick) {
			if _, err := q.with(retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand("QUIT", 1), "-ERR nothing removed"))); !errors.Is(err, retrieval.ErrUncommitted) {
				t.Errorf("%v, want ErrUncommitted", err)
			}
			q.want("A B C", "A B C")
		})},
		{"F21 QUIT is refused and some removed", pop3Alone, nil, three(func(t *testing.T, q *quick) {
			q.with(retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand("QUIT", 1), "-ERR some deleted messages not removed")))
			q.server.Delete(q.server.Contents()[1].UID) // that it has removed
			q.want("A B C", "A C")
		})},
		{"F22 QUIT is carried out and the line cut", pop3Alone, nil, three(func(t *testing.T, q *quick) {
			if _, err := q.with(retrievaltest.Always(retrievaltest.Cut(retrievaltest.AfterCommand("QUIT", 1)))); err != nil && !errors.Is(err, retrieval.ErrUncommitted) {
				t.Errorf("%v, want ErrUncommitted", err)
			}
			q.want("A B C", "")
		})},
		{"F24 QUIT is answered after five minutes", pop3Alone, nil, three(func(t *testing.T, q *quick) {
			begun := time.Now()
			q.with(retrievaltest.Always(retrievaltest.Stall(retrievaltest.AfterCommand("QUIT", 1), 5*time.Minute)))
			if took := time.Since(begun); took > 10*time.Minute {
				t.Errorf("it took %v", took)
			}
		})},
	})
}

// TestTruncatedMessage cuts the line after each octet of what brings messages,
// under TLS: F8, F9, F10, F11, F59 and, with IMAP, F74. Nothing that is not
// whole is delivered.
func TestTruncatedMessage(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		msgs := map[string]string{"A": string(mail("A", 1)), "B": string(mail("B", 1))}
		reply := q.at("RETR", "UID FETCH")
		for n := int64(0); n < 420; n++ { // what follows is not sent yet, or is no message
			q.shelf, q.store = newShelf(), new(retrieval.Memory)
			q.acct.Policy = retrieval.DownloadAndDelete
			for _, m := range q.server.Contents() {
				q.server.Delete(m.UID)
			}
			q.server.Deliver([]byte(msgs["A"]), []byte(msgs["B"]))
			_, err := q.with(retrievaltest.Always(retrievaltest.Cut(retrievaltest.WithinReply(reply, 2, n))))
			if err != nil && !errors.Is(err, retrieval.ErrUnavailable) || errors.Is(err, retrieval.ErrTLS) {
				t.Fatalf("cut after %d octets: %v", n, err)
			}
			for ref, m := range q.shelf.copies {
				if m != msgs[subject(m)] {
					t.Fatalf("cut after %d octets: %s is %q", n, ref, m)
				}
			}
			q.run()
			q.run()
			if q.want("A B", ""); t.Failed() {
				t.Fatalf("cut after %d octets", n)
			}
		}
	})
}

// TestPoppedAtQuit is Gmail, which hides at QUIT what it has sent, and stands
// for servers that delete it (RFC 1939 section 8): F27, F28. A session in
// which something was sent that is not settled never says QUIT. Against a
// server that deletes without QUIT nothing can be done, and nothing can tell.
func TestPoppedAtQuit(t *testing.T) {
	for name, failure := range map[string]error{"takes nothing": errors.New("disk full"), "defers one": retrieval.ErrDeferred} {
		for kind, policy := range leaveOrDelete {
			t.Run(name+" "+kind, func(t *testing.T) {
				quickly(t, &retrievaltest.ServerOptions{Profile: retrievaltest.Gmail}, func(t *testing.T, q *quick) {
					q.acct.Policy = policy
					q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
					q.shelf.refuse = func(_ *retrieval.Message, data string) error {
						if subject(data) == "B" {
							return failure
						}
						return nil
					}
					q.try()
					sent := make(map[int]bool)
					for _, c := range q.server.Commands() {
						switch c.Name {
						case "RETR":
							sent[c.Session] = true
						case "QUIT":
							if sent[c.Session] {
								t.Errorf("session %d says QUIT after RETR", c.Session)
							}
						}
					}
					if len(sent) == 0 {
						t.Error("nothing was asked for")
					}
					q.shelf.refuse = nil
					q.run()
					if got := q.shelf.subjects(); got != "A B C" {
						t.Errorf("here is %q", got)
					}
				}, retrieval.POP3)
			})
		}
	}
}

// A message is what its UIDL says, whatever its number: F30, F31.
func TestNumbersChange(t *testing.T) {
	t.Run("F30 numbers move up", func(t *testing.T) {
		quickly(t, nil, func(t *testing.T, q *quick) {
			q.server.Deliver(mail("A", 1), mail("B", 1))
			q.run()
			q.server.Delete(q.server.Contents()[0].UID)
			q.server.Deliver(mail("C", 1))
			n := q.commands()
			q.run()
			q.want("A B C", "B C")
			if q.does(n, "RETR") != 1 {
				t.Errorf("%q, want one RETR", q.asked(n))
			}
			q.acct.Policy = retrieval.DownloadAndDelete
			q.server.Delete(q.server.Contents()[0].UID)
			q.again()
			q.want("A B C", "")
		}, retrieval.POP3)
	})
	t.Run("F31 the order is another", func(t *testing.T) {
		list := func(uids ...string) string {
			s := fmt.Sprintf("S: +OK hi\nC: CAPA\nS: -ERR\nC: USER user\nS: +OK\nC: PASS ***\nS: +OK\nC: CAPA\nS: -ERR\nC: STAT\nS: +OK %d %[1]d0\nC: LIST\nS: +OK\n", len(uids))
			for i := range uids {
				s += fmt.Sprintf("S: %d 10\n", i+1)
			}
			s += "S: .\nC: UIDL\nS: +OK\n"
			for i, uid := range uids {
				s += fmt.Sprintf("S: %d %s\n", i+1, uid)
			}
			return s + "S: .\n"
		}
		retr := func(n int, s string) string {
			return fmt.Sprintf("C: RETR %d\nS: +OK\nS: Subject: %s\nS: \nS: .\n", n, s)
		}
		const quit = "C: QUIT\nS: +OK\n= CLOSE\n"
		q := &quick{t: t, shelf: newShelf(), store: new(retrieval.Memory)}
		q.acct = retrievaltest.ReplayBytes(t, "session", []byte(
			list("a", "b")+retr(1, "A")+retr(2, "B")+quit+
				"= CONNECT\n"+list("c", "b", "a")+"C: TOP 3 0\nS: +OK\nS: Subject: A\nS: \nS: .\n"+retr(1, "C")+"C: DELE 3\nS: +OK\n"+quit))
		q.acct.Policy = func(s *retrieval.Summary, rec *retrieval.Record, _ retrieval.Position) retrieval.Action {
			switch {
			case rec == nil:
				return retrieval.Deliver
			case s != nil && s.UID == "a" && len(q.shelf.copies) > 1:
				return retrieval.Delete
			}
			return retrieval.Keep
		}
		q.run()
		q.run()
		got := strings.Fields(q.shelf.subjects())
		if want := []string{"A", "B", "C"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
