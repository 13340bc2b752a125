package retrieval_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.com/postbag/imapclient"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// other is another client of the server, in its INBOX.
func (q *quick) other() *imapclient.Client {
	q.t.Helper()
	a := q.server.Account(retrieval.IMAP)
	c, err := imapclient.Dial(q.t.Context(), fmt.Sprintf("%s:%d", a.Host, a.Port), &imapclient.Options{Dial: a.Dial, TLSConfig: a.TLSConfig})
	if err != nil {
		q.t.Fatal(err)
	}
	if err := c.Login(q.t.Context(), retrievaltest.User, retrievaltest.Password); err != nil {
		q.t.Fatal(err)
	}
	return c
}

// TestValidityFaults are the faults of the catalogue that befall IMAP's names:
// each is an error before anything is done, or makes no difference.
func TestValidityFaults(t *testing.T) {
	// synced has mirrored three messages, and one more is there.
	synced := func(test func(t *testing.T, q *quick)) func(t *testing.T, q *quick) {
		return func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.ServerSync
			q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
			q.run()
			q.run() // the cursor
			test(t, q)
		}
	}
	plain := &retrievaltest.ServerOptions{Without: []string{"CONDSTORE", "QRESYNC"}}
	// opened is what the server says to SELECT, as often as it is asked.
	opened := func(lines string) []*retrievaltest.Fault {
		return []*retrievaltest.Fault{
			retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("SELECT", 1), lines)),
			retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand("SELECT", 2), lines)),
		}
	}
	testFaults(t, []faultCase{
		{"F77 other mail under the same numbers", imapAlone, nil, synced(func(t *testing.T, q *quick) {
			for _, m := range q.server.Contents() {
				q.server.Delete(m.UID)
			}
			q.server.Renumber()
			q.server.Deliver(mail("X", 1), mail("Y", 1), mail("Z", 1))
			if err := q.withoutEffect(); !errors.Is(err, retrieval.ErrRenumbered) {
				t.Errorf("%v, want ErrRenumbered", err)
			}
			q.want("A B C", "X Y Z")
		})},
		{"F77 the same mail under another validity", imapAlone, nil, synced(func(t *testing.T, q *quick) {
			q.server.Renumber()
			for range 2 {
				if err := q.withoutEffect(); !errors.Is(err, retrieval.ErrRenumbered) {
					t.Errorf("%v, want ErrRenumbered", err)
				}
			}
		})},
		{"F78 renumbered within a run", nil, nil, func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.DownloadAndDelete
			msgs, all := identities(40)
			q.server.Deliver(msgs...)
			n := 0
			q.shelf.refuse = func(*retrieval.Message, string) error {
				if n++; n == 30 {
					q.server.Renumber()
					return retrieval.ErrDeferred // the deletions need another session
				}
				return nil
			}
			q.try()
			got := strings.Fields(q.shelf.subjects())
			for i := 1; i < len(got); i++ {
				if got[i] == got[i-1] {
					t.Errorf("%s is here twice", got[i])
				}
			}
			for _, m := range q.server.Contents() {
				all = strings.ReplaceAll(all, subject(string(m.Data)), "")
			}
			for _, gone := range strings.Fields(all) {
				if !strings.Contains(q.shelf.subjects(), gone) {
					t.Errorf("%s is neither here nor there", gone)
				}
			}
			if q.acct.Protocol == retrieval.POP3 {
				return // what is to be deleted anyway does not count as missing: it comes again
			}
			if err := q.withoutEffect(); !errors.Is(err, retrieval.ErrRenumbered) {
				t.Errorf("%v, want ErrRenumbered", err)
			}
		}},
		{"F79 F81 validities that are none", imapAlone, plain, synced(func(t *testing.T, q *quick) {
			generation, _, _ := strings.Cut(string(q.named("A")), ".")
			for name, tt := range map[string]struct {
				lines string
				want  error
			}{
				"absent":       {"* OK hello", errors.ErrUnsupported},
				"0":            {"* OK [UIDVALIDITY 0] v", errors.ErrUnsupported},
				"beyond 2^32":  {"* OK [UIDVALIDITY 4294967297] v", errors.ErrUnsupported},
				"lower":        {"* OK [UIDVALIDITY 7] v", retrieval.ErrRenumbered},
				"higher":       {"* OK [UIDVALIDITY 4294967295] v", retrieval.ErrRenumbered},
				"UIDNOTSTICKY": {"* OK [UIDVALIDITY " + generation + "] v\r\n* NO [UIDNOTSTICKY] no lasting UIDs", errors.ErrUnsupported},
			} {
				err := q.withoutEffect(opened("* 3 EXISTS\r\n" + tt.lines + "\r\n* OK [UIDNEXT 4] n\r\nOK done")...)
				if !errors.Is(err, tt.want) {
					t.Errorf("%s: %v, want %v", name, err, tt.want)
				}
			}
		})},
		{"F80 made anew, and renamed", imapAlone, nil, func(t *testing.T, q *quick) {
			q.acct.Mailbox, q.acct.Policy = "Work", retrieval.ServerSync
			q.server.Create("Work")
			q.server.DeliverTo("Work", mail("A", 1), mail("B", 1))
			q.run()
			c := q.other()
			defer c.Close()
			if err := c.RenameMailbox(t.Context(), "Work", "Old"); err != nil {
				t.Fatal(err)
			}
			if err := q.withoutEffect(); !errors.Is(err, retrieval.ErrNoMailbox) {
				t.Errorf("renamed: %v, want ErrNoMailbox", err)
			}
			q.server.Create("Work")
			q.server.DeliverTo("Work", mail("X", 1))
			if err := q.withoutEffect(); !errors.Is(err, retrieval.ErrRenumbered) {
				t.Errorf("made anew: %v, want ErrRenumbered", err)
			}
			if got := q.shelf.subjects(); got != "A B" {
				t.Errorf("here is %s", got)
			}
		}},
		{"F82 listed and not there", imapAlone, nil, func(t *testing.T, q *quick) {
			q.server.Create("Ghost")
			q.server.DeliverTo("Ghost", mail("G", 1))
			q.server.Create("Work")
			q.server.DeliverTo("Work", mail("W", 1))
			q.server.Deliver(mail("A", 1))
			q.acct.Mailboxes = []string{"*"}
			for range 2 {
				rep, err := q.with(retrievaltest.Always(retrievaltest.Answer(retrievaltest.AfterCommand(`SELECT "Ghost"`, 1), "NO [NONEXISTENT] no such mailbox")))
				if !errors.Is(err, retrieval.ErrNoMailbox) || rep.Discarded > 0 {
					t.Errorf("%+v, %v, want ErrNoMailbox", rep, err)
				}
				if got := q.shelf.subjects(); got != "A W" {
					t.Errorf("here is %s, want what is in the other mailboxes", got)
				}
			}
			q.run()
			if got := q.shelf.subjects(); got != "A G W" {
				t.Errorf("here is %s", got)
			}
		}},
		{"F83 HIGHESTMODSEQ is not true", imapAlone, &retrievaltest.ServerOptions{Without: []string{"QRESYNC"}}, func(t *testing.T, q *quick) {
			for name, modseq := range map[string]string{"the same": "* OK [HIGHESTMODSEQ %d] m", "lower": "* OK [HIGHESTMODSEQ 1] m", "none": "* OK [NOMODSEQ] none"} {
				q.shelf, q.store = newShelf(), new(retrieval.Memory)
				for _, m := range q.server.Contents() {
					q.server.Delete(m.UID)
				}
				q.server.Deliver(mail("A", 1), mail("B", 1))
				q.run()
				q.run()
				generation, _, _ := strings.Cut(string(q.named("A")), ".")
				c := q.other()
				box, err := c.Select(t.Context(), "INBOX")
				if err != nil {
					t.Fatal(err)
				}
				c.Close()
				if strings.Contains(modseq, "%d") {
					modseq = fmt.Sprintf(modseq, box.HighestModSeq)
				}
				q.server.Deliver(mail("NEW", 1))
				lines := fmt.Sprintf("* 3 EXISTS\r\n* OK [UIDVALIDITY %s] v\r\n* OK [UIDNEXT %d] n\r\n%s\r\nOK [READ-WRITE] done", generation, box.UIDNext+1, modseq)
				if _, err := q.with(opened(lines)...); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if q.want("A B NEW", "A B NEW"); t.Failed() {
					t.Fatal(name)
				}
			}
		}},
		{"F71 UIDNEXT is not true", imapAlone, nil, synced(func(t *testing.T, q *quick) {
			generation, _, _ := strings.Cut(string(q.named("A")), ".")
			for i, next := range []string{"* OK nothing", "* OK [UIDNEXT 1] n", "* OK [UIDNEXT 4294967296] n", "* OK [UIDNEXT 0] n"} {
				name := fmt.Sprint("NEW", i)
				q.server.Deliver(mail(name, 1))
				lines := fmt.Sprintf("* %d EXISTS\r\n* OK [UIDVALIDITY %s] v\r\n%s\r\nOK [READ-WRITE] done", 4+i, generation, next)
				if _, err := q.with(opened(lines)...); err != nil {
					t.Errorf("%s: %v", next, err)
				}
				q.run()
				q.shelf.mustHave(t, name)
			}
			q.want("A B C NEW0 NEW1 NEW2 NEW3", "A B C NEW0 NEW1 NEW2 NEW3")
		})},
		{"F84 VANISHED of what was never there", imapAlone, nil, synced(func(t *testing.T, q *quick) {
			q.server.Delete(q.named("B"))
			f := retrievaltest.Always(retrievaltest.Inject(retrievaltest.WithinReply("SELECT", 1, 0), "* VANISHED (EARLIER) 900:4294967295,5000,5000:1000\r\n"))
			if _, err := q.with(f); err != nil {
				t.Error(err)
			}
			q.run()
			q.want("A C", "A C")
		})},
		{"F86 EXISTS that is not true", imapAlone, plain, synced(func(t *testing.T, q *quick) {
			for _, exists := range []string{"* 1000000000 EXISTS\r\n", "* 1 EXISTS\r\n", "* 0 EXISTS\r\n* 3 EXISTS\r\n"} {
				q.with(retrievaltest.Always(retrievaltest.Inject(retrievaltest.WithinReply("UID FETCH", 1, 0), exists)))
				q.want("A B C", "A B C")
			}
			q.again()
			q.want("A B C", "A B C")
		})},
	})
}
