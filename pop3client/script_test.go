package pop3client_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	memory "example.com/postbag/internal/session"
	"example.com/postbag/pop3client"
)

// TestMain sees to it that no test leaves a goroutine of the client behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftBehind(); left != "" && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left behind:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftBehind returns the stacks of goroutines of the client, after some time
// to end.
func leftBehind() string {
	var left []string
	for range 100 {
		left = left[:0]
		buf := make([]byte, 1<<20)
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "/pop3client.(") {
				left = append(left, g)
			}
		}
		if len(left) == 0 {
			return ""
		}
		time.Sleep(20 * time.Millisecond)
	}
	return strings.Join(left, "\n\n")
}

// script is the server's side of a scripted session.
type script struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

// send sends a line as it is, with CRLF.
func (s *script) send(lines ...string) {
	for _, l := range lines {
		s.raw(l + "\r\n")
	}
}

// raw sends octets. That the client has gone is no error: it may have to.
func (s *script) raw(octets string) { io.WriteString(s.Conn, octets) }

// expect reads lines, which must be these.
func (s *script) expect(lines ...string) {
	for _, want := range lines {
		got, err := s.r.ReadString('\n')
		if err != nil || got != want+"\r\n" {
			s.t.Errorf("the client sends %q, %v, want %q", got, err, want)
			runtime.Goexit()
		}
	}
}

// expectEnd reads until the client hangs up, which it must without a word.
func (s *script) expectEnd() {
	if rest, _ := io.ReadAll(s.r); len(rest) > 0 {
		s.t.Errorf("the client sends %q, want nothing more", rest)
	}
}

// login is the usual beginning, up to and with Client.Login("joe", "secret").
func (s *script) login(capa ...string) {
	s.send("+OK ready")
	s.capa(capa...)
	s.expect("USER joe")
	s.send("+OK")
	s.expect("PASS secret")
	s.send("+OK")
	s.capa(capa...)
}

func (s *script) capa(capa ...string) {
	s.expect("CAPA")
	s.send("+OK")
	s.send(capa...)
	s.send(".")
}

// connect returns the client's end of a connection to the script. The test
// waits for the script's end.
func connect(t *testing.T, f func(s *script)) net.Conn {
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
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer server.Close()
		f(&script{t, server, bufio.NewReader(server)})
	}()
	t.Cleanup(func() {
		client.Close()
		<-done
	})
	return client
}

// start begins a session with the script, without TLS.
func start(t *testing.T, o *pop3client.Options, f func(s *script)) (*pop3client.Client, error) {
	t.Helper()
	if o == nil {
		o = &pop3client.Options{}
	}
	o.AllowPlaintext = true
	c, err := pop3client.New(t.Context(), connect(t, f), o)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// loggedIn begins a session with a script that continues after script.login.
func loggedIn(t *testing.T, o *pop3client.Options, capa []string, f func(s *script)) *pop3client.Client {
	t.Helper()
	c, err := start(t, o, func(s *script) {
		s.login(capa...)
		f(s)
	})
	if err == nil {
		err = c.Login(t.Context(), "joe", "secret")
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// timed does with a client that is logged in what takes time: in a bubble of
// testing/synctest, in memory, so that no limit is reached for want of a CPU.
func timed(t *testing.T, capa []string, f func(s *script), do func(t *testing.T, c *pop3client.Client)) {
	t.Helper()
	timedOver(t, func(c net.Conn) net.Conn { return c }, capa, f, do)
}

// timedOver is timed over a connection that the client sees through wrap.
func timedOver(t *testing.T, wrap func(net.Conn) net.Conn, capa []string, f func(s *script), do func(t *testing.T, c *pop3client.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		client, server := memory.Pipe()
		var both sync.WaitGroup
		defer both.Wait()
		both.Go(func() {
			defer server.Close()
			s := &script{t, server, bufio.NewReader(server)}
			s.login(capa...)
			f(s)
		})
		c, err := pop3client.New(t.Context(), wrap(client), &pop3client.Options{AllowPlaintext: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Login(t.Context(), "joe", "secret"); err != nil {
			t.Fatal(err)
		}
		do(t, c)
	})
}

var pipelining = []string{"PIPELINING", "UIDL", "TOP"}
