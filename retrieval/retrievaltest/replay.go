package retrievaltest

import (
	"bytes"
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/session"
	"example.com/postbag/internal/testca"
	"example.com/postbag/retrieval"
)

// Replay returns an account on a server that does what the recorded session in
// a file says. The connection is in memory, so that it works within
// testing/synctest, where a session's half hours take no time.
//
// The test fails, with the line of the file, as soon as the client says
// something else than in the session, and at its end if the client has left
// before the session's end. What the client is compared with, and the form of
// the file, is described in [Record].
//
// The account's Protocol and Security are those of the session, its User is
// the recorded one or "user", its Password anything: it may be changed as the
// test needs it.
func Replay(t testing.TB, file string) retrieval.Account {
	t.Helper()
	s, err := session.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return replay(t, s)
}

// ReplayBytes is Replay for a session that is not in a file. name is for the
// messages of the test.
func ReplayBytes(t testing.TB, name string, data []byte) retrieval.Account {
	t.Helper()
	s, err := session.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return replay(t, s)
}

func replay(t testing.TB, s *session.Session) retrieval.Account {
	t.Helper()
	if !slices.ContainsFunc(s.Conns, func(c session.Conn) bool { return len(c.Steps) > 0 }) {
		t.Fatalf("%s: there is no session in it", s.Name)
	}
	ca, cert, err := throwAway(replayHost)
	if err != nil {
		t.Fatal(err)
	}
	p := session.NewPlayer(s, &tls.Config{Certificates: []tls.Certificate{cert}})
	t.Cleanup(func() {
		if err := p.Done(); err != nil {
			t.Error(err)
		}
	})
	a := retrieval.Account{
		Host:      replayHost,
		User:      "user",
		Password:  func(context.Context) (string, error) { return "password", nil },
		TLSConfig: &tls.Config{RootCAs: ca.Pool()},
		Dial:      p.Dial,
	}
	a.Protocol, a.Security = kindOf(s)
	if user := userOf(s); user != "" {
		a.User = user
	}
	return a
}

const replayHost = "replay.example.com"

// throwAway makes an authority and a certificate of it.
func throwAway(hosts ...string) (*testca.Authority, tls.Certificate, error) {
	ca, err := testca.New()
	if err != nil {
		return nil, tls.Certificate{}, err
	}
	// Within testing/synctest it is the year 2000.
	cert, err := ca.Issue(time.Now().AddDate(0, 11, 0), hosts...)
	return ca, cert, err
}

// kindOf finds out what account a session is of.
func kindOf(s *session.Session) (retrieval.Protocol, retrieval.Security) {
	protocol, security := retrieval.POP3, retrieval.Plaintext
	heard := false
	for _, step := range s.Conns[0].Steps {
		switch {
		case step.Kind == session.Server && !heard:
			heard = true
			if bytes.HasPrefix(step.Data, []byte("*")) {
				protocol = retrieval.IMAP
			}
		case step.Kind == session.TLS && !heard:
			security = retrieval.TLS
		case step.Kind == session.TLS && security == retrieval.Plaintext:
			security = retrieval.StartTLS
		}
	}
	return protocol, security
}

// userOf returns the user who logs in in a session, or "".
func userOf(s *session.Session) string {
	for _, step := range s.Conns[0].Steps {
		if step.Kind != session.Client {
			continue
		}
		words := strings.Fields(string(step.Data))
		for i, w := range words {
			if (strings.EqualFold(w, "LOGIN") && i == 1 || strings.EqualFold(w, "USER") && i == 0) && i+1 < len(words) {
				if user := strings.Trim(words[i+1], `"`); user != "***" && !strings.ContainsAny(user, `\{`) {
					return user
				}
			}
		}
	}
	return ""
}
