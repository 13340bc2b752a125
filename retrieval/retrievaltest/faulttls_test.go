package retrievaltest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

func TestBadTLS(t *testing.T) {
	each(t, func(t *testing.T, m *maildrop) {
		for how := rt.TLSExpired; how <= rt.TLSNone; how++ {
			f := rt.BadTLS(how)
			a := rt.Faulty(t, m.account, f)
			asked := false
			a.Password = func(context.Context) (string, error) { asked = true; return "", errors.New("the password was asked") }
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if how == rt.TLSStalled {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			}
			_, err := retrieval.Open(ctx, a)
			cancel()
			if m.account.Security == retrieval.Plaintext {
				if !asked || f.Struck() > 0 {
					t.Errorf("%s without TLS: %v, struck %d times", f, err, f.Struck())
				}
				continue
			}
			want := retrieval.ErrTLS
			if how == rt.TLSStalled {
				want = context.DeadlineExceeded
			}
			if !errors.Is(err, want) || asked || f.Struck() != 1 {
				t.Errorf("%s: %v, struck %d times, password asked: %v", f, err, f.Struck(), asked)
			}
		}
	})
}

// TestWithFaultsBelowTLS cuts the TLS stream.
func TestWithFaultsBelowTLS(t *testing.T) {
	each(t, func(t *testing.T, m *maildrop) {
		for n := int64(0); ; n += 211 {
			f := rt.Cut(rt.AfterReceived(n))
			msgs := mails(3)
			m.Deliver(msgs...)
			b := new(inbox)
			a := m.account
			a.Dial = rt.WithFaults(nil, f)
			err := b.run(t, a)
			if err != nil && !errors.Is(err, retrieval.ErrUnavailable) && !errors.Is(err, retrieval.ErrTLS) {
				t.Fatalf("%s: %v", f, err)
			}
			if err := b.run(t, m.account); err != nil {
				t.Fatalf("after %s: %v", f, err)
			}
			b.wantAll(t, m, msgs)
			if f.Struck() == 0 {
				break
			}
		}
	})
}
