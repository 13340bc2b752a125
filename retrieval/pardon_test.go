package retrieval_test

import (
	"errors"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// pending delivers A and B and leaves their deletion pending, by commands that
// the server refuses. A is read, and B is marked as deleted by somebody else.
func (q *quick) pending(command string) {
	q.t.Helper()
	q.acct.Policy = retrieval.DownloadAndDelete
	q.server.Deliver(mail("A", 1), mail("B", 1))
	if q.acct.Protocol == retrieval.IMAP {
		q.server.SetFlags(q.named("A"), retrieval.FlagSeen)
		q.server.SetFlags(q.named("B"), retrieval.FlagDeleted)
	}
	answer := q.at("-ERR no", "NO no")
	if command == "" {
		command = q.at("DELE", "UID STORE")
	}
	var faults []*retrievaltest.Fault
	for n := range 2 { // DELE is for one
		if n == 0 || command == "DELE" {
			faults = append(faults, retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand(command, n+1), answer)))
		}
	}
	if command == "UID STORE" { // or B, which is marked, would go
		faults = append(faults, retrievaltest.Always(retrievaltest.Answer(retrievaltest.BeforeCommand("UID EXPUNGE", 1), answer)))
	}
	q.with(faults...)
	q.want("A B", "A B")
	q.wantStage(retrieval.Doomed)
}

func (q *quick) wantStage(want retrieval.Stage) {
	q.t.Helper()
	recs := q.state().Records
	for uid, rec := range recs {
		if rec.Stage != want {
			q.t.Errorf("%s is at stage %d, want %d", uid, rec.Stage, want)
		}
	}
	if len(recs) != 2 {
		q.t.Errorf("%d records, want 2", len(recs))
	}
}

// foretold is what a dry run says would be deleted.
func (q *quick) foretold() int {
	q.t.Helper()
	f, err := retrieval.DryRun(q.t.Context(), q.acct, &untouched{q.shelf, q.t}, q.store)
	if err != nil {
		q.t.Fatal(err)
	}
	return len(f[0].Delete)
}

// Deletions that are pending are dropped when the account deletes no more. They
// leave no mark, and are made when it deletes again.
func TestPendingIsDropped(t *testing.T) {
	for name, policy := range map[string]retrieval.Policy{"LeaveOnServer": nil, "ServerSync": retrieval.ServerSync} {
		for _, command := range []string{"DELE", "UID STORE", "UID EXPUNGE"} {
			p := retrieval.IMAP
			if command == "DELE" {
				p = retrieval.POP3
			}
			if p == retrieval.POP3 && policy != nil {
				continue // it has no ServerSync
			}
			t.Run(name+" after "+command, func(t *testing.T) {
				quickly(t, nil, func(t *testing.T, q *quick) {
					q.pending(command)
					q.acct.Policy = policy
					if n := q.foretold(); n > 0 {
						t.Errorf("%d deletions are foretold", n)
					}
					n := q.commands()
					if rep := q.run(); rep.Deleted+rep.Delivered > 0 || rep.Skipped != 2 {
						t.Errorf("%+v, want two skipped", rep)
					}
					q.wantStage(retrieval.Settled)
					if stores := q.does(n, "UID STORE"); (stores > 0) != (command == "UID EXPUNGE") {
						t.Errorf("%d UID STORE: %q", stores, q.asked(n))
					}
					if p == retrieval.IMAP {
						if got, want := q.flagged(), `A:\Seen B:\Deleted`; got != want {
							t.Errorf("on the server is %s, want %s", got, want)
						}
						q.server.SetFlags(q.named("A"), retrieval.FlagFlagged)
						if rep := q.run(); policy != nil && rep.Reflagged != 1 {
							t.Errorf("%+v, want one reflagged", rep)
						}
					}
					q.again()
					q.acct.Policy = retrieval.DownloadAndDelete
					q.again()
					q.want("A B", "")
				}, p)
			})
		}
	}
}

// Any policy that deletes goes on with what is pending.
func TestPendingGoesOn(t *testing.T) {
	for name, policy := range map[string]retrieval.Policy{
		"KeepLast": retrieval.KeepLast(9),
		"new ones only": func(_ *retrieval.Summary, rec *retrieval.Record, _ retrieval.Position) retrieval.Action {
			if rec == nil {
				return retrieval.DeliverAndDelete
			}
			return retrieval.Keep
		},
		"some only": func(s *retrieval.Summary, _ *retrieval.Record, _ retrieval.Position) retrieval.Action {
			if s != nil && s.Size > 0 { // which the policy is not asked about in advance
				return retrieval.Delete
			}
			return retrieval.Keep
		},
	} {
		t.Run(name, func(t *testing.T) {
			quickly(t, nil, func(t *testing.T, q *quick) {
				q.pending("")
				q.acct.Policy = policy
				if n := q.foretold(); n != 2 {
					t.Errorf("%d deletions are foretold, want 2", n)
				}
				if rep := q.run(); rep.Deleted != 2 {
					t.Errorf("%+v, want two deleted", rep)
				}
				q.want("A B", "")
			})
		})
	}
}

// A mark that the server does not let go is told of, once, and nothing is
// deleted for it.
func TestPendingMarkStays(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.pending("UID EXPUNGE")
		q.acct.Policy = retrieval.LeaveOnServer
		rep, err := q.with(retrievaltest.Answer(retrievaltest.BeforeCommand("UID STORE", 1), "NO no"))
		me := (*retrieval.MessageError)(nil)
		if err != nil || rep.Failed != 1 || !errors.As(rep.Failures[0], &me) || me.UID != q.named("A") {
			t.Errorf("%+v, %v, want a failure of A", rep, err)
		}
		q.wantStage(retrieval.Settled)
		q.again()
		q.want("A B", "A B")
	}, retrieval.IMAP)
}
