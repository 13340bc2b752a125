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
	"testing/iotest"
	"time"

	"example.com/postbag/pop3client"
)

// bodies are what a server sends behind the status line of RETR, up to the
// end of the reply, and the message that it is.
var bodies = []struct {
	name, wire, want string
}{
	{"usual", "Subject: x\r\n\r\ntext\r\n.\r\n", "Subject: x\r\n\r\ntext\r\n"},
	{"F54: empty", ".\r\n", ""},
	{"F54: blank line", "\r\n.\r\n", "\r\n"},
	{"F50: dots", "..\r\n...\r\n..a\r\na.\r\na\r\n....\r\n.\r\n", ".\r\n..\r\n.a\r\na.\r\na\r\n...\r\n"},
	{"F50: unstuffed dot", ".a\r\n.\r\n", "a\r\n"},
	{"F49: LF dot LF", "a\n.\n+OK smuggled\r\nb\r\n.\r\n", "a\n.\n+OK smuggled\r\nb\r\n"},
	{"F49: CRLF dot LF", "a\r\n..\nb\r\n.\r\n", "a\r\n.\nb\r\n"},
	{"F49: CRLF unstuffed dot LF", "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n"},
	{"F49: LF dot CRLF", "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n"},
	{"F49: CR dot CR", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n"},
	{"F49: CRLF dot CR x", "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n"},
	{"F49: CRLF dot CR CRLF", "a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n"},
	{"F53: bare CR, bare LF, NUL, 8-bit, BOM", "\xef\xbb\xbfa\rb\nc\x00\xe4\r\r\n\n\r\n.\r\n", "\xef\xbb\xbfa\rb\nc\x00\xe4\r\r\n\n\r\n"},
	{"F55: replies within", "+OK\r\n-ERR\r\n* BYE\r\n.\r\n", "+OK\r\n-ERR\r\n* BYE\r\n"},
}

// dribble gives out a connection's octets in pieces that end at the cuts.
type dribble struct {
	net.Conn
	pieces []string
}

func (d *dribble) Read(p []byte) (int, error) {
	if len(d.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, d.pieces[0])
	if d.pieces[0] = d.pieces[0][n:]; d.pieces[0] == "" {
		d.pieces = d.pieces[1:]
	}
	return n, nil
}

func (d *dribble) Write(p []byte) (int, error)      { return len(p), nil }
func (d *dribble) Close() error                     { return nil }
func (d *dribble) SetReadDeadline(time.Time) error  { return nil }
func (d *dribble) SetWriteDeadline(time.Time) error { return nil }

// retr retrieves a message of which the server's octets arrive in pieces,
// the status line of RETR first.
func retr(t testing.TB, o *pop3client.Options, pieces ...string) (*pop3client.Client, *pop3client.Body) {
	t.Helper()
	c, err := pop3client.New(t.Context(), &dribble{pieces: append([]string{"+OK\r\n", "-ERR no CAPA\r\n"}, pieces...)}, o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Retr(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return c, b
}

// readers are the ways to read a body.
var readers = []struct {
	name string
	read func(*pop3client.Body) ([]byte, error)
}{
	{"Read", func(b *pop3client.Body) ([]byte, error) { return io.ReadAll(struct{ io.Reader }{b}) }},
	{"Read of one octet", func(b *pop3client.Body) ([]byte, error) { return io.ReadAll(iotest.OneByteReader(b)) }},
	{"WriteTo", func(b *pop3client.Body) ([]byte, error) {
		var buf bytes.Buffer
		_, err := b.WriteTo(&buf)
		return buf.Bytes(), err
	}},
}

func TestBody(t *testing.T) {
	for _, tt := range bodies {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range readers {
				check := func(pieces ...string) {
					t.Helper()
					c, b := retr(t, nil, append(append([]string{"+OK\r\n"}, pieces...), "+OK next\r\n")...)
					if b.Number() != 1 {
						t.Fatalf("Number = %d", b.Number())
					}
					got, err := r.read(b)
					if err != nil || string(got) != tt.want {
						t.Fatalf("%s of %q = %q, %v, want %q", r.name, pieces, got, err, tt.want)
					}
					if err := c.Noop(t.Context()); err != nil {
						t.Fatalf("%s of %q: the next reply: %v", r.name, pieces, err)
					}
				}
				for cut := range len(tt.wire) {
					check(tt.wire[:cut], tt.wire[cut:])
					for second := cut + 1; second < len(tt.wire); second++ {
						check(tt.wire[:cut], tt.wire[cut:second], tt.wire[second:])
					}
				}
				check(strings.Split(tt.wire, "")...)
			}
		})
	}
}

// F8-F11, F59: the connection ends within the message, at whatever octet.
func TestTruncated(t *testing.T) {
	for _, tt := range bodies {
		for _, r := range readers {
			for cut := range len(tt.wire) {
				c, b := retr(t, nil, "+OK\r\n", tt.wire[:cut])
				got, err := r.read(b)
				if !errors.Is(err, pop3client.ErrTruncated) || !errors.Is(err, pop3client.ErrUnavailable) || errors.Is(err, io.EOF) {
					t.Fatalf("%s: %s of %q = %q, %v, want ErrTruncated", tt.name, r.name, tt.wire[:cut], got, err)
				}
				if !strings.HasPrefix(tt.want, string(got)) {
					t.Fatalf("%s: %s of %q = %q, which is not how the message begins", tt.name, r.name, tt.wire[:cut], got)
				}
				if _, again := r.read(b); again != err {
					t.Fatalf("the error is not kept: %v", again)
				}
				if c.Err() == nil {
					t.Fatal("the session goes on")
				}
			}
		}
	}
}

// QUIRK: a server whose own lines end in bare LF ends messages so, too.
func TestBareLFServer(t *testing.T) {
	for _, tt := range []struct{ wire, want string }{
		{"Subject: x\n\ntext\n.\n", "Subject: x\n\ntext\n"},
		{"a\n..\n..b\r\n.c\n.\r\n", "a\n.\n.b\r\nc\n"},
		{".\n", ""},
	} {
		for cut := range len(tt.wire) {
			c, b := retr(t, nil, "+OK\n", tt.wire[:cut], tt.wire[cut:], "+OK next\n")
			got, err := io.ReadAll(b)
			if err != nil || string(got) != tt.want {
				t.Fatalf("%q, cut at %d: %q, %v, want %q", tt.wire, cut, got, err, tt.want)
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// F50, F51: dots and line ends around the edges of the buffer, and lines far
// longer than it.
func TestBuffers(t *testing.T) {
	const buffer = 64 << 10
	for _, n := range []int{buffer - 12, buffer - 8, buffer - 7, buffer - 6, buffer - 5, buffer - 4, buffer - 3, buffer - 2, buffer - 1, buffer, buffer + 1, 5 * buffer} {
		x := strings.Repeat("x", n)
		wire := "+OK\r\n" + x + "\r\n..a\r\n" + x + "\r\n..\r\n.\r\n"
		want := x + "\r\n.a\r\n" + x + "\r\n.\r\n"
		for _, r := range readers {
			c, b := retr(t, nil, wire, "+OK next\r\n")
			got, err := r.read(b)
			if err != nil || string(got) != want {
				t.Fatalf("lines of %d octets, %s: %d octets, %v, want %d", n, r.name, len(got), err, len(want))
			}
			if err := c.Noop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestRetrGone(t *testing.T) {
	for _, tt := range []struct {
		reply string
		gone  bool
	}{
		{"-ERR no such message, only 2 messages in maildrop", true}, // RFC 1939
		{"-ERR There's no message 5.", true},                        // Dovecot
		{"-ERR There's only 20 messages.", true},                    // Dovecot
		{"-ERR Message is deleted.", true},                          // Dovecot
		{"-ERR Invalid message number.", true},                      // Courier
		{"-ERR [SYS/TEMP] no such message here for now", false},
		{"-ERR cannot read it", false},
		{"-ERR", false},
	} {
		c := loggedIn(t, nil, nil, func(s *script) {
			s.expect("RETR 5")
			s.send(tt.reply)
			s.expect("NOOP")
			s.send("+OK")
		})
		_, err := c.Retr(t.Context(), 5)
		var e *pop3client.Error
		if !errors.As(err, &e) || e.Command != "RETR" || errors.Is(err, pop3client.ErrGone) != tt.gone {
			t.Errorf("%s: %v, want an Error, gone: %v", tt.reply, err, tt.gone)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("the session does not go on: %v", err)
		}
	}
}

func TestTop(t *testing.T) {
	c := loggedIn(t, nil, nil, func(s *script) {
		s.expect("TOP 3 10")
		s.send("+OK", "Subject: x", "", ".")
	})
	b, err := c.Top(t.Context(), 3, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); err != nil || string(got) != "Subject: x\r\n\r\n" || b.Number() != 3 {
		t.Errorf("Top = %d, %q, %v", b.Number(), got, err)
	}
}

// A body that was not read to its end does not disturb the next command, and
// cannot be read after it.
func TestUnreadBody(t *testing.T) {
	c := loggedIn(t, nil, nil, func(s *script) {
		for range 2 {
			s.expect("RETR 1")
			s.send("+OK", "+OK within", "-ERR within", ".")
			s.expect("NOOP")
			s.send("+OK")
		}
	})
	for _, n := range []int{0, 5} {
		b, err := c.Retr(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(b, make([]byte, n))
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("Noop after %d octets: %v", n, err)
		}
		if got, err := io.ReadAll(b); err == nil {
			t.Errorf("the old body can still be read: %q", got)
		}
		if c.Err() != nil {
			t.Fatal(c.Err())
		}
	}
}

func TestBodyContext(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := loggedIn(t, nil, nil, func(s *script) {
		s.expect("RETR 1")
		s.send("+OK", "half of")
		s.expectEnd()
	})
	b, err := c.Retr(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(b, make([]byte, 4))
	cancel(cause)
	if got, err := io.ReadAll(b); !errors.Is(err, cause) || !errors.Is(err, pop3client.ErrTruncated) {
		t.Errorf("after cancel: %q, %v, want the cause and ErrTruncated", got, err)
	}
}

func TestBodyReleasesContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := loggedIn(t, nil, nil, func(s *script) {
		s.expect("RETR 1")
		s.send("+OK", "text", ".")
		s.expect("NOOP")
		s.send("+OK")
	})
	b, err := c.Retr(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(b); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.Noop(t.Context()); err != nil {
		t.Errorf("the context of a body that was read ends the session: %v", err)
	}
}

// F56: what counts is what arrives, not what the server promised.
func TestTooLarge(t *testing.T) {
	for _, r := range readers {
		big := strings.Repeat("x", 1000)
		c, b := retr(t, &pop3client.Options{MaxMessageSize: 999}, "+OK 10 octets\r\n", big[:600], big[600:]+"\r\n.\r\n", "+OK\r\n")
		got, err := r.read(b)
		var m *pop3client.MessageError
		if !errors.Is(err, pop3client.ErrTooLarge) || !errors.As(err, &m) || m.Number != 1 || len(got) > 999 {
			t.Errorf("%s: %d octets, %v, want a MessageError that is ErrTooLarge", r.name, len(got), err)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("%s: the session does not go on: %v", r.name, err)
		}
		c, b = retr(t, &pop3client.Options{MaxMessageSize: 1002}, "+OK 10 octets\r\n", big+"\r\n.\r\n", "+OK\r\n")
		if got, err := r.read(b); err != nil || len(got) != 1002 {
			t.Errorf("%s at the limit: %d octets, %v", r.name, len(got), err)
		}
		c.Close()
	}
}

func TestAbandon(t *testing.T) {
	line := strings.Repeat("x", 98) + "\r\n"
	c, b := retr(t, &pop3client.Options{MaxDrain: 1000}, slices.Concat([]string{"+OK\r\n"}, slices.Repeat([]string{line}, 12), []string{".\r\n", "+OK\r\n"})...)
	io.ReadFull(b, make([]byte, 10))
	if err := c.Noop(t.Context()); !errors.Is(err, pop3client.ErrAbandoned) || !errors.Is(c.Err(), pop3client.ErrAbandoned) {
		t.Errorf("Noop = %v, want ErrAbandoned", err)
	}
}

type failingWriter struct{ n int }

func (w *failingWriter) Write(p []byte) (int, error) {
	n := min(w.n, len(p))
	if w.n -= n; n < len(p) {
		return n, fmt.Errorf("disk full")
	}
	return n, nil
}

// An error of the writer loses nothing of the message.
func TestWriteToFails(t *testing.T) {
	c, b := retr(t, nil, "+OK\r\n", "0123456789\r\n.\r\n", "+OK\r\n")
	n, err := b.WriteTo(&failingWriter{4})
	if n != 4 || err == nil || errors.Is(err, pop3client.ErrTruncated) {
		t.Fatalf("WriteTo = %d, %v", n, err)
	}
	if rest, err := io.ReadAll(b); err != nil || string(rest) != "456789\r\n" {
		t.Errorf("the rest = %q, %v", rest, err)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBodyClose(t *testing.T) {
	line := strings.Repeat("x", 98) + "\r\n"
	wire := func(n int) []string {
		return slices.Concat([]string{"+OK\r\n"}, slices.Repeat([]string{line}, n), []string{".\r\n", "+OK\r\n"})
	}
	c, b := retr(t, &pop3client.Options{MaxDrain: 1000}, wire(8)...)
	io.ReadFull(b, make([]byte, 10))
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	if got, err := io.ReadAll(b); err == nil {
		t.Errorf("after Close: %q", got)
	}
	if err := c.Noop(t.Context()); err != nil {
		t.Errorf("the session does not go on: %v", err)
	}
	c, b = retr(t, &pop3client.Options{MaxDrain: 1000}, wire(12)...)
	if err := b.Close(); !errors.Is(err, pop3client.ErrAbandoned) || !errors.Is(c.Err(), pop3client.ErrAbandoned) {
		t.Errorf("Close of what is too long = %v, want ErrAbandoned", err)
	}
	c, b = retr(t, nil, wire(3)...)
	io.Copy(io.Discard, b)
	if err := b.Close(); err != nil {
		t.Errorf("Close after the end = %v", err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read = %d, %v, want what it was before", n, err)
	}
	c.Close()
}

// closing closes the session while the data of a read are on their way up.
type closing struct {
	net.Conn
	close func()
}

func (c *closing) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.close != nil {
		c.close()
	}
	return n, err
}

// A session may be closed, or its context end, at any moment, also between a
// message's octets coming in and their being looked at.
func TestCloseWithinBody(t *testing.T) {
	var conn closing
	more := make(chan struct{})
	conn.Conn = connect(t, func(s *script) {
		s.login(pipelining...)
		s.expect("RETR 1")
		s.send("+OK")
		s.raw("one, ")
		<-more
		s.raw("two")
	})
	c, err := pop3client.New(t.Context(), &conn, &pop3client.Options{AllowPlaintext: true})
	if err == nil {
		err = c.Login(t.Context(), "joe", "secret")
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Retr(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var text [5]byte
	if _, err := io.ReadFull(b, text[:]); err != nil {
		t.Fatal(err)
	}
	conn.close = func() { c.Close() }
	close(more)
	if text, err := io.ReadAll(b); len(text) > 0 || !errors.Is(err, pop3client.ErrTruncated) || !errors.Is(err, pop3client.ErrClosed) {
		t.Errorf("%q, %v, want ErrTruncated and ErrClosed", text, err)
	}
}

// The context bounds what Close reads and throws away, too.
func TestBodyCloseContext(t *testing.T) {
	timed(t, nil, func(s *script) {
		s.expect("RETR 1")
		s.send("+OK", "and no more")
		s.expectEnd()
	}, func(t *testing.T, c *pop3client.Client) {
		cause := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		b, err := c.Retr(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); !errors.Is(err, cause) {
			t.Errorf("Close = %v, want the cause", err)
		}
	})
}
