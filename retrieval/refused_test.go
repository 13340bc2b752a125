package retrieval_test

import (
	"errors"
	"fmt"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// refusedSome runs over A, B and C, which are to be deleted, with faults for which
// the server keeps some of them, and then again without.
func (q *quick) refusedSome(kept string, faults ...*retrievaltest.Fault) {
	q.t.Helper()
	rep, err := q.with(faults...)
	if err != nil || rep.Delivered != 3 || rep.Failed != len(rep.Failures) || rep.Failed != (len(kept)+1)/2 || rep.Deleted != 3-rep.Failed {
		q.t.Errorf("%+v, %v; want a failure for each of %s, and no error", rep, err, kept)
	}
	for _, err := range rep.Failures {
		me := (*retrieval.MessageError)(nil)
		if !errors.As(err, &me) || me.UID == "" {
			q.t.Errorf("%v, want a MessageError", err)
		}
	}
	q.want("A B C", kept)
	q.again()
	q.want("A B C", "")
}

// What the server does not delete is a failure of that message: the others are
// deleted, and the run comes to its end. F16.
func TestSomeNotDeleted(t *testing.T) {
	always, answer, before := retrievaltest.Always, retrievaltest.Answer, retrievaltest.BeforeCommand
	mark := func(q *quick) { q.server.SetFlags(q.named("B"), retrieval.FlagDeleted) }
	for _, tt := range []faultCase{
		{"F16 DELE, one", pop3Alone, nil, func(t *testing.T, q *quick) {
			q.refusedSome("B", always(answer(before("DELE", 2), "-ERR locked")))
		}},
		{"F16 DELE, all", pop3Alone, nil, func(t *testing.T, q *quick) {
			q.refusedSome("A B C", always(answer(before("DELE", 1), "-ERR no")), always(answer(before("DELE", 2), "-ERR no")), always(answer(before("DELE", 3), "-ERR no")))
		}},
		{"F16 DELE, without pipelining", pop3Alone, &retrievaltest.ServerOptions{Without: []string{"PIPELINING"}}, func(t *testing.T, q *quick) {
			q.refusedSome("C", always(answer(before("DELE", 3), "-ERR [SYS/PERM] no")))
		}},
		{"STORE, all but one", imapAlone, nil, func(t *testing.T, q *quick) {
			mark(q)
			q.refusedSome("A C", answer(before("UID STORE", 1), "NO of some"))
		}},
		{"STORE, carried out nevertheless", imapAlone, nil, func(t *testing.T, q *quick) {
			q.refusedSome("", answer(retrievaltest.AfterCommand("UID STORE", 1), "NO"))
		}},
		{"EXPUNGE, all but one", imapAlone, nil, func(t *testing.T, q *quick) {
			q.shelf.refuse = func(m *retrieval.Message, data string) error {
				if subject(data) == "C" {
					q.server.Delete(q.named("B"))
				}
				return nil
			}
			q.refusedSome("A C", answer(before("UID EXPUNGE", 1), "NO of some"))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			quickly(t, tt.opts, func(t *testing.T, q *quick) {
				q.acct.Policy = retrieval.DownloadAndDelete
				q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
				tt.test(t, q)
			}, tt.of...)
		})
	}
}

// Where the answers to the question what was done are lost, too, the deletions
// are not confirmed.
func TestSomeNotDeletedAndLost(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.server.SetFlags(q.named("B"), retrieval.FlagDeleted)
		rep, err := q.with(retrievaltest.Answer(retrievaltest.BeforeCommand("UID STORE", 1), "NO"), retrievaltest.Answer(retrievaltest.BeforeCommand("UID SEARCH", 1), "NO"))
		if !errors.Is(err, retrieval.ErrUncommitted) || rep.Failed != 2 || rep.Deleted != 0 {
			t.Errorf("%+v, %v; want ErrUncommitted", rep, err)
		}
		q.want("A B", "A B")
		q.again()
		q.want("A B", "")
	}, retrieval.IMAP)
}

// A Retriever's Commit tells which messages were refused, in an ErrUncommitted.
func TestCommitRefused(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		b := q.named("B")
		fault := retrievaltest.Answer(retrievaltest.BeforeCommand("DELE", 2), "-ERR [SYS/TEMP] locked")
		if q.acct.Protocol == retrieval.IMAP {
			for _, other := range []string{"A", "C"} {
				q.server.SetFlags(q.named(other), retrieval.FlagDeleted)
			}
			fault = retrievaltest.Answer(retrievaltest.BeforeCommand("UID STORE", 1), "NO [INUSE] locked")
		}
		r, err := retrieval.Open(t.Context(), retrievaltest.Faulty(t, q.acct, fault))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		listed, err := r.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range listed {
			r.Delete(s.UID)
		}
		rcpt, err := r.Commit(t.Context())
		me := (*retrieval.MessageError)(nil)
		if !errors.Is(err, retrieval.ErrUncommitted) || !errors.As(err, &me) || me.UID != b {
			t.Errorf("%v, want an ErrUncommitted about %s", err, b)
		}
		if len(rcpt.Deleted) != 2 || fmt.Sprint(rcpt.Kept) != fmt.Sprint([]retrieval.UID{b}) || len(rcpt.Unknown) != 0 {
			t.Errorf("%+v, want 2 deleted and %s kept", rcpt, b)
		}
		if n := len(q.server.Contents()); n != 1 {
			t.Errorf("%d are there, want 1", n)
		}
	})
}

// What does not fit into one command is deleted although the first is refused.
func TestRefusedPart(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		const n = 5000
		msgs := make([][]byte, n)
		for i := range msgs {
			msgs[i] = mail(fmt.Sprint(i), i%2)
		}
		q.server.Deliver(msgs...)
		odd := int64(len(mail("1000", 1)))
		q.acct.Filter.Summary = func(s retrieval.Summary) bool { return s.Size == odd } // every other UID
		q.acct.Policy = retrieval.DownloadAndDelete
		rep, err := q.with(retrievaltest.Answer(retrievaltest.BeforeCommand("UID STORE", 1), "NO"))
		if err != nil || rep.Failed == 0 || rep.Deleted == 0 || rep.Failed+rep.Deleted != rep.Delivered || len(rep.Failures) != 100 {
			t.Errorf("%d failed, %d deleted of %d, %v; want some deleted", rep.Failed, rep.Deleted, rep.Delivered, err)
		}
		q.again()
		if left := len(q.server.Contents()); left != n-rep.Delivered {
			t.Errorf("%d are left, want %d", left, n-rep.Delivered)
		}
	}, retrieval.IMAP)
}

// What a server says of one message is not that it has no RETR, which every server
// has: the others come.
func TestRefusedAsUnsupported(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DownloadAndDelete
		q.server.Deliver(mail("A", 1), mail("B", 1), mail("C", 1))
		sound := q.acct
		refusal := retrievaltest.Answer(retrievaltest.AfterCommand("RETR", 1), "-ERR the format of this message is not supported")
		q.acct = retrievaltest.Faulty(t, sound, refusal)
		if rep := q.run(); rep.Failed != 1 || rep.Delivered != 2 || rep.Deleted != 2 {
			t.Errorf("%+v, want one to fail", rep)
		}
		if refusal.Struck() == 0 {
			t.Fatal("nothing was refused")
		}
		q.want("B C", "A")
	}, retrieval.POP3)
}
