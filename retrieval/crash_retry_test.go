package retrieval_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// TestCrashOfRetry: a message fails once, is delivered by the next run, and that
// dies before it has recorded this. The delivery is found all the same: the copy
// follows its message, which another client has deleted meanwhile.
func TestCrashOfRetry(t *testing.T) {
	b := newPlainBox(t, retrieval.IMAP, retrieval.ServerSync)
	msgs := mails(1)
	b.server.Deliver(msgs...)
	dial := b.acct.Dial
	b.acct.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &allergicConn{c, "Subject: "}, err
	}
	if _, err := b.run(); !errors.Is(err, retrieval.ErrSession) {
		t.Fatalf("a run whose line was lost: %v, want ErrSession", err)
	}
	b.acct.Dial = dial
	_, err := b.runWith(func(s retrieval.Sink, st retrieval.Store) (retrieval.Sink, retrieval.Store) {
		return s, &dyingStore{st}
	})
	if !errors.Is(err, retrieval.ErrStore) {
		t.Fatalf("a run that dies: %v, want ErrStore", err)
	}
	b.wantFiles(msgs...)
	b.server.Delete(b.contents()[0].UID)
	if _, err := b.run(); err != nil {
		t.Fatal(err)
	}
	b.wantFiles()
}

// newPlainBox is newBox without TLS, so that the line can be lost at an octet.
func newPlainBox(t *testing.T, p retrieval.Protocol, policy retrieval.Policy) *box {
	b := &box{t: t, dir: t.TempDir(), server: retrievaltest.NewServer(t, &retrievaltest.ServerOptions{Security: retrieval.Plaintext})}
	b.acct = b.server.Account(p)
	b.acct.Policy = policy
	return b
}

// dyingStore does not live to record that a message is settled.
type dyingStore struct{ retrieval.Store }

func (s *dyingStore) Open(ctx context.Context, box retrieval.Box) (retrieval.Page, error) {
	p, err := s.Store.Open(ctx, box)
	return &dyingPage{p}, err
}

type dyingPage struct{ retrieval.Page }

func (p *dyingPage) Update(ctx context.Context, ch retrieval.Change) error {
	for _, r := range ch.Put {
		if r.Stage >= retrieval.Settled {
			return errors.New("killed")
		}
	}
	return p.Page.Update(ctx, ch)
}
