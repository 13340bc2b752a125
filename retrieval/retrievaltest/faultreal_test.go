package retrievaltest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"example.com/postbag/internal/servers"
	"example.com/postbag/retrieval"
	rt "example.com/postbag/retrieval/retrievaltest"
)

// TestFaultyRealServers lets faults happen between the client and servers that
// others have written, and a clean run follow.
func TestFaultyRealServers(t *testing.T) {
	if testing.Short() {
		t.Skip("real servers take their time")
	}
	for _, kind := range servers.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := servers.Start(t, kind, servers.User{Name: "joe", Password: "secret"})
			for _, a := range realAccounts(s) {
				t.Run(fmt.Sprintf("%s %d", a.Protocol, a.Security), func(t *testing.T) { realFaults(t, s, a) })
			}
		})
	}
}

func realFaults(t *testing.T, s *servers.Server, a retrieval.Account) {
	commit := "QUIT"
	fetch := "RETR"
	if a.Protocol == retrieval.IMAP {
		commit, fetch = "UID EXPUNGE", "UID FETCH"
	}
	// QUIRK: Courier makes up a UIDVALIDITY for as long as nobody has opened the
	// mailbox for writing, which this does.
	s.Deliver(t, "joe", mails(1)...)
	new(inbox).run(t, a)
	s.Reset(t, "joe")
	for _, f := range []*rt.Fault{
		rt.SplitRandom(20, 1),
		rt.Cut(rt.WithinReply(fetch, 2, 50)),
		rt.Reset(rt.BeforeCommand(commit, 1)),
		rt.Cut(rt.AfterCommand(commit, 1)),
	} {
		s.Deliver(t, "joe", mails(3)...)
		b := new(inbox)
		err := b.run(t, rt.Faulty(t, a, f))
		if errors.Is(err, errors.ErrUnsupported) {
			s.Reset(t, "joe")
			t.Skip(err)
		}
		if err != nil && !errors.Is(err, retrieval.ErrUnavailable) {
			t.Fatalf("%s: %v, want ErrUnavailable", f, err)
		}
		// The server may not know yet that the client is gone.
		for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(50 * time.Millisecond) {
			if err = b.run(t, a); !errors.Is(err, retrieval.ErrUnavailable) && !errors.Is(err, retrieval.ErrAuth) {
				break
			}
		}
		if err != nil {
			t.Fatalf("after %s: %v", f, err)
		}
		if len(b.got) != 3 || f.Struck() == 0 {
			t.Fatalf("after %s: %d messages, want 3; struck %d times", f, len(b.got), f.Struck())
		}
	}
}

// realAccounts are accounts on a server.
func realAccounts(s *servers.Server) []retrieval.Account {
	var accounts []retrieval.Account
	add := func(p retrieval.Protocol, sec retrieval.Security, addr string) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return // not served
		}
		n, _ := strconv.Atoi(port)
		accounts = append(accounts, retrieval.Account{
			Protocol: p, Security: sec, Host: host, Port: n, User: "joe",
			Password:  func(context.Context) (string, error) { return "secret", nil },
			Policy:    retrieval.DownloadAndDelete,
			TLSConfig: &tls.Config{RootCAs: s.CA}, StallTimeout: 20 * time.Second,
		})
	}
	if add(retrieval.POP3, retrieval.TLS, s.POP3S); s.POP3S == "" {
		add(retrieval.POP3, retrieval.Plaintext, s.POP3)
	}
	add(retrieval.IMAP, retrieval.TLS, s.IMAPS)
	if s.Kind == servers.Dovecot { // the others are alike
		add(retrieval.POP3, retrieval.StartTLS, s.POP3)
		add(retrieval.IMAP, retrieval.StartTLS, s.IMAP)
	}
	return accounts
}
