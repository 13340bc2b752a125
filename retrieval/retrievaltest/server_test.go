package retrievaltest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/retrievaltest"
)

var protocols = []retrieval.Protocol{retrieval.POP3, retrieval.IMAP}

// The conformance suite, over each way to connect and with each capability
// missing that a Retriever can do without.
func TestServer(t *testing.T) {
	suite := func(t *testing.T, p retrieval.Protocol, o retrievaltest.ServerOptions) {
		t.Helper()
		retrievaltest.TestRetriever(t, func(t *testing.T) retrievaltest.Mailbox {
			return retrievaltest.NewServer(t, &o).Mailbox(p)
		})
	}
	for _, p := range protocols {
		for _, inMemory := range []bool{false, true} {
			for security, name := range []string{"TLS", "StartTLS", "Plaintext"} {
				t.Run(fmt.Sprintf("%s/memory %v/%s", p, inMemory, name), func(t *testing.T) {
					suite(t, p, retrievaltest.ServerOptions{InMemory: inMemory, Security: retrieval.Security(security)})
				})
			}
		}
	}
	for _, name := range []string{
		"IMAP4rev2", "IDLE", "CONDSTORE", "QRESYNC", "ENABLE", "MOVE", "LITERAL+", "SASL-IR", "ID", "NAMESPACE", "UNSELECT", "ESEARCH",
		"COMPRESS=DEFLATE", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CHILDREN", "BINARY", "OBJECTID", "LOGIN", "AUTH=PLAIN",
	} {
		t.Run("imap/without "+name, func(t *testing.T) {
			suite(t, retrieval.IMAP, retrievaltest.ServerOptions{InMemory: true, Security: retrieval.Plaintext, Without: []string{name}})
		})
	}
	for _, name := range []string{"CAPA", "PIPELINING", "SASL", "AUTH=PLAIN", "RESP-CODES"} {
		t.Run("pop3/without "+name, func(t *testing.T) {
			suite(t, retrieval.POP3, retrievaltest.ServerOptions{InMemory: true, Security: retrieval.Plaintext, Without: []string{name}})
		})
	}
	t.Run("imap/Gmail", func(t *testing.T) {
		suite(t, retrieval.IMAP, retrievaltest.ServerOptions{InMemory: true, Profile: retrievaltest.Gmail})
	})
}

// A message has one UID over both protocols.
func TestServerUIDs(t *testing.T) {
	s := retrievaltest.NewServer(t, nil)
	s.Deliver(letters(5)...)
	s.Delete(s.Contents()[1].UID)
	var want []retrieval.UID
	for _, m := range s.Contents() {
		if want = append(want, m.UID); m.UIDL != m.UID || m.Received.IsZero() {
			t.Errorf("%+v", m)
		}
	}
	for _, p := range protocols {
		if got := listed(t, s.Account(p)); !slices.Equal(got, want) {
			t.Errorf("%s lists %q, want %q", p, got, want)
		}
	}
	s.Renumber()
	for _, p := range protocols {
		got := listed(t, s.Account(p))
		if len(got) != len(want) || slices.Contains(want, got[0]) {
			t.Errorf("%s lists %q after Renumber, want others", p, got)
		}
	}
}

// What was given since a backup is given again once it is put back, as often as
// that is done.
func TestServerBackup(t *testing.T) {
	s := retrievaltest.NewServer(t, nil)
	s.Deliver(letters(2)...)
	s.SetFlags(s.Contents()[0].UID, retrieval.FlagSeen)
	restore := s.Backup()
	for _, other := range []string{"X", "Y"} {
		s.Delete(s.Contents()[0].UID)
		s.SetFlags(s.Contents()[0].UID, retrieval.FlagFlagged)
		s.Deliver([]byte("Subject: " + other + "\r\n\r\n"))
		lost := s.Contents()[1].UID
		restore()
		got := s.Contents()
		if len(got) != 2 || len(got[0].Flags) != 1 || got[0].Flags[0] != retrieval.FlagSeen || len(got[1].Flags) > 0 {
			t.Errorf("there is %+v", got)
		}
		for _, p := range protocols {
			if uids := listed(t, s.Account(p)); len(uids) != 2 || slices.Contains(uids, lost) {
				t.Errorf("%s lists %q", p, uids)
			}
		}
		s.Deliver([]byte("Subject: another\r\n\r\n"))
		if uid := s.Contents()[2].UID; uid != lost {
			t.Errorf("the next message is %s, want %s once more", uid, lost)
		}
		restore()
	}
}

func TestServerWithout(t *testing.T) {
	for _, tt := range []struct {
		without string
		p       retrieval.Protocol
		want    error
	}{
		{"UIDL", retrieval.POP3, errors.ErrUnsupported},
		{"uidplus", retrieval.IMAP, errors.ErrUnsupported},
	} {
		t.Run(tt.without, func(t *testing.T) {
			s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Without: []string{tt.without}})
			s.Deliver(letters(2)...)
			a := s.Account(tt.p)
			a.Policy = retrieval.DownloadAndDelete
			_, err := retrieval.Run(t.Context(), a, retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { return nil }), new(retrieval.Memory))
			if !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if n := len(s.Contents()); n != 2 {
				t.Errorf("%d messages left, want 2", n)
			}
		})
	}
	for _, o := range []retrievaltest.ServerOptions{
		{Without: []string{"UIDPLUSS"}}, {Users: map[string]string{}}, {Profile: 7}, {Security: 7},
	} {
		if s, err := retrievaltest.Start(&o); err == nil {
			s.Close()
			t.Errorf("%+v is no error", o)
		}
	}
}

func TestServerSTARTTLSMissing(t *testing.T) {
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Security: retrieval.StartTLS, Without: []string{"STARTTLS", "STLS"}})
	for _, p := range protocols {
		if _, err := retrieval.Open(t.Context(), s.Account(p)); !errors.Is(err, retrieval.ErrTLS) {
			t.Errorf("%s: %v, want ErrTLS", p, err)
		}
	}
	for _, c := range s.Commands() {
		if c.Name == "LOGIN" || c.Name == "USER" || c.Name == "PASS" || strings.HasPrefix(c.Name, "AUTH") {
			t.Errorf("%s without TLS", c)
		}
	}
}

func TestServerUsers(t *testing.T) {
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Users: map[string]string{"bob": "b", "anna": "a"}})
	bob := s.For("bob")
	s.Deliver(letters(2)...)
	bob.Create("Work")
	bob.DeliverTo("Work", letters(3)...)
	if a, b, w := len(s.Contents()), len(bob.Contents()), len(bob.ContentsOf("Work")); a != 2 || b != 0 || w != 3 {
		t.Errorf("anna has %d messages, bob %d and %d, want 2, 0 and 3", a, b, w)
	}
	work := bob.Account(retrieval.IMAP)
	work.Mailbox = "Work"
	if n := len(listed(t, work)); n != 3 {
		t.Errorf("bob's Work lists %d, want 3", n)
	}
	if n := len(listed(t, s.Account(retrieval.POP3))); n != 2 {
		t.Errorf("anna's maildrop lists %d, want 2", n)
	}

	before := bob.Account(retrieval.IMAP)
	bob.SetPassword("new")
	if _, err := retrieval.Open(t.Context(), before); !errors.Is(err, retrieval.ErrAuth) {
		t.Errorf("with the old password: %v, want ErrAuth", err)
	}
	listed(t, bob.Account(retrieval.IMAP))
	listed(t, s.Account(retrieval.IMAP))
	s.RefuseLogins("[UNAVAILABLE] try later")
	if _, err := retrieval.Open(t.Context(), s.Account(retrieval.IMAP)); !errors.Is(err, retrieval.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	s.RefuseLogins("[SYS/TEMP] try later")
	if _, err := retrieval.Open(t.Context(), s.Account(retrieval.POP3)); !errors.Is(err, retrieval.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	s.RefuseLogins("")
	listed(t, s.Account(retrieval.POP3))

	for name, mistake := range map[string]func(){
		"mailbox":  func() { s.DeliverTo("None", []byte("x")) },
		"user":     func() { s.For("carol") },
		"uid":      func() { s.Delete("abc") },
		"protocol": func() { s.Account("smtp") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for a %s that is none", name)
				}
			}()
			mistake()
		}()
	}
	s.Delete("1.1") // gone
	s.SetFlags("1.1", retrieval.FlagSeen)
}

// What a client did, and did not do.
func TestServerCommands(t *testing.T) {
	s := retrievaltest.NewServer(t, nil)
	s.Deliver(letters(2)...)
	for _, p := range protocols {
		a := s.Account(p)
		a.Policy = retrieval.DownloadAndDelete
		keep := retrieval.SinkFunc(func(context.Context, *retrieval.Message) error { return errors.New("full") })
		if _, err := retrieval.Run(t.Context(), a, keep, new(retrieval.Memory)); !errors.Is(err, retrieval.ErrSink) {
			t.Errorf("%s: %v, want ErrSink", p, err)
		}
	}
	names := make(map[retrieval.Protocol]map[string]bool)
	for _, c := range s.Commands() {
		if names[c.Protocol] == nil {
			names[c.Protocol] = make(map[string]bool)
		}
		names[c.Protocol][c.Name] = true
		if strings.Contains(c.String(), retrievaltest.Password) {
			t.Errorf("%s: a secret", c)
		}
		if c.Session < 1 || c.Session > 4 {
			t.Errorf("%s: session %d", c, c.Session)
		}
	}
	if pop := names[retrieval.POP3]; !pop["RETR"] || pop["DELE"] || pop["QUIT"] {
		t.Errorf("POP3 %v: want RETR, and neither DELE nor QUIT", pop)
	}
	if imap := names[retrieval.IMAP]; !imap["UID FETCH"] || imap["UID STORE"] || imap["UID EXPUNGE"] {
		t.Errorf("IMAP %v: want UID FETCH, and neither UID STORE nor UID EXPUNGE", imap)
	}
	if _, all := s.Sessions(); all != 2 {
		t.Errorf("%d sessions, want 2", all)
	}
}

// Half an hour of IDLE takes no time, and the server hangs up on a client that
// is silent for longer.
func TestServerIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true})
		s.Deliver(letters(1)...)
		c := dialIMAP(t, s.Account(retrieval.IMAP))
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		act, err := c.Idle(t.Context(), 28*time.Minute)
		if err != nil || act.Any() || time.Since(began) != 28*time.Minute {
			t.Fatalf("%+v, %v after %v, want nothing for 28 minutes", act, err, time.Since(began))
		}
		go func() {
			time.Sleep(17 * time.Minute)
			s.Deliver(letters(1)...)
		}()
		began = time.Now()
		act, err = c.Idle(t.Context(), 28*time.Minute)
		if err != nil || act.Arrived != 1 || time.Since(began) != 17*time.Minute {
			t.Fatalf("%+v, %v after %v, want one message after 17 minutes", act, err, time.Since(began))
		}
		began = time.Now()
		if _, err = c.Idle(t.Context(), 40*time.Minute); !errors.Is(err, imapclient.ErrUnavailable) || time.Since(began) != 30*time.Minute {
			t.Fatalf("%v after %v, want BYE after 30 minutes", err, time.Since(began))
		}
	})
}

func dialIMAP(t *testing.T, a retrieval.Account) *imapclient.Client {
	t.Helper()
	c, err := imapclient.Dial(t.Context(), net.JoinHostPort(a.Host, "993"), &imapclient.Options{TLSConfig: a.TLSConfig, Dial: a.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), a.User, retrievaltest.Password); err != nil {
		t.Fatal(err)
	}
	return c
}

// Close ends sessions, and no goroutine outlives it: synctest would say so.
func TestServerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := retrievaltest.Start(&retrievaltest.ServerOptions{InMemory: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Deliver(letters(3)...)
		var open []retrieval.Retriever
		for _, p := range append(protocols, protocols...) {
			r, err := retrieval.Open(t.Context(), s.Account(p))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			open = append(open, r)
		}
		idling := dialIMAP(t, s.Account(retrieval.IMAP))
		if _, err := idling.Select(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() {
			_, err := idling.Idle(t.Context(), 0)
			ended <- err
		}()
		synctest.Wait()
		if n, all := s.Sessions(); n != 5 || all != 5 {
			t.Errorf("%d of %d sessions are open, want 5 of 5", n, all)
		}
		s.Close()
		s.Close()
		if n, _ := s.Sessions(); n != 0 {
			t.Errorf("%d sessions are open after Close", n)
		}
		if err := <-ended; err == nil {
			t.Error("IDLE ended well")
		}
		for _, r := range open {
			if _, err := r.List(t.Context()); err == nil {
				t.Error("a session goes on after Close")
			}
		}
		if _, err := retrieval.Open(t.Context(), s.Account(retrieval.IMAP)); !errors.Is(err, retrieval.ErrUnavailable) {
			t.Errorf("%v after Close, want ErrUnavailable", err)
		}
	})
}

// The test acts on the mailbox while sessions go on.
func TestServerConcurrency(t *testing.T) {
	s := retrievaltest.NewServer(t, &retrievaltest.ServerOptions{InMemory: true, Security: retrieval.Plaintext})
	s.Deliver(letters(50)...)
	var clients, owner sync.WaitGroup
	stop := make(chan struct{})
	owner.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			s.Deliver(letters(1)...)
			all := s.Contents()
			s.SetFlags(all[i%len(all)].UID, retrieval.FlagSeen)
			if len(all) > 60 {
				s.Delete(all[i%len(all)].UID, all[0].UID)
			}
			s.Commands()
			s.Sessions()
		}
	})
	for i := range 6 {
		clients.Go(func() {
			for range 10 {
				r, err := retrieval.Open(t.Context(), s.Account(protocols[i%2]))
				if err != nil {
					t.Error(err)
					return
				}
				uids, err := list(t.Context(), r)
				if err != nil {
					t.Error(err)
				}
				for m, err := range r.Fetch(t.Context(), uids...) {
					if err == nil {
						_, err = io.Copy(io.Discard, m)
					}
					if err != nil && !errors.Is(err, retrieval.ErrGone) {
						t.Error(err)
					}
				}
				if i < 2 && len(uids) > 3 {
					if err := r.Delete(uids[2]); err != nil {
						t.Error(err)
					}
					if _, err := r.Commit(t.Context()); err != nil && !errors.Is(err, retrieval.ErrUncommitted) {
						t.Error(err)
					}
				}
				r.Close()
			}
		})
	}
	clients.Wait()
	close(stop)
	owner.Wait()
}

// letters returns n different messages.
func letters(n int) [][]byte {
	var msgs [][]byte
	for i := range n {
		msgs = append(msgs, fmt.Appendf(nil, "From: a@example.com\r\nSubject: %d\r\n\r\nnumber %d\r\n", i+1, i+1))
	}
	return msgs
}

func list(ctx context.Context, r retrieval.Retriever) ([]retrieval.UID, error) {
	sums, err := r.List(ctx)
	var uids []retrieval.UID
	for _, s := range sums {
		uids = append(uids, s.UID)
	}
	return uids, err
}

func listed(t *testing.T, a retrieval.Account) []retrieval.UID {
	t.Helper()
	r, err := retrieval.Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	uids, err := list(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return uids
}
