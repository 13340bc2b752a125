package pop3client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/postbag/internal/pop3server"
	"example.com/postbag/pop3client"
)

// messages delivers n messages to a server.
func messages(srv *pop3server.Server, n int) [][]byte {
	var all [][]byte
	for i := range n {
		m := fmt.Appendf(nil, "Subject: %d\r\n\r\n.\r\n+OK no reply\r\n%s\r\n", i, strings.Repeat("x", i*37%5000))
		srv.Deliver(m)
		all = append(all, m)
	}
	return all
}

func entries(t testing.TB, c *pop3client.Client) []pop3client.Entry {
	t.Helper()
	list, err := c.Listing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// windows are the settings under which every loop must give the same.
var windows = []struct {
	name string
	srv  pop3server.Options
	opts pop3client.Options
}{
	{"pipelined", pop3server.Options{}, pop3client.Options{}},
	{"small window", pop3server.Options{}, pop3client.Options{Window: 3}},
	{"window of 2", pop3server.Options{}, pop3client.Options{Window: 2}},
	{"few octets", pop3server.Options{}, pop3client.Options{WindowOctets: 6000}},
	{"one octet", pop3server.Options{}, pop3client.Options{WindowOctets: 1}},
	{"switched off", pop3server.Options{}, pop3client.Options{Window: 1}},
	{"not offered", pop3server.Options{NoPipelining: true}, pop3client.Options{}},
	{"no CAPA", pop3server.Options{NoCAPA: true}, pop3client.Options{}},
	{"forced", pop3server.Options{NoCAPA: true}, pop3client.Options{ForcePipelining: true}},
}

func TestEach(t *testing.T) {
	for _, tt := range windows {
		t.Run(tt.name, func(t *testing.T) {
			tt.srv.User, tt.srv.Password = "joe", "secret"
			srv := serve(t, tt.srv)
			all := messages(srv, 300)
			c := session(t, srv, &tt.opts)
			list := entries(t, c)
			list = slices.Insert(list, 7, pop3client.Entry{Number: 4711})
			i := 0
			for b, err := range c.RetrEach(t.Context(), list...) {
				e := list[i]
				if i++; e.Number == 4711 {
					var m *pop3client.MessageError
					if !errors.As(err, &m) || m.Number != 4711 || !errors.Is(err, pop3client.ErrGone) {
						t.Fatalf("a message that is not there: %v", err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("RETR %d: %v", e.Number, err)
				}
				if i%10 == 3 { // some are not read, or not to their end
					io.CopyN(io.Discard, b, int64(i%20))
					continue
				}
				if got, err := io.ReadAll(b); err != nil || b.Number() != e.Number || !bytes.Equal(got, all[e.Number-1]) {
					t.Fatalf("message %d: number %d, %q, %v", e.Number, b.Number(), got, err)
				}
			}
			if i != len(list) {
				t.Errorf("RetrEach yields %d messages, want %d", i, len(list))
			}
			i = 0
			for b, err := range c.TopEach(t.Context(), 1, list...) {
				if i++; err != nil {
					continue
				}
				want := fmt.Sprintf("Subject: %d\r\n\r\n.\r\n", b.Number()-1)
				if got, err := io.ReadAll(b); err != nil || string(got) != want {
					t.Fatalf("TOP %d: %q, %v, want %q", b.Number(), got, err, want)
				}
			}
			if i != len(list) {
				t.Errorf("TopEach yields %d messages, want %d", i, len(list))
			}
			if err := c.Quit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBreak(t *testing.T) {
	for _, tt := range windows {
		t.Run(tt.name, func(t *testing.T) {
			tt.srv.User, tt.srv.Password = "joe", "secret"
			srv := serve(t, tt.srv)
			all := messages(srv, 300)
			c := session(t, srv, &tt.opts)
			list := entries(t, c)
			for stop := range 5 {
				i := 0
				var last *pop3client.Body
				for b, err := range c.RetrEach(t.Context(), list...) {
					if err != nil {
						t.Fatal(err)
					}
					io.CopyN(io.Discard, b, int64(stop*7))
					last = b
					if i++; i > stop {
						break
					}
				}
				if _, err := io.ReadAll(last); err == nil {
					t.Error("a body can be read after its loop")
				}
				b, err := c.Retr(t.Context(), 200)
				if err != nil {
					t.Fatalf("Retr after break: %v", err)
				}
				if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, all[199]) {
					t.Fatalf("Retr after break: %q, %v", got, err)
				}
			}
			for range c.RetrEach(t.Context(), list...) {
				break
			}
			if results, err := c.Dele(t.Context(), 1, 4711, 2); err != nil || results[0] != nil || results[2] != nil || !errors.Is(results[1], pop3client.ErrGone) {
				t.Errorf("Dele after break = %v, %v", results, err)
			}
			if err := c.Quit(t.Context()); err != nil {
				t.Error(err)
			}
			if n := len(srv.Messages()); n != 298 {
				t.Errorf("%d messages are left, want 298", n)
			}
		})
	}
}

// Breaking out while the server takes nothing more, because no one reads
// what it sends, must not hang: both sides are full.
func TestBreakWithFullBuffers(t *testing.T) {
	const n = 5000
	conn := connect(t, func(s *script) {
		small(s.Conn)
		s.login(pipelining...)
		text := strings.Repeat("x", 1000)
		for range n {
			if _, err := s.r.ReadString('\n'); err != nil {
				return
			}
			s.send("+OK", text, ".")
		}
		s.expect("NOOP")
		s.send("+OK")
	})
	small(conn)
	c, err := pop3client.New(t.Context(), conn, &pop3client.Options{AllowPlaintext: true, Window: n, WindowOctets: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(t.Context(), "joe", "secret"); err != nil {
		t.Fatal(err)
	}
	list := make([]pop3client.Entry, n)
	for i := range list {
		list[i] = pop3client.Entry{Number: i + 1, Size: 1002}
	}
	var body *pop3client.Body
	for b, err := range c.RetrEach(t.Context(), list...) {
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // until it is so
		io.CopyN(io.Discard, b, 10)
		body = b
		break
	}
	if got, err := io.ReadAll(body); err == nil {
		t.Errorf("the body can be read after its loop: %.20q", got)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

// small gives a connection small buffers.
func small(c net.Conn) {
	c.(*net.TCPConn).SetReadBuffer(4096)
	c.(*net.TCPConn).SetWriteBuffer(4096)
}

func TestBusy(t *testing.T) {
	srv := serve(t, pop3server.Options{User: "joe", Password: "secret"})
	messages(srv, 3)
	c := session(t, srv, nil)
	n := 0
	for b, err := range c.RetrEach(t.Context(), entries(t, c)...) {
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Noop(t.Context()); err == nil {
			t.Error("Noop works within the loop")
		}
		if err := c.Quit(t.Context()); err == nil {
			t.Error("Quit works within the loop")
		}
		if _, err := io.ReadAll(b); err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 3 || c.Err() != nil {
		t.Errorf("%d messages, %v", n, c.Err())
	}
}

// The smuggling case: a message that holds what looks like its end and like
// replies, on a pipelined session.
func TestSmuggling(t *testing.T) {
	srv := serve(t, pop3server.Options{User: "joe", Password: "secret"})
	evil := []byte("Subject: evil\r\n\r\nhello\n.\n+OK\r\nSubject: forged\r\n\r\n\n.\r\n-ERR\r\n.\n")
	srv.Deliver(evil)
	good := []byte("Subject: good\r\n\r\nunharmed\r\n")
	srv.Deliver(good)
	c := session(t, srv, nil)
	var got [][]byte
	var read []int
	for b, err := range c.RetrEach(t.Context(), entries(t, c)...) {
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(b)
		if err != nil {
			t.Fatal(err)
		}
		got, read = append(got, data), append(read, b.Number())
	}
	if len(got) != 2 || !bytes.Equal(got[0], append(evil, "\r\n"...)) || !bytes.Equal(got[1], good) {
		t.Fatalf("got %q", got)
	}
	if _, err := c.Dele(t.Context(), read...); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(t.Context()); err != nil || len(srv.Messages()) != 0 {
		t.Errorf("Quit = %v, %d messages left", err, len(srv.Messages()))
	}
}

// Replies that come before their commands answer something else.
func TestEachOutOfTurn(t *testing.T) {
	c := loggedIn(t, &pop3client.Options{Window: 2}, pipelining, func(s *script) {
		s.expect("RETR 1", "RETR 2")
		s.raw("+OK\r\none\r\n.\r\n+OK\r\ntwo\r\n.\r\n+OK\r\nsmuggled\r\n.\r\n")
		s.expectEnd()
	})
	var err error
	n := 0
	for _, err = range c.RetrEach(t.Context(), pop3client.Entry{Number: 1}, pop3client.Entry{Number: 2}) {
		n++
	}
	if n != 2 || err != nil {
		t.Fatalf("%d messages, %v", n, err)
	}
	if results, err := c.Dele(t.Context(), 3); !errors.Is(err, pop3client.ErrProtocol) {
		t.Errorf("Dele = %v, %v, want ErrProtocol", results, err)
	}
}

func TestEachFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply string // to the second RETR
		want  error
	}{
		{"no reply", "huh\r\n", pop3client.ErrProtocol},
		{"empty line", "\r\n", pop3client.ErrProtocol},
		{"hang-up", "", pop3client.ErrUnavailable},
		{"hang-up within a message", "+OK\r\nhalf", pop3client.ErrTruncated},
	} {
		for _, capa := range [][]string{pipelining, nil} {
			t.Run(fmt.Sprintf("%s, capabilities %q", tt.name, capa), func(t *testing.T) {
				c := loggedIn(t, nil, capa, func(s *script) {
					s.expect("RETR 1")
					s.send("+OK", "one", ".")
					s.expect("RETR 2")
					s.raw(tt.reply)
				})
				var errs []error
				for b, err := range c.RetrEach(t.Context(), pop3client.Entry{Number: 1}, pop3client.Entry{Number: 2}, pop3client.Entry{Number: 3}) {
					if err == nil {
						io.Copy(io.Discard, b)
					}
					errs = append(errs, err)
				}
				last := errs[len(errs)-1]
				var m *pop3client.MessageError
				if errs[0] != nil || !errors.Is(last, tt.want) || errors.As(last, &m) {
					t.Errorf("errors %v, want the last one to be %v and not a MessageError", errs, tt.want)
				}
				if c.Err() == nil {
					t.Error("the session goes on")
				}
			})
		}
	}
}

func TestEachCancel(t *testing.T) {
	for _, tt := range windows {
		t.Run(tt.name, func(t *testing.T) {
			tt.srv.User, tt.srv.Password = "joe", "secret"
			srv := serve(t, tt.srv)
			messages(srv, 50)
			c := session(t, srv, &tt.opts)
			cause := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var last error
			for _, err := range c.RetrEach(ctx, entries(t, c)...) {
				last = err
				cancel(cause)
			}
			if !errors.Is(last, cause) || !errors.Is(c.Err(), cause) {
				t.Errorf("the loop ends with %v, the session with %v, want the cause", last, c.Err())
			}
		})
	}
}

func TestBreakAbandons(t *testing.T) {
	srv := serve(t, pop3server.Options{User: "joe", Password: "secret"})
	for range 10 {
		srv.Deliver(bytes.Repeat([]byte("x\r\n"), 1000))
	}
	c := session(t, srv, &pop3client.Options{MaxDrain: 20_000})
	for range c.RetrEach(t.Context(), entries(t, c)...) {
		break
	}
	if err := c.Noop(t.Context()); !errors.Is(err, pop3client.ErrAbandoned) {
		t.Errorf("Noop = %v, want ErrAbandoned", err)
	}
	if n := len(srv.Messages()); n != 10 {
		t.Errorf("%d messages are left, want 10", n)
	}
}

// What is not worth waiting for is not waited for.
func TestBreakAbandonsAtOnce(t *testing.T) {
	c := loggedIn(t, &pop3client.Options{MaxDrain: 1000}, pipelining, func(s *script) {
		s.expect("RETR 1", "RETR 2")
		s.send("+OK", "one", ".")
		s.expectEnd()
	})
	for range c.RetrEach(t.Context(), pop3client.Entry{Number: 1, Size: 5}, pop3client.Entry{Number: 2, Size: 2000}) {
		break
	}
	if err := c.Noop(t.Context()); !errors.Is(err, pop3client.ErrAbandoned) {
		t.Errorf("Noop = %v, want ErrAbandoned", err)
	}
}

// late is a connection whose Write returns some time after all is sent, as it
// does where the goroutine has to wait for a CPU.
type late struct{ net.Conn }

func (l late) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	time.Sleep(10 * time.Millisecond)
	return n, err
}

// A writer that is just about to end is waited for, and not the server: it
// may take long over its next reply.
func TestBreakDoesNotWait(t *testing.T) {
	timedOver(t, func(c net.Conn) net.Conn { return late{c} }, pipelining, func(s *script) {
		s.expect("RETR 1", "RETR 2")
		s.send("+OK", "one", ".")
		s.expectEnd()
	}, func(t *testing.T, c *pop3client.Client) {
		start := time.Now()
		for _, err := range c.RetrEach(t.Context(), pop3client.Entry{Number: 1}, pop3client.Entry{Number: 2}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if took := time.Since(start); took > time.Second || c.Err() != nil {
			t.Errorf("leaving the loop takes %v; then %v", took, c.Err())
		}
	})
}
