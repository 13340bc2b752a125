package pop3client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/testca"
	"example.com/postbag/pop3client"
)

// TestFaults are rows of the catalogue of faults that concern the client
// alone. Those of lists (F38 to F46), of a message's octets (F49 to F55, F8
// to F11), and of QUIT (F16 to F22) stand with the tests of these.
func TestFaults(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"F1 connect refused":            faultRefused,
		"F1 name unknown":               faultName,
		"F3 F4 refusals have classes":   faultClasses,
		"F5 drop within login":          faultDropAtLogin,
		"F6 drop within a list":         faultDropInList,
		"F24 QUIT is answered late":     faultLateQuit,
		"F48 TOP is not the message":    faultTop,
		"F51 a line of many megabytes":  faultLongLine,
		"F54 a hundred thousand fields": faultFields,
		"F57 a poisoned message":        faultPoison,
		"F58 drop at a message":         faultPoisonDrop,
		"F59 cut under TLS":             faultTLS,
		"endless message":               faultEndless,
	} {
		t.Run(name, test)
	}
}

func faultRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	if _, err := pop3client.Dial(t.Context(), addr, nil); !errors.Is(err, pop3client.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}

func faultName(t *testing.T) {
	o := &pop3client.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "mail.invalid", IsNotFound: true}
	}}
	if _, err := pop3client.DialStartTLS(t.Context(), "mail.invalid:110", o); !errors.Is(err, pop3client.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
}

func faultClasses(t *testing.T) {
	_, err := start(t, nil, func(s *script) { s.send("-ERR [SYS/PERM] closed for good") })
	var e *pop3client.Error
	if !errors.As(err, &e) || e.Command != "greeting" || !e.Permanent() || errors.Is(err, pop3client.ErrUnavailable) {
		t.Errorf("%v, want a permanent Error", err)
	}
	_, err = start(t, nil, func(s *script) { s.send("-ERR [SYS/TEMP] later") })
	if !errors.As(err, &e) || !e.Temporary() || errors.Is(err, pop3client.ErrAuth) {
		t.Errorf("%v, want a temporary Error", err)
	}
}

func faultDropAtLogin(t *testing.T) {
	for _, after := range []string{"USER joe", "PASS secret"} {
		c, err := start(t, nil, func(s *script) {
			s.send("+OK ready")
			s.capa()
			s.expect("USER joe")
			if after == "USER joe" {
				return
			}
			s.send("+OK")
			s.expect(after)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Login(t.Context(), "joe", "secret"); !errors.Is(err, pop3client.ErrUnavailable) || errors.Is(err, pop3client.ErrAuth) {
			t.Errorf("drop after %s: %v, want ErrUnavailable and not ErrAuth", after, err)
		}
	}
}

func faultDropInList(t *testing.T) {
	all := "+OK 2 30\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n"
	for cut := range len(all) {
		conn := &dribble{pieces: []string{"+OK\r\n", "-ERR\r\n", all[:cut]}}
		c, err := pop3client.New(t.Context(), conn, &pop3client.Options{ForcePipelining: true})
		if err != nil {
			t.Fatal(err)
		}
		if list, err := c.Listing(t.Context()); list != nil || !errors.Is(err, pop3client.ErrUnavailable) {
			t.Fatalf("cut after %q: %v, %v, want no list and ErrUnavailable", all[:cut], list, err)
		}
	}
}

func faultLateQuit(t *testing.T) {
	timed(t, nil, func(s *script) {
		s.expect("DELE 1")
		s.send("+OK")
		s.expect("QUIT")
		s.expectEnd()
	}, func(t *testing.T, c *pop3client.Client) {
		r, err := c.Commit(t.Context(), 1)
		if !errors.Is(err, pop3client.ErrUncommitted) || len(r.Unknown) != 1 {
			t.Errorf("Commit = %+v, %v, want an unknown fate", r, err)
		}
	})
}

func faultTop(t *testing.T) {
	c := loggedIn(t, nil, []string{"TOP"}, func(s *script) {
		s.expect("TOP 1 0")
		s.send("+OK", "Subject: cut sho", ".") // Maillennium
		s.expect("RETR 1")
		s.send("+OK", "Subject: cut short", "", "not", ".")
	})
	b, err := c.Top(t.Context(), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, b)
	if b, err = c.Retr(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); err != nil || string(got) != "Subject: cut short\r\n\r\nnot\r\n" {
		t.Errorf("Retr = %q, %v", got, err)
	}
}

func faultLongLine(t *testing.T) {
	const megabytes = 32
	c := loggedIn(t, nil, nil, func(s *script) {
		s.expect("RETR 1")
		s.send("+OK")
		for range megabytes {
			s.raw(strings.Repeat("x", 1<<20))
		}
		s.raw("\r\n.\r\n")
	})
	b, err := c.Retr(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, b); err != nil || n != megabytes<<20+2 {
		t.Errorf("%d octets, %v", n, err)
	}
}

func faultFields(t *testing.T) {
	header := strings.Repeat("X-Field: value\r\n", 100_000)
	c := loggedIn(t, nil, nil, func(s *script) {
		s.expect("RETR 1")
		s.raw("+OK\r\n" + header + ".\r\n")
	})
	b, err := c.Retr(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := io.Copy(&got, b); err != nil || got.String() != header {
		t.Errorf("%d octets, %v", got.Len(), err)
	}
}

func faultPoison(t *testing.T) {
	c := loggedIn(t, nil, pipelining, func(s *script) {
		s.expect("RETR 1", "RETR 2", "RETR 3")
		s.send("+OK", "one", ".", "-ERR [SYS/PERM] cannot read it", "+OK", "three", ".")
	})
	var got []string
	for b, err := range c.RetrEach(t.Context(), pop3client.Entry{Number: 1}, pop3client.Entry{Number: 2}, pop3client.Entry{Number: 3}) {
		var m *pop3client.MessageError
		if errors.As(err, &m) {
			got = append(got, fmt.Sprint(m.Number, errors.Is(err, pop3client.ErrGone)))
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(b)
		got = append(got, fmt.Sprintf("%s%v", text, err))
	}
	if want := "[one\r\n<nil> 2 false three\r\n<nil>]"; fmt.Sprint(got) != want {
		t.Errorf("got %q, want %q", fmt.Sprint(got), want)
	}
}

func faultPoisonDrop(t *testing.T) {
	c := loggedIn(t, nil, pipelining, func(s *script) {
		s.expect("RETR 1", "RETR 2", "RETR 3")
		s.send("+OK", "one", ".")
	})
	var last error
	for _, err := range c.RetrEach(t.Context(), pop3client.Entry{Number: 1}, pop3client.Entry{Number: 2}, pop3client.Entry{Number: 3}) {
		last = err
	}
	if !errors.Is(last, pop3client.ErrUnavailable) || !errors.Is(last, pop3client.ErrDesync) || !strings.Contains(last.Error(), "RETR 2") {
		t.Errorf("%v, want ErrUnavailable and ErrDesync, and the message's number in it", last)
	}
}

// A TLS connection that ends within a message, with close_notify (which only
// says that no one in the middle did it) and without.
func faultTLS(t *testing.T) {
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for _, notify := range []bool{true, false} {
		for _, text := range []string{"", "half", "all of it\r\n", "all of it\r\n.", "all of it\r\n.\r"} {
			conn := connect(t, func(s *script) {
				raw := s.Conn
				secure := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}})
				s.Conn = secure
				s.r.Reset(secure)
				s.send("+OK ready")
				s.capa()
				s.expect("RETR 1")
				s.raw("+OK\r\n" + text)
				if notify {
					secure.Close()
				}
			})
			c, err := pop3client.New(t.Context(), tls.Client(conn, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}), nil)
			if err != nil {
				t.Fatal(err)
			}
			b, err := c.Retr(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(b); !errors.Is(err, pop3client.ErrTruncated) || c.Err() == nil {
				t.Errorf("cut after %q, close_notify %v: %q, %v, want ErrTruncated", text, notify, got, err)
			}
		}
	}
}

func faultEndless(t *testing.T) {
	c := loggedIn(t, &pop3client.Options{MaxMessageSize: 100_000, MaxDrain: 1 << 20}, nil, func(s *script) {
		s.expect("RETR 1")
		s.send("+OK")
		line := strings.Repeat("x", 1000) + "\r\n"
		for {
			if _, err := io.WriteString(s.Conn, line); err != nil {
				return
			}
		}
	})
	var errs []error
	for b, err := range c.RetrEach(t.Context(), pop3client.Entry{Number: 1, Size: 10}, pop3client.Entry{Number: 2, Size: 10}) {
		if err == nil {
			_, err = io.Copy(io.Discard, b)
		}
		errs = append(errs, err)
	}
	if len(errs) != 2 || !errors.Is(errs[0], pop3client.ErrTooLarge) || !errors.Is(errs[1], pop3client.ErrAbandoned) {
		t.Errorf("%v, want ErrTooLarge for the message and ErrAbandoned for the session", errs)
	}
}
