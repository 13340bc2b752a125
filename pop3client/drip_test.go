package pop3client_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/postbag/pop3client"
)

// dripping runs do with a client that is logged in at a server which answers
// RETR at an octet a second, and takes nothing after the first DELE if it is deaf.
func dripping(t *testing.T, text string, o pop3client.Options, deaf bool, do func(*testing.T, *pop3client.Client)) {
	t.Helper()
	o.AllowPlaintext = true
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		var both sync.WaitGroup
		defer both.Wait()
		both.Go(func() {
			io.WriteString(server, "+OK ready\r\n")
			for lines := bufio.NewScanner(server); lines.Scan(); {
				switch verb, _, _ := strings.Cut(lines.Text(), " "); verb {
				case "CAPA":
					io.WriteString(server, "+OK\r\nPIPELINING\r\nUIDL\r\nTOP\r\nUSER\r\n.\r\n")
				case "DELE":
					if deaf {
						return
					}
				case "RETR":
					for i := range len(text) {
						time.Sleep(time.Second)
						if _, err := io.WriteString(server, text[i:i+1]); err != nil {
							return
						}
					}
				default:
					io.WriteString(server, "+OK\r\n")
				}
			}
		})
		defer server.Close()
		c, err := pop3client.New(t.Context(), client, &o)
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

func TestDrip(t *testing.T) {
	message := strings.Repeat("x", 3998) + "\r\n"
	retr := func(t *testing.T, c *pop3client.Client) (int64, error) {
		b, err := c.Retr(t.Context(), 1)
		if err != nil {
			return 0, err
		}
		return b.WriteTo(io.Discard)
	}
	t.Run("F117 a message", func(t *testing.T) {
		dripping(t, "+OK\r\n"+message+".\r\n", pop3client.Options{}, false, func(t *testing.T, c *pop3client.Client) {
			start := time.Now()
			n, err := retr(t, c)
			if took := time.Since(start); !errors.Is(err, pop3client.ErrTruncated) || !errors.Is(err, pop3client.ErrUnavailable) || took > 16*time.Minute {
				t.Errorf("%d octets, %v, after %v", n, err, took)
			}
		})
	})
	t.Run("F117 allowed", func(t *testing.T) {
		dripping(t, "+OK\r\n"+message+".\r\n", pop3client.Options{MinProgress: -1}, false, func(t *testing.T, c *pop3client.Client) {
			if n, err := retr(t, c); n != 4000 || err != nil {
				t.Errorf("%d octets, %v", n, err)
			}
		})
	})
	t.Run("F115 many commands on their way", func(t *testing.T) {
		dripping(t, "", pop3client.Options{}, true, func(t *testing.T, c *pop3client.Client) {
			numbers := make([]int, 100_000)
			for i := range numbers {
				numbers[i] = i + 1
			}
			if _, err := c.Dele(t.Context(), numbers...); !errors.Is(err, pop3client.ErrUnavailable) {
				t.Errorf("Dele = %v, want ErrUnavailable", err)
			}
		})
	})
}
