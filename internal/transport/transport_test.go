package transport_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/internal/testca"
	"example.com/postbag/internal/transport"
)

// pair returns a Conn and the server's end of it.
func pair(t *testing.T, o *transport.Options) (*transport.Conn, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := transport.New(client, "localhost", o)
	t.Cleanup(func() { c.Close(); server.Close() })
	return c, server
}

func TestLine(t *testing.T) {
	const limit = 100_000
	long := strings.Repeat("x", 80_000) + "\r\n" // longer than the buffer
	c, server := pair(t, nil)
	go func() {
		io.WriteString(server, "one\r\n\n"+long+"rest"+strings.Repeat("y", 3*limit))
	}()
	for _, want := range []string{"one\r\n", "\n", long} {
		got, err := c.Line(limit)
		if err != nil || string(got) != want {
			t.Fatalf("Line = %.20q, %v, want %.20q", got, err, want)
		}
	}
	if _, err := c.Line(limit); !errors.Is(err, transport.ErrProtocol) {
		t.Fatalf("a line without end: %v, want ErrProtocol", err)
	}
	if _, err := c.Line(limit); !errors.Is(err, transport.ErrProtocol) {
		t.Fatalf("the error is not kept: %v", err)
	}
}

func TestStall(t *testing.T) {
	c, server := pair(t, &transport.Options{StallTimeout: 20 * time.Millisecond})
	go io.WriteString(server, "half a li")
	_, err := c.Line(100)
	if !errors.Is(err, transport.ErrUnavailable) || !strings.Contains(err.Error(), "no data for") {
		t.Fatalf("a silent server: %v, want ErrUnavailable", err)
	}
	c, _ = pair(t, &transport.Options{StallTimeout: 20 * time.Millisecond})
	var werr error
	for werr == nil { // until the buffers of both sides are full
		_, werr = c.Write(make([]byte, 1<<20))
	}
	if !errors.Is(werr, transport.ErrUnavailable) {
		t.Fatalf("a server that takes nothing: %v, want ErrUnavailable", werr)
	}
}

func TestHangUp(t *testing.T) {
	c, server := pair(t, nil)
	go func() { io.WriteString(server, "half"); server.Close() }()
	_, err := c.Line(100)
	if !errors.Is(err, transport.ErrUnavailable) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("%v, want ErrUnavailable and io.ErrUnexpectedEOF", err)
	}
}

func TestCancel(t *testing.T) {
	c, _ := pair(t, nil)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	release := c.Bind(ctx)
	cancel(cause)
	if _, err := c.Line(100); !errors.Is(err, cause) {
		t.Fatalf("%v, want the cause", err)
	}
	release()

	c, _ = pair(t, nil)
	c.Bind(ctx) // over already
	if err := c.Err(); !errors.Is(err, cause) {
		t.Fatalf("bound to a context that is over: %v, want its cause", err)
	}

	c, server := pair(t, nil)
	ctx, cancel = context.WithCancelCause(t.Context())
	c.Bind(ctx)()
	cancel(cause) // after release: of no effect
	go io.WriteString(server, "still here\r\n")
	if line, err := c.Line(100); err != nil {
		t.Fatalf("Line = %q, %v after a context that was released", line, err)
	}
}

func TestStats(t *testing.T) {
	c, server := pair(t, nil)
	go func() {
		buf := make([]byte, 100)
		for range 2 {
			io.ReadFull(server, buf[:len("two writes")])
			io.WriteString(server, "answer\r\n")
		}
	}()
	for range 2 {
		c.Write([]byte("two "))
		c.Write([]byte("writes"))
		if _, err := c.Line(100); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := c.Stats(), (transport.Stats{In: 16, Out: 20, RoundTrips: 2}); got != want {
		t.Fatalf("Stats = %+v, want %+v", got, want)
	}
}

// startTLS lets a client upgrade against a server that sends extra ahead of
// its handshake and shows cert.
func startTLS(t *testing.T, roots *x509.CertPool, cert tls.Certificate, extra string) error {
	c, server := pair(t, &transport.Options{TLSConfig: &tls.Config{RootCAs: roots}})
	go func() {
		io.WriteString(server, "go ahead\r\n"+extra)
		s := tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert}})
		if s.Handshake() == nil {
			io.WriteString(s, "secret\r\n")
		}
		server.Close()
	}()
	if _, err := c.Line(100); err != nil {
		t.Fatal(err)
	}
	if err := c.StartTLS(t.Context()); err != nil {
		if _, err := c.Line(100); err == nil {
			t.Error("the connection is usable after a failed upgrade")
		}
		return err
	}
	if line, err := c.Line(100); err != nil || string(line) != "secret\r\n" {
		t.Errorf("over TLS: %q, %v", line, err)
	}
	return nil
}

func TestStartTLS(t *testing.T) {
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
		roots *x509.CertPool
		until time.Time
		host  string
		extra string
		want  string // in the error, "" for none
	}{
		{"good", ca.Pool(), soon, "localhost", "", ""},
		{"unknown authority", other.Pool(), soon, "localhost", "", "unknown authority"},
		{"expired", ca.Pool(), time.Now().Add(-time.Hour), "localhost", "", "expired"},
		{"wrong name", ca.Pool(), soon, "elsewhere.example", "", "elsewhere.example"},
		{"data ahead of the handshake", ca.Pool(), soon, "localhost", "* injected\r\n", "ahead of the handshake"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert, err := ca.Issue(tt.until, tt.host)
			if err != nil {
				t.Fatal(err)
			}
			err = startTLS(t, tt.roots, cert, tt.extra)
			if tt.want == "" && err == nil {
				return
			}
			if tt.want == "" || !errors.Is(err, transport.ErrTLS) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("StartTLS = %v, want ErrTLS with %q", err, tt.want)
			}
		})
	}
}

// A line that is cut within the handshake says nothing against the server.
func TestCutHandshake(t *testing.T) {
	for _, said := range []string{"", "\x16\x03"} {
		c, server := pair(t, nil)
		go func() { io.WriteString(server, said); server.(*net.TCPConn).CloseWrite() }()
		if err := c.StartTLS(t.Context()); !errors.Is(err, transport.ErrUnavailable) || errors.Is(err, transport.ErrTLS) {
			t.Errorf("after %q: %v, want ErrUnavailable", said, err)
		}
	}
	c, server := pair(t, nil)
	go func() { io.WriteString(server, "this is not TLS\r\n"); server.(*net.TCPConn).CloseWrite() }()
	if err := c.StartTLS(t.Context()); !errors.Is(err, transport.ErrTLS) {
		t.Errorf("a server without TLS: %v, want ErrTLS", err)
	}
}

func TestOldTLS(t *testing.T) {
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	// Even a caller's TLSConfig cannot ask for less than TLS 1.2.
	c, server := pair(t, &transport.Options{TLSConfig: &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS10}})
	go tls.Server(server, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}).Handshake()
	if err := c.StartTLS(t.Context()); !errors.Is(err, transport.ErrTLS) {
		t.Fatalf("TLS 1.1: %v, want ErrTLS", err)
	}
}

func TestDial(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	if _, err := transport.Dial(t.Context(), addr, nil); !errors.Is(err, transport.ErrUnavailable) {
		t.Errorf("a refused port: %v, want ErrUnavailable", err)
	}
	if _, err := transport.Dial(t.Context(), "no port", nil); !errors.Is(err, transport.ErrUnavailable) {
		t.Errorf("no address: %v, want ErrUnavailable", err)
	}
	var dialled string
	transport.Dial(t.Context(), "bücher.example:993", &transport.Options{
		Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = addr
			return nil, errors.New("not today")
		},
	})
	if want := "xn--bcher-kva.example:993"; dialled != want {
		t.Errorf("dialled %q, want %q", dialled, want)
	}
}

func TestTranscript(t *testing.T) {
	var b bytes.Buffer
	tr := transport.NewTranscript(&b)
	tr.Client([]byte("USER joe\r\n"))
	tr.Server([]byte("+OK\r\n"))
	tr.Server([]byte("+OK bare LF\n"))
	tr.Omitted(12)
	tr.Begins("TLS")
	tr.Note("a %s", "remark")
	want := "C: USER joe\nS: +OK\nS64: K09LIGJhcmUgTEYK\nS*: 12\n= TLS\n# a remark\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	transport.NewTranscript(nil).Client([]byte("nobody listens")) // must not panic
}

// What came before a failed Send can still be read, and then its error comes.
func TestSend(t *testing.T) {
	broken := errors.New("broken pipe")
	client, server := net.Pipe()
	c := transport.New(&deaf{Conn: client, err: broken}, "localhost", nil)
	t.Cleanup(func() { c.Close(); server.Close() })
	go func() {
		io.WriteString(server, "* BYE so long\r\n")
		server.Close()
	}()
	for range 2 {
		if _, err := c.Send([]byte("x")); !errors.Is(err, broken) || !errors.Is(err, transport.ErrUnavailable) {
			t.Errorf("Send = %v", err)
		}
	}
	if err := c.Err(); err != nil {
		t.Errorf("after Send, before reading: %v", err)
	}
	if line, err := c.Line(100); err != nil || string(line) != "* BYE so long\r\n" {
		t.Errorf("Line = %q, %v", line, err)
	}
	if _, err := c.Line(100); !errors.Is(err, broken) || !errors.Is(c.Err(), broken) {
		t.Errorf("at the end: %v, %v", err, c.Err())
	}
}

// A server that neither takes anything nor hangs up is read from for 2 seconds.
func TestSendEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken pipe")
		client, server := net.Pipe()
		c := transport.New(&deaf{Conn: client, err: broken}, "localhost", &transport.Options{StallTimeout: -1})
		defer server.Close()
		defer c.Close()
		began := time.Now()
		read := make(chan error)
		go func() { _, err := c.Line(100); read <- err }()
		synctest.Wait() // it reads already
		c.Send([]byte("x"))
		if err := <-read; !errors.Is(err, broken) || time.Since(began) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// deaf cannot be written to.
type deaf struct {
	net.Conn
	err error
}

func (d *deaf) Write([]byte) (int, error) { return 0, d.err }

// The error of a connection that is closed within the handshake is that it is closed.
func TestCloseWithinHandshake(t *testing.T) {
	c, server := pair(t, nil)
	go func() {
		io.ReadFull(server, make([]byte, 1))
		c.Close()
	}()
	if err := c.StartTLS(t.Context()); !errors.Is(err, transport.ErrClosed) || errors.Is(err, transport.ErrUnavailable) {
		t.Errorf("%v, want ErrClosed", err)
	}
}
