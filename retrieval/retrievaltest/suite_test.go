package retrievaltest_test

import (
	"context"
	"sync"
	"testing"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

func TestAdapters(t *testing.T) {
	for _, p := range bothProtocols {
		t.Run(string(p), func(t *testing.T) {
			rt.TestRetriever(t, func(t *testing.T) rt.Mailbox { return newMailbox(t, p, nil) })
		})
	}
}

// newMailbox is a mailbox whose sessions are wrapped, if wrap is not nil.
func newMailbox(t *testing.T, p retrieval.Protocol, wrap func(retrieval.Retriever) retrieval.Retriever) rt.Mailbox {
	o := new(rt.ServerOptions)
	if wrap != nil {
		o.Security = retrieval.Plaintext // many sessions, and not about TLS
	}
	m := newMaildrop(t, p, o)
	open := func(ctx context.Context, a retrieval.Account) (retrieval.Retriever, error) {
		r, err := retrieval.Open(ctx, a)
		if err == nil && wrap != nil {
			r = wrap(r)
		}
		return r, err
	}
	box := m.Mailbox(p)
	box.Open = func(ctx context.Context) (retrieval.Retriever, error) { return open(ctx, m.account) }
	box.OpenFaulty = func(t testing.TB, faults ...*rt.Fault) (retrieval.Retriever, error) {
		return open(t.Context(), rt.Faulty(t, m.account, faults...))
	}
	same := rt.Answer(rt.AfterCommand("UIDL", 1), "+OK\r\n1 same\r\n2 same\r\n.")
	if p == retrieval.IMAP {
		same = rt.Answer(rt.AfterCommand("UID FETCH", 1), "* 1 FETCH (UID 7 FLAGS ())\r\n* 2 FETCH (UID 7 FLAGS ())\r\nOK done")
	}
	box.OpenAmbiguous = func(t testing.TB) (retrieval.Retriever, error) { return box.OpenFaulty(t, same) }
	return box
}

// A maildrop that only one session at a time may have (RFC 1939 section 4)
// can pass.
func TestExclusiveMaildrop(t *testing.T) {
	rt.TestRetriever(t, func(t *testing.T) rt.Mailbox {
		open := 0
		wrap := func(r retrieval.Retriever) retrieval.Retriever {
			if open++; open > 1 {
				t.Errorf("%d sessions at a time", open)
			}
			return &onlySession{Retriever: r, end: sync.OnceFunc(func() { open-- })}
		}
		return newMailbox(t, retrieval.POP3, wrap)
	})
}

type onlySession struct {
	retrieval.Retriever
	end func()
}

func (s *onlySession) Close() error {
	s.end()
	return s.Retriever.Close()
}
