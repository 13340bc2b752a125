package transport_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/internal/testca"
	"example.com/postbag/internal/transport"
)

// drip sends text, an octet at a time, until the other side has gone.
func drip(w io.Writer, text string, pause time.Duration) {
	for i := range len(text) {
		time.Sleep(pause)
		if _, err := io.WriteString(w, text[i:i+1]); err != nil {
			return
		}
	}
}

// F117: a server that is never silent and never done is given up, one that is
// only slow is not.
func TestProgress(t *testing.T) {
	const endless = 1 << 20
	line := strings.Repeat("x", 3998) + "\r\n"
	for _, tt := range []struct {
		name  string
		o     transport.Options
		said  string
		pause time.Duration
		want  time.Duration // until the server is given up, 0: never
	}{
		{"an octet a second, for ever", transport.Options{}, strings.Repeat("x", endless), time.Second, 15 * time.Minute},
		{"an octet a minute, almost", transport.Options{}, strings.Repeat("x", endless), 59 * time.Second, 16 * 59 * time.Second},
		{"three octets a second", transport.Options{}, line, time.Second / 3, 0},
		{"a short answer", transport.Options{}, "OK\r\n", 59 * time.Second, 0},
		{"off", transport.Options{MinProgress: -1}, line, time.Second, 0},
		{"any silence is allowed", transport.Options{StallTimeout: -1}, line, time.Second, 0},
		{"36 years of silence are allowed", transport.Options{StallTimeout: 1 << 60}, line, time.Second, 0},
		{"less is enough", transport.Options{MinProgress: 800}, line, time.Second, 0},
		{"more is wanted", transport.Options{MinProgress: 10_000}, line, time.Second / 3, 15 * time.Minute},
		{"in less time", transport.Options{StallTimeout: 10 * time.Second}, line, time.Second, 150 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				var both sync.WaitGroup
				defer both.Wait()
				both.Go(func() { drip(server, tt.said, tt.pause) })
				c := transport.New(client, "", &tt.o)
				defer c.Close()
				start := time.Now()
				_, err := c.Line(endless)
				took := time.Since(start).Round(time.Second)
				switch {
				case tt.want == 0 && err != nil:
					t.Errorf("given up after %v: %v", took, err)
				case tt.want != 0 && (!errors.Is(err, transport.ErrUnavailable) || !strings.Contains(err.Error(), "of waiting")):
					t.Errorf("%v, want ErrUnavailable", err)
				case tt.want != 0 && took != tt.want:
					t.Errorf("given up after %v, want %v", took, tt.want)
				}
			})
		})
	}
}

// Neither the time that a caller takes between reads counts, nor what a server
// was slow with before it was asked again.
func TestProgressIsOfAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		var both sync.WaitGroup
		defer both.Wait()
		both.Go(func() {
			for asked := make([]byte, 2); ; {
				if _, err := io.ReadFull(server, asked); err != nil {
					return
				}
				drip(server, strings.Repeat("x", 598)+"\r\n", time.Second) // ten minutes
			}
		})
		c := transport.New(client, "", nil)
		defer c.Close()
		for range 5 {
			if _, err := io.WriteString(c, "go"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Line(1000); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
	})
}

// secured returns a Conn with TLS, in memory, to a server that goes on with f.
func secured(t *testing.T, f func(s *tls.Conn, below *slowWriter)) *transport.Conn {
	t.Helper()
	ca, err := testca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	below := &slowWriter{Conn: server}
	var both sync.WaitGroup
	both.Go(func() {
		s := tls.Server(below, &tls.Config{Certificates: []tls.Certificate{cert}})
		if s.Handshake() == nil {
			f(s, below)
		}
	})
	c := transport.New(client, "localhost", &transport.Options{TLSConfig: &tls.Config{RootCAs: ca.Pool()}})
	t.Cleanup(func() {
		c.Fail(errors.New("done"))
		both.Wait()
	})
	if err := c.StartTLS(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// The stall timeout is on the octets below TLS: a record may be as slow as
// anything else.
func TestSlowRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := secured(t, func(s *tls.Conn, below *slowWriter) {
			below.pause = time.Second
			io.WriteString(s, strings.Repeat("x", 298)+"\r\n")
		})
		if line, err := c.Line(1000); err != nil || len(line) != 300 {
			t.Errorf("%d octets, %v", len(line), err)
		}
	})
}

// So it is on what is sent: of many records each may take as long.
func TestSlowTaker(t *testing.T) {
	const octets = 256 << 10
	synctest.Test(t, func(t *testing.T) {
		c := secured(t, func(s *tls.Conn, _ *slowWriter) {
			buf := make([]byte, 64<<10)
			for got := 0; got < octets; {
				time.Sleep(50 * time.Second)
				n, err := s.Read(buf)
				if err != nil {
					return
				}
				got += n
			}
			io.WriteString(s, "thanks\r\n")
		})
		if n, err := c.Write(make([]byte, octets)); n != octets || err != nil {
			t.Fatalf("%d octets are taken, %v", n, err)
		}
		if _, err := c.Line(100); err != nil {
			t.Error(err)
		}
	})
}

type slowWriter struct {
	net.Conn
	pause time.Duration
}

func (w *slowWriter) Write(p []byte) (int, error) {
	if w.pause == 0 {
		return w.Conn.Write(p)
	}
	drip(w.Conn, string(p), w.pause)
	return len(p), nil
}

// F115: a server that sends and does not read takes neither side with it:
// writing is given up, and with it reading.
func TestWriteIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe() // nothing is taken that is not read
		defer server.Close()
		c := transport.New(client, "", nil)
		start := time.Now()
		var both sync.WaitGroup
		defer both.Wait()
		var written error
		both.Go(func() { _, written = c.Write(make([]byte, 1<<20)) })
		both.Go(func() { drip(server, strings.Repeat("x", 1<<20), time.Second) })
		_, err := c.Line(1 << 20)
		both.Wait()
		for what, err := range map[string]error{"reading": err, "writing": written} {
			if !errors.Is(err, transport.ErrUnavailable) {
				t.Errorf("%s ends with %v, want ErrUnavailable", what, err)
			}
		}
		if took := time.Since(start); took > 61*time.Second { // the last octet is on its way
			t.Errorf("given up after %v, want a minute", took)
		}
	})
}
