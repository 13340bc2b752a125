package retrieval_test

import (
	"errors"
	"io"
	"slices"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

// Breaking out of a loop at an error leaves the session usable.
func TestBreakAtAnError(t *testing.T) {
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			b := newBox(t, p, nil)
			b.server.Deliver(mails(3)...)
			r, err := retrieval.Open(t.Context(), b.acct)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			sums, err := r.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b.server.Delete(sums[0].UID) // a POP3 session keeps it
			for _, err := range r.Fetch(t.Context(), "4294967295.1", sums[0].UID) {
				if !errors.Is(err, retrieval.ErrGone) {
					t.Errorf("%v, want ErrGone", err)
				}
				break
			}
			n := 0
			for m, err := range r.Fetch(t.Context(), sums[1].UID, sums[2].UID) {
				if err != nil || m == nil {
					t.Fatal(err)
				}
				n++
			}
			if n != 2 {
				t.Errorf("%d messages after the break", n)
			}
		})
	}
}

// A server without TOP says so once, before any header is asked for, or at
// the first; breaking there is safe.
func TestWithoutTOP(t *testing.T) {
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{Without: []string{"TOP"}})
	s.Deliver(mails(3)...)
	r, err := retrieval.Open(t.Context(), s.Account(retrieval.POP3))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sums, err := r.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range r.Headers(t.Context(), sums[0].UID, sums[1].UID, sums[2].UID) {
		if n++; !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, want errors.ErrUnsupported", err)
		}
	}
	if n != 1 {
		t.Errorf("%d errors, want one", n)
	}
	for range r.Headers(t.Context(), sums[0].UID, sums[1].UID) {
		break
	}
	for m, err := range r.Fetch(t.Context(), sums[0].UID) {
		if err != nil || m == nil {
			t.Fatal(err)
		}
	}
}

// A server with SASL and without USER is logged in to by AUTH.
func TestWithoutUSER(t *testing.T) {
	a := retrievaltest.ReplayBytes(t, "session", []byte("S: +OK hi\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: UIDL\nS: .\nC: AUTH PLAIN ***\nS: +OK\nC: CAPA\nS: +OK\nS: UIDL\nS: .\n"))
	r, err := retrieval.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
}

// A server that says PIPELINING and is not up to it is asked again, one
// message at a time, over another connection.
func TestOutOfStep(t *testing.T) {
	login := "S: +OK hi\nC: CAPA\nS: +OK\nS: PIPELINING\nS: UIDL\nS: .\nC: USER user\nS: +OK\nC: PASS ***\nS: +OK\nC: CAPA\nS: +OK\nS: PIPELINING\nS: UIDL\nS: .\n"
	first := "C: STAT\nC: LIST\nC: UIDL\nS: +OK 3 9\nS: +OK\nS: 1 3\nS: 2 3\nS: 3 3\nS: .\nS: +OK\nS: 1 a\nS: 2 b\nS: 3 c\nS: .\n" +
		"C: RETR 1\nC: RETR 2\nC: RETR 3\nS: +OK\nS: a\nS: .\nS: what?\n= CLOSE\n"
	second := "= CONNECT\n" + login + "C: STAT\nS: +OK 2 6\nC: LIST\nS: +OK\nS: 1 3\nS: 2 3\nS: .\nC: UIDL\nS: +OK\nS: 1 a\nS: 2 c\nS: .\n" +
		"C: RETR 2\nS: +OK\nS: c\nS: .\n"
	a := retrievaltest.ReplayBytes(t, "session", []byte(login+first+second))
	r, err := retrieval.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	for m, err := range r.Fetch(t.Context(), "a", "b", "c") {
		var me *retrieval.MessageError
		switch {
		case errors.As(err, &me) && errors.Is(err, retrieval.ErrGone):
			got = append(got, string(me.UID)+" is gone")
		case err != nil:
			t.Fatal(err)
		default:
			data, err := io.ReadAll(m)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(m.UID)+" "+string(data))
		}
	}
	if want := []string{"a a\r\n", "b is gone", "c c\r\n"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if err := r.Delete("a", "b", "c"); err != nil {
		t.Errorf("Delete: %v: that another client was faster with one is no error", err)
	}
}
