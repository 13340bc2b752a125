package retrieval_test

import (
	"errors"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A server that says there are messages and lists none does not make a mirror
// throw away what it has, nor a ledger forget.
func TestShortListing(t *testing.T) {
	for _, policy := range []retrieval.Policy{retrieval.ServerSync, retrieval.LeaveOnServer} {
		b := newBox(t, retrieval.IMAP, policy)
		b.server = retrievaltest.NewServer(t, &retrievaltest.ServerOptions{Without: []string{"CONDSTORE", "QRESYNC"}}) // so that each run lists
		b.acct = b.server.Account(retrieval.IMAP)
		b.acct.Policy = policy
		msgs := mails(3)
		b.server.Deliver(msgs...)
		b.mustRun(retrieval.Report{Listed: 3, Delivered: 3})
		sound := b.acct
		lie := retrievaltest.Answer(retrievaltest.AfterCommand("UID FETCH", 1), "OK done")
		retrievaltest.MustStrike(t, lie)
		b.acct = retrievaltest.Faulty(t, sound, lie)
		if rep, err := b.run(); !errors.Is(err, retrieval.ErrProtocol) || rep.Discarded > 0 {
			t.Errorf("%+v, %v, want ErrProtocol and nothing discarded", rep, err)
		}
		b.wantFiles(msgs...)
		b.acct = sound
		b.mustRun(retrieval.Report{Listed: 3, Skipped: 3})
	}
}

// A message of which a server that announced it sends nothing is not
// delivered, and above all not deleted. F68.
func TestNothingOfSomething(t *testing.T) {
	for p, lie := range map[retrieval.Protocol]*retrievaltest.Fault{
		retrieval.POP3: retrievaltest.Answer(retrievaltest.AfterCommand("RETR", 1), "+OK\r\n."),
		retrieval.IMAP: retrievaltest.Answer(retrievaltest.AfterCommand("UID FETCH", 2), "* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\nOK done"),
	} {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, retrieval.DownloadAndDelete)
			msgs := mails(1)
			b.server.Deliver(msgs...)
			sound := b.acct
			retrievaltest.MustStrike(t, lie)
			b.acct = retrievaltest.Faulty(t, sound, lie)
			rep, err := b.run()
			if rep.Delivered+rep.Deleted > 0 || rep.Failed != 1 && err == nil {
				t.Errorf("%+v, %v, want nothing delivered or deleted", rep, err)
			}
			b.wantFiles()
			b.acct = sound
			b.mustRun(retrieval.Report{Listed: 1, Delivered: 1, Deleted: 1})
			b.wantFiles(msgs...)
		})
	}
}

// Nor does it appear among those that are delivered with it.
func TestNothingBesideSomething(t *testing.T) {
	b := newBox(t, retrieval.POP3, retrieval.LeaveOnServer)
	msgs := mails(2)
	b.server.Deliver(msgs...)
	sound := b.acct
	lie := retrievaltest.Answer(retrievaltest.AfterCommand("RETR", 1), "+OK\r\n.")
	retrievaltest.MustStrike(t, lie)
	b.acct = retrievaltest.Faulty(t, sound, lie)
	if rep, err := b.run(); rep.Delivered != 1 || rep.Failed != 1 || err != nil {
		t.Errorf("%+v, %v, want one delivered, one failed", rep, err)
	}
	b.wantFiles(msgs[1])
	b.acct = sound
	b.mustRun(retrieval.Report{Listed: 2, Delivered: 1, Skipped: 1})
	b.wantFiles(msgs...)
}

// A reply too many before PASS is not taken for the answer to it.
func TestReplyTooMany(t *testing.T) {
	a := retrievaltest.ReplayBytes(t, "session", []byte("S: +OK hi\nC: CAPA\nS: -ERR\nC: USER user\nS: +OK\nS: +OK\n"))
	r, err := retrieval.Open(t.Context(), a)
	if err == nil {
		r.Close()
	}
	if !errors.Is(err, retrieval.ErrProtocol) {
		t.Errorf("Open = %v, want ErrProtocol", err)
	}
}

// Nor does a sink get it that makes durable what came with it. F68.
func TestNothingAmongOthers(t *testing.T) {
	for p, lie := range map[retrieval.Protocol]*retrievaltest.Fault{
		retrieval.POP3: retrievaltest.Answer(retrievaltest.AfterCommand("RETR 2", 1), "+OK\r\n."),
		retrieval.IMAP: retrievaltest.Answer(retrievaltest.AfterCommand("UID FETCH", 2), "* 1 FETCH (UID 1 BODY[] {5}\r\na\r\nb\r)\r\n* 2 FETCH (UID 2 BODY[] {0}\r\n)\r\nOK done"),
	} {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, nil)
			b.server.Deliver(mails(2)...)
			sound := b.acct
			retrievaltest.MustStrike(t, lie)
			b.acct = retrievaltest.Faulty(t, sound, lie)
			if rep, err := b.run(); rep.Delivered != 1 {
				t.Errorf("%+v, %v, want one delivered", rep, err)
			}
			if files := b.files(); len(files) != 1 {
				t.Errorf("%d files, want one: %q", len(files), files)
			}
			b.acct = sound
			b.mustRun(retrieval.Report{Listed: 2, Delivered: 1, Skipped: 1})
		})
	}
}

// Of a message of which the server sends nothing, nothing comes to be here,
// also when others are made durable.
func TestNothingBesideOthers(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.acct = retrievaltest.Faulty(t, q.acct, retrievaltest.Answer(retrievaltest.AfterCommand("RETR", 1), "+OK\r\n."))
		if rep := q.run(); rep.Failed != 1 || rep.Delivered != 1 {
			t.Errorf("%+v, want one failed, one delivered", rep)
		}
		q.want("B", "A B")
	}, retrieval.POP3)
}
