package retrieval_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// A new message that has the name of one that was deleted (RFC 1939 section 7
// allows that) is retrieved before it is deleted. One with the name of a message
// that somebody else has deleted is retrieved if it has another size, and deleted
// in no case. Without TOP it is the size that tells.
func TestNameOfDoomed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		without []string
		size    int
		first   retrieval.Policy
		then    retrieval.Policy
		here    string
		there   string
		failed  int
	}{
		{"doomed", nil, 2, retrieval.DownloadAndDelete, retrieval.DownloadAndDelete, "A B", "", 0},
		{"doomed, without TOP", []string{"TOP"}, 2, retrieval.DownloadAndDelete, retrieval.DownloadAndDelete, "A B", "", 0},
		{"doomed, and spared", nil, 1, retrieval.DownloadAndDelete, retrieval.LeaveOnServer, "A B", "B", 0},
		{"old", nil, 2, retrieval.DeleteAfter(time.Hour), retrieval.DeleteAfter(time.Hour), "A B", "B", 0},
		{"old, without TOP", []string{"TOP"}, 2, retrieval.DeleteAfter(time.Hour), retrieval.DeleteAfter(time.Hour), "A B", "B", 0},
		{"old, of the same size", nil, 1, retrieval.DeleteAfter(time.Hour), retrieval.DeleteAfter(time.Hour), "A", "B", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			quickly(t, &retrievaltest.ServerOptions{Without: tt.without}, func(t *testing.T, q *quick) {
				q.acct.Policy = tt.first
				q.server.Deliver(mail("A", 1))
				q.run()
				old := onlyKey(q.state().Records)
				for _, m := range q.server.Contents() {
					q.server.Delete(m.UID)
				}
				q.server.Deliver(mail("B", tt.size))
				days(1)
				q.acct.Policy = tt.then
				sound := q.acct
				reuse := retrievaltest.Answer(retrievaltest.AfterCommand("UIDL", 1), "+OK\r\n1 "+string(old)+"\r\n.")
				q.acct = retrievaltest.Faulty(t, sound, retrievaltest.Always(reuse))
				rep := q.run()
				q.want(tt.here, tt.there)
				if rep.Failed != tt.failed || tt.failed > 0 && !errors.Is(rep.Failures[0], retrieval.ErrAmbiguous) {
					t.Errorf("%+v, want %d ErrAmbiguous", rep, tt.failed)
				}
			}, retrieval.POP3)
		})
	}
}

// Where TOP does not show what RETR sends, a message is still the same.
func TestOtherTop(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.acct.Policy = retrieval.DeleteAfter(time.Hour)
		q.server.Deliver(mail("A", 1))
		q.run()
		days(1)
		other := retrievaltest.Answer(retrievaltest.AfterCommand("TOP", 1), "+OK\r\nX-Seen-By: a scanner\r\n\r\n.")
		q.acct = retrievaltest.Faulty(t, q.acct, other)
		if rep := q.run(); rep.Delivered > 0 || rep.Deleted != 1 || other.Struck() != 1 {
			t.Errorf("%+v, want one deleted", rep)
		}
	}, retrieval.POP3)
}

// An IMAP server that was restored from a backup, and gives its UIDs to other
// messages, does not have them deleted.
func TestRestoredServer(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		q.server.Deliver(mail("A", 1), mail("B", 1))
		q.run()
		for _, rec := range q.state().Records {
			rec.Print[0]++ // another message had that UID
			q.put(rec)
		}
		q.acct.Policy = retrieval.DownloadAndDelete
		if rep := q.run(); rep.Deleted > 0 || rep.Failed != 2 || !errors.Is(rep.Failures[0], retrieval.ErrAmbiguous) {
			t.Errorf("%+v, want two ErrAmbiguous", rep)
		}
	}, retrieval.IMAP)
}

// A server that counts changes from less than before is asked for all flags.
func TestModSeqGoesDown(t *testing.T) {
	for _, without := range [][]string{nil, {"QRESYNC"}} {
		quickly(t, &retrievaltest.ServerOptions{Without: without}, func(t *testing.T, q *quick) {
			q.acct.Policy = retrieval.ServerSync
			q.server.Deliver(mail("A", 1), mail("B", 1))
			q.run()
			q.run()
			cursor := q.state().Cursor
			cursor = binary.AppendUvarint(cursor[:len(cursor)-1], 1<<40) // the last number is small
			q.change(retrieval.Change{Cursor: cursor})
			q.server.SetFlags(q.server.Contents()[0].UID, retrieval.FlagSeen)
			if rep := q.run(); rep.Reflagged != 1 {
				t.Errorf("without %v: %+v, want one with other flags", without, rep)
			}
		}, retrieval.IMAP)
	}
}
