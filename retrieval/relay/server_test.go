//go:build unix

package relay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"example.com/postbag/internal/servers"
	"example.com/postbag/internal/testca"
	"example.com/postbag/retrieval"
	"example.com/postbag/retrieval/relay"
)

// TestReuse shows that one connection does for many messages, and what happens
// to one that has ended in between.
func TestReuse(t *testing.T) {
	deliver := func(t *testing.T, sink retrieval.Sink, uid retrieval.UID) {
		t.Helper()
		if _, err := sink.Deliver(t.Context(), message(uid, mail)); err != nil {
			t.Fatalf("Deliver of %s = %v", uid, err)
		}
	}
	t.Run("one connection", func(t *testing.T) {
		noLeaks(t)
		s := (&scripted{}).start(t)
		sink := newSink(t, false, s.addr, nil)
		deliver(t, sink, "1.1")
		deliver(t, sink, "1.2")
		sink.Close()
		want := []string{"EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA", "QUIT"}
		if got := verbs(s.told()); !slices.Equal(got, want) || s.connections() != 1 {
			t.Errorf("over %d connections the server was told %q, want %q", s.connections(), got, want)
		}
		deliver(t, sink, "1.3") // closing is not for ever
	})
	t.Run("RSET after a refusal", func(t *testing.T) {
		s := (&scripted{on: replies("RCPT TO:<bad", "550 no")}).start(t)
		sink := newSink(t, false, s.addr, &relay.Options{RecipientsOf: func(_ retrieval.Box, m retrieval.Summary) ([]string, error) {
			return []string{string(m.UID)}, nil
		}})
		if _, err := sink.Deliver(t.Context(), message("bad", mail)); about(err) != "rejected" {
			t.Errorf("Deliver = %v", err)
		}
		deliver(t, sink, "good")
		if !slices.Contains(s.told(), "RSET") || s.connections() != 1 {
			t.Errorf("over %d connections the server was told %q", s.connections(), s.told())
		}
	})
	for name, bye := range map[string]string{"421": "421 idle for too long", "closed": hangUp, "login gone": "530 who are you"} {
		t.Run("stale, "+name, func(t *testing.T) {
			noLeaks(t)
			var mails atomic.Int32
			s := (&scripted{on: func(n int, line string) string {
				if strings.HasPrefix(line, "MAIL") {
					if mails.Add(1) == 2 {
						return bye
					}
				}
				return ""
			}}).start(t)
			sink := newSink(t, false, s.addr, nil)
			deliver(t, sink, "1.1")
			deliver(t, sink, "1.2")
			if n := len(s.got()); n != 2 || s.connections() != 2 {
				t.Errorf("%d messages over %d connections, want 2 over 2", n, s.connections())
			}
		})
	}
	t.Run("not after MAIL", func(t *testing.T) {
		s := (&scripted{on: func(n int, line string) string {
			if line == "DATA" && n == 1 {
				return hangUp
			}
			return ""
		}}).start(t)
		if _, err := newSink(t, false, s.addr, nil).Deliver(t.Context(), message("1.1", mail)); about(err) != "the run ends" || s.connections() != 1 {
			t.Errorf("Deliver = %v over %d connections", err, s.connections())
		}
	})
}

func verbs(lines []string) []string {
	var all []string
	for _, l := range lines {
		verb, _, _ := strings.Cut(l, " ")
		all = append(all, verb)
	}
	return all
}

// TestRecipients shows which addresses are taken.
func TestRecipients(t *testing.T) {
	for _, bad := range []string{"", "a b", "a>\r\nRCPT TO:<b", "a\x00b", "<a>", "a\u0085b", "\xff", strings.Repeat("a", 400)} {
		if _, err := relay.NewSMTP("127.0.0.1:25", &relay.Options{Recipients: []string{bad}}); err == nil {
			t.Errorf("a recipient %q is taken", bad)
		}
		if _, err := relay.NewSMTP("127.0.0.1:25", &relay.Options{Recipients: []string{"a"}, Sender: bad}); err == nil && bad != "" {
			t.Errorf("a sender %q is taken", bad)
		}
	}
	for _, addr := range []string{"", "host", ":25", "unix:"} {
		if _, err := relay.NewLMTP(addr, &relay.Options{Recipients: []string{"a"}}); err == nil {
			t.Errorf("NewLMTP(%q) = nil error", addr)
		}
	}
	if _, err := relay.NewLMTP("localhost:24", nil); err == nil {
		t.Error("a sink without recipients")
	}
	s := (&scripted{lmtp: true}).start(t)
	ask := func(to ...string) error {
		sink := newSink(t, true, s.addr, &relay.Options{RecipientsOf: func(retrieval.Box, retrieval.Summary) ([]string, error) { return to, nil }})
		_, err := sink.Deliver(t.Context(), message("1.1", mail))
		return err
	}
	if err := ask(); about(err) != "rejected" {
		t.Errorf("no recipients: %v", err)
	}
	if err := ask("a>\r\nQUIT"); about(err) != "rejected" {
		t.Errorf("a recipient of two lines: %v", err)
	}
	if len(s.told()) > 0 {
		t.Errorf("the server was told %q", s.told())
	}
	if err := ask("ann", "ann", "bob"); err != nil || !slices.Equal(s.got()[0].to, []string{"ann", "bob"}) {
		t.Errorf("twice the same: %v, %+v", err, s.got())
	}
}

// TestPrivate shows when nothing is said before TLS is verified.
func TestPrivate(t *testing.T) {
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().AddDate(0, 1, 0), "mx.example.com")
	if err != nil {
		t.Fatal(err)
	}
	secure := newMailServer(t, true)
	secure.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	plain := (&scripted{}).start(t)
	injecting := (&scripted{ehlo: "250-localhost\r\n250 STARTTLS", on: replies("STARTTLS", "220 go\r\n250 ahead")}).start(t)
	refusing := (&scripted{ehlo: "250-localhost\r\n250 STARTTLS", on: replies("STARTTLS", "454 no")}).start(t)
	to := func(addr string) func(context.Context, string, string) (net.Conn, error) {
		return func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}
	trust := &tls.Config{RootCAs: ca.Pool()}
	for _, tt := range []struct {
		name, addr string
		lmtp       bool
		o          relay.Options
		want       string
		text       string
	}{
		{"STARTTLS by default", "mx.example.com:24", true, relay.Options{TLSConfig: trust, Dial: to(secure.addr)}, "taken", ""},
		{"unknown authority", "mx.example.com:24", true, relay.Options{Dial: to(secure.addr)}, "the run ends", "tls"},
		{"other name", "mail.example.com:24", true, relay.Options{TLSConfig: trust, Dial: to(secure.addr)}, "the run ends", "tls"},
		{"not offered", "mx.example.com:25", false, relay.Options{Dial: to(plain.addr)}, "the run ends", "does not offer STARTTLS"},
		{"refused", "mx.example.com:25", false, relay.Options{Dial: to(refusing.addr)}, "the run ends", "tls: STARTTLS: 454"},
		{"data ahead of the handshake", "mx.example.com:25", false, relay.Options{Dial: to(injecting.addr)}, "the run ends", "ahead of the handshake"},
		{"TLS at a server without", "mx.example.com:25", false, relay.Options{Security: relay.TLS, Dial: to(plain.addr)}, "the run ends", "tls"},
		{"loopback", plain.addr, false, relay.Options{}, "taken", ""},
		{"loopback, STARTTLS by name", plain.addr, false, relay.Options{Security: relay.StartTLS}, "the run ends", "does not offer"},
		{"localhost elsewhere", "localhost:25", false, relay.Options{Dial: elsewhere(plain.addr)}, "the run ends", "does not offer"},
		{"plaintext by name", "mx.example.com:25", false, relay.Options{Security: relay.Plaintext, Dial: to(plain.addr)}, "taken", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(plain.got())
			_, err := newSink(t, tt.lmtp, tt.addr, &tt.o).Deliver(t.Context(), message("1.1", mail))
			if about(err) != tt.want || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Deliver = %v, want %s, %q", err, tt.want, tt.text)
			}
			if n := len(plain.got()) - before; n > 0 && tt.want != "taken" {
				t.Errorf("%d messages went out", n)
			}
		})
	}
	for _, s := range []*scripted{injecting, refusing} {
		if slices.ContainsFunc(s.told(), func(l string) bool { return strings.HasPrefix(l, "MAIL") }) {
			t.Errorf("told in clear: %q", s.told())
		}
	}
}

// elsewhere dials addr and says that it is far away.
func elsewhere(addr string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return far{c}, err
	}
}

type far struct{ net.Conn }

func (far) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }

// TestLogin logs in, and keeps the password to itself.
func TestLogin(t *testing.T) {
	s := (&scripted{ehlo: "250-localhost\r\n250 auth LOGIN PLAIN", on: replies("AUTH", "235 2.7.0 welcome")}).start(t)
	o := &relay.Options{User: "joe", Password: func(context.Context) (string, error) { return "canary", nil }}
	if _, err := newSink(t, false, s.addr, o).Deliver(t.Context(), message("1.1", mail)); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.told(), "AUTH PLAIN AGpvZQBjYW5hcnk=") {
		t.Errorf("the server was told %q", s.told())
	}
	o.Password = func(context.Context) (string, error) { return "", errors.New("locked") }
	if _, err := newSink(t, false, s.addr, o).Deliver(t.Context(), message("1.1", mail)); about(err) != "the run ends" || !strings.Contains(err.Error(), "locked") {
		t.Errorf("Deliver = %v", err)
	}
	if _, err := relay.NewSMTP(s.addr, &relay.Options{User: "joe", Recipients: []string{"a"}}); err == nil {
		t.Error("a user without a password is taken")
	}
}

// TestSilence shows that no step lasts for ever, and that a context ends each.
func TestSilence(t *testing.T) {
	for _, step := range []string{"220", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		t.Run("time limit at "+step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := newSink(t, false, "127.0.0.1:25", &relay.Options{Dial: pipeTo(t, mute(step))})
				start := time.Now()
				_, err := sink.Deliver(t.Context(), message("1.1", mail))
				want := map[bool]string{true: "deferred", false: "the run ends"}[step == "."]
				if about(err) != want {
					t.Errorf("Deliver = %v: %s, want %s", err, about(err), want)
				}
				limit := map[bool]time.Duration{true: 10 * time.Minute, false: 5 * time.Minute}[step == "."]
				if took := time.Since(start); took != limit {
					t.Errorf("it took %v, want %v", took, limit)
				}
			})
		})
		t.Run("context at "+step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := newSink(t, false, "127.0.0.1:25", &relay.Options{Dial: pipeTo(t, mute(step))})
				ctx, cancel := context.WithCancelCause(t.Context())
				stop := errors.New("enough")
				time.AfterFunc(time.Second, func() { cancel(stop) })
				if _, err := sink.Deliver(ctx, message("1.1", mail)); !errors.Is(err, stop) {
					t.Errorf("Deliver = %v, want the context's cause", err)
				}
			})
		})
	}
	t.Run("no block taken", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			sink := newSink(t, false, "127.0.0.1:25", &relay.Options{Dial: pipeTo(t, mute("body"))})
			_, err := sink.Deliver(t.Context(), message("1.1", mail+strings.Repeat("0123456789\r\n", 100_000)))
			if about(err) != "deferred" {
				t.Errorf("Deliver = %v", err)
			}
		})
	})
}

// mute is a server that falls silent at a step.
func mute(step string) *scripted {
	s := &scripted{on: func(_ int, line string) string {
		if strings.HasPrefix(line, step) {
			return silent
		}
		return ""
	}}
	if step == "220" {
		s.greeting = silent
	}
	if step == "body" {
		s.on, s.stuck = nil, make(chan struct{})
	}
	return s
}

// pipeTo dials a server in the same bubble of time.
func pipeTo(t *testing.T, s *scripted) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer there.Close()
			s.serve(1, there)
		}()
		t.Cleanup(func() {
			there.Close()
			if s.stuck != nil {
				close(s.stuck)
			}
			<-done
		})
		return here, nil
	}
}

// TestUnix uses a socket of the file system.
func TestUnix(t *testing.T) {
	noLeaks(t)
	path := filepath.Join(t.TempDir(), "lmtp")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{}
	s.Server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{s}, nil }))
	s.LMTP = true
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	sink := newSink(t, true, "unix:"+path, nil)
	if _, err := sink.Deliver(t.Context(), message("1.1", mail)); err != nil {
		t.Errorf("Deliver = %v", err)
	}
	sink.Close()
	s.Close()
	<-done
}

// TestDovecot hands messages to a real server.
func TestDovecot(t *testing.T) {
	srv := servers.Start(t, servers.Dovecot, servers.User{Name: "ann", Password: "pw"}, servers.User{Name: "bob", Password: "pw"})
	if srv.LMTP == "" {
		if os.Getenv("POSTBAG_SERVERS") == "required" {
			t.Fatal("Dovecot's LMTP is not here")
		}
		t.Skip("Dovecot's LMTP is not here: go run ./internal/servers/install")
	}
	sink := newSink(t, true, srv.LMTP, &relay.Options{RecipientsOf: func(_ retrieval.Box, m retrieval.Summary) ([]string, error) {
		return strings.Split(string(m.UID), ","), nil
	}})
	bodies := []string{mail, mail + ".\r\n..\r\n.\r", mail + "bare\nLF\n.\nand\rCR, 8 bit \xe4\r\n", mail + strings.Repeat("long ", 100_000)}
	for i, data := range bodies {
		if _, err := sink.Deliver(t.Context(), message("ann,bob", fmt.Sprintf("X-Number: %d\r\n", i)+data)); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if _, err := sink.Deliver(t.Context(), message("nobody", mail)); about(err) != "rejected" {
		t.Errorf("to nobody: Deliver = %v, want it rejected", err)
	}
	var e *relay.RecipientError
	if _, err := sink.Deliver(t.Context(), message("ann,nobody", mail)); about(err) != "rejected" || !errors.As(err, &e) || !slices.Equal(e.Taken, []string{"ann"}) {
		t.Errorf("to ann and nobody: Deliver = %v, want it rejected and taken by ann", err)
	}
	for user, want := range map[string]int{"ann": len(bodies) + 1, "bob": len(bodies)} {
		got := mailsOf(t, filepath.Join(srv.Maildir(user), "new"))
		if len(got) != want {
			t.Errorf("%s has %d messages, want %d", user, len(got), want)
		}
		for i, data := range bodies {
			sent := normal([]byte(fmt.Sprintf("X-Number: %d\r\n", i) + data))
			// Dovecot may store lines with LF alone, and puts fields before.
			if !slices.ContainsFunc(got, func(g string) bool { return strings.HasSuffix(string(normal([]byte(g))), string(sent)) }) {
				t.Errorf("%s does not have message %d as it was", user, i)
			}
		}
	}
}

func mailsOf(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		f, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(f))
	}
	return all
}
