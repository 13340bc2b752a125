package imapclient_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/imapclient"
	"example.com/postbag/internal/session"
	"example.com/postbag/internal/testca"
)

// starttlsAt is DialStartTLS to a server that is a function, which is told
// what the client has sent before TLS.
func starttlsAt(t *testing.T, o imapclient.Options, serve func(server net.Conn)) (*imapclient.Client, error) {
	t.Helper()
	client, server := session.Pipe()
	var both sync.WaitGroup
	both.Go(func() {
		defer server.Close()
		serve(server)
	})
	o.Dial = func(context.Context, string, string) (net.Conn, error) { return client, nil }
	c, err := imapclient.DialStartTLS(t.Context(), "mail.example.org:143", &o)
	t.Cleanup(func() {
		if c != nil {
			c.Close()
		}
		client.Close()
		both.Wait()
	})
	return c, err
}

// agree greets, and agrees to STARTTLS.
func agree(server net.Conn) {
	io.WriteString(server, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n")
	io.ReadFull(server, make([]byte, len("A1 STARTTLS\r\n")))
	io.WriteString(server, "A1 OK begin\r\n")
}

func TestTLSFaults(t *testing.T) {
	const greeting, ask = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready", "C: a1 STARTTLS"
	for _, tt := range []struct {
		name, script string
		want         error
	}{
		{"F95 STARTTLS NO", lines(greeting, ask, "S: a1 NO not today"), imapclient.ErrTLS},
		{"F95 STARTTLS BAD", lines(greeting, ask, "S: a1 BAD what"), imapclient.ErrTLS},
		{"F95 no STARTTLS", lines("S: * OK [CAPABILITY IMAP4rev1] ready"), imapclient.ErrTLS},
		{"F95 garbage", lines(greeting, ask, "S: + go on"), imapclient.ErrProtocol},
		{"F95 silence, then the end", lines(greeting, ask, "= CLOSE"), imapclient.ErrUnavailable},
		{"F96 behind the OK", lines(greeting, ask, "S: a1 OK begin", "S: * PREAUTH injected"), imapclient.ErrTLS},
		{"F98 PREAUTH without TLS", lines("S: * PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] ready"), imapclient.ErrTLS},
		{"F100 goes on without TLS", lines(greeting, ask, "S: a1 OK begin", "S: * OK ready", "S: * OK ready"), imapclient.ErrTLS},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := starttls(t, tt.script)
			wants(t, "DialStartTLS", err, tt.want)
		})
	}
	t.Run("F96 a second behind the OK, and part of a record", func(t *testing.T) {
		for _, injected := range []string{"* PREAUTH injected\r\n", "\x16\x03\x03\x02\x00half", "\x17\x03\x03\x00\x05hello"} {
			synctest.Test(t, func(t *testing.T) {
				_, err := starttlsAt(t, imapclient.Options{}, func(server net.Conn) {
					agree(server)
					go io.Copy(io.Discard, server)
					time.Sleep(time.Second)
					io.WriteString(server, injected)
				})
				if !errors.Is(err, imapclient.ErrTLS) && !errors.Is(err, imapclient.ErrUnavailable) {
					t.Errorf("%q: %v", injected, err)
				}
			})
		}
	})
	t.Run("F97 OK before it is asked", func(t *testing.T) {
		heard := make(chan []byte, 1)
		_, err := starttlsAt(t, imapclient.Options{}, func(server net.Conn) {
			io.WriteString(server, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nA1 OK begin\r\n")
			line := make([]byte, len("A1 STARTTLS\r\n"))
			io.ReadFull(server, line)
			io.WriteString(server, "A1 OK begin\r\n") // the server's own
			rest, _ := io.ReadAll(server)
			heard <- append(line, rest...)
		})
		wants(t, "DialStartTLS", err, imapclient.ErrTLS)
		if b, ok := strings.CutPrefix(string(<-heard), "A1 STARTTLS\r\n"); !ok || b != "" && b[0] != '\x16' && b[0] != '\x15' {
			t.Errorf("without TLS the client sends %q", b)
		}
	})
	t.Run("F98 PREAUTH after STARTTLS", func(t *testing.T) {
		_, err := starttls(t, lines(greeting, ask, "S: * PREAUTH hi", "S: a1 OK begin", "= TLS"))
		if err != nil {
			t.Fatal(err) // it is no greeting any more, and nothing
		}
	})
	t.Run("F99 told before TLS", func(t *testing.T) {
		c, err := starttls(t, lines(greeting, ask, `S: * LIST () "/" injected`, "S: * 7 EXISTS", "S: * 1 FETCH (UID 1 FLAGS (injected))", "S: * CAPABILITY IMAP4rev1 AUTH=INJECTED", "S: * OK [REFERRAL imap://evil.example/] go there", "S: * OK [ALERT] call us",
			"S: a1 OK begin", "= TLS", "C: a2 CAPABILITY", "S: * CAPABILITY IMAP4rev1", "S: a2 OK", "C: a3 LOGIN …", "S: a3 OK [CAPABILITY IMAP4rev1] in", `C: a4 LIST "" "*"`, `S: * LIST () "/" INBOX`, "S: a4 OK", "C: a5 NOOP", "S: a5 OK"))
		if err != nil {
			t.Fatal(err)
		}
		if got := has(t, c, "IMAP4rev1", "AUTH=INJECTED"); got != "IMAP4rev1" {
			t.Errorf("capabilities %s", got)
		}
		mustLogin(t, c)
		if list, err := c.Mailboxes(t.Context(), ""); err != nil || len(list) != 1 || list[0].Name != "INBOX" {
			t.Errorf("%v, %v", list, err)
		}
		if a, err := c.Noop(t.Context()); err != nil || a.Any() || a.Messages != 0 {
			t.Errorf("%+v, %v", a, err)
		}
	})
	t.Run("F102 a handshake without end", func(t *testing.T) {
		for name, pause := range map[string]time.Duration{"silence": time.Hour, "an octet a second": time.Second} {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := starttlsAt(t, imapclient.Options{}, func(server net.Conn) {
					agree(server)
					io.ReadFull(server, make([]byte, 1)) // the handshake has begun
					for _, err := io.WriteString(server, "\x16\x03\x03\x3f\x00"); err == nil; _, err = io.WriteString(server, "x") {
						time.Sleep(pause)
					}
				})
				wants(t, name, err, imapclient.ErrUnavailable)
				if took := time.Since(start); took != 30*time.Second {
					t.Errorf("%s: given up after %v", name, took)
				}
			})
		}
	})
	t.Run("F103 an old version", func(t *testing.T) {
		// That a server may not renegotiate is the default of crypto/tls.
		_, err := starttlsAt(t, imapclient.Options{TLSConfig: &tls.Config{MinVersion: tls.VersionTLS10}}, func(server net.Conn) {
			agree(server)
			tls.Server(server, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
		})
		wants(t, "DialStartTLS", err, imapclient.ErrTLS)
	})
}

func TestBadCertificates(t *testing.T) {
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	other, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		name  string
		by    *testca.Authority
		until time.Time
		hosts []string
		clock time.Duration
	}{
		{"F101 expired", ca, time.Now().Add(-time.Minute), []string{"mail.example.org"}, 0},
		{"F101 not valid yet", ca, soon, []string{"mail.example.org"}, -10 * 365 * 24 * time.Hour},
		{"F101 another name", ca, soon, []string{"mail.example.com"}, 0},
		{"F101 the domain alone", ca, soon, []string{"example.org"}, 0},
		{"F101 a wildcard that is too deep", ca, soon, []string{"*.mail.example.org"}, 0},
		{"F101 a wildcard for a top-level domain", ca, soon, []string{"*.org"}, 0},
		{"F101 an address", ca, soon, []string{"127.0.0.1"}, 0},
		{"F101 no name", ca, soon, nil, 0},
		{"F101 unknown authority", other, soon, []string{"mail.example.org"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert, err := tt.by.Issue(tt.until, tt.hosts...)
			if err != nil {
				t.Fatal(err)
			}
			heard := make(chan string, 1)
			_, err = starttlsAt(t, imapclient.Options{TLSConfig: &tls.Config{RootCAs: ca.Pool(), Time: func() time.Time { return time.Now().Add(tt.clock) }}}, func(server net.Conn) {
				agree(server)
				s := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert}})
				line, _ := bufio.NewReader(s).ReadString('\n')
				heard <- line
			})
			wants(t, "DialStartTLS", err, imapclient.ErrTLS)
			if line := <-heard; line != "" {
				t.Errorf("the client sends %q", line)
			}
		})
	}
}

// A line that is cut under TLS, without its farewell, is the end of nothing.
func TestTLSCut(t *testing.T) {
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "mail.example.org")
	if err != nil {
		t.Fatal(err)
	}
	steps := []string{"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n", "* 1 EXISTS\r\nT1 OK [READ-WRITE] done\r\n", "* 1 FETCH (UID 1 RFC822.SIZE 4 BODY[] {4}\r\n", "bo", "dy", ")\r\n", "A1 OK"}
	for n := range len(steps) + 1 {
		t.Run(fmt.Sprintf("F104 after %d steps", n), func(t *testing.T) {
			client, server := session.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				s := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert}})
				if s.Handshake() == nil {
					io.WriteString(s, strings.Join(steps[:n], ""))
					commands := bufio.NewReader(s)
					for range min(max(n-1, 0), 2) {
						commands.ReadString('\n')
					}
				}
				server.Close() // and not that of TLS
			}()
			c, err := imapclient.Dial(t.Context(), "mail.example.org:993", &imapclient.Options{TLSConfig: &tls.Config{RootCAs: ca.Pool()},
				Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }})
			defer func() { client.Close(); <-done }()
			if n == 0 {
				wants(t, "Dial", err, imapclient.ErrUnavailable)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Select(t.Context(), "INBOX")
			if n == 1 {
				wants(t, "Select", err, imapclient.ErrUnavailable)
				return
			}
			f := fetchAll(t, c, 1)
			if !errors.Is(f.last, imapclient.ErrUnavailable) || n <= 4 && len(f.bodies) > 0 || n == 4 && !errors.Is(f.gone[1], imapclient.ErrTruncated) {
				t.Errorf("bodies %v, errors %v, %v", f.bodies, f.gone, f.last)
			}
		})
	}
}
