package pop3client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/pop3server"
	"example.com/postbag/internal/testca"
	"example.com/postbag/pop3client"
)

func TestGreeting(t *testing.T) {
	for _, tt := range []struct {
		name string
		send string
		want error
	}{
		{"refusal", "-ERR go away\r\n", pop3client.ErrUnavailable},
		{"refusal with code", "-ERR [SYS/TEMP] later\r\n", pop3client.ErrUnavailable},
		{"empty line", "\r\n", pop3client.ErrProtocol},
		{"another protocol", "* OK IMAP4rev1 ready\r\n", pop3client.ErrProtocol},
		{"web server", "HTTP/1.1 400 Bad Request\r\n", pop3client.ErrProtocol},
		{"lower case", "+ok ready\r\n", pop3client.ErrProtocol},
		{"indicator runs on", "+OKAY\r\n", pop3client.ErrProtocol},
		{"challenge", "+ ready\r\n", pop3client.ErrProtocol},
		{"endless", strings.Repeat("+OK x", 50_000), pop3client.ErrProtocol},
		{"hang-up", "", pop3client.ErrUnavailable},
		{"half a line", "+OK rea", pop3client.ErrUnavailable},
		{"two greetings", "+OK ready\r\n+OK injected\r\n", pop3client.ErrProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := start(t, nil, func(s *script) { s.raw(tt.send) })
			if !errors.Is(err, tt.want) {
				t.Errorf("greeting %.40q: %v, want %v", tt.send, err, tt.want)
			}
		})
	}
	t.Run("a refusal ends the connection", func(t *testing.T) {
		ended := make(chan struct{})
		start(t, nil, func(s *script) {
			s.send("-ERR go away")
			s.expectEnd()
			close(ended)
		})
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Error("the connection is left open")
		}
	})
	t.Run("silence", func(t *testing.T) {
		_, err := start(t, &pop3client.Options{StallTimeout: 20 * time.Millisecond}, func(s *script) { s.expectEnd() })
		if !errors.Is(err, pop3client.ErrUnavailable) {
			t.Errorf("silence: %v, want ErrUnavailable", err)
		}
	})
}

func TestGreetingIsKept(t *testing.T) {
	c, err := start(t, nil, func(s *script) {
		s.send("+OK mail.test POP3 ready <1.2@mail.test>")
		s.capa("EXPIRE 30", "sasl PLAIN LOGIN")
	})
	if err != nil || c.Greeting() != "mail.test POP3 ready <1.2@mail.test>" {
		t.Fatalf("Greeting = %q, %v", c.Greeting(), err)
	}
	if got := c.Capabilities().Params("SASL"); !slices.Equal(got, []string{"PLAIN", "LOGIN"}) {
		t.Errorf("Params(SASL) = %q", got)
	}
	if c.Capabilities().Has("PIPELINING") {
		t.Error("Has(PIPELINING), which the server did not say")
	}
}

func TestLogin(t *testing.T) {
	for _, tt := range []struct {
		name    string
		capa    string
		replies []string // to USER, PASS
		want    error    // nil for neither ErrAuth nor ErrUnavailable
		code    string
	}{
		{"no code", "", []string{"+OK", "-ERR bad login"}, pop3client.ErrAuth, ""},
		{"no text", "", []string{"+OK", "-ERR"}, pop3client.ErrAuth, ""},
		{"user", "", []string{"-ERR no such user"}, pop3client.ErrAuth, ""},
		{"code", "AUTH-RESP-CODE", []string{"+OK", "-ERR [auth] bad login"}, pop3client.ErrAuth, "AUTH"},
		{"codes promised", "AUTH-RESP-CODE", []string{"+OK", "-ERR database on fire"}, nil, ""},
		{"in use", "", []string{"+OK", "-ERR [IN-USE] locked"}, pop3client.ErrUnavailable, "IN-USE"},
		{"delay", "", []string{"+OK", "-ERR [LOGIN-DELAY] too often"}, pop3client.ErrUnavailable, "LOGIN-DELAY"},
		{"temporary", "", []string{"+OK", "-ERR [SYS/TEMP] later"}, pop3client.ErrUnavailable, "SYS/TEMP"},
		{"permanent", "", []string{"+OK", "-ERR [SYS/PERM] never"}, nil, "SYS/PERM"},
		{"no code at all", "", []string{"+OK", "-ERR [two words] x"}, pop3client.ErrAuth, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := start(t, nil, func(s *script) {
				s.send("+OK ready")
				s.capa(tt.capa)
				for i, r := range tt.replies {
					s.expect([]string{"USER joe", "PASS sec ret"}[i])
					s.send(r)
				}
				s.expect("NOOP") // the session goes on
				s.send("+OK")
			})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Login(t.Context(), "joe", "sec ret")
			var e *pop3client.Error
			if !errors.As(err, &e) || e.Code != tt.code {
				t.Errorf("Login = %#v, want an Error with code %q", err, tt.code)
			}
			for _, kind := range []error{pop3client.ErrAuth, pop3client.ErrUnavailable, pop3client.ErrGone} {
				if errors.Is(err, kind) != (kind == tt.want) {
					t.Errorf("Login = %v; errors.Is(err, %q) = %v", err, kind, kind != tt.want)
				}
			}
			if strings.Contains(err.Error(), "sec ret") {
				t.Errorf("the password is in the error: %v", err)
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Errorf("Noop after a refused login: %v", err)
			}
		})
	}
}

// Nothing may follow PASS before its reply: the script has a CAPA that came
// too early in its buffer when it looks.
func TestNothingBehindPASS(t *testing.T) {
	c, err := start(t, nil, func(s *script) {
		s.send("+OK ready")
		s.capa(pipelining...)
		s.expect("USER joe")
		s.send("+OK")
		s.expect("PASS secret")
		s.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if b, err := s.r.Peek(1); err == nil {
			t.Errorf("the client sends %q behind PASS", b)
		}
		s.SetReadDeadline(time.Time{})
		s.send("+OK")
		s.capa(pipelining...)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(t.Context(), "joe", "secret"); err != nil {
		t.Fatal(err)
	}
}

func TestArguments(t *testing.T) {
	c, err := start(t, nil, func(s *script) {
		s.send("+OK ready")
		s.capa()
		s.expectEnd()
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"joe\r\nDELE 1", "joe\n", "joe\r", "joe\x00"} {
		if err := c.Login(t.Context(), bad, "secret"); err == nil || strings.Contains(err.Error(), "joe") {
			t.Errorf("Login as %q: %v", bad, err)
		}
		if err := c.Login(t.Context(), "joe", bad); err == nil || strings.Contains(err.Error(), "joe") {
			t.Errorf("Login with password %q: %v", bad, err)
		}
	}
	if c.Err() != nil {
		t.Errorf("the session ended: %v", c.Err())
	}
	c.Close()
}

func TestNoCredentialsInTheClear(t *testing.T) {
	conn := connect(t, func(s *script) {
		s.send("+OK ready")
		s.capa()
		s.expectEnd()
	})
	c, err := pop3client.New(t.Context(), conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(t.Context(), "joe", "secret"); !errors.Is(err, pop3client.ErrTLS) {
		t.Errorf("Login without TLS: %v, want ErrTLS", err)
	}
	c.Close()
}

func TestTranscript(t *testing.T) {
	var b bytes.Buffer
	c := loggedIn(t, &pop3client.Options{Transcript: &b}, nil, func(s *script) {
		s.expect("RETR 1")
		s.send("+OK", "Subject: secret mail", "", "text", ".")
		s.expect("QUIT")
		s.send("+OK bye")
	})
	body, err := c.Retr(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, body)
	if err := c.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := `S: +OK ready
C: CAPA
S: +OK
S: .
C: USER joe
S: +OK
C: PASS ***
S: +OK
C: CAPA
S: +OK
S: .
C: RETR 1
S: +OK
S*: 30
S: .
C: QUIT
S: +OK bye
`
	if b.String() != want {
		t.Errorf("transcript:\n%s\nwant:\n%s", b.String(), want)
	}
}

// tlsServer starts a server with TLS and returns options that trust it.
func tlsServer(t *testing.T, o pop3server.Options) (*pop3server.Server, *pop3client.Options) {
	t.Helper()
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	o.User, o.Password = "joe", "secret"
	o.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	return serve(t, o), &pop3client.Options{TLSConfig: &tls.Config{RootCAs: ca.Pool()}}
}

func serve(t testing.TB, o pop3server.Options) *pop3server.Server {
	t.Helper()
	srv, err := pop3server.Start(&o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv
}

func TestDial(t *testing.T) {
	for _, tt := range []struct {
		name     string
		implicit bool
		dial     func(context.Context, string, *pop3client.Options) (*pop3client.Client, error)
	}{
		{"implicit TLS", true, pop3client.Dial},
		{"STLS", false, pop3client.DialStartTLS},
		{"plaintext", false, pop3client.DialPlaintext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv, opts := tlsServer(t, pop3server.Options{ImplicitTLS: tt.implicit})
			srv.Deliver([]byte("Subject: hello\r\n\r\n.\r\n"))
			c, err := tt.dial(t.Context(), srv.Addr(), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Login(t.Context(), "joe", "wrong"); !errors.Is(err, pop3client.ErrAuth) {
				t.Errorf("Login with a wrong password: %v, want ErrAuth", err)
			}
			if err := c.Login(t.Context(), "joe", "secret"); err != nil {
				t.Fatal(err)
			}
			if !c.Pipelining() || c.Capabilities().Has("STLS") {
				t.Errorf("after login: pipelining %v, %q", c.Pipelining(), c.Capabilities())
			}
			if n, size, err := c.Stat(t.Context()); n != 1 || size != 21 || err != nil {
				t.Errorf("Stat = %d, %d, %v, want 1, 21", n, size, err)
			}
			if err := c.Quit(t.Context()); err != nil {
				t.Error(err)
			}
			if s := c.Stats(); s.In == 0 || s.Out == 0 || s.RoundTrips < 5 {
				t.Errorf("Stats = %+v", s)
			}
		})
	}
}

func TestDialFails(t *testing.T) {
	srv, opts := tlsServer(t, pop3server.Options{})
	for _, tt := range []struct {
		name string
		dial func(context.Context, string, *pop3client.Options) (*pop3client.Client, error)
		opts *pop3client.Options
		want error
	}{
		{"TLS on a plaintext port", pop3client.Dial, opts, pop3client.ErrTLS},
		{"untrusted certificate", pop3client.DialStartTLS, nil, pop3client.ErrTLS},
	} {
		if _, err := tt.dial(t.Context(), srv.Addr(), tt.opts); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	addr := srv.Addr()
	srv.Close()
	if _, err := pop3client.Dial(t.Context(), addr, opts); !errors.Is(err, pop3client.ErrUnavailable) {
		t.Errorf("refused port: %v, want ErrUnavailable", err)
	}
}

func TestStartTLS(t *testing.T) {
	for _, tt := range []struct {
		name, reply string
		want        error
	}{
		{"refused", "-ERR no TLS here\r\n", pop3client.ErrTLS},
		{"reply ahead of the handshake", "+OK begin\r\n+OK injected\r\n", pop3client.ErrTLS},
		{"half a reply ahead of the handshake", "+OK begin\r\n+", pop3client.ErrTLS},
		{"no handshake", "+OK begin\r\n", pop3client.ErrUnavailable},
		{"garbage", "huh\r\n", pop3client.ErrProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := start(t, &pop3client.Options{TLSConfig: &tls.Config{ServerName: "localhost"}}, func(s *script) {
				s.send("+OK ready")
				s.capa("STLS")
				s.expect("STLS")
				s.raw(tt.reply)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.StartTLS(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("StartTLS = %v, want %v", err, tt.want)
			}
			if c.Err() == nil {
				t.Error("the session goes on")
			}
			if err := c.Login(t.Context(), "joe", "secret"); err == nil {
				t.Error("Login works")
			}
		})
	}
	t.Run("capabilities are forgotten", func(t *testing.T) {
		srv, opts := tlsServer(t, pop3server.Options{})
		c, err := pop3client.DialPlaintext(t.Context(), srv.Addr(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if !c.Capabilities().Has("STLS") {
			t.Fatalf("no STLS in %q", c.Capabilities())
		}
		if err := c.StartTLS(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.Capabilities().Has("STLS") {
			t.Errorf("the capabilities from before TLS: %q", c.Capabilities())
		}
		if err := c.StartTLS(t.Context()); err == nil {
			t.Error("STLS under TLS works")
		}
	})
}

func TestCAPA(t *testing.T) {
	t.Run("unknown", func(t *testing.T) {
		srv := serve(t, pop3server.Options{User: "joe", Password: "secret", NoCAPA: true})
		c, err := pop3client.DialPlaintext(t.Context(), srv.Addr(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login(t.Context(), "joe", "secret"); err != nil || c.Capabilities() != nil || c.Pipelining() {
			t.Errorf("Login = %v, capabilities %q, pipelining %v", err, c.Capabilities(), c.Pipelining())
		}
	})
	t.Run("endless", func(t *testing.T) {
		_, err := start(t, nil, func(s *script) {
			s.send("+OK ready")
			s.expect("CAPA")
			s.send("+OK")
			s.raw(strings.Repeat("X-MORE\r\n", 100_000))
		})
		if !errors.Is(err, pop3client.ErrProtocol) {
			t.Errorf("%v, want ErrProtocol", err)
		}
	})
}

func TestPoisoned(t *testing.T) {
	timed(t, nil, func(s *script) {
		s.expect("NOOP")
		time.Sleep(time.Hour) // the reply is late
		s.send("+OK to the first")
		s.expectEnd()
	}, func(t *testing.T, c *pop3client.Client) {
		first := c.Noop(t.Context())
		if !errors.Is(first, pop3client.ErrUnavailable) {
			t.Fatalf("silence: %v, want ErrUnavailable", first)
		}
		if _, err := c.Dele(t.Context(), 1); !errors.Is(err, pop3client.ErrUnavailable) {
			t.Errorf("Dele gets the reply of the command before, or so: %v", err)
		}
		if !errors.Is(c.Err(), pop3client.ErrUnavailable) {
			t.Errorf("Err = %v", c.Err())
		}
	})
}

func TestOutOfTurn(t *testing.T) {
	c := loggedIn(t, nil, nil, func(s *script) {
		s.expect("NOOP")
		s.raw("+OK\r\n+OK nobody asked\r\n")
		s.expectEnd()
	})
	if err := c.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if results, err := c.Dele(t.Context(), 1); !errors.Is(err, pop3client.ErrProtocol) {
		t.Errorf("Dele = %v, %v, want ErrProtocol", results, err)
	}
}

func TestNoReply(t *testing.T) {
	for _, line := range []string{
		"", // QUIRK: Office 365 has answered DELE so (MailKit issue 1636)
		"+OKAY", "-ERROR", "+ok", "-err no", "OK", " +OK", "+", "+ go on", "* OK", "250 OK",
	} {
		c := loggedIn(t, nil, nil, func(s *script) {
			s.expect("DELE 1")
			s.send(line)
		})
		if results, err := c.Dele(t.Context(), 1); !errors.Is(err, pop3client.ErrProtocol) {
			t.Errorf("%q: Dele = %v, %v, want ErrProtocol", line, results, err)
		}
	}
}

func TestCancel(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := loggedIn(t, nil, nil, func(s *script) {
		s.expect("NOOP")
		cancel(cause)
		s.expectEnd()
	})
	if err := c.Noop(ctx); !errors.Is(err, cause) {
		t.Errorf("Noop = %v, want the cause", err)
	}
	if !errors.Is(c.Err(), cause) {
		t.Errorf("Err = %v, want the cause", c.Err())
	}
	c = loggedIn(t, nil, nil, func(s *script) { s.expectEnd() })
	if err := c.Noop(ctx); !errors.Is(err, cause) {
		t.Errorf("with a context that is over: %v, want the cause", err)
	}
}

func TestClose(t *testing.T) {
	c := loggedIn(t, nil, nil, func(s *script) { s.expectEnd() })
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	if err := c.Noop(t.Context()); !errors.Is(err, pop3client.ErrClosed) {
		t.Errorf("Noop = %v, want ErrClosed", err)
	}
}
