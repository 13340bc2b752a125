package retrieval_test

import (
	"errors"
	"path/filepath"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/disk"
	"example.com/postbag/retrieval/retrievaltest"
)

// A lost ledger is found out by a Maildir within sinks within sinks.
func TestComposedWitness(t *testing.T) {
	srv := retrievaltest.NewServer(t, nil)
	srv.Deliver(mail("A", 1))
	dir := t.TempDir()
	maildir, err := disk.OpenMaildir(filepath.Join(dir, "mail"))
	if err != nil {
		t.Fatal(err)
	}
	defer maildir.Close()
	all := func(*retrieval.Head) bool { return true }
	sink := retrieval.Route(map[string]retrieval.Sink{"": retrieval.Tee(retrieval.RejectUnless(maildir, all))}, func(*retrieval.Head) string { return "" })
	for i, name := range []string{"one", "two"} {
		ledger, err := disk.OpenLedger(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		_, err = retrieval.Run(t.Context(), srv.Account(retrieval.IMAP), sink, ledger)
		ledger.Close()
		if i == 0 && err != nil || i == 1 && !errors.Is(err, retrieval.ErrStateLost) {
			t.Errorf("with ledger %s: %v", name, err)
		}
	}
}

// Several runs may use a composition of Maildirs at a time: the failure of one
// drops nothing of the others.
func TestComposedBatches(t *testing.T) {
	quickly(t, nil, func(t *testing.T, q *quick) {
		b := &batcher{shelf: q.shelf}
		sink := retrieval.Tee(retrieval.DropUnless(b, func(*retrieval.Head) bool { return true }))
		q.server.Deliver(mail("A", 1))
		if _, err := retrieval.Run(t.Context(), q.acct, sink, q.store); err != nil {
			t.Fatal(err)
		}
		if b.open != 0 || b.began != 1 {
			t.Errorf("%d batches, %d left open; want 1 and 0", b.began, b.open)
		}
		q.want("A", "A")
	})
}

// batcher is a shelf that counts the batches of it.
type batcher struct {
	*shelf
	began, open int
}

func (b *batcher) Batch() retrieval.Sink {
	b.began++
	b.open++
	return &oneBatch{b.shelf, b}
}

type oneBatch struct {
	*shelf
	of *batcher
}

func (b *oneBatch) Close() error {
	b.of.open--
	return nil
}
