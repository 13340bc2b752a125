package retrievaltest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/internal/imapserver"
	"example.com/postbag/internal/pop3server"
	"example.com/postbag/internal/testca"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

const secret = "correct-horse-battery"

// serve starts a server with some messages, and returns an account on it.
func serve(t *testing.T, p retrieval.Protocol, security retrieval.Security) retrieval.Account {
	t.Helper()
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
	var addr string
	var deliver func([]byte)
	if p == retrieval.POP3 {
		s, err := pop3server.Start(&pop3server.Options{User: "joe@example.com", Password: secret, TLSConfig: cfg, ImplicitTLS: security == retrieval.TLS})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		addr, deliver = s.Addr(), func(m []byte) { s.Deliver(m) }
	} else {
		s, err := imapserver.Start(&imapserver.Options{User: "joe@example.com", Password: secret, TLSConfig: cfg, ImplicitTLS: security == retrieval.TLS})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		addr, deliver = s.Addr(), func(m []byte) { s.Deliver("INBOX", m) }
	}
	for i := range 5 {
		deliver(fmt.Appendf(nil, "From: jane@example.org\r\nSubject: private %d\r\n\r\n.\r\nprivate words %d\r\n%s\r\n", i, i, strings.Repeat("lorem ", 1000*i)))
	}
	host, port, _ := strings.Cut(addr, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return retrieval.Account{
		Protocol: p, Host: host, Port: n, Security: security, User: "joe@example.com",
		Password:  func(context.Context) (string, error) { return secret, nil },
		TLSConfig: &tls.Config{RootCAs: ca.Pool()},
		Policy:    retrieval.DownloadAndDelete,
	}
}

// retrieve runs an account and returns what was delivered.
func retrieve(t testing.TB, a retrieval.Account) ([]string, error) {
	t.Helper()
	var got []string
	_, err := retrieval.Run(t.Context(), a, retrieval.SinkFunc(func(_ context.Context, m *retrieval.Message) error {
		data, err := io.ReadAll(m)
		got = append(got, string(data))
		return err
	}), new(retrieval.Memory))
	return got, err
}

func eachKind(t *testing.T, test func(t *testing.T, a retrieval.Account)) {
	for _, p := range []retrieval.Protocol{retrieval.POP3, retrieval.IMAP} {
		for security, name := range []string{"tls", "starttls", "plaintext"} {
			t.Run(string(p)+"/"+name, func(t *testing.T) { test(t, serve(t, p, retrieval.Security(security))) })
		}
	}
}

// What was recorded is replayed to the same effect.
func TestRecordAndReplay(t *testing.T) {
	eachKind(t, func(t *testing.T, a retrieval.Account) {
		file := filepath.Join(t.TempDir(), "session.txt")
		out, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		recorded, stop, err := retrievaltest.Record(a, out, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := retrieve(t, recorded)
		stop()
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil || len(want) != 5 {
			t.Fatalf("%d messages, %v", len(want), err)
		}
		again := retrievaltest.Replay(t, file)
		again.Policy = retrieval.DownloadAndDelete
		if again.Protocol != a.Protocol || again.Security != a.Security || again.User != a.User {
			t.Errorf("the account is %+v", again)
		}
		got, err := retrieve(t, again)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("replayed: %d messages, %v, want the %d recorded", len(got), err, len(want))
		}
	})
}

// A transcript is a session too, with other words in the messages.
func TestReplayTranscript(t *testing.T) {
	eachKind(t, func(t *testing.T, a retrieval.Account) {
		var out bytes.Buffer
		a.Transcript = &out
		want, err := retrieve(t, a)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "private") || strings.Contains(out.String(), secret) {
			t.Errorf("the transcript tells too much:\n%s", out.String())
		}
		again := retrievaltest.ReplayBytes(t, "transcript", out.Bytes())
		again.Policy = retrieval.DownloadAndDelete
		got, err := retrieve(t, again)
		if err != nil || len(got) != len(want) {
			t.Fatalf("replayed: %d messages, %v, want %d", len(got), err, len(want))
		}
		for i := range got {
			if len(got[i]) != len(want[i]) {
				t.Errorf("message %d has %d octets, want %d", i, len(got[i]), len(want[i]))
			}
		}
	})
}

// A masked recording shows neither secrets nor messages nor addresses, and
// can be replayed.
func TestRecordMasked(t *testing.T) {
	eachKind(t, func(t *testing.T, a retrieval.Account) {
		var out bytes.Buffer
		recorded, stop, err := retrievaltest.Record(a, &out, &retrievaltest.RecordOptions{Mask: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := retrieve(t, recorded); err != nil {
			t.Fatal(err)
		}
		stop()
		for _, word := range []string{secret, "private", "lorem", "joe", "jane", "example"} {
			if strings.Contains(out.String(), word) {
				t.Errorf("the recording holds %q", word)
			}
		}
		again := retrievaltest.ReplayBytes(t, "masked", out.Bytes())
		again.Policy = retrieval.DownloadAndDelete
		if got, err := retrieve(t, again); err != nil || len(got) != 5 {
			t.Fatalf("replayed: %d messages, %v", len(got), err)
		}
	})
}

// complaints is a testing.TB that takes the errors for itself.
type complaints struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (c *complaints) Error(args ...any) { c.errors = append(c.errors, fmt.Sprint(args...)) }
func (c *complaints) Fatalf(format string, args ...any) {
	c.errors = append(c.errors, fmt.Sprintf(format, args...))
	runtime.Goexit()
}
func (c *complaints) Cleanup(f func()) { c.cleanups = append(c.cleanups, f) }
func (c *complaints) end() {
	for _, f := range slices.Backward(c.cleanups) {
		f()
	}
}

// A client that departs from the session fails the test, with file and line.
func TestReplayDeparture(t *testing.T) {
	const session = "S: +OK ready\nC: CAPA\nS: +OK\nS: UIDL\nS: .\nC: USER joe\nS: +OK\nC: PASS ***\nS: +OK\nC: CAPA\nS: +OK\nS: UIDL\nS: .\nC: STAT\nS: +OK 0 0\nC: LIST\nS: +OK\nS: .\nC: UIDL\nS: +OK\nS: .\nC: QUIT\nS: +OK\n"
	for _, tt := range []struct{ name, session, want string }{
		{"as recorded", session, ""},
		{"another user", strings.Replace(session, "joe", "jim", 1), ""},
		{"another command", strings.Replace(session, "C: STAT", "C: NOOP", 1), "name.txt:14: the client sends"},
		{"leaves early", strings.Replace(session, "C: QUIT", "C: NOOP\nS: +OK\nC: QUIT", 1), "name.txt:22: the client sends"},
		{"more than it does", session + "C: NOOP\n", "name.txt:24: the client leaves early"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &complaints{TB: t}
			retrieve(c, retrievaltest.ReplayBytes(c, "name.txt", []byte(tt.session)))
			c.end()
			got := strings.Join(c.errors, "\n")
			if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
				t.Errorf("complaints %q, want %q", got, tt.want)
			}
		})
	}
}

// A recording of nothing is not waited for: it is told what is wrong with it.
func TestReplayNothing(t *testing.T) {
	for _, data := range []string{"", "# Dovecot\n\n", "= CONNECT\n"} {
		c := &complaints{TB: t}
		var wg sync.WaitGroup
		wg.Go(func() { retrievaltest.ReplayBytes(c, "name.txt", []byte(data)) })
		wg.Wait()
		if got := strings.Join(c.errors, "\n"); got != "name.txt: there is no session in it" {
			t.Errorf("complaints of %q: %q", data, got)
		}
	}
}

// Time in a session takes no time within testing/synctest.
func TestReplayTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const session = "= TLS\nS: +OK ready\nC: CAPA\nS: -ERR\nC: USER joe\n~ 50s\nS: +OK\nC: PASS ***\n~ 50s\nS: -ERR [AUTH] no\n"
		start := time.Now()
		_, err := retrieve(t, retrievaltest.ReplayBytes(t, "slow", []byte(session)))
		if err == nil || time.Since(start) < 100*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
