package imapclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
	"example.com/postbag/internal/testca"
)

func TestGreeting(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		want         error
	}{
		{"BYE", "S: * BYE [UNAVAILABLE] come back later\n= CLOSE\n", imapclient.ErrUnavailable},
		{"POP3", "S: +OK ready\n= CLOSE\n", imapclient.ErrProtocol},
		{"HTTP", "S: HTTP/1.1 400 Bad Request\n= CLOSE\n", imapclient.ErrProtocol},
		{"nothing", "= CLOSE\n", imapclient.ErrUnavailable},
		{"NO", "S: * NO LOGOUT Intrusion prevention active\n= CLOSE\n", imapclient.ErrUnavailable}, // QUIRK: IceWarp
		{"SMTP", "S: 220 mail.example.net ESMTP\n= CLOSE\n", imapclient.ErrProtocol},
		{"endless", "S64: " + strings.Repeat("QUFB", 1<<19) + "\n= CLOSE\n", imapclient.ErrProtocol},
		{"long", "S: * OK " + strings.Repeat("x", 10_000) + "\n= CLOSE\n", imapclient.ErrProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tryPlay(t, tt.script, nil); !errors.Is(err, tt.want) {
				t.Fatalf("New = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		want         error // nil: success
	}{
		{"quoted", login, nil},
		{"capabilities after the end", lines(
			"S: * OK ready", "C: a1 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a1 OK",
			`C: a2 LOGIN "joe" "secret pass"`, "S: a2 OK in", "C: a3 CAPABILITY", "S: * CAPABILITY IMAP4rev1 IDLE", "S: a3 OK"), nil},
		{"capabilities before the end", lines(
			"S: * OK [CAPABILITY IMAP4rev1] ready",
			`C: a2 LOGIN "joe" "secret pass"`, "S: * CAPABILITY IMAP4rev1 IDLE", "S: a2 OK in"), nil},
		{"LOGINDISABLED", lines(
			"S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN SASL-IR] ready",
			"C: a1 AUTHENTICATE PLAIN AGpvZQBzZWNyZXQgcGFzcw==", "S: a1 OK [CAPABILITY IMAP4rev1] in"), nil},
		{"no SASL-IR", lines(
			"S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN] ready",
			"C: a1 AUTHENTICATE PLAIN", "S: + ", "C: AGpvZQBzZWNyZXQgcGFzcw==", "S: a1 OK [CAPABILITY IMAP4rev1] in"), nil},
		{"bare LF after AUTHENTICATE", lines( // QUIRK: GNU Mailutils
			"S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN SASL-IR] ready",
			"C: a1 AUTHENTICATE PLAIN AGpvZQBzZWNyZXQgcGFzcw==", "S64: YTEgT0sgQVVUSAo=", "C: a2 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a2 OK"), nil},
		{"wrong", lines(
			"S: * OK [CAPABILITY IMAP4rev1] ready",
			`C: a1 LOGIN "joe" "secret pass"`, "S: a1 NO [AUTHENTICATIONFAILED] no such secret pass here"), imapclient.ErrAuth},
		{"wrong, without a code", lines(
			"S: * OK [CAPABILITY IMAP4rev1] ready",
			`C: a1 LOGIN "joe" "secret pass"`, "S: a1 NO LOGIN failed"), imapclient.ErrAuth},
		{"not now", lines(
			"S: * OK [CAPABILITY IMAP4rev1] ready",
			`C: a1 LOGIN "joe" "secret pass"`, "S: a1 NO [UNAVAILABLE] database is down"), imapclient.ErrUnavailable},
		{"BYE", lines(
			"S: * OK [CAPABILITY IMAP4rev1] ready",
			`C: a1 LOGIN "joe" "secret pass"`, "S: * BYE too many connections", "= CLOSE"), imapclient.ErrUnavailable},
		{"no way", "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\n", errors.ErrUnsupported},
		{"an answer to another command", lines(
			"S: * OK [CAPABILITY IMAP4rev1] ready",
			`C: a1 LOGIN "joe" "secret pass"`, "S: ZZ OK in"), imapclient.ErrProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var transcript bytes.Buffer
			c := play(t, tt.script, &imapclient.Options{Transcript: &transcript})
			err := c.Login(t.Context(), "joe", "secret pass")
			if tt.want == nil && err != nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Fatalf("Login = %v, want %v", err, tt.want)
			}
			told := transcript.String()
			if err != nil {
				told += err.Error()
			}
			for _, secret := range []string{"secret pass", "AGpvZQBzZWNyZXQgcGFzcw"} {
				if strings.Contains(told, secret) {
					t.Errorf("the secret is told:\n%s", told)
				}
			}
		})
	}
}

func TestLoginEncodings(t *testing.T) {
	for _, tt := range []struct{ name, user, password, script string }{
		{"quotes and backslashes", `a"b`, `c\d`, lines("S: * OK [CAPABILITY IMAP4rev1] ready",
			`C: a1 LOGIN "a\"b" "c\\d"`, "S: a1 OK [CAPABILITY IMAP4rev1] in")},
		{"not ASCII", "jö", "pä", lines("S: * OK [CAPABILITY IMAP4rev1] ready",
			"C: a1 LOGIN {3}", "S: + go on", "C64: asO2IHszfQ0K", "S: + go on", "C64: cMOkDQo=", "S: a1 OK [CAPABILITY IMAP4rev1] in")},
		{"not ASCII, PLAIN", "jö", "pä", lines("S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready",
			"C: a1 AUTHENTICATE PLAIN AGrDtgBww6Q=", "S: a1 OK [CAPABILITY IMAP4rev1] in")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := play(t, tt.script, nil).Login(t.Context(), tt.user, tt.password); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What could be read as another command is refused before anything is sent.
func TestInjection(t *testing.T) {
	c := play(t, "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\n", nil)
	for _, bad := range []string{"a\r\nb", "a\nb", "a\rb", "a\x00b"} {
		if err := c.Login(t.Context(), bad, "x"); err == nil {
			t.Errorf("user %q is accepted", bad)
		}
		if err := c.Login(t.Context(), "x", bad); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("password %q: %v", bad, err)
		}
		if _, err := c.Select(t.Context(), bad); err == nil {
			t.Errorf("mailbox %q is accepted", bad)
		}
	}
	c = examined(t, "")
	for _, bad := range []string{"a b", "a\r\nb", "", `\`, "a(b", `\*`, "ä"} {
		if err := c.SetFlags(t.Context(), imapclient.AddFlags, []string{bad}, 1); err == nil {
			t.Errorf("flag %q is accepted", bad)
		}
	}
}

// starttls lets a client connect with DialStartTLS to a server that does what
// the script says.
func starttls(t *testing.T, script string) (*imapclient.Client, error) {
	t.Helper()
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	s, err := session.Parse("script", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	p := session.NewPlayer(s, &tls.Config{Certificates: []tls.Certificate{cert}})
	c, err := imapclient.DialStartTLS(t.Context(), "mail.example.com:143", &imapclient.Options{
		TLSConfig: &tls.Config{RootCAs: ca.Pool()},
		Dial:      func(ctx context.Context, network, addr string) (net.Conn, error) { return p.Dial(ctx, network, addr) },
	})
	t.Cleanup(func() {
		if c != nil {
			c.Close()
		}
		if err := p.Done(); err != nil {
			t.Error(err)
		}
	})
	return c, err
}

func TestStartTLS(t *testing.T) {
	// What the server says before TLS is forgotten.
	c, err := starttls(t, lines(
		"S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=INJECTED] ready",
		"C: a1 STARTTLS", "S: * CAPABILITY IMAP4rev1 AUTH=INJECTED", "S: a1 OK begin", "= TLS",
		"C: a2 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a2 OK",
		`C: a3 LOGIN "joe" "secret pass"`, "S: a3 OK [CAPABILITY IMAP4rev1] in"))
	if err != nil {
		t.Fatal(err)
	}
	caps, err := c.Capabilities(t.Context())
	if err != nil || caps.Has("AUTH=INJECTED") {
		t.Fatalf("Capabilities = %v, %v", caps, err)
	}
	mustLogin(t, c)
}

func TestStartTLSRefused(t *testing.T) {
	for _, tt := range []struct{ name, script string }{
		{"not offered", lines("S: * OK [CAPABILITY IMAP4rev1] ready")},
		{"PREAUTH", lines("S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] ready")},
		{"NO", lines("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready", "C: a1 STARTTLS", "S: a1 NO not today")},
		{"BAD", lines("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready", "C: a1 STARTTLS", "S: a1 BAD what")},
		{"data ahead of the handshake", lines("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready", "C: a1 STARTTLS", "S: a1 OK begin", "S: * PREAUTH injected")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := starttls(t, tt.script); !errors.Is(err, imapclient.ErrTLS) {
				t.Fatalf("DialStartTLS = %v, want ErrTLS", err)
			}
		})
	}
}

// PREAUTH over a connection that is private already is a login.
func TestPreauth(t *testing.T) {
	c := play(t, lines("S: * PREAUTH [CAPABILITY IMAP4rev1] hello", "C: b1 EXAMINE INBOX", "S: * 1 EXISTS", "S: * OK [UIDVALIDITY 7] v", "S: b1 OK done"), nil)
	box, err := c.Examine(t.Context(), "INBOX")
	if err != nil || box.UIDValidity != 7 {
		t.Fatalf("Examine = %+v, %v", box, err)
	}
}

func TestBusyAndClosed(t *testing.T) {
	c := play(t, "S: * OK [CAPABILITY IMAP4rev1] ready\n", nil)
	if _, err := c.Examine(t.Context(), "INBOX"); err == nil {
		t.Error("Examine works before login")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if err := c.Login(t.Context(), "joe", "x"); !errors.Is(err, imapclient.ErrClosed) {
		t.Errorf("Login after Close = %v, want ErrClosed", err)
	}
}

func TestLogout(t *testing.T) {
	c := play(t, login+lines("C: a2 LOGOUT", "S: * BYE see you", "S: a2 OK bye", "= CLOSE"), nil)
	mustLogin(t, c)
	if err := c.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Noop(t.Context()); !errors.Is(err, imapclient.ErrClosed) {
		t.Errorf("Noop after Logout = %v, want ErrClosed", err)
	}
}
