package retrievaltest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

func TestBadTLS(t *testing.T) {
	for kind, o := range inMemory {
		for _, p := range bothProtocols {
			for how := rt.TLSExpired; how <= rt.TLSNone; how++ {
				t.Run(fmt.Sprintf("%s %s %s", p, kind, how), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { badTLS(t, newMaildrop(t, p, &o).account, how) })
				})
			}
		}
	}
}

func badTLS(t *testing.T, a retrieval.Account, how rt.TLSFault) {
	f := rt.BadTLS(how)
	asked := false
	a.Password = func(context.Context) (string, error) {
		asked = true
		return "", errors.New("the password was asked")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := retrieval.Open(ctx, rt.Faulty(t, a, f))
	want := retrieval.ErrTLS
	switch {
	case a.Security == retrieval.Plaintext:
		if !asked || f.Struck() > 0 {
			t.Errorf("without TLS: %v, struck %d times", err, f.Struck())
		}
		return
	case how == rt.TLSCut:
		want = retrieval.ErrUnavailable
	case how == rt.TLSStalled:
		want = context.DeadlineExceeded
	}
	if !errors.Is(err, want) || asked || f.Struck() != 1 {
		t.Errorf("%v, struck %d times, password asked: %v", err, f.Struck(), asked)
	}
}

// TestStripped is someone on the way who takes TLS away from a client that
// does not insist: it can go on without, and the test can see that it does.
func TestStripped(t *testing.T) {
	m := newMaildrop(t, retrieval.POP3, &rt.ServerOptions{Security: retrieval.StartTLS})
	for _, f := range []*rt.Fault{rt.Answer(rt.AfterCommand("STLS", 1), "-ERR not here"), rt.Answer(rt.BeforeCommand("STLS", 1), "-ERR not here")} {
		a := rt.Faulty(t, m.account, f)
		c, err := a.Dial(t.Context(), "tcp", net.JoinHostPort(a.Host, fmt.Sprint(a.Port)))
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(c)
		for _, step := range [][2]string{{"", "+OK postbag"}, {"STLS", "-ERR not here"}, {"NOOP", "-ERR"}, {"QUIT", "+OK"}} {
			if step[0] != "" {
				io.WriteString(c, step[0]+"\r\n")
			}
			if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, step[1]) {
				t.Errorf("%s: %s: %q, %v, want %q", f, step[0], line, err, step[1])
			}
		}
		c.Close()
	}
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
