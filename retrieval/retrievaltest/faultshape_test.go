package retrievaltest_test

import (
	"bytes"
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

func TestFaultyShapes(t *testing.T) {
	each(t, func(t *testing.T, m *maildrop) {
		for _, shape := range []*rt.Fault{nil, rt.Drip(0), rt.Drip(time.Microsecond), rt.Split(7), rt.SplitRandom(100, 1), rt.Coalesce(time.Millisecond)} {
			var fs faults
			if shape != nil {
				fs = faults{rt.Always(shape)}
				rt.MustStrike(t, shape)
			}
			msgs := mails(4)
			m.Deliver(msgs...)
			b := new(inbox)
			if err := b.run(t, rt.Faulty(t, m.account, fs...)); err != nil {
				t.Fatalf("%v: %v", shape, err)
			}
			b.wantAll(t, m, msgs)
		}
	})
}

// TestSegments looks at what each Read returns.
func TestSegments(t *testing.T) {
	for _, tt := range []struct {
		fault *rt.Fault
		want  string
	}{
		{rt.Drip(time.Second), "+ O K   h i \r \n"},
		{rt.Split(3), "+OK  hi \r\n"},
		{rt.SplitRandom(4, 5), ""},
		{rt.Noise(4, 7), ""},
	} {
		var first string
		for range 2 { // the same every time
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{greeting: pop3Greeting}
				c, err := rt.WithFaults(s.dial, tt.fault)(t.Context(), "tcp", "x:1")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				start := time.Now()
				var got []string
				p := make([]byte, 100)
				for n := 0; n < len(pop3Greeting); {
					k, err := c.Read(p)
					if err != nil {
						t.Fatal(err)
					}
					n += k
					got = append(got, string(p[:k]))
				}
				all := strings.Join(got, " ")
				if tt.want != "" && all != tt.want || first != "" && all != first || all == pop3Greeting {
					t.Errorf("%s: %q, want %q or as before %q", tt.fault, all, tt.want, first)
				}
				first = all
				if took := time.Since(start); strings.HasPrefix(tt.want, "+ ") && took != time.Duration(len(pop3Greeting))*time.Second {
					t.Errorf("%s took %v", tt.fault, took)
				}
			})
		}
	}
}

func TestCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() {
			for i := range 5 {
				fmt.Fprintf(server, "%d", i)
				time.Sleep(time.Second)
			}
			time.Sleep(time.Minute)
			server.Close()
		}()
		f := rt.Coalesce(2 * time.Second)
		c, err := rt.WithFaults(func(context.Context, string, string) (net.Conn, error) { return client, nil }, f)(t.Context(), "tcp", "x:1")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		p := make([]byte, 100)
		if n, err := c.Read(p); string(p[:n]) != "01234" || err != nil || f.Struck() != 1 {
			t.Errorf("read %q, %v, struck %d times", p[:n], err, f.Struck())
		}
		if n, err := c.Read(p); n != 0 || err != io.EOF {
			t.Errorf("then %q, %v", p[:n], err)
		}
	})
}

// TestFaultyPipelining passes on many commands that are sent ahead, and much
// that is answered.
func TestFaultyPipelining(t *testing.T) {
	for _, p := range bothProtocols {
		t.Run(string(p), func(t *testing.T) {
			m := newMaildrop(t, p, nil)
			msgs := mails(1500)
			for i := range 20 {
				msgs[i*70] = append(msgs[i*70], bytes.Repeat([]byte("much text in lines\r\n"), 20_000)...)
			}
			m.Deliver(msgs...)
			never := rt.Cut(rt.BeforeCommand("XYZZY", 1))
			b := new(inbox)
			if err := b.run(t, rt.Faulty(t, m.account, never)); err != nil {
				t.Fatal(err)
			}
			b.wantAll(t, m, msgs)
			m.Deliver(msgs...)
			cut := rt.Cut(rt.WithinReply(map[retrieval.Protocol]string{retrieval.POP3: "RETR", retrieval.IMAP: "UID FETCH"}[p], 2, 1000))
			b = new(inbox)
			if err := b.run(t, rt.Faulty(t, m.account, cut)); !errors.Is(err, retrieval.ErrSession) || cut.Struck() != 1 {
				t.Fatalf("%v, struck %d times", err, cut.Struck())
			}
		})
	}
}

// TestHugeLiteral is read in pieces, not kept.
func TestHugeLiteral(t *testing.T) {
	m := newMaildrop(t, retrieval.IMAP, nil)
	m.Deliver(mails(1)...)
	const size = 32 << 20
	f := rt.HugeLiteral(rt.AfterCommand("UID FETCH", 2), size)
	rt.MustStrike(t, f)
	r, err := retrieval.Open(t.Context(), rt.Faulty(t, m.account, f))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sums, err := r.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for msg, err := range r.Fetch(t.Context(), sums[0].UID) {
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, msg); n != size || err != nil {
			t.Errorf("%d octets, %v, want %d", n, err, size)
		}
		break
	}
}
