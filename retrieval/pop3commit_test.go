package retrieval_test

import (
	"errors"
	"testing"

	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

const pop3Login = "S: +OK hi\nC: CAPA\nS: -ERR\nC: USER user\nS: +OK\nC: PASS ***\nS: +OK\nC: CAPA\nS: -ERR\n"

// What a server has refused to delete is told, however QUIT ends.
func TestRefusedAndQuitLost(t *testing.T) {
	for _, tt := range []struct {
		name, deles string
		kept        int
	}{
		{"all refused", "C: DELE 1\nS: -ERR [SYS/PERM] read-only\nC: DELE 2\nS: -ERR [SYS/PERM] read-only\n", 2},
		{"one refused", "C: DELE 1\nS: +OK\nC: DELE 2\nS: -ERR [SYS/PERM] read-only\n", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := retrievaltest.ReplayBytes(t, "session", []byte(pop3Login+
				"C: STAT\nS: +OK 2 20\nC: LIST\nS: +OK\nS: 1 10\nS: 2 10\nS: .\nC: UIDL\nS: +OK\nS: 1 a\nS: 2 b\nS: .\n"+
				tt.deles+"C: QUIT\n= CLOSE\n"))
			r, err := retrieval.Open(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err := r.List(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := r.Delete("a", "b"); err != nil {
				t.Fatal(err)
			}
			rcpt, err := r.Commit(t.Context())
			var m *retrieval.MessageError
			if !errors.Is(err, retrieval.ErrUncommitted) || !errors.As(err, &m) || m.UID != "b" && tt.kept == 1 {
				t.Errorf("%v, want ErrUncommitted with the refusal", err)
			}
			if len(rcpt.Kept) != tt.kept || len(rcpt.Unknown) != 2-tt.kept || len(rcpt.Deleted) > 0 {
				t.Errorf("%+v", rcpt)
			}
		})
	}
}

// A listing that fails leaves no half of itself behind, by which messages
// that are there would be gone.
func TestAmbiguousListing(t *testing.T) {
	a := retrievaltest.ReplayBytes(t, "session", []byte(pop3Login+
		"C: STAT\nS: +OK 3 20\nC: LIST\nS: +OK\nS: 1 10\nS: 2 10\nS: 3 10\nS: .\nC: UIDL\nS: +OK\nS: 1 a\nS: 2 a\nS: 3 c\nS: .\n"+
		"C: STAT\nS: +OK 3 20\nC: LIST\nS: +OK\nS: 1 10\nS: 2 10\nS: 3 10\nS: .\nC: UIDL\nS: +OK\nS: 1 a\nS: 2 a\nS: 3 c\nS: .\n"))
	r, err := retrieval.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.List(t.Context()); !errors.Is(err, retrieval.ErrAmbiguous) {
		t.Fatalf("%v, want ErrAmbiguous", err)
	}
	for _, err := range r.Fetch(t.Context(), "c") {
		if !errors.Is(err, retrieval.ErrAmbiguous) {
			t.Errorf("%v, want ErrAmbiguous", err)
		}
	}
}

// Numbers are of one connection only: where a fresh one cannot be listed,
// nothing is asked for, let alone deleted, by the numbers of the one before.
func TestReopenedNotListed(t *testing.T) {
	a := retrievaltest.ReplayBytes(t, "session", []byte(
		"S: +OK hi\nC: CAPA\nS: +OK\nS: PIPELINING\nS: .\nC: USER user\nS: +OK\nC: PASS ***\nS: +OK\nC: CAPA\nS: +OK\nS: PIPELINING\nS: .\n"+
			"C: STAT\nC: LIST\nC: UIDL\nS: +OK 2 20\nS: +OK\nS: 1 10\nS: 2 10\nS: .\nS: +OK\nS: 1 a\nS: 2 b\nS: .\n"+
			"C: RETR 1\nC: RETR 2\nS: huh\n= CONNECT\n"+
			pop3Login+"C: STAT\nS: +OK 1 10\nC: LIST\nS: -ERR [SYS/TEMP] not now\nC: UIDL\nS: +OK\nS: 1 b\nS: .\n"))
	r, err := retrieval.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, err := range r.Fetch(t.Context(), "a", "b") {
		if !errors.Is(err, retrieval.ErrSession) {
			t.Errorf("%v, want ErrSession", err)
		}
	}
	if err := r.Delete("a"); err != nil {
		t.Fatal(err)
	}
	if rcpt, err := r.Commit(t.Context()); !errors.Is(err, retrieval.ErrUncommitted) || len(rcpt.Kept) != 1 {
		t.Errorf("%+v, %v, want ErrUncommitted", rcpt, err)
	}
}
