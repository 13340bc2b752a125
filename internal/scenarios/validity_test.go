package scenarios_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"example.com/postbag/internal/scenarios"
	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
)

// TestUIDsLast runs an account that leaves mail on the server twice, with
// seconds in between: the second time everything is known.
//
// QUIRK: Courier and GNU Mailutils make up another UIDVALIDITY for every
// session until somebody has opened the mailbox for writing.
func TestUIDsLast(t *testing.T) {
	for _, kind := range servers.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := servers.Start(t, kind, servers.User{Name: scenarios.User, Password: scenarios.Password})
			s.Deliver(t, scenarios.User, scenarios.Messages()...)
			for p, addr := range map[retrieval.Protocol]string{retrieval.POP3: s.POP3, retrieval.IMAP: s.IMAP} {
				if addr == "" {
					continue
				}
				host, port, _ := net.SplitHostPort(addr)
				n, err := strconv.Atoi(port)
				if err != nil {
					t.Fatal(err)
				}
				a := retrieval.Account{
					Protocol: p, Host: host, Port: n, Security: retrieval.Plaintext, User: scenarios.User, TLSConfig: &tls.Config{RootCAs: s.CA},
					Password: func(context.Context) (string, error) { return scenarios.Password, nil },
				}
				store := new(retrieval.Memory)
				for round, want := range []int{len(scenarios.Messages()), 0} {
					sink := retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error { _, err := io.Copy(io.Discard, m); return err })
					rep, err := retrieval.Run(t.Context(), a, sink, store)
					if err != nil || rep.Delivered != want {
						t.Errorf("%s, run %d: %d delivered, %v, want %d", p, round+1, rep.Delivered, err, want)
					}
					if round == 0 {
						time.Sleep(1100 * time.Millisecond) // it is made of the time, in seconds
					}
				}
			}
		})
	}
}
