package pop3client_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"example.com/postbag/internal/pop3server"
	"example.com/postbag/pop3client"
)

func TestCommit(t *testing.T) {
	srv := serve(t, pop3server.Options{User: "joe", Password: "secret"})
	messages(srv, 10)
	left := func() int { return len(srv.Messages()) }

	c := session(t, srv, nil)
	if _, err := c.Dele(t.Context(), 1, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Retr(t.Context(), 1); !errors.Is(err, pop3client.ErrGone) {
		t.Errorf("Retr of a marked message: %v, want ErrGone", err)
	}
	c.Close()
	if left() != 10 {
		t.Fatalf("%d messages after Close, want 10", left())
	}

	c = session(t, srv, nil)
	if _, err := c.Dele(t.Context(), 1, 2); err != nil {
		t.Fatal(err)
	}
	if err := c.Rset(t.Context()); err != nil {
		t.Fatal(err)
	}
	results, err := c.Dele(t.Context(), 3, 3, 99)
	if err != nil || results[0] != nil || !errors.Is(results[1], pop3client.ErrGone) || !errors.Is(results[2], pop3client.ErrGone) {
		t.Fatalf("Dele = %v, %v", results, err)
	}
	if left() != 10 {
		t.Fatalf("%d messages before Quit, want 10", left())
	}
	if err := c.Quit(t.Context()); err != nil || left() != 9 {
		t.Fatalf("Quit = %v, %d messages left, want 9", err, left())
	}
	if err := c.Noop(t.Context()); !errors.Is(err, pop3client.ErrClosed) {
		t.Errorf("Noop after Quit: %v, want ErrClosed", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close after Quit: %v", err)
	}
}

// F18, F20, F22: QUIT is refused, or its reply does not come.
func TestUncommitted(t *testing.T) {
	for _, tt := range []struct{ name, reply string }{
		{"refused", "-ERR some deleted messages not removed\r\n"},
		{"hang-up", ""},
		{"half a reply", "+OK by"},
		{"empty line", "\r\n"},
	} {
		for _, marked := range []bool{true, false} {
			c := loggedIn(t, nil, nil, func(s *script) {
				if marked {
					s.expect("DELE 1")
					s.send("+OK")
				}
				s.expect("QUIT")
				s.raw(tt.reply)
			})
			if marked {
				if _, err := c.Dele(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
			}
			err := c.Quit(t.Context())
			if err == nil || errors.Is(err, pop3client.ErrUncommitted) != marked {
				t.Errorf("%s, with a message marked: %v: Quit = %v", tt.name, marked, err)
			}
			if c.Err() == nil {
				t.Errorf("%s: the session goes on", tt.name)
			}
		}
	}
	t.Run("nothing marked any more", func(t *testing.T) {
		c := loggedIn(t, nil, nil, func(s *script) {
			for _, line := range []string{"DELE 1", "RSET"} {
				s.expect(line)
				s.send("+OK")
			}
			s.expect("QUIT")
		})
		if _, err := c.Dele(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if err := c.Rset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Quit(t.Context()); err == nil || errors.Is(err, pop3client.ErrUncommitted) {
			t.Errorf("Quit = %v, want an error that is not ErrUncommitted", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := loggedIn(t, nil, nil, func(s *script) {
			s.expect("DELE 1")
			s.send("+OK")
			s.expect("QUIT")
			cancel()
			s.expectEnd()
		})
		if _, err := c.Dele(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if err := c.Quit(ctx); !errors.Is(err, pop3client.ErrUncommitted) || !errors.Is(err, context.Canceled) {
			t.Errorf("Quit = %v, want ErrUncommitted and the cause", err)
		}
	})
}

// Leaving a message half-read must not commit anything by accident: Quit
// reads the rest first.
func TestQuitAfterUnread(t *testing.T) {
	c := loggedIn(t, nil, nil, func(s *script) {
		s.expect("RETR 1")
		s.send("+OK", "-ERR within", ".")
		s.expect("QUIT")
		s.send("+OK")
	})
	b, err := c.Retr(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(b, make([]byte, 1))
	if err := c.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReceipt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script func(*script)
		want   pop3client.Receipt
		err    error
	}{
		{"all deleted", func(s *script) {
			s.send("+OK", "+OK", "+OK")
			s.expect("QUIT")
			s.send("+OK")
		}, pop3client.Receipt{Deleted: []int{1, 2, 3, 7}}, nil},
		{"F16: one refused", func(s *script) {
			s.send("+OK", "-ERR [SYS/TEMP] not now", "+OK")
			s.expect("QUIT")
			s.send("+OK")
		}, pop3client.Receipt{Deleted: []int{1, 3, 7}, Kept: []int{2}}, pop3client.ErrUnavailable},
		{"F17: cut at DELE", func(s *script) {
			s.send("+OK")
		}, pop3client.Receipt{Kept: []int{1, 2, 3, 7}}, pop3client.ErrUnavailable},
		{"F18: cut at QUIT", func(s *script) {
			s.send("+OK", "+OK", "+OK")
			s.expect("QUIT")
		}, pop3client.Receipt{Unknown: []int{1, 2, 3, 7}}, pop3client.ErrUnavailable},
		{"F21: some removed", func(s *script) {
			s.send("+OK", "+OK", "+OK")
			s.expect("QUIT")
			s.send("-ERR some deleted messages not removed")
		}, pop3client.Receipt{Unknown: []int{1, 2, 3, 7}}, pop3client.ErrUncommitted},
		{"out of turn before QUIT", func(s *script) {
			s.raw("+OK\r\n+OK\r\n+OK\r\n+OK\r\n")
			s.expectEnd()
		}, pop3client.Receipt{Kept: []int{1, 2, 3, 7}}, pop3client.ErrProtocol},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := loggedIn(t, nil, pipelining, func(s *script) {
				s.expect("DELE 7")
				s.send("+OK")
				s.expect("DELE 3", "DELE 1", "DELE 2", "DELE 1")
				s.send("+OK") // to the first of them
				tt.script(s)
			})
			if _, err := c.Dele(t.Context(), 7); err != nil {
				t.Fatal(err)
			}
			r, err := c.Commit(t.Context(), 3, 1, 2, 1)
			if (err == nil) != (tt.err == nil) || err != nil && !(errors.Is(err, tt.err) && errors.Is(err, pop3client.ErrUncommitted)) {
				t.Errorf("Commit = %v, want %v and ErrUncommitted", err, tt.err)
			}
			if !slices.Equal(r.Deleted, tt.want.Deleted) || !slices.Equal(r.Kept, tt.want.Kept) || !slices.Equal(r.Unknown, tt.want.Unknown) {
				t.Errorf("Commit = %+v, want %+v", r, tt.want)
			}
			if c.Err() == nil {
				t.Error("the session goes on")
			}
		})
	}
}
